package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

// textLine is what query --text --json prints of one record.
type textLine struct {
	ID        string `json:"id"`
	Summary   string `json:"summary,omitempty"`
	Modified  string `json:"modified"`
	Withdrawn string `json:"withdrawn,omitempty"`
}

func (a *app) queryText(ctx context.Context, db *store.DB, q query.TextQuestion) error {
	ans, err := query.Text(ctx, db, q)
	if errors.Is(err, query.ErrNoWords) {
		return usageError{err}
	} else if err != nil {
		return err
	}
	lines := []textLine{}
	for _, h := range ans.Hits {
		lines = append(lines, textLine{h.ID, h.Summary, h.Modified, h.Withdrawn})
	}
	if a.json {
		return a.printJSON(map[string]any{"total": ans.Total, "hits": lines})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		note := ""
		if l.Withdrawn != "" {
			note = "withdrawn: "
		}
		fmt.Fprintf(w, "%s\t%.10s\t%s%s\n", l.ID, l.Modified, note, firstLine(l.Summary))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.sayf("%d of %d", len(lines), ans.Total)
	return nil
}
