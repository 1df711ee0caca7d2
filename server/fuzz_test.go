package server

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// FuzzRequests wants every request answered, never with an error of ours, and
// every answer under /v1/ to be JSON.
func FuzzRequests(f *testing.F) {
	methods := []string{"GET", "POST", "HEAD", "OPTIONS", "DELETE"}
	for _, seed := range []struct {
		method     uint8
		path, body string
	}{
		{1, "/v1/query", `{}`},
		{1, "/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1"}}`},
		{1, "/v1/query", `{"package":{"name":"left-pad","ecosystem":"npm"},"version":"latest","page_token":"P:QS0x"}`},
		{1, "/v1/query", `{"package":{"name":"openssl"},"version":"1.0"}`},
		{1, "/v1/query", `{"commit":"9cdf439db52b66447b4e37c61179d54fad6c8f33"}`},
		{1, "/v1/query", `{"package":{"name":"https://github.com/a/b.git","ecosystem":"GIT"},"version":"v1"}`},
		{1, "/v1/querybatch", `{"queries":[{"package":{"purl":"pkg:deb/debian/openssl@1?distro=x-&arch=src"}},{"version":null}]}`},
		{1, "/v1/query", `[`}, {1, "/v1/query", "{\"version\":\"\xff\",\"package\":{\"name\":\"\\u0000\"}}"},
		{0, "/v1/vulns/A-1", ""}, {0, "/v1/vulns/%2e%2e%2f", ""}, {0, "/repo/../x", ""}, {0, "/metrics", ""}, {4, "/v1/vulns/x", ""}, {3, "/v1/query", ""},
	} {
		f.Add(seed.method, seed.path, seed.body)
	}
	s, _ := newServer(f, Options{MaxBytes: 1 << 16})
	f.Fuzz(func(t *testing.T, method uint8, path, body string) {
		u, err := url.ParseRequestURI("http://localhost/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return
		}
		r := httptest.NewRequest(methods[int(method)%len(methods)], "/", strings.NewReader(body))
		r.URL = u
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%s %s: %d %s", r.Method, u, w.Code, w.Body)
		}
		if strings.HasPrefix(u.Path, "/v1/") && w.Body.Len() > 0 && w.Header().Get("Content-Type") == "application/json" {
			var v any
			if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
				t.Errorf("%s %s: %v: %s", r.Method, u, err, w.Body)
			}
		}
		if s.panics.Load() > 0 {
			t.Fatalf("%s %s %q: panic", r.Method, u, body)
		}
	})
}
