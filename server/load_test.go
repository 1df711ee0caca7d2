//go:build unix

package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
)

// loadDir is the folder of a database to measure on, ADVDB_BENCH_DB; without
// it one of 20,000 made-up records is built.
func loadDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("ADVDB_BENCH_DB"); dir != "" {
		return dir
	}
	dir := t.TempDir()
	var b bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&b, `{"id":"GHSA-%05d","modified":"2026-07-01T00:00:00Z","summary":"s","details":%q,"affected":[{"package":{"ecosystem":"npm","name":"p%d"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"%d.0.0"}]}]}]}`+"\n",
			i, bytes.Repeat([]byte("details "), 120), i/4, i%7+1)
	}
	fill(t, dir, b.String())
	return dir
}

// A workload is what clients ask: packages at versions out of the database,
// each package as likely as any other, so that no cache of a few records helps.
type workload struct {
	queries [][]byte // bodies for /v1/query
	batches [][]byte // bodies for /v1/querybatch, of 1,000 queries
	ids     []string
}

func newWorkload(t testing.TB, s *Server) *workload {
	t.Helper()
	w := new(workload)
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	err := s.with(func(st *state) error {
		n, every := 0, max(1, st.db.Meta().Records/20_000)
		return st.db.Records("", func(id string, data []byte) error {
			if n++; n%every != 0 {
				return nil
			}
			r, err := normalize.Decode(data)
			if err != nil {
				return err
			}
			w.ids = append(w.ids, id)
			if len(r.Affected) == 0 {
				return nil
			}
			a := &r.Affected[rng.IntN(len(r.Affected))]
			name := a.Package.Ecosystem + " " + a.Package.Name
			if version := someVersion(a); version != "" && normalize.IsRegistered(a.Package.Ecosystem) && !seen[name] {
				seen[name] = true
				q, err := json.Marshal(map[string]any{"package": map[string]string{"name": a.Package.Name, "ecosystem": a.Package.Ecosystem}, "version": version})
				w.queries = append(w.queries, q)
				return err
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	rng.Shuffle(len(w.queries), func(i, j int) { w.queries[i], w.queries[j] = w.queries[j], w.queries[i] })
	rng.Shuffle(len(w.ids), func(i, j int) { w.ids[i], w.ids[j] = w.ids[j], w.ids[i] })
	w.batch()
	return w
}

// batch makes batches of the queries.
func (w *workload) batch() {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		list := make([][]byte, maxBatch)
		for i := range list {
			list[i] = w.queries[rng.IntN(len(w.queries))]
		}
		w.batches = append(w.batches, []byte(`{"queries":[`+string(bytes.Join(list, []byte(",")))+`]}`))
	}
}

// someVersion is the last version that a speaks of: what a system has that
// was brought up to date some time ago.
func someVersion(a *normalize.Affected) (version string) {
	for _, r := range a.Ranges {
		for _, e := range r.Events {
			for _, v := range []string{e.Introduced, e.LastAffected, e.Fixed} {
				if v != "" && v != "0" && r.Type != normalize.Git {
					version = v
				}
			}
		}
	}
	if version == "" && len(a.Versions) > 0 {
		return a.Versions[len(a.Versions)-1]
	}
	return version
}

// usualAnswer bounds the answers of the usual workload: nine of ten packages
// have smaller ones, and kernels some of megabytes.
const usualAnswer = 64 << 10

// connections is how many clients ask at a time.
const connections = 8

// drive sends requests over eight connections for as long as f says, and
// returns their latencies, sorted, and the bytes of all answers.
func drive(t testing.TB, n int, request func(i int) *http.Request) (took []time.Duration, bytes int64) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	took = make([]time.Duration, n)
	var size atomic.Int64
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			for i := c; i < n; i += connections {
				start := time.Now()
				resp, err := client.Do(request(i))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.Copy(io.Discard, resp.Body)
				size.Add(got)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("%d %v", resp.StatusCode, err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	return took, size.Load()
}

// cpuTime is what the process has used of its processors.
func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLoad measures requests over eight connections of the loopback
// interface, the load generator on the same processors and in the same
// process, beside a handler that does nothing: of 2,000 packages with answers of
// up to 64 KiB, and as many IDs, that are asked for again and again; and of any
// ("-any").
func BenchmarkLoad(b *testing.B) {
	s, srv := newServer(b, Options{Dir: loadDir(b), Now: time.Now})
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	defer empty.Close()
	w := newWorkload(b, s)
	warm := &workload{ids: w.ids[:min(2000, len(w.ids))]}
	for _, q := range w.queries {
		rec := httptest.NewRecorder()
		if s.ServeHTTP(rec, httptest.NewRequest("POST", "/v1/query", bytes.NewReader(q))); rec.Body.Len() <= usualAnswer && len(warm.queries) < 2000 {
			warm.queries = append(warm.queries, q)
		}
	}
	warm.batch()
	post := func(url string, bodies [][]byte) func(i int) *http.Request {
		return func(i int) *http.Request {
			req, err := http.NewRequest("POST", url, bytes.NewReader(bodies[i%len(bodies)]))
			if err != nil {
				panic(err)
			}
			return req
		}
	}
	lookup := func(ids []string) func(i int) *http.Request {
		return func(i int) *http.Request {
			req, err := http.NewRequest("GET", srv.URL+"/v1/vulns/"+ids[i%len(ids)], nil)
			if err != nil {
				panic(err)
			}
			return req
		}
	}
	for _, test := range []struct {
		name    string
		warm    int // requests before those that are measured
		request func(i int) *http.Request
	}{
		{"empty", 1000, post(empty.URL, w.queries)},
		{"query", len(warm.queries), post(srv.URL+"/v1/query", warm.queries)},
		{"vulns", len(warm.ids), lookup(warm.ids)},
		{"querybatch1000", len(warm.batches), post(srv.URL+"/v1/querybatch", warm.batches)},
		{"query-any", 0, post(srv.URL+"/v1/query", w.queries)},
		{"vulns-any", 0, lookup(w.ids)},
		{"querybatch1000-any", 0, post(srv.URL+"/v1/querybatch", w.batches)},
	} {
		b.Run(test.name, func(b *testing.B) {
			if b.N > 1 {
				drive(b, test.warm, test.request)
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := cpuTime(b)
			took, size := drive(b, b.N, test.request)
			b.StopTimer()
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/request")
			b.ReportMetric(float64(size)/float64(b.N), "answer-B")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	b.Logf("heap %d MiB, from the system %d MiB", mem.HeapAlloc>>20, mem.Sys>>20)
}
