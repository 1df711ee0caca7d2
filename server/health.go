package server

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/advdb/advdb/store"
)

// alive answers GET /healthz: the process answers.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// ready answers GET /readyz: there are data, young enough to be believed.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.unready(); err != nil {
		plain(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	plain(w, http.StatusOK, "ok")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// unready says why answers should not be relied on.
func (s *Server) unready() error {
	if s.draining.Load() {
		return errors.New("ending")
	}
	err := s.with(func(st *state) error {
		if st.db.Meta().Records == 0 {
			return errors.New("the state has no records")
		}
		_, newest, err := s.fetched(st)
		if err != nil {
			return err
		}
		if newest.IsZero() {
			return errors.New("no source was ever fetched")
		}
		if age := s.opt.Now().Sub(newest); age > s.opt.MaxAge {
			return fmt.Errorf("data are %s old, at most %s is wanted", age.Round(time.Minute), s.opt.MaxAge)
		}
		return nil
	})
	if errors.Is(err, store.ErrNoData) {
		err = errors.New("no data is held yet")
	}
	if last := s.pulls.last.Load(); err != nil && last != nil {
		err = fmt.Errorf("%w; the last pull: %s", err, *last)
	}
	return err
}
