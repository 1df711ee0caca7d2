package server

import (
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var soakFor = flag.Duration("soak", 3*time.Second, "how long TestSoak asks; an hour shows what seconds cannot")

// TestSoak asks over eight connections, all paths of the API, while states are
// swapped: no request fails, each is answered out of one whole state, and
// memory stays flat.
func TestSoak(t *testing.T) {
	swaps := 50
	if testing.Short() {
		swaps = 10
	}
	dir := t.TempDir()
	text := func(state int) string {
		var b strings.Builder
		for i := range 500 {
			fmt.Fprintf(&b, `{"id":"A-%04d","modified":"2026-07-01T00:00:00Z","summary":"state %d","details":%q,"affected":[{"package":{"ecosystem":"npm","name":"p%d"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"9.0.0"}]}]}]}`+"\n",
				i, state, strings.Repeat("words ", 100), i%50)
		}
		return b.String()
	}
	fill(t, dir, text(0))
	s, srv := newServer(t, Options{Dir: dir})
	var asked, failed atomic.Int64
	stop := make(chan struct{})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			for i := c; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				asked.Add(1)
				if err := soakOnce(t, srv.URL, i); err != nil {
					failed.Add(1)
					t.Error(err)
					return
				}
			}
		})
	}
	var heaps []uint64
	for i := range swaps {
		fill(t, dir, text(i+1))
		time.Sleep(*soakFor / time.Duration(swaps))
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		heaps = append(heaps, mem.HeapAlloc)
	}
	close(stop)
	wg.Wait()
	early, late := heaps[swaps/5], heaps[swaps-1]
	t.Logf("%d requests, %d failed, %d states taken up; heap after %d swaps %d KiB, after %d %d KiB",
		asked.Load(), failed.Load(), s.swaps.Load(), swaps/5, early>>10, swaps, late>>10)
	if late > early+early/2+(8<<20) {
		t.Errorf("the heap grew from %d to %d KiB", early>>10, late>>10)
	}
	if n := s.swaps.Load(); n < int64(swaps/2) {
		t.Errorf("%d states taken up of %d", n, swaps+1)
	}
}

// soakOnce sends one request and checks the answer.
func soakOnce(t *testing.T, url string, i int) error {
	query := fmt.Sprintf(`{"package":{"name":"p%d","ecosystem":"npm"},"version":"1.0.0"}`, i%50)
	switch i % 3 {
	case 0:
		code, answer := post(t, url+"/v1/query", query)
		states := map[string]bool{}
		for part := range strings.SplitSeq(answer, `"summary":"`) {
			if state, _, ok := strings.Cut(part, `"`); ok && strings.HasPrefix(state, "state ") {
				states[state] = true
			}
		}
		if code != 200 || strings.Count(answer, `"id":"A-`) != 10 || len(states) != 1 {
			return fmt.Errorf("query: %d, %d bytes out of states %v", code, len(answer), states)
		}
	case 1:
		code, answer := post(t, url+"/v1/querybatch", `{"queries":[`+query+`,`+query+`]}`)
		if code != 200 || strings.Count(answer, `"id":"A-`) != 20 {
			return fmt.Errorf("querybatch: %d %.100s", code, answer)
		}
	default:
		if code, answer := get(t, fmt.Sprintf("%s/v1/vulns/A-%04d", url, i%500)); code != 200 {
			return fmt.Errorf("vulns: %d %.100s", code, answer)
		}
	}
	return nil
}
