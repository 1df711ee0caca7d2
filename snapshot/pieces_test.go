package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// A rangeServer serves a repository over HTTP and counts the bytes that it
// sends.
type rangeServer struct {
	*HTTP
	sent   atomic.Int64
	ranges atomic.Int64
}

// serveRanges starts a server. answer, if not nil, answers requests for a range
// of a blob in place of it; data is the whole blob.
func serveRanges(t *testing.T, w *world, answer func(out http.ResponseWriter, req *http.Request, data []byte)) *rangeServer {
	s := &rangeServer{}
	files := http.FileServerFS(os.DirFS(w.repo.path))
	srv := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		counted := &countedResponse{out, &s.sent}
		if req.Header.Get("Range") == "" || !strings.HasPrefix(req.URL.Path, "/blob/") {
			files.ServeHTTP(counted, req)
			return
		}
		s.ranges.Add(1)
		if answer == nil {
			files.ServeHTTP(counted, req)
			return
		}
		data, err := os.ReadFile(w.repo.path + path.Clean(req.URL.Path))
		if err != nil {
			http.NotFound(out, req)
			return
		}
		answer(counted, req, data)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.HTTP = NewHTTP(u, srv.Client())
	return s
}

type countedResponse struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *countedResponse) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// asked returns the first and the last byte of the range of a request.
func asked(req *http.Request) (first, last int) {
	fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-%d", &first, &last)
	return first, last
}

// partial answers with bytes that it says are the range that was asked for.
func partial(out http.ResponseWriter, req *http.Request, data, all []byte) {
	first, last := asked(req)
	out.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(all)))
	out.WriteHeader(http.StatusPartialContent)
	out.Write(data)
}

// onlyClient pulls one ecosystem in pieces, however small segments are.
func onlyClient(w *world, name string, m Reader, only ...string) PullOptions {
	c := w.client(name)
	c.Only, c.Now, c.Mirrors, c.wholeBelow = only, w.now, []Reader{m}, 1
	return c
}

// holds checks a replica of one ecosystem.
func (w *world) holds(dir, ecosystem string) {
	w.t.Helper()
	w.digest(dir)
	db, err := store.OpenDB(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	want := 0
	for _, r := range w.records {
		if slices.Contains(ecosystemsOf(collectionOf(r)), ecosystem) {
			want++
		}
	}
	if got := db.Meta().Records; got != want || want == 0 {
		w.t.Errorf("%d records of %s, want %d", got, ecosystem, want)
	}
	w.rows(dir)
}

// TestOnlyInPieces pulls one ecosystem: of the segments it is sent what that
// ecosystem needs, and no more. Then it follows the next releases.
func TestOnlyInPieces(t *testing.T) {
	w := newWorld(t, 41, 6000)
	clear(w.scores) // tables belong to every selection
	w.publish()
	s := serveRanges(t, w, nil)
	all := w.client("all")
	all.Mirrors = []Reader{s}
	full := w.pull(all)
	fullSent := s.sent.Swap(0)
	c := onlyClient(w, "pypi", s, "PyPI")
	part := w.pull(c)
	w.holds(c.Dir, "PyPI")
	if sent := s.sent.Load(); part.Bytes > full.Bytes/2 || sent > fullSent/2 || s.ranges.Load() < 2 {
		t.Errorf("PyPI: %d bytes in %d requests, %d sent; all: %d in %d, %d sent", part.Bytes, part.Requests, sent, full.Bytes, full.Requests, fullSent)
	}
	t.Logf("all: %d bytes in %d requests; PyPI: %d in %d", full.Bytes, full.Requests, part.Bytes, part.Requests)
	for range 9 {
		w.churn()
		w.publish()
	}
	c.Now = w.now
	if got := w.pull(c); got.From != 1 || got.Version != 10 || got.Bytes > full.Bytes/2 {
		t.Errorf("pulled %+v", got)
	}
	w.holds(c.Dir, "PyPI")
}

// TestOnlyWithoutRanges fetches whole files where the server has no ranges,
// and where pieces would be nearly all.
func TestOnlyWithoutRanges(t *testing.T) {
	w := newWorld(t, 42, 800)
	w.publish()
	s := serveRanges(t, w, func(out http.ResponseWriter, _ *http.Request, data []byte) { out.Write(data) })
	c := onlyClient(w, "pypi", s, "PyPI")
	got := w.pull(c)
	w.holds(c.Dir, "PyPI")
	if s.ranges.Load() != 1 {
		t.Errorf("%d requests for ranges of a server that has none: %+v", s.ranges.Load(), got)
	}
	s = serveRanges(t, w, nil)
	most := onlyClient(w, "most", s, "PyPI", "npm", "Debian", "Go", "")
	if got := w.pull(most); got.Bytes > s.sent.Load() || s.ranges.Load() != 1 {
		t.Errorf("%d ranges for nearly all: %+v", s.ranges.Load(), got)
	}
	w.digest(most.Dir)
	plain := onlyClient(w, "plain", &counted{w.repo, 1000, nil}, "PyPI") // a carrier that knows no ranges
	w.pull(plain)
	w.holds(plain.Dir, "PyPI")
}

// TestHostileRanges answers requests for ranges with what was not asked for.
func TestHostileRanges(t *testing.T) {
	w := newWorld(t, 43, 800)
	w.publish()
	good := serveRanges(t, w, nil)
	held := onlyClient(w, "replica", good, "npm")
	w.pull(held)
	for i := range 400 {
		w.put(i)
	}
	w.now = w.now.Add(time.Hour)
	opt := w.publishOptions()
	opt.Gates.Churn = 1
	if _, err := Publish(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		reason error
		answer func(out http.ResponseWriter, req *http.Request, data []byte)
	}{
		{"ignored", ErrMismatch, func(out http.ResponseWriter, req *http.Request, data []byte) {
			first, last := asked(req)
			partial(out, req, data[:last-first+1], data)
		}},
		{"another range", ErrMismatch, func(out http.ResponseWriter, req *http.Request, data []byte) {
			out.Header().Set("Content-Range", fmt.Sprintf("bytes 0-99/%d", len(data)))
			out.WriteHeader(http.StatusPartialContent)
			out.Write(data[:100])
		}},
		{"unnamed range", ErrMismatch, func(out http.ResponseWriter, req *http.Request, data []byte) {
			first, last := asked(req)
			out.WriteHeader(http.StatusPartialContent)
			out.Write(data[first : last+1])
		}},
		{"wrong byte", ErrMismatch, func(out http.ResponseWriter, req *http.Request, data []byte) {
			first, last := asked(req)
			part := bytes.Clone(data[first : last+1])
			part[len(part)/2] ^= 1
			partial(out, req, part, data)
		}},
		{"short", ErrTruncated, func(out http.ResponseWriter, req *http.Request, data []byte) {
			first, last := asked(req)
			partial(out, req, data[first:(first+last)/2], data)
		}},
		{"none", ErrTruncated, func(out http.ResponseWriter, _ *http.Request, _ []byte) {
			out.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}},
		{"gone", ErrNotFound, func(out http.ResponseWriter, req *http.Request, _ []byte) { http.NotFound(out, req) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			refused(t, w, onlyClient(w, "replica", nil), serveRanges(t, w, test.answer), test.reason)
			fresh := onlyClient(w, "fresh", nil, "PyPI")
			refused(t, w, fresh, serveRanges(t, w, test.answer), test.reason)
			if _, err := os.Stat(fresh.Dir + "/advdb.db"); err == nil {
				t.Error("there is a replica")
			}
		})
	}
	c := onlyClient(w, "replica", serveRanges(t, w, tests[3].answer))
	c.Mirrors, c.Only = append(c.Mirrors, good), nil
	if got := w.pull(c); got.Version != 2 {
		t.Errorf("with a good mirror behind a bad one: %+v", got)
	}
	w.holds(c.Dir, "npm")
}

// TestPiecesResumed is cut off behind each range; the next pull asks for what
// is missing.
func TestPiecesResumed(t *testing.T) {
	w := newWorld(t, 44, 6000)
	w.publish()
	whole := serveRanges(t, w, nil)
	w.pull(onlyClient(w, "once", whole, "PyPI", "Go"))
	need := whole.ranges.Load()
	if need < 3 {
		t.Fatalf("%d ranges only", need)
	}
	left, served := 0, int64(0)
	s := serveRanges(t, w, func(out http.ResponseWriter, req *http.Request, data []byte) {
		if left--; left < 0 {
			http.Error(out, "later", http.StatusServiceUnavailable)
			return
		}
		served++
		first, last := asked(req)
		partial(out, req, data[first:last+1], data)
	})
	pulls := int64(0)
	for ; pulls < need; pulls++ {
		left = 1
		opt := onlyClient(w, "replica", s, "PyPI", "Go")
		if _, err := Pull(t.Context(), opt); err == nil {
			break
		} else if errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
	}
	if pulls != need-1 || served != need {
		t.Errorf("%d pulls were cut off, %d ranges sent; there are %d", pulls, served, need)
	}
	if a, b := w.digest(w.client("replica").Dir), w.digest(w.client("once").Dir); a != b {
		t.Errorf("digest %s, at once %s", a, b)
	}
}
