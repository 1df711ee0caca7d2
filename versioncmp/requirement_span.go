package versioncmp

import (
	"cmp"
	"slices"
)

// A cut is a place between versions: before or after one of them, or below
// or above all. Spans between cuts need no case for open and closed ends.
type cut struct {
	bound
	end   int8 // -1: below every version, +1: above
	after bool
	from  Bound
}

// A stretch is the versions between two cuts.
type stretch struct{ lo, hi cut }

func compareCuts(s *Scheme, a, b cut) int {
	if a.end != 0 || b.end != 0 {
		return cmp.Compare(a.end, b.end)
	}
	if c := compareBounds(s, a.bound, b.bound); c != 0 || a.after == b.after {
		return c
	}
	if b.after {
		return -1
	}
	return 1
}

func cutAt(s *Scheme, b Bound, end int8) (cut, error) {
	if b.Unbounded {
		return cut{end: end, from: b}, nil
	}
	key, err := s.appendBound(nil, b.Version)
	if err != nil {
		return cut{}, err
	}
	return cut{bound: bound{key: key, text: b.Version}, after: b.Inclusive == (end > 0), from: b}, nil
}

func stretches(s *Scheme, spans []Span) ([]stretch, error) {
	if s == nil && len(spans) > 0 {
		return nil, ErrNoOrder
	}
	list := make([]stretch, 0, len(spans))
	for _, span := range spans {
		lo, err := cutAt(s, span.Lo, -1)
		if err != nil {
			return nil, err
		}
		hi, err := cutAt(s, span.Hi, +1)
		if err != nil {
			return nil, err
		}
		if compareCuts(s, lo, hi) < 0 {
			list = append(list, stretch{lo, hi})
		}
	}
	return list, nil
}

func spansOf(list []stretch) []Span {
	var spans []Span
	for _, st := range list {
		spans = append(spans, Span{st.lo.from, st.hi.from})
	}
	return spans
}

// merge sorts stretches and joins those that overlap or touch.
func merge(s *Scheme, list []stretch) []stretch {
	slices.SortStableFunc(list, func(a, b stretch) int { return compareCuts(s, a.lo, b.lo) })
	var out []stretch
	for _, st := range list {
		if n := len(out); n > 0 && compareCuts(s, st.lo, out[n-1].hi) <= 0 {
			if compareCuts(s, st.hi, out[n-1].hi) > 0 {
				out[n-1].hi = st.hi
			}
			continue
		}
		out = append(out, st)
	}
	return out
}

// Union returns the versions in any of the spans, sorted, without overlap.
// Its error is that of the version that s refuses, or ErrNoOrder.
func Union(s *Scheme, spans []Span) ([]Span, error) {
	list, err := stretches(s, spans)
	if err != nil {
		return nil, err
	}
	return spansOf(merge(s, list)), nil
}

// Intersect returns the versions in a span of each list, sorted, without
// overlap. Its error is that of Union.
func Intersect(s *Scheme, a, b []Span) ([]Span, error) {
	x, err := stretches(s, a)
	if err != nil {
		return nil, err
	}
	y, err := stretches(s, b)
	if err != nil {
		return nil, err
	}
	var out []stretch
	for _, p := range x {
		for _, q := range y {
			both := p
			if compareCuts(s, q.lo, both.lo) > 0 {
				both.lo = q.lo
			}
			if compareCuts(s, q.hi, both.hi) < 0 {
				both.hi = q.hi
			}
			if compareCuts(s, both.lo, both.hi) < 0 {
				out = append(out, both)
			}
		}
	}
	return spansOf(merge(s, out)), nil
}

// Complement returns the versions in none of the spans, sorted, without
// overlap: what is affected where the spans are what is safe. Take it of all
// patched and unaffected spans together. Its error is that of Union; with no
// span it is every version, whatever s.
func Complement(s *Scheme, spans []Span) ([]Span, error) {
	list, err := stretches(s, spans)
	if err != nil {
		return nil, err
	}
	var out []Span
	lo := Bound{Unbounded: true}
	for _, st := range merge(s, list) {
		if st.lo.end == 0 {
			out = append(out, Span{lo, turned(st.lo.from)})
		}
		if st.hi.end != 0 {
			return out, nil
		}
		lo = turned(st.hi.from)
	}
	return append(out, Span{lo, Bound{Unbounded: true}}), nil
}

// turned is the bound of what lies on the other side of b.
func turned(b Bound) Bound { return Bound{Version: b.Version, Inclusive: !b.Inclusive} }
