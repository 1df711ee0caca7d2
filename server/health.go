package server

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/advdb/advdb/store"
)

// newestFetch is when the source fetched last was fetched.
func newestFetch(db *store.DB) (time.Time, error) {
	list, err := db.Sources()
	var newest time.Time
	for _, s := range list {
		if t, err := time.Parse(time.RFC3339, s.FetchedAt); err == nil && t.After(newest) {
			newest = t
		}
	}
	return newest, err
}

// ready is green while the data are young enough to be believed.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	err := s.with(func(db *store.DB) error {
		newest, err := newestFetch(db)
		if err != nil {
			return err
		}
		if age := s.opt.Now().Sub(newest); age > s.opt.MaxAge {
			return fmt.Errorf("data are %s old, at most %s is wanted", age.Round(time.Minute), s.opt.MaxAge)
		}
		return nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// counters are what /metrics says of requests.
type counters struct {
	requests, failures, refused, nanos atomic.Int64
}

func (c *counters) done(d time.Duration) {
	c.requests.Add(1)
	c.nanos.Add(int64(d))
}

func (c *counters) failed(status int) {
	if status >= http.StatusInternalServerError {
		c.failures.Add(1)
	} else {
		c.refused.Add(1)
	}
}

// metrics answers in the text format of Prometheus.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	metric := func(name, kind, help string, value float64) {
		fmt.Fprintf(w, "# HELP advdb_%s %s\n# TYPE advdb_%s %s\nadvdb_%s %g\n", name, help, name, kind, name, value)
	}
	metric("requests_total", "counter", "Requests answered.", float64(s.count.requests.Load()))
	metric("request_seconds_total", "counter", "Time spent on them.", time.Duration(s.count.nanos.Load()).Seconds())
	metric("request_errors_total", "counter", "Requests that failed here.", float64(s.count.failures.Load()))
	metric("requests_refused_total", "counter", "Requests that were wrong.", float64(s.count.refused.Load()))
	err := s.with(func(db *store.DB) error {
		metric("state_number", "gauge", "Number of the state served.", float64(db.Meta().Number))
		metric("records", "gauge", "Records in it.", float64(db.Meta().Records))
		list, err := db.Sources()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "# HELP advdb_source_fetched_seconds When a source was last fetched, as Unix time.\n# TYPE advdb_source_fetched_seconds gauge\n")
		for _, src := range list {
			if t, err := time.Parse(time.RFC3339, src.FetchedAt); err == nil {
				fmt.Fprintf(w, "advdb_source_fetched_seconds{source=%q} %d\n", src.Name, t.Unix())
			}
		}
		return nil
	})
	if err != nil {
		s.opt.Log.Error("metrics", "error", err)
	}
}
