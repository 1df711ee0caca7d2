package server

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// Options are the options of [New]; of the zero value only Dir is missing.
type Options struct {
	Dir    string        // folder of the database
	Empty  bool          // begin without data: not ready until there is a state
	MaxAge time.Duration // /readyz turns red when the newest fetch is older; default 7 days
	Now    func() time.Time
	Log    *slog.Logger  // default: nothing
	Access bool          // log each request
	Repo   *snapshot.Dir // served under /repo/; nil: nothing is there
	Pages  bool          // pages for people at /

	Tokens func() []string // one of which a request must have; nil: none is needed

	PageSize  int   // records on a page of answers; default 1,000
	MaxBytes  int64 // bytes of a request's body; default 8 MiB
	MaxAnswer int   // bytes from which an answer goes on to the next page; default 10 MB
	Cache     int   // bytes of records and answers kept ready to be sent; default 64 MiB

	Requests int           // answered at a time; default 32 a processor
	Queue    int           // requests that may wait for a place; default 1,024
	Wait     time.Duration // how long they do; default 5 s
	Deadline time.Duration // for one request, waiting included; default 20 s
	Rate     float64       // requests a second of one client, with bursts of twice as many; default: no limit
}

// setDefault gives an option that is zero or less its default.
func setDefault[T int | int64 | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

func (o *Options) setDefaults() {
	setDefault(&o.MaxAge, 7*24*time.Hour)
	setDefault(&o.PageSize, 1000)
	setDefault(&o.MaxBytes, 8<<20)
	setDefault(&o.MaxAnswer, 10_000_000)
	setDefault(&o.Cache, 64<<20)
	setDefault(&o.Requests, 32*runtime.GOMAXPROCS(0))
	setDefault(&o.Queue, 1024)
	setDefault(&o.Wait, 5*time.Second)
	setDefault(&o.Deadline, 20*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// A Server is an http.Handler over a database.
type Server struct {
	opt    Options
	mux    *http.ServeMux
	routes []*route
	limits *limits
	web    *web // nil: there are no pages

	mu      sync.Mutex // held while a state is opened
	current atomic.Pointer[state]
	closed  atomic.Bool

	draining atomic.Bool
	inFlight atomic.Int64
	panics   atomic.Int64
	swaps    atomic.Int64
	pulls    pulls
}

// New opens the database. It returns store.ErrNoData where there is none and
// Options.Empty is not set.
func New(opt Options) (*Server, error) {
	opt.setDefaults()
	s := &Server{opt: opt, mux: http.NewServeMux(), limits: newLimits(&opt)}
	if _, err := s.follow(); err != nil && (!opt.Empty || !errors.Is(err, store.ErrNoData)) {
		return nil, err
	}
	s.api("POST", "/v1/query", s.query)
	s.api("POST", "/v1/querybatch", s.queryBatch)
	s.api("GET", "/v1/vulns/{id}", s.vuln)
	s.handle("GET /healthz", open, s.alive)
	s.handle("GET /readyz", open, s.ready)
	s.handle("GET /metrics", private, s.metrics)
	if opt.Repo != nil {
		s.handle("GET /repo/{name...}", private, s.file)
	}
	if opt.Pages {
		s.web = s.newWeb()
	}
	s.handle("/", open, s.notFound)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Drain turns /readyz red, for balancers to send requests elsewhere before the
// server ends. Requests are still answered.
func (s *Server) Drain() { s.draining.Store(true) }

// Close gives up the state at hand: it is closed when its last request is done.
func (s *Server) Close() error {
	if s.web != nil {
		s.web.stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	if st := s.current.Swap(nil); st != nil {
		return st.release()
	}
	return nil
}
