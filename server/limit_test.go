package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// hold registers a path whose requests stay until release is closed.
func hold(s *Server, release <-chan struct{}) {
	s.handle("GET /held", limited, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			answer(w, r, http.StatusOK, []byte("{}"))
		case <-r.Context().Done():
			s.fail(w, r, r.Context().Err())
		}
	})
}

func TestQueue(t *testing.T) {
	s, srv := newServer(t, Options{Requests: 2, Queue: 3, Wait: 20 * time.Second})
	release := make(chan struct{})
	hold(s, release)
	var wg sync.WaitGroup
	codes := make(chan int, 5)
	for range 5 {
		wg.Go(func() { code, _ := get(t, srv.URL+"/held"); codes <- code })
	}
	eventually(t, "two at hand and three waiting", func() bool { return len(s.limits.places) == 2 && s.limits.waiting.Load() == 3 })
	resp, body := exchange(t, "GET", srv.URL+"/held", "")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" || body != `{"code":14,"message":"too many requests at a time"}` {
		t.Errorf("beyond the queue: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	if code, _ := get(t, srv.URL+"/healthz"); code != 200 {
		t.Errorf("health of a busy server: %d", code)
	}
	close(release)
	wg.Wait()
	for range 5 {
		if code := <-codes; code != 200 {
			t.Errorf("one that waited: %d", code)
		}
	}
	if n := s.limits.waiting.Load(); n != 0 || len(s.limits.places) != 0 {
		t.Errorf("afterwards %d wait and %d are at hand", n, len(s.limits.places))
	}
}

func TestWaitAndDeadline(t *testing.T) {
	s, srv := newServer(t, Options{Requests: 1, Wait: 10 * time.Millisecond, Deadline: 300 * time.Millisecond})
	hold(s, nil)
	done := make(chan string, 1)
	go func() { _, body := get(t, srv.URL+"/held"); done <- body }()
	eventually(t, "one at hand", func() bool { return len(s.limits.places) == 1 })
	if code, _ := get(t, srv.URL+"/held"); code != 503 {
		t.Errorf("waited too long: %d", code)
	}
	if body := <-done; body != `{"code":4,"message":"deadline exceeded"}` {
		t.Errorf("over the deadline: %s", body)
	}
}

func TestRate(t *testing.T) {
	now := testDay
	var mu sync.Mutex
	_, srv := newServer(t, Options{Rate: 2, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	count := func() (ok int) {
		for range 10 {
			if code, _ := get(t, srv.URL+"/v1/vulns/A-1"); code == 200 {
				ok++
			} else if code != http.StatusTooManyRequests {
				t.Errorf("%d", code)
			}
		}
		return ok
	}
	if n := count(); n != 4 {
		t.Errorf("at once %d of 10, want a burst of 4", n)
	}
	mu.Lock()
	now = now.Add(time.Second)
	mu.Unlock()
	if n := count(); n != 2 {
		t.Errorf("a second later %d of 10, want 2", n)
	}
}

func TestClientsAreForgotten(t *testing.T) {
	now := testDay
	c := newLimits(&Options{Requests: 1, Rate: 10, Now: func() time.Time { return now }}).clients
	for i := range maxClients {
		c.allow(string(rune('a'+i%26)) + strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	now = now.Add(time.Minute)
	c.allow("new")
	if n := len(c.known); n != 1 {
		t.Errorf("%d clients are remembered", n)
	}
	c.allow("2001:db8::1")
	c.allow("2001:db8::2")
	if n := len(c.known); n != 2 {
		t.Errorf("%d clients after two addresses of one network", n)
	}
}

func TestPanics(t *testing.T) {
	s, srv := newServer(t, Options{})
	s.handle("GET /panic", limited, func(http.ResponseWriter, *http.Request) { panic("x") })
	s.handle("GET /late", limited, func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("{"))
		http.NewResponseController(w).Flush()
		panic("x")
	})
	if code, body := get(t, srv.URL+"/panic"); code != 500 || body != `{"code":13,"message":"internal server error"}` {
		t.Errorf("%d %s", code, body)
	}
	if resp, err := http.Get(srv.URL + "/late"); err == nil {
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("an answer that was cut off looks whole")
		}
	}
	if n := s.panics.Load(); n != 2 || len(s.limits.places) != 0 {
		t.Errorf("%d panics counted, %d places kept", n, len(s.limits.places))
	}
	if _, body := get(t, srv.URL+"/metrics"); !strings.Contains(body, "advdb_panics_total 2\n") || !strings.Contains(body, `advdb_http_requests_total{path="/panic",code="500"} 1`) {
		t.Errorf("metrics: %s", body)
	}
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# of the scanners\nfirst\n\n second \n")
	var log bytes.Buffer
	tokens, err := WatchTokens(slog.New(slog.NewTextHandler(&log, nil)), path)
	if err != nil {
		t.Fatal(err)
	}
	_, srv := newServer(t, Options{Tokens: tokens})
	check := func(when string, want map[string]int) {
		t.Helper()
		for header, code := range want {
			resp, body := exchange(t, "GET", srv.URL+"/v1/vulns/A-1", "", "Authorization", header)
			if resp.StatusCode != code {
				t.Errorf("%s, %q: %d, want %d: %s", when, header, resp.StatusCode, code, body)
			}
			if code == 401 && (resp.Header.Get("WWW-Authenticate") == "" || !strings.Contains(body, `"code":16`)) {
				t.Errorf("%s, %q: %v %s", when, header, resp.Header, body)
			}
		}
	}
	basic := func(password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("anyone", password)
		return r.Header.Get("Authorization")
	}
	check("at first", map[string]int{"": 401, "Bearer first": 200, "Bearer second": 200, "Bearer third": 401, "Bearer ": 401, "first": 401, basic("second"): 200, basic(""): 401})
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, _ := get(t, srv.URL+path); code != 200 {
			t.Errorf("%s needs a token: %d", path, code)
		}
	}
	if code, _ := get(t, srv.URL+"/metrics"); code != 401 {
		t.Errorf("metrics need none: %d", code)
	}
	time.Sleep(lookEvery)
	write("third\n")
	check("after a change", map[string]int{"Bearer first": 401, "Bearer third": 200})
	time.Sleep(lookEvery)
	write("\n")
	check("after it was emptied", map[string]int{"Bearer first": 401, "Bearer third": 200, "Bearer ": 401})
	if !strings.Contains(log.String(), "no token") {
		t.Errorf("log: %s", log.String())
	}
	if _, err := WatchTokens(slog.Default(), path); err == nil {
		t.Error("a file without tokens is taken")
	}
}

func TestGzip(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "A-1 npm x 2.0.0\n"+`{"id":"B-1","modified":"2026-01-01T00:00:00Z","details":"`+strings.Repeat("words and ", 2000)+`"}`)
	_, srv := newServer(t, Options{Dir: dir})
	_, plain := get(t, srv.URL+"/v1/vulns/B-1")
	for header, zipped := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "*": true, "identity": false, "gzip;q=0": false, "gzip; q=0.0": false} {
		resp, body := exchange(t, "GET", srv.URL+"/v1/vulns/B-1", "", "Accept-Encoding", header)
		if (resp.Header.Get("Content-Encoding") == "gzip") != zipped || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v", header, resp.Header)
			continue
		}
		if !zipped {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(z); err != nil || string(data) != plain {
			t.Errorf("%q: %v, %d bytes of %d", header, err, len(data), len(plain))
		}
	}
	if resp, _ := exchange(t, "GET", srv.URL+"/v1/vulns/A-1", "", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}

func TestReady(t *testing.T) {
	now := testDay.Add(time.Hour)
	s, srv := newServer(t, Options{MaxAge: 2 * time.Hour, Now: func() time.Time { return now }})
	if code, body := get(t, srv.URL+"/readyz"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	now = testDay.Add(3 * time.Hour)
	if code, body := get(t, srv.URL+"/readyz"); code != 503 || body != "data are 3h0m0s old, at most 2h0m0s is wanted\n" {
		t.Errorf("data of three hours, at most two are wanted: %d %s", code, body)
	}
	now = testDay
	s.Drain()
	if code, body := get(t, srv.URL+"/readyz"); code != 503 || body != "ending\n" {
		t.Errorf("before the end: %d %s", code, body)
	}
	if code, _ := get(t, srv.URL+"/v1/vulns/A-1"); code != 200 {
		t.Errorf("requests before the end: %d", code)
	}
}

func TestAccessLog(t *testing.T) {
	var log bytes.Buffer
	_, srv := newServer(t, Options{Access: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	post(t, srv.URL+"/v1/query", `{"package":{"purl":"pkg:npm/left-pad@1.1.0"}}`)
	line := log.String()
	for _, want := range []string{"method=POST", "path=/v1/query", "status=200", "client=127.0.0.1", "seconds="} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %s", line, want)
		}
	}
	if strings.Contains(line, "left-pad") {
		t.Errorf("what was asked is in the log: %s", line)
	}
}
