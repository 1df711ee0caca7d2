package server

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

var testDay = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)

// lines is a format for tests: a line is an OSV record, or
// "ID ECOSYSTEM NAME FIXED".
func lines(d normalize.Doc, emit func(*normalize.Record) error) error {
	data, err := io.ReadAll(d.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		r, err := record(line)
		if err != nil {
			return err
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

func record(line string) (*normalize.Record, error) {
	if strings.HasPrefix(line, "{") {
		return normalize.Decode([]byte(line))
	}
	f := strings.Fields(line)
	return &normalize.Record{
		ID: f[0], Modified: "2026-07-01T00:00:00Z", SchemaVersion: "1.7.0",
		Affected: []normalize.Affected{{
			Package: normalize.Package{Ecosystem: f[1], Name: f[2]},
			Ranges:  []normalize.Range{{Type: normalize.Ecosystem, Events: []normalize.Event{{Introduced: "0"}, {Fixed: f[3]}}}},
		}},
	}, nil
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
	if opt.Now == nil {
		opt.Now = func() time.Time { return testDay.Add(time.Hour) }
	}
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

// exchange sends a request and returns the answer, its body read.
func exchange(t testing.TB, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

func post(t testing.TB, url, body string) (status int, answer string) {
	t.Helper()
	resp, answer := exchange(t, "POST", url, body, "Content-Type", "application/json")
	return resp.StatusCode, answer
}

func get(t testing.TB, url string, header ...string) (status int, answer string) {
	t.Helper()
	resp, answer := exchange(t, "GET", url, "", header...)
	return resp.StatusCode, answer
}

// ids are the IDs in an answer to /v1/query.
func ids(t testing.TB, answer string) string {
	t.Helper()
	var a struct {
		Vulns []struct {
			ID string `json:"id"`
		} `json:"vulns"`
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	var list []string
	for _, v := range a.Vulns {
		list = append(list, v.ID)
	}
	return strings.Join(list, " ")
}

// TestSwap publishes states under load: every request is answered, from one
// whole state.
func TestSwap(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "A-0 npm x 9.0.0\nB-0 npm x 9.0.0\n")
	s, srv := newServer(t, Options{Dir: dir})
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
	if n := s.swaps.Load(); n < 10 {
		t.Errorf("%d states taken up of 51", n)
	}
}

// TestBrokenState wants a new state that cannot be opened to leave the old one.
func TestBrokenState(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, testRecords)
	var log strings.Builder
	s, srv := newServer(t, Options{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	st := s.current.Load()
	breakState(t, dir)
	if code, answer := get(t, srv.URL+"/v1/vulns/A-1"); code != 200 {
		t.Errorf("%d %s", code, answer)
	}
	if s.current.Load() != st {
		t.Error("another state is current")
	}
	if !strings.Contains(log.String(), "the old one goes on") {
		t.Errorf("log: %s", log.String())
	}
}

func TestStateClosesWithLastRequest(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, testRecords)
	s, _ := newServer(t, Options{Dir: dir})
	err := s.with(func(st *state) error {
		fill(t, dir, "Z-1 npm x 1.0.0\n")
		if next, err := s.follow(); err != nil || next == st {
			t.Fatalf("the new state is not taken up: %v", err)
		}
		if data, err := st.db.Record("A-1"); err != nil || data == nil {
			t.Errorf("the old state is gone under a request: %v", err)
		}
		if n := st.refs.Load(); n != 1 {
			t.Errorf("%d references to the old state, want that of the request", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGenerations(t *testing.T) {
	g := newGenerations[string, int](4000)
	for i := range 1000 {
		g.put(fmt.Sprintf("%03d", i), i, 36)
		if v, ok := g.get("000"); !ok || v != 0 {
			t.Fatalf("after %d: what is asked for all the time is gone", i)
		}
	}
	if n := len(g.young) + len(g.old); n > 40 {
		t.Errorf("%d entries of 100 bytes in 4,000", n)
	}
	if _, ok := g.get("500"); ok {
		t.Error("an entry from long ago is there")
	}
	g.put("large", 1, 3000)
	if _, ok := g.get("large"); ok {
		t.Error("an entry of most of the cache is kept")
	}
}
