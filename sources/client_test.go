package sources_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// liveMirror returns a Mirror whose requests go to h, whatever host they
// name, as if over the network.
func liveMirror(t *testing.T, h http.Handler, docs sources.Documents, copt sources.ClientOptions, opt sources.MirrorOptions) *sources.Mirror {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	copt.Transport = plainHTTP{&http.Transport{Proxy: http.ProxyURL(u)}}
	copt.Rate = orElse(copt.Rate, 1e6)
	copt.Backoff = orElse(copt.Backoff, time.Microsecond)
	if opt.Client, err = sources.NewClient(copt); err != nil {
		t.Fatal(err)
	}
	m, err := sources.NewMirror(docs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// plainHTTP asks by HTTP for what is to be had by HTTPS.
type plainHTTP struct{ next http.RoundTripper }

func (p plainHTTP) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL.Scheme = "http"
	resp, err := p.next.RoundTrip(out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

const doc = `{"id":"T-1"}`

// TestRetry answers badly a number of times and then well.
func TestRetry(t *testing.T) {
	for _, tt := range []struct {
		status, times int
		retryAfter    string
		ok            bool
		requests      int32
	}{
		{429, 2, "0", true, 3},
		{429, 2, "86400", true, 3},
		{503, 3, "Fri, 31 Dec 2100 00:00:00 GMT", true, 4},
		{403, 1, "", true, 2},
		{500, 3, "", true, 4},
		{502, 4, "", false, 4},
		{408, 1, "", true, 2},
		{404, 1, "", false, 1},
		{401, 1, "", false, 1},
		{501, 1, "", false, 1},
	} {
		t.Run(fmt.Sprint(tt.status, tt.retryAfter), func(t *testing.T) {
			var n atomic.Int32
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if int(n.Add(1)) <= tt.times {
					w.Header().Set("Retry-After", tt.retryAfter)
					w.WriteHeader(tt.status)
					return
				}
				_, _ = io.WriteString(w, doc)
			})
			m := liveMirror(t, h, &sourcetest.Memory{}, sources.ClientOptions{Retries: 3, MaxWait: 5 * time.Millisecond}, sources.MirrorOptions{})
			err := m.Copy(t.Context(), "a.json", "http://x.test/a")
			if (err == nil) != tt.ok || n.Load() != tt.requests {
				t.Errorf("error %v after %d requests, want %v after %d", err, n.Load(), tt.ok, tt.requests)
			}
			var se *sources.StatusError
			if !tt.ok && (!errors.As(err, &se) || se.Status != tt.status || !strings.Contains(err.Error(), "http://x.test/a")) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestStall lets an answer, and a body, take too long.
func TestStall(t *testing.T) {
	for _, path := range []string{"/header", "/body"} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/body" {
				_, _ = io.WriteString(w, doc[:5])
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		copt := sources.ClientOptions{Retries: -1, HeaderTimeout: 50 * time.Millisecond, StallTimeout: 50 * time.Millisecond}
		m := liveMirror(t, h, &sourcetest.Memory{}, copt, sources.MirrorOptions{})
		err := m.Copy(t.Context(), "a.json", "http://x.test"+path)
		if !errors.Is(err, sources.ErrStalled) || !strings.Contains(err.Error(), "http://x.test"+path) {
			t.Errorf("%s: error is %v", path, err)
		}
	}
}

// TestResume breaks a body off again and again; it comes whole, in pieces.
func TestResume(t *testing.T) {
	body := `{"id":"` + strings.Repeat("x", 100_000) + `"}`
	var ranges []string
	serve := func(etag func(n int) string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			var from int
			_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			tag := etag(len(ranges))
			w.Header().Set("Etag", tag)
			w.Header().Set("Accept-Ranges", "bytes")
			w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
			if r.Header.Get("If-Range") == tag && from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = io.WriteString(w, body[from:min(len(body), from+40_000)])
		})
	}
	docs := &sourcetest.Memory{}
	m := liveMirror(t, serve(func(int) string { return `"a"` }), docs, sources.ClientOptions{}, sources.MirrorOptions{})
	if err := m.Copy(t.Context(), "a.json", "http://x.test/a.json"); err != nil {
		t.Fatalf("%v; ranges asked for: %q", err, ranges)
	}
	if err := m.Commit(t.Context(), nil); err != nil || string(docs.Documents()["a.json"]) != body {
		t.Errorf("Commit: %v; %d bytes", err, len(docs.Documents()["a.json"]))
	}
	if len(ranges) != 3 {
		t.Errorf("ranges asked for: %q", ranges)
	}
	ranges = nil
	m = liveMirror(t, serve(func(n int) string { return fmt.Sprintf(`"%d"`, n) }), docs, sources.ClientOptions{}, sources.MirrorOptions{})
	if err := m.Copy(t.Context(), "b.json", "http://x.test/a.json"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("body that changed between pieces: %v", err)
	}
}

// TestPace asks one host faster than it may be asked, and with more at once.
func TestPace(t *testing.T) {
	var now, most atomic.Int32
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		_, _ = io.WriteString(w, doc)
	})
	srv := httptest.NewServer(h)
	defer srv.Close()
	client, err := sources.NewClient(sources.ClientOptions{Rate: 50, Parallel: 3})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m, err := sources.NewMirror(&sourcetest.Memory{}, sources.MirrorOptions{Client: client})
			for range 10 {
				if err == nil {
					err = m.Copy(t.Context(), "a.json", srv.URL)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d requests at once", most.Load())
	}
	// 80 requests, of which 50 may come at once, at 50 a second.
	if d := time.Since(start); d < 550*time.Millisecond {
		t.Errorf("80 requests took %v", d)
	}
}

// TestLimits sends more than may come.
func TestLimits(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"`+strings.Repeat("x", 5000)+`"}`)
	})
	for _, opt := range []sources.MirrorOptions{{MaxDocument: 5000}, {MaxTransfer: 5000}} {
		m := liveMirror(t, h, &sourcetest.Memory{}, sources.ClientOptions{}, opt)
		if err := m.Copy(t.Context(), "a.json", "http://x.test/"); !errors.Is(err, sources.ErrTooLarge) {
			t.Errorf("%+v: error is %v", opt, err)
		}
	}
}
