package normalize

import (
	"slices"

	"github.com/advdb/advdb/versioncmp"
)

// intervals reads a range whose events alternate: introduced, its end,
// introduced, its end… in the ecosystem's order, where only the last may lack
// an end. Events in another order are sorted first. It reports false for
// every range that says more than that: GIT ranges, limits, members that OSV
// does not define, versions without an order, two ends in a row.
func (r *Range) intervals(ecosystem string) ([]Interval, bool) {
	if r.Type == Git || r.Repo != "" || len(r.DatabaseSpecific) > 0 || len(r.Extra) > 0 {
		return nil, false
	}
	if iv, ok := pairEvents(r.Events); ok && len(iv) == 1 {
		return iv, true
	}
	events, ok := sortEvents(versioncmp.For(ecosystem), r.Events)
	if !ok {
		return nil, false
	}
	return pairEvents(events)
}

// pairEvents pairs introductions with the end that follows.
func pairEvents(events []Event) ([]Interval, bool) {
	var out []Interval
	open := false
	for _, e := range events {
		switch {
		case len(e.Extra) > 0 || e.Limit != "" || !e.single():
			return nil, false
		case e.Introduced != "":
			if open {
				return nil, false
			}
			out = append(out, Interval{Introduced: e.Introduced})
			open = true
		default:
			if !open {
				return nil, false
			}
			out[len(out)-1].Fixed, out[len(out)-1].LastAffected = e.Fixed, e.LastAffected
			open = false
		}
	}
	return out, len(out) > 0
}

// single reports whether exactly one of OSV's four members is set.
func (e *Event) single() bool {
	return boolInt(e.Introduced != "")+boolInt(e.Fixed != "")+
		boolInt(e.LastAffected != "")+boolInt(e.Limit != "") == 1
}

// version returns the version of the event, whatever its kind.
func (e *Event) version() string {
	switch {
	case e.Introduced != "":
		return e.Introduced
	case e.Fixed != "":
		return e.Fixed
	case e.LastAffected != "":
		return e.LastAffected
	}
	return e.Limit
}

// rank orders events of one version in a range that was not sorted:
// introduced, last_affected, fixed, limit, as osv.dev does.
func (e *Event) rank() int {
	switch {
	case e.Introduced != "":
		return 0
	case e.LastAffected != "":
		return 1
	case e.Fixed != "":
		return 2
	}
	return 3
}

// A placed event has its bound parsed.
type placedEvent struct {
	at    bound
	event Event
}

// sortEvents returns events in the order of s. A range that is already in
// order is returned as it is, so that events of one version keep the order in
// which upstream put them. It reports false where one has no place in it.
func sortEvents(s *versioncmp.Scheme, events []Event) ([]Event, bool) {
	if s == nil {
		return nil, false
	}
	placed := make([]placedEvent, len(events))
	for i, e := range events {
		if e.Limit == "*" {
			placed[i] = placedEvent{bound{high: true}, e}
			continue
		}
		at, err := parseBound(s, e.version(), e.Introduced != "")
		if err != nil || at.high {
			return nil, false
		}
		placed[i] = placedEvent{at, e}
	}
	byVersion := func(a, b placedEvent) int { return a.at.compare(b.at) }
	if slices.IsSortedFunc(placed, byVersion) {
		return events, true
	}
	slices.SortStableFunc(placed, func(a, b placedEvent) int {
		if c := byVersion(a, b); c != 0 {
			return c
		}
		return a.event.rank() - b.event.rank()
	})
	out := make([]Event, len(placed))
	for i := range placed {
		out[i] = placed[i].event
	}
	return out, true
}

// sortRanges puts the events of every version range of r into its
// ecosystem's order. A range that the ecosystem cannot order stays as it is.
func (r *Record) sortRanges() {
	for i := range r.Affected {
		a := &r.Affected[i]
		for j := range a.Ranges {
			rg := &a.Ranges[j]
			if rg.Type == Git || inOrder(rg.Events) {
				continue
			}
			if e, ok := sortEvents(rg.scheme(a.Package.Ecosystem), rg.Events); ok {
				rg.Events = e
			}
		}
	}
}

// semverScheme orders ranges of type SEMVER of packages without an ecosystem
// (curl); npm's order is that of SemVer 2.0.
const semverEcosystem = "npm"

// scheme returns the rule by which the events of r are ordered, nil where
// there is none.
func (r *Range) scheme(ecosystem string) *versioncmp.Scheme {
	switch {
	case r.Type == Git:
		return nil
	case r.Type == Semver && ecosystem == "":
		return versioncmp.For(semverEcosystem)
	}
	return versioncmp.For(ecosystem)
}

// inOrder reports, without reading versions, the shape that most ranges have:
// introduced at "0", then at most one more event.
func inOrder(events []Event) bool {
	return len(events) < 2 || len(events) == 2 && events[0].Introduced == "0"
}
