package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/store"
)

// A sourceRow is a source with how old what is held of it is.
type sourceRow struct {
	store.SourceState
	Age  string
	Late bool // older than Options.MaxAge, or never fetched though something is held
}

// A sourcesSheet is what the page of sources shows.
type sourcesSheet struct {
	Held, Never []sourceRow
	Errors      int
	MaxAge      string
	Late        int
}

// sources is the page of sources: licence, age, counts, errors.
func (w *web) sources(_ context.Context, st *state, _ *http.Request) (*sheet, error) {
	list, err := w.sourceRows(st)
	if err != nil {
		return nil, err
	}
	p := &sourcesSheet{MaxAge: spanOfTime(w.s.opt.MaxAge)}
	for _, s := range list {
		if s.Error != "" {
			p.Errors++
		}
		if s.Late {
			p.Late++
		}
		if s.FetchedAt == "" && s.Documents == 0 && s.Records == 0 {
			p.Never = append(p.Never, s)
		} else {
			p.Held = append(p.Held, s)
		}
	}
	return &sheet{template: "sources", title: "Sources", data: p}, nil
}

// sourceRows are the sources of a state, by name, with how their last fetch
// went: a sync that finds nothing new makes no state and is told elsewhere.
func (w *web) sourceRows(st *state) ([]sourceRow, error) {
	list, err := st.db.Sources()
	if err != nil {
		return nil, err
	}
	status, err := store.ReadStatus(w.s.opt.Dir)
	if err != nil {
		return nil, err
	}
	now := w.s.opt.Now().Truncate(tick)
	rows := make([]sourceRow, 0, len(list))
	for _, s := range list {
		if last, ok := status[s.Name]; ok {
			s.FetchedAt, s.Error = max(s.FetchedAt, last.FetchedAt), last.Error
			if s.Status = "ok"; last.Error != "" {
				s.Status = "error"
			}
		}
		s.Status = cmp.Or(s.Status, "never")
		at, _ := time.Parse(time.RFC3339, s.FetchedAt) // none: never
		held := s.Documents > 0 || s.Records > 0
		rows = append(rows, sourceRow{s, ageOf(now, at), held && now.Sub(at) > w.s.opt.MaxAge})
	}
	slices.SortFunc(rows, func(x, y sourceRow) int { return strings.Compare(x.Name, y.Name) })
	return rows, nil
}
