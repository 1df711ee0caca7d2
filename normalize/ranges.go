package normalize

import (
	"cmp"
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// An Interval is one run of affected versions: from Introduced on ("0" is
// below every version), before Fixed or up to and with LastAffected. At most
// one of the two ends is set; with neither the interval is open.
type Interval struct {
	Introduced   string
	Fixed        string
	LastAffected string
}

// Ranges makes ranges of type typ out of intervals, in any order and
// overlapping: united, sorted in the ecosystem's order, exact to the version.
// Several fixed versions of one introduction become the highest.
//
// The schema wants fixed and last_affected in different ranges, so that there
// are up to two. Intervals whose bounds the ecosystem does not order (no
// scheme, or a version that its rule refuses) cannot be united: each gets a
// range of its own, behind the others. Bounds that compare equal keep the
// lexically smaller spelling. The result depends on no order of in.
func Ranges(typ, ecosystem string, in []Interval) []Range {
	if len(in) == 1 {
		return []Range{{Type: typ, Events: in[0].events()}}
	}
	ordered, rest := orderIntervals(versioncmp.For(ecosystem), in)
	var out []Range
	for _, part := range splitEnds(unionSpans(ordered)) {
		r := Range{Type: typ}
		for _, s := range part {
			r.Events = append(r.Events, s.interval.events()...)
		}
		out = append(out, r)
	}
	slices.SortFunc(rest, compareIntervals)
	for _, iv := range slices.Compact(rest) {
		out = append(out, Range{Type: typ, Events: iv.events()})
	}
	return out
}

// events returns the one or two events of the interval.
func (iv Interval) events() []Event {
	e := make([]Event, 1, 2)
	e[0].Introduced = iv.Introduced
	switch {
	case iv.Fixed != "":
		e = append(e, Event{Fixed: iv.Fixed})
	case iv.LastAffected != "":
		e = append(e, Event{LastAffected: iv.LastAffected})
	}
	return e
}

func (iv Interval) end() string { return cmp.Or(iv.Fixed, iv.LastAffected) }

// compareIntervals orders by spelling only.
func compareIntervals(a, b Interval) int {
	return cmp.Or(
		strings.Compare(a.Introduced, b.Introduced),
		strings.Compare(a.Fixed, b.Fixed),
		strings.Compare(a.LastAffected, b.LastAffected),
	)
}

// A bound is a parsed end of an interval; low is below and high above every
// version.
type bound struct {
	low, high bool
	version   versioncmp.Version
}

func (b bound) compare(c bound) int {
	switch {
	case b.low || c.low:
		return boolInt(c.low) - boolInt(b.low)
	case b.high || c.high:
		return boolInt(b.high) - boolInt(c.high)
	}
	return b.version.Compare(c.version)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parseBound reads one end. "0" as an introduction, and only there, is below
// every version (OSV schema, "Evaluation").
func parseBound(s *versioncmp.Scheme, v string, introduced bool) (bound, error) {
	switch {
	case introduced && v == "0":
		return bound{low: true}, nil
	case !introduced && v == "":
		return bound{high: true}, nil
	}
	p, err := s.Parse(v)
	return bound{version: p}, err
}

// A span is an interval with its bounds parsed.
type span struct {
	lo, hi   bound
	interval Interval
}

func parseSpan(s *versioncmp.Scheme, iv Interval) (span, error) {
	lo, err := parseBound(s, iv.Introduced, true)
	if err != nil {
		return span{}, err
	}
	hi, err := parseBound(s, iv.end(), false)
	return span{lo, hi, iv}, err
}

// empty reports an interval that holds no version: its end is not behind its
// start.
func (s span) empty() bool {
	c := s.lo.compare(s.hi)
	return c > 0 || c == 0 && s.interval.LastAffected == ""
}

// compareEnds orders by the upper end; at one version "up to and with" is
// above "before".
func compareEnds(a, b span) int {
	return cmp.Or(a.hi.compare(b.hi),
		boolInt(a.interval.LastAffected != "")-boolInt(b.interval.LastAffected != ""))
}

// orderIntervals splits in into spans sorted by their start and intervals
// that have no place in the order (those that hold no version among them).
func orderIntervals(s *versioncmp.Scheme, in []Interval) (spans []span, rest []Interval) {
	if s == nil {
		return nil, slices.Clone(in)
	}
	for _, iv := range in {
		sp, err := parseSpan(s, iv)
		if err != nil || sp.empty() {
			rest = append(rest, iv)
			continue
		}
		spans = append(spans, sp)
	}
	slices.SortFunc(spans, func(a, b span) int { return compareIntervals(a.interval, b.interval) })
	slices.SortStableFunc(spans, func(a, b span) int { return a.lo.compare(b.lo) })
	return spans, rest
}

// unionSpans unites spans that overlap or touch; in is sorted by start and,
// for equal starts, by spelling.
func unionSpans(in []span) []span {
	var out []span
	for _, s := range in {
		if len(out) > 0 && out[len(out)-1].meets(s) {
			out[len(out)-1].extend(s)
			continue
		}
		out = append(out, s)
	}
	return out
}

// meets reports whether s, which starts at or behind t's start, starts no
// later than t's end.
func (t *span) meets(s span) bool { return s.lo.compare(t.hi) <= 0 }

// extend raises t's end to that of s.
func (t *span) extend(s span) {
	c := compareEnds(s, *t)
	if c > 0 || c == 0 && s.interval.end() < t.interval.end() {
		t.hi = s.hi
		t.interval.Fixed, t.interval.LastAffected = s.interval.Fixed, s.interval.LastAffected
	}
}

// splitEnds puts spans that end with last_affected into a second group.
func splitEnds(spans []span) [][]span {
	var fixed, last []span
	for _, s := range spans {
		if s.interval.LastAffected != "" {
			last = append(last, s)
		} else {
			fixed = append(fixed, s)
		}
	}
	switch {
	case len(last) == 0 && len(fixed) == 0:
		return nil
	case len(last) == 0:
		return [][]span{fixed}
	case len(fixed) == 0:
		return [][]span{last}
	case len(fixed) == 1 && fixed[0].hi.high:
		return [][]span{append(last, fixed[0])}
	}
	return [][]span{fixed, last}
}
