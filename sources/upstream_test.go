package sources_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

func writeTree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// get asks rt for url and returns status and body.
func get(t testing.TB, rt http.RoundTripper, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestUpstreamFolder(t *testing.T) {
	outside := t.TempDir()
	writeTree(t, outside, map[string]string{"secret": "secret", "tree/a.test/x.json": "x", "tree/a.test/x.json?page=2": "x2",
		"tree/a.test/dir/index.html": "listing", "tree/a.test/empty/.keep": "", "tree/a.test/-/raw/a b": "blank", "tree/a.test:8080/p": "port"})
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(outside, "tree/a.test/link")); err != nil {
		t.Fatal(err)
	}
	rt, err := sources.Upstream(filepath.Join(outside, "tree"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url    string
		status int
		body   string
	}{
		{"https://a.test/x.json", 200, "x"},
		{"https://A.TEST/x.json", 200, "x"},
		{"http://a.test/x.json?page=1", 200, "x"},
		{"https://a.test/x.json?page=2", 200, "x2"},
		{"https://a.test/x.json?page=../../secret", 200, "x"},
		{"https://a.test/dir/", 200, "listing"},
		{"https://a.test/dir", 200, "listing"},
		{"https://a.test/-/raw/a%20b", 200, "blank"},
		{"https://a.test:8080/p", 200, "port"},
		{"https://a.test/empty/", 404, ""},
		{"https://a.test/", 404, ""},
		{"https://a.test/none", 404, ""},
		{"https://b.test/x.json", 404, ""},
		{"https://a.test/../../secret", 404, ""},
		{"https://a.test/%2e%2e/%2e%2e/secret", 404, ""},
		{"https://a.test/..%2f..%2fsecret", 404, ""},
		{"https://../secret", 404, ""},
		{"https://a.test/link", 404, ""},
		{"https://a.test/x.json%00", 404, ""},
		{"https://a.test/" + strings.Repeat("x", 5000), 404, ""},
	} {
		resp, body := get(t, rt, tt.url, nil)
		if resp.StatusCode != tt.status || body != tt.body {
			t.Errorf("%.60s: %d %q, want %d %q", tt.url, resp.StatusCode, body, tt.status, tt.body)
		}
	}
}

func TestUpstreamValidators(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"a.test/x": "one"})
	rt, err := sources.Upstream(dir)
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := get(t, rt, "https://a.test/x", nil)
	etag, modified := resp.Header.Get("Etag"), resp.Header.Get("Last-Modified")
	ask := func(key, value string) int {
		resp, _ := get(t, rt, "https://a.test/x", http.Header{key: {value}})
		return resp.StatusCode
	}
	if got := ask("If-None-Match", etag); got != 304 {
		t.Errorf("same ETag: %d", got)
	}
	if got := ask("If-Modified-Since", modified); got != 304 {
		t.Errorf("same Last-Modified: %d", got)
	}
	later := time.Now().Add(time.Nanosecond * 300)
	if err := os.Chtimes(filepath.Join(dir, "a.test/x"), later, later); err != nil {
		t.Fatal(err)
	}
	if got := ask("If-None-Match", etag); got != 200 {
		t.Errorf("touched, old ETag: %d", got)
	}
}

// TestRecord fetches over the network, with a redirect, records what came,
// and fetches the same from the record.
func TestRecord(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/origin.test/all.json", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.test/real.json", http.StatusFound)
	})
	mux.HandleFunc("/elsewhere.test/real.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 10:00:00 GMT")
		_, _ = io.WriteString(w, `{"id":"T-1"}`)
	})
	mux.HandleFunc("/origin.test/dir/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `<a href="b.json">b</a> <a href="none.json">none</a>`)
	})
	mux.HandleFunc("/origin.test/dir/b.json", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"id":"T-2"}`)
	})
	mux.HandleFunc("/origin.test/dir/none.json", http.NotFound)
	srv := httptest.NewServer(mux)
	defer srv.Close()

	dir := t.TempDir()
	fetch := func(opt sources.ClientOptions) map[string][]byte {
		t.Helper()
		opt.Backoff, opt.Rate = time.Microsecond, 1e6
		client, err := sources.NewClient(opt)
		if err != nil {
			t.Fatal(err)
		}
		docs := &sourcetest.Memory{}
		m, err := sources.NewMirror(docs, sources.MirrorOptions{Client: client})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Copy(t.Context(), "all.json", "http://origin.test/all.json"); err != nil {
			t.Fatal(err)
		}
		if err := sources.Index("http://origin.test/dir/", "*.json")(t.Context(), m); err == nil || !strings.Contains(err.Error(), "none.json: 404") {
			t.Errorf("error of a listed file that is not there: %v", err)
		}
		return docs.Documents()
	}
	recorded := fetch(sources.ClientOptions{Upstream: srv.URL, Wrap: func(rt http.RoundTripper) http.RoundTripper { return sources.Record(dir, rt) }})
	if d := cmp.Diff(recorded, fetch(sources.ClientOptions{Upstream: dir})); d != "" {
		t.Errorf("from the record (-network +record):\n%s", d)
	}
	info, err := os.Stat(filepath.Join(dir, "origin.test/all.json"))
	if err != nil || !info.ModTime().Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("recorded file: %v, %v", info, err)
	}
	parts, _ := filepath.Glob(filepath.Join(dir, "*", "*.part"))
	if len(parts) > 0 {
		t.Errorf("left over: %q", parts)
	}
}
