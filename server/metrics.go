package server

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of the latency histogram, in seconds.
var bounds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// traffic counts the requests of a path.
type traffic struct {
	codes   [500]atomic.Int64 // by status, from 100 on
	buckets [len(bounds) + 1]atomic.Int64
	nanos   atomic.Int64
}

func (t *traffic) done(status int, d time.Duration) {
	if i := status - 100; i >= 0 && i < len(t.codes) {
		t.codes[i].Add(1)
	}
	i, _ := slices.BinarySearch(bounds[:], d.Seconds())
	t.buckets[i].Add(1)
	t.nanos.Add(int64(d))
}

// An exposition is a text in the format of Prometheus, version 0.0.4.
//
// Source: Prometheus documentation, "Exposition formats".
type exposition struct{ bytes.Buffer }

// family begins a metric.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP advdb_%s %s\n# TYPE advdb_%s %s\n", name, help, name, kind)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes a value; labels are names and values in turn.
func (e *exposition) sample(name string, value float64, labels ...string) {
	e.WriteString("advdb_" + name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		e.WriteString(sep + labels[i] + `="` + labelEscapes.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	format := byte('g')
	if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		format = 'f' // easier on the eye, for times above all
	}
	e.WriteString(" " + strconv.FormatFloat(value, format, -1, 64) + "\n")
}

// single writes a metric of one value.
func (e *exposition) single(name, kind, help string, value float64) {
	e.family(name, kind, help)
	e.sample(name, value)
}

// metrics answers GET /metrics.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	var e exposition
	s.requestMetrics(&e)
	s.pullMetrics(&e)
	err := s.with(func(st *state) error { return s.stateMetrics(&e, st) })
	ready := 1.0
	if err != nil || s.unready() != nil {
		ready = 0
	}
	e.single("ready", "gauge", "Whether /readyz is green.", ready)
	e.single("state_swaps_total", "counter", "States taken up.", float64(s.swaps.Load()))
	e.single("panics_total", "counter", "Requests whose handler panicked.", float64(s.panics.Load()))
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	e.single("heap_bytes", "gauge", "Bytes of heap objects.", float64(mem.HeapAlloc))
	e.single("goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Write(e.Bytes())
}

func (s *Server) requestMetrics(e *exposition) {
	byPath := map[string][]*route{}
	for _, rt := range s.routes {
		byPath[rt.path] = append(byPath[rt.path], rt)
	}
	paths := make([]string, 0, len(byPath))
	for p := range byPath {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	e.family("http_requests_total", "counter", "Requests answered, by path and status.")
	for _, p := range paths {
		for i := range 500 {
			n := int64(0)
			for _, rt := range byPath[p] {
				n += rt.count.codes[i].Load()
			}
			if n > 0 {
				e.sample("http_requests_total", float64(n), "path", p, "code", strconv.Itoa(i+100))
			}
		}
	}
	e.family("http_request_duration_seconds", "histogram", "Time until a request was answered, waiting included, by path.")
	for _, p := range paths {
		e.histogram("http_request_duration_seconds", p, byPath[p])
	}
	e.single("http_requests_in_flight", "gauge", "Requests at hand.", float64(s.inFlight.Load()))
	e.single("http_requests_waiting", "gauge", "Requests that wait for a place.", float64(s.limits.waiting.Load()))
}

// histogram writes the latencies of a path.
func (e *exposition) histogram(name, path string, routes []*route) {
	total, nanos := int64(0), int64(0)
	for i := range len(bounds) + 1 {
		for _, rt := range routes {
			total += rt.count.buckets[i].Load()
		}
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		e.sample(name+"_bucket", float64(total), "path", path, "le", le)
	}
	for _, rt := range routes {
		nanos += rt.count.nanos.Load()
	}
	e.sample(name+"_sum", time.Duration(nanos).Seconds(), "path", path)
	e.sample(name+"_count", float64(total), "path", path)
}

func (s *Server) pullMetrics(e *exposition) {
	if !s.pulls.on.Load() {
		return
	}
	p := &s.pulls
	e.single("pull_attempts_total", "counter", "Pulls tried.", float64(p.attempts.Load()))
	e.single("pull_changes_total", "counter", "Pulls that brought a new release.", float64(p.changes.Load()))
	e.single("pull_bytes_total", "counter", "Bytes pulled.", float64(p.bytes.Load()))
	e.family("pull_failures_total", "counter", "Pulls that failed: what was offered was refused, the folder was busy, or another reason.")
	e.sample("pull_failures_total", float64(p.refused.Load()), "reason", "refused")
	e.sample("pull_failures_total", float64(p.busy.Load()), "reason", "busy")
	e.sample("pull_failures_total", float64(p.failed.Load()), "reason", "other")
	e.single("pull_last_success_timestamp_seconds", "gauge", "When a pull last went well, as Unix time; 0: never.", float64(p.success.Load()))
}

func (s *Server) stateMetrics(e *exposition, st *state) error {
	meta := st.db.Meta()
	e.single("state_number", "gauge", "Number of the state served.", float64(meta.Number))
	if t, err := time.Parse(time.RFC3339, meta.Created); err == nil {
		e.single("state_created_timestamp_seconds", "gauge", "When the state served was made, as Unix time.", float64(t.Unix()))
	}
	e.single("records", "gauge", "Records in the state served.", float64(meta.Records))
	at, newest, err := s.fetched(st)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(at))
	for name, t := range at {
		if !t.IsZero() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	now := s.opt.Now()
	e.family("source_age_seconds", "gauge", "Time since a source was last found to be current.")
	for _, name := range names {
		e.sample("source_age_seconds", now.Sub(at[name]).Seconds(), "source", name)
	}
	if !newest.IsZero() {
		e.single("data_age_seconds", "gauge", "Time since any source was last found to be current.", now.Sub(newest).Seconds())
	}
	return nil
}
