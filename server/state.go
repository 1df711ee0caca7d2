package server

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/advdb/advdb/store"
)

// A state is one state of the database with what was learned of it.
type state struct {
	db   *store.DB
	file os.FileInfo
	refs atomic.Int64 // requests that read it, and one for being the current one

	// A state never changes, and so what was found in it stays true.
	answers *generations[subject, found] // what matches a question
	wires   *generations[string, []byte] // records as they are sent, by ID
	dates   *generations[string, string] // when they were modified, by ID
	derived *derived                     // what pages made of it
}

func newState(db *store.DB, file os.FileInfo, cache int) *state {
	st := &state{
		db: db, file: file, derived: newDerived(),
		wires:   newGenerations[string, []byte](cache * 5 / 8),
		answers: newGenerations[subject, found](cache * 3 / 16),
		dates:   newGenerations[string, string](cache * 3 / 16),
	}
	st.refs.Store(1)
	return st
}

// acquire makes the state stay open until release; false: it is closed.
func (st *state) acquire() bool {
	for {
		n := st.refs.Load()
		if n == 0 {
			return false
		}
		if st.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release ends an acquire; the last one closes the state.
func (st *state) release() error {
	if st.refs.Add(-1) == 0 {
		return st.db.Close()
	}
	return nil
}

var errClosed = errors.New("server is closed")

// with calls f with the current state of the database.
func (s *Server) with(f func(st *state) error) error {
	for {
		st, err := s.follow()
		if err != nil {
			return err
		}
		if !st.acquire() {
			continue // it was replaced since it was looked up
		}
		defer s.retire(st)
		return f(st)
	}
}

// retire gives up a state.
func (s *Server) retire(st *state) {
	if err := st.release(); err != nil {
		s.opt.Log.Error("closing a state", "error", err)
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
	next, err := s.open()
	if err != nil {
		if st != nil {
			s.opt.Log.Error("the new state cannot be opened; the old one goes on", "error", err)
			return st, nil
		}
		return nil, err
	}
	s.current.Store(next)
	s.swaps.Add(1)
	s.opt.Log.Info("state", "number", next.db.Meta().Number, "records", next.db.Meta().Records)
	if st != nil {
		s.retire(st)
	}
	return next, nil
}

// open opens the state that is in the folder. Its file is looked up first: if
// it is replaced in between, the next request opens again.
func (s *Server) open() (*state, error) {
	info, err := os.Stat(filepath.Join(s.opt.Dir, "advdb.db"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, store.ErrNoData
	}
	if err != nil {
		return nil, err
	}
	db, err := store.OpenDB(s.opt.Dir)
	if err != nil {
		return nil, err
	}
	return newState(db, info, s.opt.Cache), nil
}

// fetched returns when each source was last found to be current, by its name,
// and the latest of these times.
func (s *Server) fetched(st *state) (at map[string]time.Time, newest time.Time, err error) {
	list, err := st.db.Sources()
	if err != nil {
		return nil, newest, err
	}
	// A sync that finds nothing new makes no state, and is told here only.
	status, err := store.ReadStatus(s.opt.Dir)
	if err != nil {
		return nil, newest, err
	}
	at = make(map[string]time.Time, len(list))
	for _, src := range list {
		for _, text := range []string{src.FetchedAt, status[src.Name].FetchedAt} {
			if t, err := time.Parse(time.RFC3339, text); err == nil && t.After(at[src.Name]) {
				at[src.Name] = t
			}
		}
		if t := at[src.Name]; t.After(newest) {
			newest = t
		}
	}
	return at, newest, nil
}
