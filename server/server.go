package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/advdb/advdb/store"
)

// Options are the options of [New]; of the zero value only Dir is missing.
type Options struct {
	Dir    string        // folder of the database
	MaxAge time.Duration // /readyz turns red when the newest fetch is older; default 7 days
	Now    func() time.Time
	Log    *slog.Logger // default: nothing

	PageSize int   // records on a page of answers; default 1,000
	MaxBytes int64 // bytes of a request's body; default 8 MiB
}

// A Server is an http.Handler over a database.
type Server struct {
	opt Options
	mux *http.ServeMux

	mu      sync.Mutex // held while a state is opened
	current atomic.Pointer[state]
	closed  atomic.Bool
	count   counters
}

// New opens the database. It returns store.ErrNoData where there is none.
func New(opt Options) (*Server, error) {
	if opt.MaxAge <= 0 {
		opt.MaxAge = 7 * 24 * time.Hour
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.PageSize <= 0 {
		opt.PageSize = 1000
	}
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = 8 << 20
	}
	s := &Server{opt: opt, mux: http.NewServeMux()}
	if _, err := s.follow(); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("POST /v1/query", s.query)
	s.mux.HandleFunc("POST /v1/querybatch", s.queryBatch)
	s.mux.HandleFunc("GET /v1/vulns/{id}", s.vuln)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /metrics", s.metrics)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.mux.ServeHTTP(w, r)
	s.count.done(time.Since(start))
}

// Close closes the state at hand, when its last request is done.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	if st := s.current.Swap(nil); st != nil {
		return st.retire()
	}
	return nil
}

// A state is one state of the database with the requests that read it.
type state struct {
	db   *store.DB
	file os.FileInfo
	in   sync.RWMutex // read-locked by each request
}

// retire waits for the requests that read the state, and closes it.
func (st *state) retire() error {
	st.in.Lock()
	defer st.in.Unlock()
	return st.db.Close()
}

// retire closes a state that was replaced.
func (s *Server) retire(st *state) {
	if err := st.retire(); err != nil {
		s.opt.Log.Error("closing a state", "error", err)
	}
}

var errClosed = errors.New("server is closed")

// with calls f with the current state of the database.
func (s *Server) with(f func(db *store.DB) error) error {
	for {
		st, err := s.follow()
		if err != nil {
			return err
		}
		st.in.RLock()
		if s.current.Load() != st {
			// It was replaced, and may be closed, since it was looked up.
			st.in.RUnlock()
			continue
		}
		defer st.in.RUnlock()
		return f(st.db)
	}
}

// follow returns the current state, opening the one that was swapped in since.
func (s *Server) follow() (*state, error) {
	st := s.current.Load()
	info, err := os.Stat(filepath.Join(s.opt.Dir, "advdb.db"))
	if st != nil && (err != nil || os.SameFile(info, st.file)) {
		return st, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, errClosed
	}
	if again := s.current.Load(); again != st {
		return again, nil
	}
	db, err := store.OpenDB(s.opt.Dir)
	if err != nil {
		if st != nil {
			s.opt.Log.Error("the new state cannot be opened; the old one goes on", "error", err)
			return st, nil
		}
		return nil, err
	}
	if info == nil {
		if info, err = os.Stat(filepath.Join(s.opt.Dir, "advdb.db")); err != nil {
			db.Close()
			return nil, err
		}
	}
	next := &state{db: db, file: info}
	s.current.Store(next)
	s.opt.Log.Info("state", "number", db.Meta().Number, "records", db.Meta().Records)
	if st != nil {
		go s.retire(st)
	}
	return next, nil
}
