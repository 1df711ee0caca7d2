package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// pageRecords are records of one vulnerability, told by several databases.
const pageRecords = `{"id":"CVE-2021-0001","modified":"2026-07-03T00:00:00Z","published":"2021-02-03T00:00:00Z","summary":"Overflow in left-pad","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"references":[{"type":"WEB","url":"https://example.org/a"}]}
{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2021-0001"],"modified":"2026-07-02T00:00:00Z","summary":"left-pad overflows","details":"# Heading\n\n*text* and [a link](https://example.org)","affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"last_affected":"2.4.1"}]}]}],"references":[{"type":"WEB","url":"https://example.org/a"},{"type":"FIX","url":"https://example.org/fix"}]}
{"id":"DEBIAN-CVE-2021-0001","upstream":["CVE-2021-0001"],"modified":"2026-07-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"node-left-pad"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2.0-1"}]}]},{"package":{"ecosystem":"Debian:11","name":"node-left-pad"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}],"database_specific":{"statements":[{"ecosystem":"Debian:11","package":"node-left-pad","status":"will_not_fix","detail":"no-dsa"}]}}
{"id":"MAL-2024-1","modified":"2026-06-01T00:00:00Z","summary":"Malicious code in right-pad","affected":[{"package":{"ecosystem":"npm","name":"right-pad"},"versions":["1.0.0","1.0.1"]}]}
{"id":"NVD-X-1","modified":"2026-06-01T00:00:00Z","summary":"Old","withdrawn":"2026-06-02T00:00:00Z"}
`

// pageServer serves the pages of a database with the text as its document.
func pageServer(t testing.TB, text string, change func(*Options)) (*Server, string) {
	t.Helper()
	opt := Options{Dir: t.TempDir(), Pages: true}
	fill(t, opt.Dir, text)
	if change != nil {
		change(&opt)
	}
	s, srv := newServer(t, opt)
	return s, srv.URL
}

// settled gets a page that is being computed.
func settled(t testing.TB, url string) string {
	t.Helper()
	for range 100 {
		status, body := get(t, url)
		if status == http.StatusOK {
			return body
		}
		if status != http.StatusAccepted {
			t.Fatalf("%s: %d %s", url, status, body)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: still being computed", url)
	return ""
}

var tags = regexp.MustCompile(`(?s)<[^>]*>|\s+`)

// mainText is the text of a page, its white space as one blank.
func mainText(t testing.TB, page string) string {
	t.Helper()
	_, page, ok := strings.Cut(page, "<main")
	if !ok {
		t.Fatal("a page without main")
	}
	page, _, _ = strings.Cut(page, "</main>")
	return strings.Join(strings.Fields(tags.ReplaceAllString(page, " ")), " ")
}

func TestWebPages(t *testing.T) {
	_, site := pageServer(t, pageRecords, nil)
	for _, test := range []struct {
		path string
		want []string
	}{
		{"/", []string{"ID, alias, package URL", "2 ecosystems, 3 with their releases"}},
		{"/vuln/CVE-2021-0001", []string{
			"also GHSA-aaaa-bbbb-cccc", "critical 9.8", "Overflow in left-pad", "before 1.2.0; from 2.0.0 up to 2.4.1",
			"Debian:12", "before 1.2.0-1", "every version", "will not fix no-dsa DEBIAN-CVE-2021-0001",
			"GHSA-aaaa-bbbb-cccc CVE-2021-0001 yes", "# Heading *text* and [a link](https://example.org)",
			"WEB https://example.org/a CVE-2021-0001, GHSA-aaaa-bbbb-cccc",
		}},
		{"/vuln/GHSA-aaaa-bbbb-cccc", []string{"CVE-2021-0001", "Asked for as GHSA-aaaa-bbbb-cccc."}},
		{"/vuln/CVE-2021-0001?purl=pkg:npm/left-pad@2.4.1", []string{"affected npm/left-pad at 2.4.1", "verdict affected GHSA-aaaa-bbbb-cccc affected where one record says so"}},
		{"/vuln/CVE-2021-0001?purl=pkg:npm/left-pad@1.2.0", []string{"not affected npm/left-pad at 1.2.0", "no record says affected"}},
		{"/vuln/CVE-2021-0001?purl=pkg:npm/other@1", []string{"No record of it speaks of npm/other"}},
		{"/vuln/CVE-2021-0001?purl=pkg:cargo/x@1", []string{"There are no data of the ecosystem crates.io"}},
		{"/vuln/NVD-X-1", []string{"Every record of it is withdrawn.", "2026-06-02"}},
		{"/package/npm/left-pad", []string{"GHSA-aaaa-bbbb-cccc CVE-2021-0001", "critical 9.8", "before 1.2.0; from 2.0.0 up to 2.4.1", "2026-07-02"}},
		{"/package/npm/left-pad?version=2.1.0", []string{"affected 1", "affected introduced 2.0.0"}},
		{"/package/npm/left-pad?version=1.5.0", []string{"not affected 1"}},
		{"/package/npm/right-pad", []string{"only 1.0.0, 1.0.1"}},
		{"/package/npm/none", []string{"No record that is held speaks of this package."}},
		{"/package/Debian/node-left-pad", []string{"2 records in 2 releases"}},
		{"/package/Debian:12/node-left-pad?purl=pkg:deb/debian/node-left-pad@1.1-1%3Fdistro=bookworm", []string{"affected introduced 0"}},
		{"/search?q=left-pad", []string{"Packages of this name npm", "Records with these words 2 found"}},
		{"/search?q=right", []string{"MAL-2024-1 2026-06-01 Malicious code in right-pad"}},
		{"/search?q=heading&details=1", []string{"GHSA-aaaa-bbbb-cccc"}},
		{"/search?q=zzzz", []string{"No record has all of these words in its ID or summary."}},
		{"/search?q=cpe:2.3:a:x:y:1:*:*:*:*:*:*:*", []string{"That is not the same as being safe."}},
		{"/search?q=0123456789abcdef", []string{"The commit 0123456789abcdef", "of it nothing is known here"}},
		{"/sources", []string{"lines", "60 minutes ago"}},
		{"/statistics", []string{"5 records, of which 1 are withdrawn", "critical 1", "npm 2"}},
	} {
		t.Run(strings.ReplaceAll(test.path, "/", "."), func(t *testing.T) {
			got := mainText(t, settled(t, site+test.path))
			for _, w := range test.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: no %q in\n%s", test.path, w, got)
				}
			}
		})
	}
}

func TestSearchGoesToPages(t *testing.T) {
	_, site := pageServer(t, pageRecords, nil)
	for query, want := range map[string]string{
		"":                                 "/",
		"q=+":                              "/",
		"q=cve-2021-0001":                  "/vuln/CVE-2021-0001",
		"q=ghsa-AAAA-bbbb-cccc":            "/vuln/GHSA-aaaa-bbbb-cccc",
		"q=npm/left-pad":                   "/package/npm/left-pad",
		"q=NPM/%40scope/left-pad%401.0":    "/package/npm/@scope/left-pad?version=1.0",
		"q=debian:12/x":                    "/package/Debian:12/x",
		"q=left-pad%402.0.0&ecosystem=npm": "/package/npm/left-pad?version=2.0.0",
		"q=pkg:npm/left-pad%402.0.0":       "/package/npm/left-pad?purl=pkg%3Anpm%2Fleft-pad%402.0.0",
	} {
		resp, _ := exchange(t, "GET", site+"/search?"+query, "")
		if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("%q: %d %q, want %q", query, resp.StatusCode, got, want)
		}
	}
}

func TestPageErrors(t *testing.T) {
	_, site := pageServer(t, pageRecords, nil)
	for _, test := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/vuln/CVE-1999-9999", 404, `Nothing is known of &#34;CVE-1999-9999&#34;`},
		{"GET", "/vuln/" + strings.Repeat("x", 101), 400, "at most 100 characters"},
		{"GET", "/vuln/CVE-2021-0001?purl=nonsense", 400, "invalid purl"},
		{"GET", "/vuln/CVE-2021-0001?packages=x", 400, "is no number of a page"},
		{"GET", "/vuln/CVE-2021-0001?packages=9", 404, "There is no page 9: the last is 1."},
		{"GET", "/package/Nothing/x", 404, "no data of the ecosystem"},
		{"GET", "/package/npm/x?verdict=maybe", 400, "is none of affected, unknown, not-affected"},
		{"GET", "/package/npm/", 404, "Which package?"},
		{"GET", "/search?q=pkg:nonsense", 400, "invalid purl"},
		{"GET", "/search?q=cpe:nonsense", 400, "invalid CPE"},
		{"GET", "/search?q=cpe:2.3:a:*:*:*:*:*:*:*:*:*:*", 400, "vendor or product must be said"},
		{"GET", "/search?q=x&ecosystem=Nothing", 404, "no data of the ecosystem"},
		{"GET", "/search?q=" + strings.Repeat("x", 501), 400, "at most 500 characters"},
		{"GET", "/changes", 404, "No state before this one is held"},
		{"POST", "/sources", 405, "can only be read"},
		{"GET", "/nowhere", 404, "There is no page here."},
	} {
		resp, body := exchange(t, test.method, site+test.path, "", "Accept", "text/html,*/*")
		if resp.StatusCode != test.status || !strings.Contains(body, test.want) || !strings.Contains(body, "<main") {
			t.Errorf("%s %s: %d, want %d and %q in\n%s", test.method, test.path, resp.StatusCode, test.status, test.want, body)
		}
		if resp.Header.Get("ETag") != "" || resp.Header.Get("Content-Security-Policy") != pagePolicy {
			t.Errorf("%s: %v", test.path, resp.Header)
		}
	}
	if _, body := get(t, site+"/nowhere"); !strings.HasPrefix(body, `{"code":404`) {
		t.Errorf("a client of the API gets %s", body)
	}
	if _, body := get(t, site+"/v1/nowhere", "Accept", "text/html"); !strings.HasPrefix(body, `{"code":404`) {
		t.Errorf("a browser that asks the API gets %s", body)
	}
}

func TestNoPages(t *testing.T) {
	_, srv := newServer(t, Options{})
	if status, body := get(t, srv.URL+"/", "Accept", "text/html"); status != 404 || !strings.HasPrefix(body, "{") {
		t.Errorf("%d %s", status, body)
	}
}

func TestPagesWithoutData(t *testing.T) {
	_, srv := newServer(t, Options{Dir: t.TempDir(), Pages: true, Empty: true})
	resp, body := exchange(t, "GET", srv.URL+"/", "")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "no data is held yet") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestPageValidators wants a page that did not change not to be sent again,
// and another one after each thing it is a function of.
func TestPageValidators(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, pageRecords)
	now := testDay.Add(time.Hour)
	_, srv := newServer(t, Options{Dir: dir, Pages: true, Now: func() time.Time { return now }})
	path := srv.URL + "/vuln/CVE-2021-0001"
	first, body := exchange(t, "GET", path, "")
	tag := first.Header.Get("ETag")
	if tag == "" || first.Header.Get("Cache-Control") != "no-cache" || first.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v", first.Header)
	}
	if resp, again := exchange(t, "GET", path, "", "If-None-Match", `"other", `+tag); resp.StatusCode != 304 || again != "" || resp.Header.Get("ETag") != tag {
		t.Errorf("the same: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, text := exchange(t, "HEAD", path, ""); resp.StatusCode != 200 || text != "" || resp.Header.Get("Content-Length") != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: %d %v, want %d bytes", resp.StatusCode, resp.Header, len(body))
	}
	if resp, _ := exchange(t, "GET", path+"?x", "", "If-None-Match", tag); resp.StatusCode != 200 {
		t.Errorf("another address: %d", resp.StatusCode)
	}
	now = now.Add(2 * tick)
	if resp, _ := exchange(t, "GET", path, "", "If-None-Match", tag); resp.StatusCode != 200 {
		t.Errorf("later: %d", resp.StatusCode)
	}
	now = now.Add(-2 * tick)
	if err := os.WriteFile(filepath.Join(dir, "status.json"), []byte(`{"lines":{"fetched_at":"2026-08-01T09:30:00Z"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if resp, text := exchange(t, "GET", path, "", "If-None-Match", tag); resp.StatusCode != 200 || !strings.Contains(text, "30 minutes ago") {
		t.Errorf("fetched again: %d %s", resp.StatusCode, text)
	}
	fill(t, dir, pageRecords+"Z-1 npm z 1.0.0\n")
	if resp, text := exchange(t, "GET", path, "", "If-None-Match", tag); resp.StatusCode != 200 || !strings.Contains(text, "State 2 of") {
		t.Errorf("another state: %d", resp.StatusCode)
	}
}

func TestPageFiles(t *testing.T) {
	s, site := pageServer(t, pageRecords, nil)
	resp, body := exchange(t, "GET", site+"/pages/style.css?v="+s.web.build, "")
	if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.Contains(body, "prefers-color-scheme: dark") {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if resp, _ := exchange(t, "GET", site+"/pages/style.css?v=old", ""); resp.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("of another build: %v", resp.Header)
	}
	if status, _ := get(t, site+"/pages/frame.html"); status != 404 {
		t.Errorf("a template is served: %d", status)
	}
}

// TestPageTokens wants a browser to be asked for the token, and told nothing
// before it has it.
func TestPageTokens(t *testing.T) {
	_, site := pageServer(t, pageRecords, func(o *Options) { o.Tokens = func() []string { return []string{"secret"} } })
	resp, body := exchange(t, "GET", site+"/sources", "")
	if resp.StatusCode != 401 || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") || strings.Contains(body, "State 1") {
		t.Errorf("%d %v\n%s", resp.StatusCode, resp.Header, body)
	}
	resp, _ = exchange(t, "GET", site+"/sources", "", "Authorization", "Basic YW55OnNlY3JldA==")
	if resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if resp, _ = exchange(t, "POST", site+"/v1/query", "{}"); !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("the API: %v", resp.Header)
	}
}

func TestOldDataIsSaid(t *testing.T) {
	_, site := pageServer(t, pageRecords, func(o *Options) { o.Now = func() time.Time { return testDay.Add(20 * 24 * time.Hour) } })
	for _, path := range []string{"/", "/vuln/CVE-2021-0001"} {
		if _, body := get(t, site+path); !strings.Contains(body, "<strong>Old data:</strong> sources were last fetched 20 days ago") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if _, body := get(t, site+"/sources"); !strings.Contains(body, `<span class="bad"><b>old:</b> 20 days ago</span>`) {
		t.Errorf("%s", body)
	}
}

// TestChangesPage compares with the state that the folder keeps.
func TestChangesPage(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, pageRecords)
	fill(t, dir, strings.Replace(pageRecords, `"fixed":"1.2.0"`, `"fixed":"1.2.1"`, 1)+"N-1 PyPI new 1.0\n")
	_, srv := newServer(t, Options{Dir: dir, Pages: true})
	got := mainText(t, settled(t, srv.URL+"/changes"))
	for _, w := range []string{"From state 1 of", "of 2 records something else is said", "added 1", "changed 1", "GHSA-aaaa-bbbb-cccc changed ranges npm left-pad overflows", "N-1 added PyPI"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
	for query, want := range map[string]string{"kind=added": "N-1", "ecosystem=npm": "GHSA-aaaa-bbbb-cccc", "kind=added&ecosystem=npm": "None of this kind."} {
		got := mainText(t, settled(t, srv.URL+"/changes?"+query))
		_, shown, _ := strings.Cut(got, "Ecosystems Summary")
		if !strings.Contains(shown+got[len(got)-20:], want) || strings.Contains(shown, "N-1") && want != "N-1" {
			t.Errorf("%s: %s", query, got)
		}
	}
	if status, _ := get(t, srv.URL+"/changes?kind=other"); status != 400 {
		t.Errorf("another kind: %d", status)
	}
}

// TestPagesAreBounded wants a page of a package with thousands of records, and
// of a record with thousands of packages, to stay small.
func TestPagesAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "L-%04d Debian:12 linux 6.1.%d-1\n", i, i)
	}
	text.WriteString(`{"id":"CVE-2024-5000","modified":"2026-07-01T00:00:00Z","summary":"` + strings.Repeat("long ", 100000) + `","details":"` + strings.Repeat("wide ", 100000) + `","affected":[`)
	for i := range 5000 {
		fmt.Fprintf(&text, `{"package":{"ecosystem":"npm","name":"p%d"},"versions":["1.%d.0"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.%d.0"}]}]},`, i, i, i)
	}
	text.WriteString(`{"package":{"ecosystem":"npm","name":"` + strings.Repeat("n", 10000) + `"}}]}` + "\n")
	_, site := pageServer(t, text.String(), nil)
	for _, test := range []struct {
		path string
		max  int
	}{
		{"/package/Debian:12/linux", 150_000}, {"/package/Debian:12/linux?version=6.1.99-1", 150_000}, {"/package/Debian:12/linux?p=125", 150_000},
		{"/vuln/CVE-2024-5000", 150_000}, {"/vuln/CVE-2024-5000?packages=250", 150_000}, {"/search?q=linux", 30_000}, {"/search?q=long", 30_000},
	} {
		resp, body := exchange(t, "GET", site+test.path, "")
		if resp.StatusCode != 200 || len(body) > test.max {
			t.Errorf("%s: %d, %d bytes", test.path, resp.StatusCode, len(body))
		}
	}
	if _, body := get(t, site+"/package/Debian:12/linux?p=2"); !strings.Contains(body, "41–80 of 5,000") || !strings.Contains(body, `href="/package/Debian:12/linux?p=3"`) {
		t.Errorf("the second page:\n%s", body)
	}
}

// TestOnceIsComputedOnce asks from many sides for what is computed of a state.
func TestOnceIsComputedOnce(t *testing.T) {
	s, site := pageServer(t, pageRecords, nil)
	done := make(chan string, 20)
	for range cap(done) {
		go func() {
			_, body := get(t, site+"/statistics")
			done <- body
		}()
	}
	for range cap(done) {
		if body := <-done; !strings.Contains(body, "5 records") {
			t.Errorf("%s", body)
		}
	}
	st := s.current.Load()
	if n := st.derived.statistics.value; n == nil || n.Records != 5 {
		t.Errorf("%+v", n)
	}
	if n := st.refs.Load(); n != 1 {
		t.Errorf("%d references to the state when all is answered", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenDB(s.opt.Dir); err != nil {
		t.Error(err)
	}
}

// TestChangesOfReleases has no state before, and a repository that tells.
func TestChangesOfReleases(t *testing.T) {
	p := newPublisher(t, Options{Pages: true})
	p.publish(testRecords + "N-1 PyPI new 1.0\n")
	if err := os.Remove(filepath.Join(p.dir, "advdb.db.prev")); err != nil {
		t.Fatal(err)
	}
	got := mainText(t, settled(t, strings.TrimSuffix(p.url, "/repo")+"/changes"))
	for _, w := range []string{"From release 1 of", "to release 2 of", "added 1", "N-1 added PyPI"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
}
