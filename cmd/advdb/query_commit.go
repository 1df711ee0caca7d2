package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
)

// commitLine is what query --commit --json prints of one record.
type commitLine struct {
	ID      string `json:"id"`
	Repo    string `json:"repo,omitempty"`
	Verdict string `json:"verdict"`
	Event   string `json:"event,omitempty"` // what decided, "fixed 0123…"
	Reason  string `json:"reason,omitempty"`
}

func (a *app) queryCommit(ctx context.Context, db *store.DB, commit, clone string, all bool) error {
	var ans query.CommitAnswer
	var err error
	if clone == "" {
		ans, err = query.Commit(db, commit)
	} else {
		ans, err = query.CommitIn(ctx, db, commit, query.Clone{Dir: clone})
	}
	if errors.Is(err, query.ErrCommit) || errors.Is(err, query.ErrAmbiguous) || errors.Is(err, query.ErrNoCommit) {
		return usageError{err}
	} else if err != nil {
		return err
	}
	undecided, err := undecidedRecords(db, &ans)
	if err != nil {
		return err
	}
	lines := commitLines(&ans, all)
	if a.json {
		vulns, err := recordsOf(db, ans.IDs(versioncmp.Affected))
		if err != nil {
			return err
		}
		return a.printJSON(map[string]any{"vulns": vulns, "commit": ans.Commit, "findings": lines, "undecided": undecided})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Verdict, l.ID, l.Repo, l.Event, l.Reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.sayf("%d affect it, %d unknown, %d do not", len(ans.IDs(versioncmp.Affected)), len(ans.IDs(versioncmp.Unknown)), len(ans.IDs(versioncmp.NotAffected)))
	if undecided > 0 {
		a.sayf("not decided without its history: %d more records with commit ranges (--git DIR of a clone)", undecided)
	}
	if ans.History && len(ans.Findings) == 0 {
		a.sayf("no record is of the clone's repository, by its remotes or its commits")
	}
	return nil
}

// commitLines are the findings to print: those that do not affect only if all
// are wanted.
func commitLines(ans *query.CommitAnswer, all bool) []commitLine {
	lines := []commitLine{}
	for _, f := range ans.Findings {
		if f.Verdict == versioncmp.NotAffected && !all {
			continue
		}
		l := commitLine{ID: f.ID, Repo: f.Repo, Verdict: f.Verdict.String(), Reason: f.Reason}
		if f.Event.Kind != 0 {
			l.Event = f.Event.Kind.String() + " " + f.Event.Version
		}
		lines = append(lines, l)
	}
	return lines
}

// undecidedRecords counts the records with commit ranges of which an answer
// without a history says nothing.
func undecidedRecords(db *store.DB, ans *query.CommitAnswer) (int, error) {
	if ans.History {
		return 0, nil
	}
	ids := map[string]bool{}
	err := db.Commits("", func(_, id string) error { ids[id] = true; return nil })
	for _, f := range ans.Findings {
		delete(ids, f.ID)
	}
	return len(ids), err
}

// recordsOf returns the records of IDs, which are sorted, in canonical JSON.
func recordsOf(db *store.DB, ids []string) ([]jsontext.Value, error) {
	list := []jsontext.Value{}
	err := db.Lookup(ids, func(_ string, data []byte) error {
		list = append(list, jsontext.Value(data).Clone())
		return nil
	})
	return list, err
}
