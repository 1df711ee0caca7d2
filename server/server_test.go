package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var testDay = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)

// lines is a format for tests: "ID ECOSYSTEM NAME FIXED", with "_" for a
// blank in a name.
func lines(d normalize.Doc, emit func(*normalize.Record) error) error {
	data, err := io.ReadAll(d.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		err := emit(&normalize.Record{
			ID: f[0], Modified: "2026-07-01T00:00:00Z", SchemaVersion: "1.7.0",
			Affected: []normalize.Affected{{
				Package: normalize.Package{Ecosystem: f[1], Name: f[2]},
				Ranges:  []normalize.Range{{Type: normalize.Ecosystem, Events: []normalize.Event{{Introduced: "0"}, {Fixed: f[3]}}}},
			}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fill makes text the one document of the database in dir.
func fill(t testing.TB, dir, text string) {
	t.Helper()
	st, err := store.Open(dir, store.Options{Now: func() time.Time { return testDay }})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	docs := st.Documents("lines")
	if _, err := docs.Put("doc", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := docs.Commit([]byte(text)); err != nil {
		t.Fatal(err)
	}
	_, err = st.Update(t.Context(), []store.Feed{{Name: "lines", Version: 1, Parse: lines}}, store.UpdateOptions{
		AcceptShrink: map[string]bool{"lines": true},
		Sources:      []store.SourceState{{Name: "lines", Status: "ok", FetchedAt: testDay.Format(time.RFC3339)}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

const testRecords = "A-1 npm left-pad 1.2.0\nA-2 npm left-pad 1.3.0\nB-1 PyPI Foo_Bar 2.0\nD-1 Debian:11 openssl 1.1.1n-0+deb11u5\nD-2 Debian:12 openssl 3.0.9-1\n"

func newServer(t testing.TB, opt Options) (*Server, *httptest.Server) {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
		fill(t, opt.Dir, testRecords)
	}
	opt.Now = func() time.Time { return testDay.Add(time.Hour) }
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, srv
}

func post(t testing.TB, url, body string) (status int, answer string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// ids are the IDs in an answer to /v1/query.
func ids(t testing.TB, answer string) string {
	t.Helper()
	var a struct{ Vulns []struct{ ID string } }
	if err := json.Unmarshal([]byte(answer), &a, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	var list []string
	for _, v := range a.Vulns {
		list = append(list, v.ID)
	}
	return strings.Join(list, " ")
}

func TestQuery(t *testing.T) {
	_, srv := newServer(t, Options{})
	for _, test := range []struct{ body, want string }{
		{`{"package":{"name":"left-pad","ecosystem":"npm"},"version":"1.1.0"}`, "A-1 A-2"},
		{`{"package":{"name":"left-pad","ecosystem":"npm"},"version":"1.2.0"}`, "A-2"},
		{`{"package":{"name":"left-pad","ecosystem":"npm"}}`, "A-1 A-2"},
		{`{"package":{"name":"foo.bar","ecosystem":"PyPI"},"version":"1"}`, "B-1"},
		{`{"package":{"purl":"pkg:npm/left-pad@1.2.5"}}`, "A-2"},
		{`{"package":{"purl":"pkg:npm/left-pad"},"version":"1.2.5"}`, "A-2"},
		{`{"package":{"purl":"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u4?distro=bullseye"}}`, "D-1"},
		{`{"package":{"name":"openssl","ecosystem":"Debian"},"version":"1.0"}`, "D-1 D-2"},
		{`{"package":{"name":"left-pad","ecosystem":"npm"},"version":"latest"}`, ""},
		{`{"package":{"name":"nothing","ecosystem":"npm"},"version":"1"}`, ""},
		{`{"package":{"purl":"pkg:generic/left-pad@1"}}`, ""},
	} {
		code, answer := post(t, srv.URL+"/v1/query", test.body)
		if code != 200 || ids(t, answer) != test.want {
			t.Errorf("%s: %d %s, want %q", test.body, code, answer, test.want)
		}
		if test.want == "" && answer != "{}" {
			t.Errorf("%s: nothing found is %s, osv.dev says {}", test.body, answer)
		}
	}
}

// TestErrors wants the errors of osv.dev, field by field.
func TestErrors(t *testing.T) {
	_, srv := newServer(t, Options{MaxBytes: 10_000})
	many := `{"queries":[` + strings.Repeat(`{},`, 1000) + `{}]}`
	for _, test := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/v1/query", `{}`, 400, `{"code":3,"message":"Invalid query."}`},
		{"/v1/query", `{"package":{"name":"x"}}`, 400, `{"code":3,"message":"Invalid query."}`},
		{"/v1/query", `{"package":{"purl":"pkg:npm/x@1","ecosystem":"npm"}}`, 400, `{"code":3,"message":"ecosystem specified in a PURL query"}`},
		{"/v1/query", `{"package":{"purl":"pkg:npm/x@1","name":"x"}}`, 400, `{"code":3,"message":"name specified in a PURL query"}`},
		{"/v1/query", `{"package":{"purl":"pkg:npm/x@1"},"version":"1"}`, 400, `{"code":3,"message":"version specified in params and PURL query"}`},
		{"/v1/query", `{"package":{"purl":"nonsense"}}`, 400, `{"code":3,"message":"Invalid Package URL."}`},
		{"/v1/query", `{"page_token":"%","package":{"name":"x","ecosystem":"npm"}}`, 400, `{"code":3,"message":"Invalid page token."}`},
		{"/v1/query", `{"commit":"abc"}`, 501, `{"code":12,"message":"commits are not answered here"}`},
		{"/v1/querybatch", many, 400, `{"code":3,"message":"Too many queries."}`},
		{"/v1/query", `{"x":"` + strings.Repeat("x", 20_000) + `"}`, 413, `{"code":3,"message":"body is over 10000 bytes"}`},
	} {
		code, answer := post(t, srv.URL+test.path, test.body)
		if code != test.status || answer != test.want {
			t.Errorf("%.80s: %d %s, want %d %s", test.body, code, answer, test.status, test.want)
		}
	}
	if code, answer := post(t, srv.URL+"/v1/query", `{"package":`); code != 400 || !strings.Contains(answer, `"code":3`) {
		t.Errorf("broken JSON: %d %s", code, answer)
	}
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for i := range 25 {
		fmt.Fprintf(&b, "A-%02d npm x 2.0.0\n", i)
	}
	fill(t, dir, b.String())
	_, srv := newServer(t, Options{Dir: dir, PageSize: 10})
	token, seen, pages := "", "", 0
	for {
		_, answer := post(t, srv.URL+"/v1/query", fmt.Sprintf(`{"page_token":%q,"version":"1.0.0","package":{"name":"x","ecosystem":"npm"}}`, token))
		seen += ids(t, answer) + " "
		pages++
		var a struct {
			Next string `json:"next_page_token"`
		}
		if err := json.Unmarshal([]byte(answer), &a); err != nil {
			t.Fatal(err)
		}
		if token = a.Next; token == "" {
			break
		}
	}
	if n := len(strings.Fields(seen)); n != 25 || pages != 3 {
		t.Errorf("%d records on %d pages: %s", n, pages, seen)
	}
}

func TestBatchAndVulns(t *testing.T) {
	_, srv := newServer(t, Options{})
	code, answer := post(t, srv.URL+"/v1/querybatch",
		`{"queries":[{"package":{"purl":"pkg:npm/left-pad@1.2.5"}},{"package":{"purl":"pkg:npm/none@1"}},{"package":{"name":"left-pad","ecosystem":"npm"},"version":"1"}]}`)
	want := `{"results":[{"vulns":[{"id":"A-2","modified":"2026-07-01T00:00:00Z"}]},{},{"vulns":[{"id":"A-1","modified":"2026-07-01T00:00:00Z"},{"id":"A-2","modified":"2026-07-01T00:00:00Z"}]}]}`
	if code != 200 || answer != want {
		t.Errorf("batch: %d\n%s", code, cmp.Diff(want, answer))
	}
	get := func(path string) (int, string) {
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(data)
	}
	if code, answer := get("/v1/vulns/A-1"); code != 200 || !strings.Contains(answer, `"id":"A-1"`) {
		t.Errorf("vulns: %d %s", code, answer)
	}
	if code, answer := get("/v1/vulns/NOPE"); code != 404 || answer != `{"code":5,"message":"Bug not found."}` {
		t.Errorf("vulns of nothing: %d %s", code, answer)
	}
	if code, answer := get("/metrics"); code != 200 || !strings.Contains(answer, "advdb_records 5") || !strings.Contains(answer, `advdb_source_fetched_seconds{source="lines"} 1785574800`) {
		t.Errorf("metrics: %d %s", code, answer)
	}
	if code, _ := get("/readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
}

func TestReadyTurnsRed(t *testing.T) {
	_, srv := newServer(t, Options{MaxAge: 30 * time.Minute})
	resp, err := http.Get(srv.URL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("data of an hour, at most half of one is wanted: %d", resp.StatusCode)
	}
}

// TestSwap publishes states under load: every request is answered, from one
// whole state.
func TestSwap(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "A-0 npm x 9.0.0\nB-0 npm x 9.0.0\n")
	_, srv := newServer(t, Options{Dir: dir})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				code, answer := post(t, srv.URL+"/v1/query", `{"package":{"purl":"pkg:npm/x@1.0.0"}}`)
				got := strings.Fields(ids(t, answer))
				if code != 200 || len(got) != 2 || got[0][2:] != got[1][2:] {
					t.Errorf("%d %v", code, got)
					return
				}
			}
		})
	}
	for i := range 50 {
		fill(t, dir, fmt.Sprintf("A-%d npm x 9.0.0\nB-%d npm x 9.0.0\n", i+1, i+1))
	}
	close(stop)
	wg.Wait()
	if _, answer := post(t, srv.URL+"/v1/query", `{"package":{"purl":"pkg:npm/x@1.0.0"}}`); ids(t, answer) != "A-50 B-50" {
		t.Errorf("after all: %s", answer)
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{`{}`, `{"package":{"purl":"pkg:npm/left-pad@1"}}`, `{"package":{"name":"x","ecosystem":"npm"},"page_token":"QQ"}`, `[`, `{"queries":[{}]}`} {
		f.Add(s)
	}
	s, _ := newServer(f, Options{})
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/v1/query", "/v1/querybatch"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader(body)))
			if w.Code >= 500 && w.Code != http.StatusNotImplemented {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}

func BenchmarkQuery(b *testing.B) {
	s, _ := newServer(b, Options{})
	b.Run("query", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/query", strings.NewReader(`{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`)))
		}
	})
	b.Run("empty handler", func(b *testing.B) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Write([]byte("{}"))
		})
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/query", strings.NewReader(`{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`)))
		}
	})
}
