package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/go-json-experiment/json"
)

// advdb runs one command in this process.
func advdb(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"SOURCE_DATE_EPOCH": "1785542400", "HOME": t.TempDir()}
	code = run(t.Context(), args, func(k string) string { return env[k] }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// must runs a command that has to end well, and returns what it printed.
func must(t testing.TB, args ...string) string {
	t.Helper()
	code, out, errs := advdb(t, args...)
	if code != exitDone {
		t.Fatalf("advdb %s: exit status %d\n%s", strings.Join(args, " "), code, errs)
	}
	return out
}

// realSources are the sources of which the shared upstream has whole feeds or
// excerpts on both days.
var realSources = []string{"almalinux", "alpine", "bitnami", "debian", "epss", "ghsa", "gitlab", "go", "kev", "malicious",
	"nvd", "oracle", "pypa", "redhat-vex", "rustsec", "wolfi"}

// realDir is where realDB is.
var realDir string

// realDB makes a database of the first day's feeds, once. It returns its
// folder, or what went wrong.
var realDB = sync.OnceValues(func() (dir, trouble string) {
	var err error
	if realDir, err = os.MkdirTemp("", "advdb-real-"); err != nil {
		return "", err.Error()
	}
	var out, errs bytes.Buffer
	args := append([]string{"sync", "--db", realDir, "--upstream", filepath.Join("..", "..", "..", "shared", "upstream", "day1"), "--json"}, append(moreSources, realSources...)...)
	env := map[string]string{"SOURCE_DATE_EPOCH": "1785542400"}
	if code := run(context.Background(), args, func(k string) string { return env[k] }, strings.NewReader(""), &out, &errs); code != exitDone {
		return "", errs.String()
	}
	return realDir, ""
})

func openRealDB(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a sync of real feeds")
	}
	sharedtest.Path(t, "upstream", "day1")
	dir, trouble := realDB()
	if trouble != "" {
		t.Fatalf("sync of real feeds: %s", trouble)
	}
	return dir
}

// TestRealCounts wants the number of records that the files hold: counted
// with tar, unzip and a JSON reader, one a file but for AlmaLinux, of which
// 39 IDs are in two files.
func TestRealCounts(t *testing.T) {
	dir := openRealDB(t)
	want := map[string]int{"almalinux": 5552, "bitnami": 7444, "go": 4134, "malicious": 33020, "pypa": 2641, "rustsec": 1155,
		"ghsa": 100, "kev": 1382, "epss": 58965}
	var list []struct {
		Name    string
		Records int
		Status  string
	}
	if err := json.Unmarshal([]byte(must(t, "sources", "--db", dir, "--json")), &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if n, ok := want[s.Name]; ok && s.Records != n {
			t.Errorf("%s: %d records, the files hold %d", s.Name, s.Records, n)
		}
		delete(want, s.Name)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

// A sickUpstream serves a folder and what a test puts in the place of files.
type sickUpstream struct {
	files http.Handler
	sick  map[string]http.HandlerFunc // path → answer
}

func (s *sickUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.sick[strings.TrimPrefix(r.URL.Path, "/")]; h != nil {
		h(w, r)
		return
	}
	s.files.ServeHTTP(w, r)
}

func serve(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(data) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(code)
	}
}

func stall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000000")
	w.Write([]byte("{"))
	w.(http.Flusher).Flush()
	select {
	case <-r.Context().Done():
	case <-time.After(20 * time.Second):
	}
}

// TestSickSource feeds one source what feeds are fed in bad times. Its last
// good data stay, the others go on, and the trouble is named.
func TestSickSource(t *testing.T) {
	if testing.Short() {
		t.Skip("runs on real feeds")
	}
	day1 := sharedtest.Path(t, "upstream", "day1")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(day1, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const (
		alpine = "secdb.alpinelinux.org/v3.17/main.json"
		kev    = "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
		epss   = "epss.cyentia.com/epss_scores-current.csv.gz"
	)
	broken, err := os.ReadFile(filepath.Join(sharedtest.Path(t, "corpus", "alpine", "schema-break-2023-04-07"), "edge", "main.json"))
	if err != nil {
		t.Fatal(err)
	}
	page := []byte("<!DOCTYPE html>\n<html><body>Sorry, maintenance.</body></html>\n")
	twice := func(b []byte) []byte { return append(bytes.Clone(b), b...) }
	for _, test := range []struct {
		name, source string
		sick         map[string]http.HandlerFunc
		want         []string // in what is said of it
	}{
		{"empty", "alpine", map[string]http.HandlerFunc{alpine: serve(nil)}, []string{"v3.17/main.json"}},
		{"web page", "alpine", map[string]http.HandlerFunc{alpine: serve(page)}, []string{"v3.17/main.json"}},
		{"secfixes became a list", "alpine", map[string]http.HandlerFunc{alpine: serve(broken)}, []string{"v3.17/main.json", "secfixes"}},
		{"half of it", "alpine", halfOfAlpine(t, day1), []string{"lost more than a tenth"}},
		{"truncated gzip", "epss", map[string]http.HandlerFunc{epss: serve(read(epss)[:200_000])}, []string{"unexpected EOF"}},
		{"twice, gzip", "epss", map[string]http.HandlerFunc{epss: serve(twice(read(epss)))}, []string{"epss"}},
		{"twice, JSON", "kev", map[string]http.HandlerFunc{kev: serve(twice(read(kev)))}, []string{"kev"}},
		{"403", "kev", map[string]http.HandlerFunc{kev: status(403)}, []string{"403"}},
		{"429", "kev", map[string]http.HandlerFunc{kev: status(429)}, []string{"429"}},
		{"500", "kev", map[string]http.HandlerFunc{kev: status(500)}, []string{"500"}},
		{"stalls", "kev", map[string]http.HandlerFunc{kev: stall}, []string{"known_exploited"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			up := &sickUpstream{files: http.FileServer(http.Dir(day1))}
			srv := httptest.NewServer(up)
			defer srv.Close()
			dir := t.TempDir()
			sync := []string{"sync", "--db", dir, "--upstream", srv.URL, "--timeout", "2s", "--retries", "1", "alpine", "kev", "epss"}
			must(t, sync...)
			before := must(t, "verify", "--db", dir)

			up.sick = test.sick
			code, _, errs := advdb(t, append(sync, "--force")...)
			if code != exitBad {
				t.Errorf("exit status %d, want %d", code, exitBad)
			}
			for _, w := range append(test.want, test.source+":", "failed: "+test.source+";") {
				if !strings.Contains(errs, w) {
					t.Errorf("%q is not said:\n%s", w, errs)
				}
			}
			if after := must(t, "verify", "--db", dir); after != before {
				t.Errorf("the records are not the last good ones:\n%s%s", before, after)
			}
			if out := must(t, "query", "--db", dir, "CVE-2021-44228"); !strings.Contains(out, "kev: ") || !strings.Contains(out, "epss: ") {
				t.Errorf("tables lost rows:\n%s", out)
			}

			up.sick = nil
			must(t, sync...)
			if after := must(t, "verify", "--db", dir); after != before {
				t.Errorf("healthy again, other records:\n%s%s", before, after)
			}
		})
	}
}

// TestDebianOneLine changes one line of Debian's one document: one part is
// rewritten, and one record, of tens of thousands.
func TestDebianOneLine(t *testing.T) {
	if testing.Short() {
		t.Skip("runs on real feeds")
	}
	day1 := sharedtest.Path(t, "upstream", "day1")
	const tracker = "security-tracker.debian.org/tracker/data/json"
	data, err := os.ReadFile(filepath.Join(day1, filepath.FromSlash(tracker)))
	if err != nil {
		t.Fatal(err)
	}
	up := &sickUpstream{files: http.FileServer(http.Dir(day1))}
	srv := httptest.NewServer(up)
	defer srv.Close()
	sync := []string{"sync", "--db", t.TempDir(), "--upstream", srv.URL, "--json", "debian"}
	must(t, sync...)

	changed := bytes.Replace(data, []byte(`"fixed_version":"1.1.1n-0+deb11u5"`), []byte(`"fixed_version":"1.1.1n-0+deb11u6"`), 1)
	if bytes.Equal(changed, data) {
		t.Fatal("the line to change is not there")
	}
	up.sick = map[string]http.HandlerFunc{tracker: serve(changed)}
	var line syncLine
	if err := json.Unmarshal([]byte(must(t, sync...)), &line); err != nil {
		t.Fatal(err)
	}
	if line.Changed != 1 || line.PartsChanged != 1 || line.PartsGone != 0 || line.RecordsChanged != 1 || line.Parts < 30_000 {
		t.Errorf("one line changed: %+v", line)
	}
}

// halfOfAlpine serves every file of Alpine's with half of its packages.
func halfOfAlpine(t *testing.T, day1 string) map[string]http.HandlerFunc {
	sick := map[string]http.HandlerFunc{}
	files, err := filepath.Glob(filepath.Join(day1, "secdb.alpinelinux.org", "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		packages := doc["packages"].([]any)
		doc["packages"] = packages[:len(packages)/2]
		if data, err = json.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(day1, f)
		sick[filepath.ToSlash(rel)] = serve(data)
	}
	return sick
}
