package query

import (
	"context"
	"fmt"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A graphRange judges GIT ranges of one commit by the history of its
// repository.
type graphRange struct {
	ctx     context.Context
	history History
	commit  string
	shallow bool
	repos   map[string]bool // store.RepositoryKey of the history's URLs
	held    map[string]bool // commits of events that the history holds
	before  map[string]bool // those of them that reach the commit
}

// records returns the IDs of the records that speak of the repository.
func (g *graphRange) records(db *store.DB) (ids []string, err error) {
	urls, err := g.history.Repositories(g.ctx)
	if err != nil {
		return nil, err
	}
	if g.shallow, err = g.history.Shallow(g.ctx); err != nil {
		return nil, err
	}
	g.repos = map[string]bool{}
	for _, u := range urls {
		key := store.RepositoryKey(u)
		g.repos[key] = true
		of, err := db.Repository(key)
		if err != nil {
			return nil, err
		}
		ids = append(ids, of...)
	}
	var commits []string
	named := map[string][]string{}
	err = db.Commits("", func(c, id string) error {
		if named[c] == nil {
			commits = append(commits, c)
		}
		named[c] = append(named[c], id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if g.held, err = g.history.Has(g.ctx, commits); err != nil {
		return nil, err
	}
	for c := range g.held {
		ids = append(ids, named[c]...)
	}
	g.before, err = g.history.Before(g.ctx, g.commit, g.held)
	return ids, err
}

// judge judges one range; ok is false where the range is of another
// repository, none of whose commits are held.
func (g *graphRange) judge(r *normalize.Range) (f CommitFinding, ok bool, err error) {
	var intro, closing, limits []versioncmp.Event
	held, missing := g.repos[store.RepositoryKey(r.Repo)], ""
	for _, e := range r.Events {
		x := gitEvent(e)
		switch {
		case x.Version == "0" || x.Version == "*":
		case g.held[x.Version]:
			held = true
		default:
			missing = x.Version
		}
		switch x.Kind {
		case versioncmp.Introduced:
			intro = append(intro, x)
		case versioncmp.Limit:
			limits = append(limits, x)
		default:
			closing = append(closing, x)
		}
	}
	if !held {
		return f, false, nil
	}
	f, err = g.walk(intro, closing)
	if err == nil && f.Verdict != versioncmp.NotAffected && len(limits) > 0 {
		f, err = g.limit(f, limits)
	}
	if err == nil && f.Verdict == versioncmp.NotAffected && f.Event.Kind == 0 {
		switch {
		case g.shallow:
			f.Verdict, f.Reason = versioncmp.Unknown, shallowReason
		case missing != "":
			f.Verdict, f.Reason = versioncmp.Unknown, fmt.Sprintf("commit %s is not in the clone", missing)
		}
	}
	return f, true, err
}

// shallowReason is why a history that is cut off decides nothing.
const shallowReason = "the clone is shallow"

// walk judges by introduced and closing events: affected by one introduction
// that nothing closes is affected. An introduction that is missing from the
// history cannot affect; a closing event that is missing makes what it could
// close unknown.
func (g *graphRange) walk(intro, closing []versioncmp.Event) (CommitFinding, error) {
	out := CommitFinding{Verdict: versioncmp.NotAffected}
	for _, i := range intro {
		if i.Version != "0" && !g.before[i.Version] {
			continue
		}
		f, err := g.close(i, closing)
		if err != nil {
			return out, err
		}
		if weight(f.Verdict) > weight(out.Verdict) || out.Event.Kind == 0 {
			out = f
		}
	}
	return out, nil
}

// close judges by one introduction that reaches the commit.
func (g *graphRange) close(i versioncmp.Event, closing []versioncmp.Event) (CommitFinding, error) {
	out := CommitFinding{Verdict: versioncmp.Affected, Event: i}
	for _, c := range closing {
		if !g.held[c.Version] {
			if out.Verdict == versioncmp.Affected {
				out.Verdict = versioncmp.Unknown
				out.Reason = fmt.Sprintf("%s commit %s is not in the clone", c.Kind, c.Version)
			}
			continue
		}
		past := g.before[c.Version] && (c.Kind == versioncmp.Fixed || c.Version != g.commit)
		if !past {
			if g.shallow && !g.before[c.Version] && out.Verdict == versioncmp.Affected {
				out.Verdict, out.Reason = versioncmp.Unknown, shallowReason
			}
			continue
		}
		after, err := g.reaches(i.Version, c.Version)
		if err != nil {
			return out, err
		}
		if after {
			return CommitFinding{Verdict: versioncmp.NotAffected, Event: c}, nil
		}
		if back, err := g.reaches(c.Version, i.Version); err != nil || back {
			if err != nil {
				return out, err
			}
			continue // introduced again behind it
		}
		out.Verdict = versioncmp.Unknown
		out.Reason = fmt.Sprintf("%s was merged with %s %s from a branch beside it", abbreviate(i.Version), c.Kind, abbreviate(c.Version))
	}
	return out, nil
}

// limit keeps what was found only for a commit before one of the limits.
func (g *graphRange) limit(f CommitFinding, limits []versioncmp.Event) (CommitFinding, error) {
	missing := ""
	for _, l := range limits {
		if l.Version == "*" {
			return f, nil
		}
		if !g.held[l.Version] {
			missing = l.Version
			continue
		}
		in, err := g.reaches(g.commit, l.Version)
		if err != nil || in && l.Version != g.commit {
			return f, err
		}
	}
	if missing != "" {
		return CommitFinding{Verdict: versioncmp.Unknown, Event: f.Event, Reason: fmt.Sprintf("limit commit %s is not in the clone", missing)}, nil
	}
	return CommitFinding{Verdict: versioncmp.NotAffected, Event: limits[0]}, nil
}

// reaches reports whether from, which may be "0", is an ancestor of to.
func (g *graphRange) reaches(from, to string) (bool, error) {
	if from == "0" || from == to {
		return true, nil
	}
	if to == "0" {
		return false, nil
	}
	return g.history.Reaches(g.ctx, from, to)
}

func abbreviate(commit string) string { return strings.ToLower(commit[:min(len(commit), 12)]) }
