package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// ErrCommit says that a string is no commit hash.
var ErrCommit = errors.New("invalid commit (7 to 64 hexadecimal digits)")

// ErrAmbiguous says that several commits begin with what was asked.
var ErrAmbiguous = errors.New("several commits begin like this")

// A CommitFinding is what the GIT ranges of one record in one repository say
// of a commit.
type CommitFinding struct {
	ID      string
	Repo    string // as the record writes it; may be empty
	Verdict versioncmp.Verdict
	Event   versioncmp.Event // what decided; zero where nothing did
	Reason  string           // why the verdict is unknown
}

// A CommitAnswer is what a state says of a commit.
type CommitAnswer struct {
	Commit   string          // in lower case; in full where an event or a history gives it in full
	Findings []CommitFinding // in the order of IDs
	// History says that a commit graph was asked. Without one only commits
	// that are events themselves are decided, and Findings has no others.
	History bool
}

// IDs returns the IDs of the findings of one verdict, sorted, each once.
func (a *CommitAnswer) IDs(v versioncmp.Verdict) []string {
	var ids []string
	for _, f := range a.Findings {
		if f.Verdict == v {
			ids = append(ids, f.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Commit answers whether the commit is affected, by the GIT ranges that have
// it as an event: from an introduced and to a last_affected commit it is, from
// a fixed or limit commit on it is not. Of any other commit nothing is known
// without the repository's history: there is then no finding, which is not the
// same as being unaffected; see [CommitIn].
//
// Source: the OSV schema, "affected[].ranges[] field", GIT, and "Evaluation".
func Commit(db *store.DB, commit string) (CommitAnswer, error) {
	a := CommitAnswer{}
	var err error
	if a.Commit, err = parseCommit(commit); err != nil {
		return a, err
	}
	var ids []string
	full := a.Commit
	err = db.Commits(a.Commit, func(c, id string) error {
		if len(ids) > 0 && c != full {
			return fmt.Errorf("%s: %w: %s, %s", a.Commit, ErrAmbiguous, full, c)
		}
		full, ids = c, append(ids, id)
		return nil
	})
	if err != nil {
		return a, err
	}
	a.Commit = full
	err = a.judge(db, ids, func(r *normalize.Range) (CommitFinding, bool, error) {
		f, ok := judgeEvent(r.Events, a.Commit)
		return f, ok, nil
	})
	return a, err
}

// A History is the commit graph of one repository. Commits are written in
// full, in lower case.
type History interface {
	// Commit returns the commit that a name or a short hash stands for.
	Commit(ctx context.Context, name string) (string, error)
	// Has returns those of the commits that the history holds.
	Has(ctx context.Context, commits []string) (map[string]bool, error)
	// Before returns those of the commits from which one gets to commit, itself
	// included.
	Before(ctx context.Context, commit string, of map[string]bool) (map[string]bool, error)
	// Reaches reports whether from is an ancestor of to, or to itself.
	Reaches(ctx context.Context, from, to string) (bool, error)
	// Shallow reports whether the history is cut off somewhere.
	Shallow(ctx context.Context) (bool, error)
	// Repositories are the URLs from which it was cloned.
	Repositories(ctx context.Context) ([]string, error)
}

// CommitIn answers whether the commit is affected, by the history of its
// repository: one finding for each record that has GIT ranges of a URL of the
// repository, or an event that the history holds (which finds forks and moved
// repositories).
//
// A commit is affected by a range if an introduced event reaches it, and no
// fixed event that this introduction reaches reaches it, and no such
// last_affected event comes before it; and if it comes before a limit, where
// there are any. What rests on commits that the history lacks is unknown,
// and so is, in a history that is cut off, what rests on none being found.
//
// Source: the OSV schema, "Evaluation", where the order is that of ancestry.
func CommitIn(ctx context.Context, db *store.DB, commit string, h History) (CommitAnswer, error) {
	a := CommitAnswer{History: true}
	g := &graphRange{ctx: ctx, history: h}
	var err error
	if g.commit, err = h.Commit(ctx, commit); err != nil {
		return a, err
	}
	a.Commit = g.commit
	ids, err := g.records(db)
	if err != nil {
		return a, err
	}
	return a, a.judge(db, ids, g.judge)
}

// judge appends a finding for each record and repository of which one speaks:
// affected if a range says so, else unknown if one does.
func (a *CommitAnswer) judge(db *store.DB, ids []string, ask func(*normalize.Range) (CommitFinding, bool, error)) error {
	slices.Sort(ids)
	return db.Lookup(slices.Compact(ids), func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if r.Withdrawn != "" {
			return nil
		}
		found, err := judgeRepos(r, ask)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		a.Findings = append(a.Findings, found...)
		return nil
	})
}

// judgeRepos asks of every GIT range of a record and returns a finding for each
// repository.
func judgeRepos(r *normalize.Record, ask func(*normalize.Range) (CommitFinding, bool, error)) ([]CommitFinding, error) {
	repos := map[string]CommitFinding{}
	for i := range r.Affected {
		for j := range r.Affected[i].Ranges {
			rg := &r.Affected[i].Ranges[j]
			if rg.Type != normalize.Git {
				continue
			}
			f, ok, err := ask(rg)
			if err != nil {
				return nil, err
			}
			f.ID, f.Repo = r.ID, rg.Repo
			key := store.RepositoryKey(rg.Repo)
			if old, seen := repos[key]; ok && (!seen || weight(f.Verdict) > weight(old.Verdict)) {
				repos[key] = f
			}
		}
	}
	found := make([]CommitFinding, 0, len(repos))
	for _, f := range repos {
		found = append(found, f)
	}
	slices.SortFunc(found, func(x, y CommitFinding) int { return cmp.Compare(x.Repo, y.Repo) })
	return found, nil
}

// judgeEvent judges a commit that is an event of the range itself; ok is false
// where it is none. One that is introduced and fixed at once is not affected.
func judgeEvent(events []normalize.Event, commit string) (f CommitFinding, ok bool) {
	for _, e := range events {
		x := gitEvent(e)
		if x.Version != commit {
			continue
		}
		v := versioncmp.Affected
		if x.Kind == versioncmp.Fixed || x.Kind == versioncmp.Limit {
			v = versioncmp.NotAffected
		}
		if !ok || v == versioncmp.NotAffected {
			f, ok = CommitFinding{Verdict: v, Event: x}, true
		}
	}
	return f, ok
}

// gitEvent reads one event; commits in lower case.
func gitEvent(e normalize.Event) versioncmp.Event {
	switch {
	case e.Introduced != "":
		return versioncmp.Event{Kind: versioncmp.Introduced, Version: strings.ToLower(e.Introduced)}
	case e.Fixed != "":
		return versioncmp.Event{Kind: versioncmp.Fixed, Version: strings.ToLower(e.Fixed)}
	case e.LastAffected != "":
		return versioncmp.Event{Kind: versioncmp.LastAffected, Version: strings.ToLower(e.LastAffected)}
	}
	return versioncmp.Event{Kind: versioncmp.Limit, Version: strings.ToLower(e.Limit)}
}

// parseCommit returns a hash, which may be short, in lower case.
func parseCommit(s string) (string, error) {
	c := strings.ToLower(s)
	if len(c) < 7 || len(c) > 64 || strings.Trim(c, "0123456789abcdef") != "" {
		return c, fmt.Errorf("%q: %w", s, ErrCommit)
	}
	return c, nil
}
