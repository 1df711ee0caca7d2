package normalize

import (
	"fmt"

	"github.com/advdb/advdb/versioncmp"
)

func (l *linter) eventRange(i, j int, a *Affected) {
	const at = "affected/%d/ranges/%d"
	r := &a.Ranges[j]
	switch r.Type {
	case Git:
		l.gitRange(i, j, r)
	case Semver, Ecosystem:
		l.order(i, j, a)
	default:
		l.add("range-type", fmt.Sprintf("%q", r.Type), at, i, j)
	}
	if len(r.DatabaseSpecific) > 0 && r.DatabaseSpecific.Kind() != '{' {
		l.add("object", "an object is expected", at+"/database_specific", i, j)
	}
	var introduced, fixed, last bool
	for k := range r.Events {
		e := &r.Events[k]
		if !e.single() {
			l.add("event-keys", "one of introduced, fixed, last_affected and limit is expected", at+"/events/%d", i, j, k)
		}
		introduced = introduced || e.Introduced != ""
		fixed = fixed || e.Fixed != ""
		last = last || e.LastAffected != ""
	}
	if !introduced {
		l.add("events-introduced", "no event says where the range begins", at+"/events", i, j)
	}
	if fixed && last {
		l.add("fixed-and-last-affected", "both in one range", at+"/events", i, j)
	}
}

func (l *linter) gitRange(i, j int, r *Range) {
	if r.Repo == "" {
		l.add("git-repo", "missing", "affected/%d/ranges/%d", i, j)
	}
	for k := range r.Events {
		if v := r.Events[k].version(); v != "0" && !isCommit(v) {
			l.add("git-commit", fmt.Sprintf("%q is no full hash", v), "affected/%d/ranges/%d/events/%d", i, j, k)
		}
	}
}

// isCommit reports whether s is a full SHA-1 or SHA-256 in lower-case hex.
func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// order checks the events of a version range where the ecosystem has an
// order: every version has a place in it, they ascend, and no end is below
// the introduction before it.
func (l *linter) order(i, j int, a *Affected) {
	r := &a.Ranges[j]
	s := r.scheme(a.Package.Ecosystem)
	if s == nil {
		return
	}
	var last bound
	for k := range r.Events {
		e := &r.Events[k]
		at, err := eventBound(s, e)
		if err != nil {
			l.add("version", err.Error(), "affected/%d/ranges/%d/events/%d", i, j, k)
			return
		}
		if k > 0 && at.compare(last) < 0 {
			l.add("events-order", fmt.Sprintf("%s is below the event before it", e.version()),
				"affected/%d/ranges/%d/events/%d", i, j, k)
			return
		}
		last = at
	}
}

func eventBound(s *versioncmp.Scheme, e *Event) (bound, error) {
	if e.Limit == "*" {
		return bound{high: true}, nil
	}
	v := e.version()
	if v == "" {
		return bound{high: true}, nil
	}
	return parseBound(s, v, e.Introduced != "")
}
