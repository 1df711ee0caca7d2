package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// osvRecords have the identifiers, packages, ranges and times of real
// records; GHSA-jf85-cpcp-j695 with a member and a time that the OSV type
// does not have.
const osvRecords = `{"id":"GHSA-29mw-wpgm-hmr9","aliases":["CVE-2020-28500"],"modified":"2025-09-29T21:12:31.102523Z","published":"2022-01-06T20:30:46Z","schema_version":"1.7.3","summary":"Slow regular expressions","affected":[{"package":{"ecosystem":"npm","name":"lodash","purl":"pkg:npm/lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"4.0.0"},{"fixed":"4.17.21"}]}]}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}],"references":[{"type":"ADVISORY","url":"https://nvd.nist.gov/vuln/detail/CVE-2020-28500"}],"database_specific":{"cwe_ids":["CWE-1333"],"severity":"MODERATE"}}
{"id":"GHSA-jf85-cpcp-j695","aliases":["CVE-2019-10744"],"modified":"2024-04-16T16:24:08.4+02:00","impact":{"x":1},"schema_version":"1.7.3","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"note":"n","ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.12"}]}]}],"references":[{"type":"BLOG","url":"https://example.org/"}],"severity":[{"type":"SSVC","score":"x"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H"}]}
{"id":"GHSA-withdrawn","modified":"2024-01-01T00:00:00Z","withdrawn":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}
{"id":"RUSTSEC-2022-0041","modified":"2023-06-13T13:10:24Z","affected":[{"package":{"ecosystem":"crates.io","name":"crossbeam-utils"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"0.8.7"}]}]}]}
{"id":"PYSEC-2021-66","modified":"2021-03-22T16:34:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"jinja2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0.0.0"},{"fixed":"2.11.3"}]}],"versions":["2.4.1","2.11.2"]}]}
{"id":"GHSA-0000-0000-0odd","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"odd"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"2.0.0"}]}],"versions":["odd-1_0-rc1"]}]}
{"id":"OSV-2020-744","modified":"2022-04-13T03:04:39.780694Z","affected":[{"package":{"ecosystem":"OSS-Fuzz","name":"mruby"},"ranges":[{"type":"GIT","repo":"https://github.com/mruby/mruby","events":[{"introduced":"9cdf439db52b66447b4e37c61179d54fad6c8f33"},{"fixed":"97319697c8f9f6ff27b32589947e1918e3015503"}]}],"versions":["2.1.2","2.1.2-rc","2.1.2-rc2"]}]}
{"id":"DEBIAN-CVE-2018-25047","modified":"2025-11-20T10:00:00Z","upstream":["CVE-2018-25047"],"affected":[{"package":{"ecosystem":"Debian:12","name":"smarty4"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.2.1-1"}]}]}]}
{"id":"UBUNTU-CVE-2022-3602","modified":"2025-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Ubuntu:Pro:22.04:LTS","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.2-0ubuntu1.7"}]}]}]}
`

func newOSVServer(t testing.TB, opt Options) string {
	t.Helper()
	opt.Dir = t.TempDir()
	fill(t, opt.Dir, osvRecords)
	_, srv := newServer(t, opt)
	return srv.URL
}

// TestShapes wants answers to have the statuses, members and messages of
// osv.dev. They are taken from its documentation (google.github.io/osv.dev),
// the tests of its official Go client (bindings/go/osvdev) and of its API
// (go/internal/api), and of its gateway, ESPv2; as of August 2026.
func TestShapes(t *testing.T) {
	url := newOSVServer(t, Options{MaxBytes: 200_000})
	batch := func(list ...string) string { return `{"queries":[` + strings.Join(list, ",") + `]}` }
	const lodash = `{"package":{"name":"lodash","ecosystem":"npm"},"version":"4.17.20"}`
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		// Answers.
		{"POST", "/v1/query", `{"package":{"name":"crossbeam-utils","ecosystem":"crates.io"},"version":"0.8.6"}`, 200,
			`{"vulns":[{"id":"RUSTSEC-2022-0041","modified":"2023-06-13T13:10:24Z","affected":[{"package":{"ecosystem":"crates.io","name":"crossbeam-utils"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"0.8.7"}]}]}]}]}`},
		{"POST", "/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1.0.0"}}`, 200, `{}`},
		{"POST", "/v1/query", `{"package":{"purl":"pkg:golang/github.com/tianon/gosu@(devel)?package-id=656546dcfdff37ca"}}`, 200, `{}`},
		{"POST", "/v1/query", `{"package":{"purl":"pkg:yeet/github.com/tianon/gosu@(devel)?package-id=656546dcfdff37ca"}}`, 200, `{}`},
		{"POST", "/v1/query", `{"package":{"purl":"pkg:yeet/x@1"},"version":"2"}`, 200, `{}`},
		{"POST", "/v1/querybatch", batch(lodash, `{"package":{"purl":"pkg:npm/none@1"}}`, `{"package":{"purl":"pkg:unknown/purl@1.0.0"}}`, `{"package":{"purl":"pkg:npm/lodash"}}`), 200,
			`{"results":[{"vulns":[{"id":"GHSA-29mw-wpgm-hmr9","modified":"2025-09-29T21:12:31.102523Z"}]},{},{},` +
				`{"vulns":[{"id":"GHSA-29mw-wpgm-hmr9","modified":"2025-09-29T21:12:31.102523Z"},{"id":"GHSA-jf85-cpcp-j695","modified":"2024-04-16T14:24:08.400Z"}]}]}`},
		{"POST", "/v1/querybatch", `{"queries":[]}`, 200, `{"results":[]}`},
		{"POST", "/v1/querybatch", `{}`, 200, `{"results":[]}`},
		{"GET", "/v1/vulns/PYSEC-2021-66", "", 200,
			`{"id":"PYSEC-2021-66","modified":"2021-03-22T16:34:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"jinja2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0.0.0"},{"fixed":"2.11.3"}]}],"versions":["2.4.1","2.11.2"]}]}`},
		// What the OSV type does not have is not sent.
		{"GET", "/v1/vulns/GHSA-jf85-cpcp-j695", "", 200,
			`{"id":"GHSA-jf85-cpcp-j695","aliases":["CVE-2019-10744"],"modified":"2024-04-16T14:24:08.400Z","schema_version":"1.7.3","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.12"}]}]}],"references":[{"type":"WEB","url":"https://example.org/"}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H"}]}`},

		// Errors of the API.
		{"POST", "/v1/query", `{}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/query", `{"version":"0.8.5"}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/query", `{"package":{"ecosystem":"crates.io"},"version":"0.8.5"}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/query", `{"package":{"name":"abcd-definitely-does-not-exist"}}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/query", `{"commit":""}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/query", `{"commit":"xyz"}`, 400, `{"code":3,"message":"invalid hash"}`},
		{"POST", "/v1/query", `{"package":{"name":"x","ecosystem":"Bogus"},"version":"1.0.0"}`, 400, `{"code":3,"message":"invalid ecosystem"}`},
		{"POST", "/v1/query", `{"package":{"name":"x","ecosystem":"NPM"},"version":"1.0.0"}`, 400, `{"code":3,"message":"invalid ecosystem"}`},
		{"POST", "/v1/query", `{"package":{"ecosystem":"PyPI","purl":"pkg:pypi/mlflow@0.4.0"}}`, 400, `{"code":3,"message":"ecosystem specified in a PURL query"}`},
		{"POST", "/v1/query", `{"version":"0.4.0","package":{"purl":"pkg:pypi/mlflow@0.4.0"}}`, 400, `{"code":3,"message":"version specified in params and PURL query"}`},
		{"POST", "/v1/query", `{"package":{"name":"mlflow","purl":"pkg:pypi/mlflow@0.4.0"}}`, 400, `{"code":3,"message":"name specified in a PURL query"}`},
		{"POST", "/v1/query", `{"page_token":"%","package":{"name":"x","ecosystem":"npm"}}`, 400, `{"code":3,"message":"invalid cursor"}`},
		{"POST", "/v1/query", `{"page_token":"%","package":{"name":"x"}}`, 400, `{"code":3,"message":"invalid query"}`},
		{"POST", "/v1/querybatch", batch(lodash, `{"package":{"name":"x"}}`), 400,
			`{"code":3,"message":"error in query at index 1: rpc error: code = InvalidArgument desc = invalid query"}`},
		{"POST", "/v1/querybatch", batch(`{"package":{"ecosystem":"SwiftPM","name":"x"},"version":"1"}`, `{}`), 400,
			`{"code":3,"message":"error in query at index 0: rpc error: code = InvalidArgument desc = invalid ecosystem"}`},
		{"POST", "/v1/querybatch", batch(lodash, `{"page_token":"P:","package":{"purl":"pkg:npm/lodash"}}`), 400,
			`{"code":3,"message":"error in query at index 1: rpc error: code = InvalidArgument desc = invalid cursor"}`},
		{"POST", "/v1/querybatch", batch(strings.Split(strings.Repeat(lodash+" ", 1001), " ")[:1001]...), 400, `{"code":3,"message":"too many queries"}`},
		{"GET", "/v1/vulns/GO-1000-1000", "", 404, `{"code":5,"message":"Vulnerability not found"}`},
		{"GET", "/v1/vulns/_--_--", "", 404, `{"code":5,"message":"Vulnerability not found"}`},
		{"GET", "/v1/vulns/CVE-2020-28500", "", 404, `{"code":5,"message":"Vulnerability not found, but the following aliases were: GHSA-29mw-wpgm-hmr9"}`},
		{"GET", "/v1/vulns/" + strings.Repeat("x", 101), "", 400, `{"code":3,"message":"ID is too long"}`},

		// Errors of the gateway.
		{"POST", "/v1/vulns", "", 404, `{"code":404,"message":"The current request is not defined by this API."}`},
		{"GET", "/v1/nonsense", "", 404, `{"code":404,"message":"The current request is not defined by this API."}`},
		{"GET", "/v1/query", "", 405, `{"code":405,"message":"The current request is matched to the defined url template \"/v1/query\" but its http method is not allowed"}`},
		{"DELETE", "/v1/vulns/X-1", "", 405, `{"code":405,"message":"The current request is matched to the defined url template \"/v1/vulns/{id}\" but its http method is not allowed"}`},
		{"POST", "/v1/query", `{"commit":"00","version":"1"}`, 400, `{"code":400,"message":"invalid JSON in the request: of commit and version only one may be set"}`},
		{"POST", "/v1/query", `{"x":"` + strings.Repeat("x", 200_000) + `"}`, 413, `{"code":413,"message":"the body is over 200000 bytes"}`},
	} {
		resp, answer := exchange(t, test.method, url+test.path, test.body)
		if resp.StatusCode != test.status {
			t.Errorf("%s %s %.80s: %d, want %d: %s", test.method, test.path, test.body, resp.StatusCode, test.status, answer)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s %s: content type %q", test.method, test.path, got)
		}
		if diff := cmp.Diff(parsed(t, test.want), withoutSources(parsed(t, answer))); diff != "" {
			t.Errorf("%s %s %.80s (-want +got):\n%s", test.method, test.path, test.body, diff)
		}
	}
	if code, answer := post(t, url+"/v1/query", `{"package":`); code != 400 || !strings.Contains(answer, `"code":400`) {
		t.Errorf("broken JSON: %d %s", code, answer)
	}
}

// withoutSources takes away which sources a record here is from.
func withoutSources(v any) any {
	m, _ := v.(map[string]any)
	if d, _ := m["database_specific"].(map[string]any); d != nil {
		if delete(d, "advdb"); len(d) == 0 {
			delete(m, "database_specific")
		}
	}
	vulns, _ := m["vulns"].([]any)
	for _, v := range vulns {
		withoutSources(v)
	}
	return v
}

func parsed(t testing.TB, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v
}

// TestMatches wants records found as osv.dev finds them.
func TestMatches(t *testing.T) {
	url := newOSVServer(t, Options{})
	for _, test := range []struct{ body, want string }{
		{`{"package":{"name":"lodash","ecosystem":"npm"},"version":"4.17.20"}`, "GHSA-29mw-wpgm-hmr9"},
		{`{"package":{"name":"lodash","ecosystem":"npm"},"version":"4.17.21"}`, ""},
		{`{"package":{"name":"lodash","ecosystem":"npm"}}`, "GHSA-29mw-wpgm-hmr9 GHSA-jf85-cpcp-j695"}, // what is withdrawn affects nothing
		{`{"package":{"name":"lodash","ecosystem":"npm"},"version":null,"commit":null}`, "GHSA-29mw-wpgm-hmr9 GHSA-jf85-cpcp-j695"},
		{`{"package":{"name":"lodash"},"version":"4.17.20"}`, "GHSA-29mw-wpgm-hmr9"}, // any ecosystem
		{`{"package":{"purl":"pkg:npm/lodash@4.17.20"},"unknown":[1]}`, "GHSA-29mw-wpgm-hmr9"},
		{`{"package":{"purl":"pkg:npm/lodash"},"version":"4.17.20"}`, "GHSA-29mw-wpgm-hmr9"},
		{`{"package":{"purl":"pkg:npm/lodash@4.17.20?foo=bar#a/b"}}`, "GHSA-29mw-wpgm-hmr9"},
		{`{"package":{"name":"Jinja2","ecosystem":"PyPI"},"version":"2.4.1"}`, "PYSEC-2021-66"},
		{`{"package":{"name":"jinja2","ecosystem":"PyPI"},"version":"2.11.2.0"}`, "PYSEC-2021-66"},
		{`{"package":{"name":"odd","ecosystem":"npm"},"version":"release-1.0rc1"}`, "GHSA-0000-0000-0odd"}, // no version: like one that is listed
		{`{"package":{"name":"odd","ecosystem":"npm"},"version":"latest"}`, ""},
		{`{"package":{"name":"mruby","ecosystem":"OSS-Fuzz"},"version":"2.1.2-rc"}`, "OSV-2020-744"},
		{`{"package":{"name":"mruby","ecosystem":"OSS-Fuzz"},"version":"v2.1.2"}`, "OSV-2020-744"},
		{`{"package":{"name":"mruby","ecosystem":"OSS-Fuzz"},"version":"2.1.3"}`, ""},
		{`{"package":{"name":"mruby"},"version":"2.1.2-rc"}`, "OSV-2020-744"},
		{`{"package":{"name":"smarty4","ecosystem":"Debian"},"version":"4.1.1-1"}`, "DEBIAN-CVE-2018-25047"},
		{`{"package":{"name":"smarty4","ecosystem":"Debian:12"},"version":"4.1.1-1"}`, "DEBIAN-CVE-2018-25047"},
		{`{"package":{"name":"smarty4","ecosystem":"Debian:11"},"version":"4.1.1-1"}`, ""},
		{`{"package":{"purl":"pkg:deb/debian/smarty4@4.1.1-1?arch=source"}}`, "DEBIAN-CVE-2018-25047"},
		{`{"package":{"name":"openssl","ecosystem":"Ubuntu:22.04"},"version":"3.0.2-0ubuntu1.6"}`, "UBUNTU-CVE-2022-3602"},
		{`{"package":{"name":"openssl","ecosystem":"Ubuntu:20.04"},"version":"3.0.2-0ubuntu1.6"}`, ""},
		{`{"commit":"9cdf439db52b66447b4e37c61179d54fad6c8f33"}`, "OSV-2020-744"},
		{`{"commit":"9CDF439DB52B66447B4E37C61179D54FAD6C8F33"}`, "OSV-2020-744"},
		{`{"commit":"97319697c8f9f6ff27b32589947e1918e3015503"}`, ""}, // the fix
		{`{"commit":"9cdf439db52b"}`, ""}, // only in full
		{`{"commit":"00"}`, ""},
		{`{"commit":"9cdf439db52b66447b4e37c61179d54fad6c8f33","package":{"name":"x","purl":"nonsense"}}`, "OSV-2020-744"},
		{`{"package":{"name":"https://github.com/mruby/mruby.git","ecosystem":"GIT"},"version":"2.1.2"}`, "OSV-2020-744"},
		{`{"package":{"name":"https://github.com/mruby/mruby/","ecosystem":"GIT"},"version":"mruby-2_1_2-rc"}`, "OSV-2020-744"},
		{`{"package":{"name":"https://github.com/mruby/mruby","ecosystem":"GIT"}}`, "OSV-2020-744"},
		{`{"package":{"name":"https://github.com/mruby/mruby","ecosystem":"GIT"},"version":"9"}`, ""},
		{`{"package":{"name":"https://github.com/other/mruby","ecosystem":"GIT"},"version":"2.1.2"}`, ""},
	} {
		code, answer := post(t, url+"/v1/query", test.body)
		if code != 200 || ids(t, answer) != test.want {
			t.Errorf("%s: %d %s, want %q", test.body, code, answer, test.want)
		}
		if test.want == "" && answer != "{}" {
			t.Errorf("%s: nothing found is %s, osv.dev says {}", test.body, answer)
		}
	}
}

// TestAllCombinations asks with every combination of members, valid or not, as
// osv.dev's own test does (gcp/api/integration_tests.py,
// test_all_possible_queries), and wants the statuses that were recorded there;
// but where there is a commit the package is not looked at, as osv.dev does
// since its API is written in Go.
func TestAllCombinations(t *testing.T) {
	url := newOSVServer(t, Options{})
	good := map[string]bool{
		`"ecosystem":"crates.io","name":"crossbeam-utils" "version":"0.8.5"`: true, `"ecosystem":"crates.io","name":"crossbeam-utils" `: true,
		`"ecosystem":"crates.io","name":"numpy" "version":"0.8.5"`: true, `"ecosystem":"crates.io","name":"numpy" `: true,
		`"name":"crossbeam-utils" "version":"0.8.5"`: true, `"name":"numpy" "version":"0.8.5"`: true,
		`"purl":"pkg:cargo/crossbeam-utils" "version":"0.8.5"`: true, `"purl":"pkg:cargo/crossbeam-utils" `: true,
		`"purl":"pkg:pypi/numpy" "version":"0.8.5"`: true, `"purl":"pkg:pypi/numpy" `: true,
		`"purl":"pkg:cargo/crossbeam-utils@0.8.5" `: true, `"purl":"pkg:pypi/numpy@8.24.0" `: true,
	}
	n := 0
	for _, purl := range []string{"", `"purl":"pkg:cargo/crossbeam-utils"`, `"purl":"pkg:cargo/crossbeam-utils@0.8.5"`, `"purl":"pkg:pypi/numpy"`, `"purl":"pkg:pypi/numpy@8.24.0"`} {
		for _, commit := range []string{"", `"commit":"d374094d8c49b6b7d288f307e11217ec5a502391"`} {
			for _, version := range []string{"", `"version":"0.8.5"`} {
				for _, name := range []string{"", `"name":"crossbeam-utils"`, `"name":"numpy"`} {
					for _, eco := range []string{"", `"ecosystem":"crates.io"`} {
						pkg := joined(eco, name, purl)
						want := 400
						if good[pkg+" "+version] && commit == "" || commit != "" && version == "" {
							want = 200
						}
						body := "{" + joined(commit, version, `"package":{`+pkg+`}`) + "}"
						if pkg == "" {
							body = "{" + joined(commit, version) + "}"
						}
						if code, answer := post(t, url+"/v1/query", body); code != want {
							t.Errorf("%s: %d, want %d: %s", body, code, want, answer)
						}
						n++
					}
				}
			}
		}
	}
	if n != 120 {
		t.Errorf("%d combinations", n)
	}
}

func joined(parts ...string) string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return strings.Join(list, ",")
}

// pagesOf asks until there is no further page.
func pagesOf(t *testing.T, url, query string, member string) (all []string, pages int) {
	t.Helper()
	token := ""
	for {
		body := strings.Replace(query, "{", fmt.Sprintf(`{%q:%q,`, member, token), 1)
		code, answer := post(t, url+"/v1/query", body)
		if code != 200 {
			t.Fatalf("%s: %d %s", body, code, answer)
		}
		all = append(all, strings.Fields(ids(t, answer))...)
		pages++
		var a struct {
			Next string `json:"next_page_token"`
		}
		if err := json.Unmarshal([]byte(answer), &a); err != nil {
			t.Fatal(err)
		}
		if token = a.Next; token == "" {
			return all, pages
		}
		if pages > 100 {
			t.Fatal("pages without end")
		}
	}
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for i := range 25 {
		fmt.Fprintf(&b, "A-%02d npm x 2.0.0\n", i)
	}
	fill(t, dir, b.String())
	const query = `{"version":"1.0.0","package":{"name":"x","ecosystem":"npm"}}`
	for _, test := range []struct {
		opt    Options
		member string
		pages  int
	}{
		{Options{PageSize: 10}, "page_token", 3},
		{Options{PageSize: 10}, "pageToken", 3}, // as protobuf's own encoders write it
		{Options{PageSize: 25}, "page_token", 1},
		{Options{MaxAnswer: 1}, "page_token", 25},
		{Options{MaxAnswer: 1000}, "page_token", 7},
	} {
		test.opt.Dir = dir
		_, srv := newServer(t, test.opt)
		for range 2 { // from the database, and out of the cache
			all, pages := pagesOf(t, srv.URL, query, test.member)
			if len(all) != 25 || all[0] != "A-00" || all[24] != "A-24" || pages != test.pages {
				t.Errorf("%+v: %d records on %d pages, want 25 on %d", test.opt, len(all), pages, test.pages)
			}
		}
	}
	_, srv := newServer(t, Options{Dir: dir, PageSize: 10})
	if code, answer := post(t, srv.URL+"/v1/query", strings.Replace(query, "{", `{"page_token":"`+firstPage+`",`, 1)); code != 200 || !strings.Contains(answer, `"A-00"`) {
		t.Errorf("osv.dev's token of the first page: %d %.100s", code, answer)
	}
	// In a batch each result has a token of its own, and what did not fit is
	// to be asked again.
	_, srv = newServer(t, Options{Dir: dir, PageSize: 10, MaxAnswer: 1})
	_, answer := post(t, srv.URL+"/v1/querybatch", `{"queries":[`+query+`,`+query+`]}`)
	var a struct {
		Results []struct {
			Vulns []struct{}
			Next  string `json:"next_page_token"`
		} `json:"results"`
	}
	if err := json.Unmarshal([]byte(answer), &a, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if len(a.Results) != 2 || len(a.Results[0].Vulns) != 10 || a.Results[0].Next == "" || len(a.Results[1].Vulns) != 0 || a.Results[1].Next != firstPage {
		t.Errorf("batch over its size: %s", answer)
	}
}

func TestHeaders(t *testing.T) {
	url := newOSVServer(t, Options{})
	resp, _ := exchange(t, "POST", url+"/v1/query", `{"package":{"name":"odd","ecosystem":"npm"},"version":"latest"}`, "Origin", "https://example.org")
	if got := resp.Header.Get("Advdb-Unknown"); got != "1" {
		t.Errorf("Advdb-Unknown: %q", got)
	}
	if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
	resp, _ = exchange(t, "POST", url+"/v1/query", `{"package":{"name":"x","ecosystem":"Alpine:v3.20"},"version":"1"}`)
	if got := resp.Header.Get("Advdb-Not-Covered"); got != "Alpine:v3.20" {
		t.Errorf("Advdb-Not-Covered: %q", got)
	}
	resp, answer := exchange(t, "OPTIONS", url+"/v1/query", "", "Origin", "https://example.org", "Access-Control-Request-Method", "POST")
	if resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: %d %v %s", resp.StatusCode, resp.Header, answer)
	}
}
