package versioncmp

import (
	"bytes"
	"cmp"
	"slices"
)

// A bound is a version with its key, or with kind zero no bound at all.
type bound struct {
	key  []byte
	text string
	kind EventKind // the event it is from
}

// compareBounds orders two bounds by the scheme. The key of introduced "0" is
// empty: below every other.
func compareBounds(s *Scheme, a, b bound) int {
	c := bytes.Compare(a.key, b.key)
	if c == 0 && s.compare != nil && len(a.key) > 0 {
		return s.compare(a.text, b.text)
	}
	return c
}

// An interval is [lo, hi), or [lo, hi] where hi is a last_affected. An empty
// lo.key is below every version; hi.kind zero is no end.
type interval struct {
	lo, hi bound
	doubt  *Event // the bound that did not parse; its kind is zero for no order
}

func (iv interval) contains(s *Scheme, b bound) bool {
	if compareBounds(s, b, iv.lo) < 0 {
		return false
	}
	if iv.hi.kind == 0 {
		return true
	}
	c := compareBounds(s, b, iv.hi)
	return c < 0 || c == 0 && iv.hi.kind == LastAffected
}

// A walker goes up the events of one range and collects its intervals.
type walker struct {
	scheme *Scheme
	out    []interval
	cur    interval
	isOpen bool
	last   bound  // the last event that parsed
	lost   *Event // a bound that did not parse and could not be placed
	start  *Event // the first introduced that did not parse
	keys   []byte // backs the keys of all bounds
}

// walk turns the events of one range into intervals, in order.
func walk(s *Scheme, events []Event) []interval {
	if s == nil {
		return walkUnordered(events)
	}
	w := walker{scheme: s, keys: make([]byte, 0, 24*len(events))}
	marks := w.parse(events)
	for _, m := range marks {
		switch {
		case m.bad != nil:
			w.doubt(m.bad)
		case m.kind == Introduced:
			w.open(m.bound)
		default:
			w.close(m.bound)
		}
	}
	if w.isOpen {
		w.out = append(w.out, w.cur)
	}
	if w.lost != nil {
		w.unsettle()
	}
	return w.clip(marks)
}

// walkUnordered reads a range in an ecosystem without order: it covers every
// version if it is introduced at "0" and never closed, and is unknown
// otherwise.
func walkUnordered(events []Event) []interval {
	var opened, other bool
	for _, e := range events {
		if e.Kind == Introduced && e.Version == "0" {
			opened = true
		} else if e.Kind > Introduced && e.Kind <= Limit && (e.Kind != Limit || e.Version != "*") {
			other = true
		}
	}
	iv := interval{lo: bound{kind: Introduced, text: "0"}}
	switch {
	case len(events) == 0:
		return nil
	case opened && !other:
		return []interval{iv}
	}
	iv.doubt = &Event{}
	return []interval{iv}
}

// A mark is an event to walk over: a bound, or one that did not parse.
type mark struct {
	bound
	bad *Event
}

// parse returns the events in the order in which they are walked. An event
// that does not parse stays behind the one it follows; where the events were
// not sorted this says nothing, and it is lost.
func (w *walker) parse(events []Event) []mark {
	marks := make([]mark, 0, len(events))
	sorted, prev := true, bound{}
	for i, e := range events {
		if e.Kind < Introduced || e.Kind > Limit || e.Kind == Limit && e.Version == "*" {
			continue
		}
		b, err := w.bound(e)
		if err != nil {
			marks = append(marks, mark{bad: &events[i]})
			if e.Kind == Introduced && w.start == nil {
				w.start = &events[i]
			}
			continue
		}
		sorted = sorted && (prev.kind == 0 || compareBounds(w.scheme, prev, b) <= 0)
		marks, prev = append(marks, mark{bound: b}), b
	}
	if sorted {
		return marks
	}
	marks = slices.DeleteFunc(marks, func(m mark) bool {
		if m.bad != nil {
			w.lost = m.bad
		}
		return m.bad != nil
	})
	slices.SortStableFunc(marks, func(a, b mark) int {
		return cmp.Or(compareBounds(w.scheme, a.bound, b.bound), cmp.Compare(tieRank(a.kind), tieRank(b.kind)))
	})
	return marks
}

// bound parses an event's version; the key is empty for introduced "0".
func (w *walker) bound(e Event) (bound, error) {
	b := bound{text: e.Version, kind: e.Kind}
	if e.Kind == Introduced && e.Version == "0" {
		return b, nil
	}
	from := len(w.keys)
	keys, err := w.scheme.appendBound(w.keys, e.Version)
	if err != nil {
		return b, err
	}
	w.keys, b.key = keys, keys[from:len(keys):len(keys)]
	return b, nil
}

// tieRank orders events of one version in a range that is not sorted, as
// osv.dev does.
func tieRank(k EventKind) int {
	return slices.Index([]EventKind{Introduced, LastAffected, Fixed, Limit}, k)
}

// closedAt returns the last interval if it ended at a last_affected of b's
// version, so that an event at that version still bears on it.
func (w *walker) closedAt(b bound) *interval {
	if w.isOpen || len(w.out) == 0 {
		return nil
	}
	iv := &w.out[len(w.out)-1]
	if iv.hi.kind != LastAffected || compareBounds(w.scheme, iv.hi, b) != 0 {
		return nil
	}
	return iv
}

func (w *walker) open(b bound) {
	w.last = b
	switch iv := w.closedAt(b); {
	case iv != nil:
		w.cur, w.isOpen = *iv, true
		w.cur.hi = bound{}
		w.out = w.out[:len(w.out)-1]
	case w.isOpen && w.cur.doubt != nil:
		w.end(bound{key: b.key, text: b.text, kind: Fixed})
		w.cur, w.isOpen = interval{lo: b}, true
	case !w.isOpen:
		w.cur, w.isOpen = interval{lo: b}, true
	}
}

func (w *walker) close(b bound) {
	w.last = b
	if iv := w.closedAt(b); iv != nil && b.kind != LastAffected {
		w.cur, w.isOpen = *iv, true
		w.out = w.out[:len(w.out)-1]
	}
	if w.isOpen {
		w.end(b)
	}
}

// end closes the current interval at b, and drops it if nothing is in it.
func (w *walker) end(b bound) {
	w.cur.hi, w.isOpen = b, false
	c := compareBounds(w.scheme, w.cur.lo, b)
	if c < 0 || c == 0 && b.kind == LastAffected {
		w.out = append(w.out, w.cur)
	}
}

// doubt takes an event that did not parse: what it would have closed or
// opened is unknown up to the next event.
func (w *walker) doubt(bad *Event) {
	switch {
	case w.isOpen && bad.Kind != Introduced && w.cur.doubt == nil:
		w.cur.doubt = bad
	case !w.isOpen && bad.Kind == Introduced:
		w.cur = interval{lo: bound{key: w.last.key, text: w.last.text, kind: Introduced}, doubt: bad}
		w.isOpen = true
	case !w.isOpen:
		w.lost = bad
	}
	if bad.Kind == Limit {
		w.lost = bad
	}
}

// unsettle makes unknown all that a bound which could not be placed may
// change: every interval, and with an introduced every version.
func (w *walker) unsettle() {
	if w.start != nil {
		w.out = []interval{{lo: bound{kind: Introduced, text: "0"}, doubt: w.start}}
		return
	}
	for i := range w.out {
		if w.out[i].doubt == nil {
			w.out[i].doubt = w.lost
		}
	}
}

// clip takes away what is not below the greatest limit.
func (w *walker) clip(marks []mark) []interval {
	var top bound
	for _, m := range marks {
		if m.bad == nil && m.kind == Limit {
			top = m.bound
		}
	}
	if top.kind == 0 || w.lost != nil || w.start != nil {
		return w.out
	}
	return slices.DeleteFunc(w.out, func(iv interval) bool {
		return compareBounds(w.scheme, iv.lo, top) >= 0
	})
}

// union sorts intervals and joins those that overlap; those that only touch
// stay apart, since the second one names a re-introduction. Without an exact
// order, where overlap is not certain, only repetitions are dropped.
func union(s *Scheme, list []interval) []interval {
	if s == nil {
		return list[:min(len(list), 1)]
	}
	slices.SortStableFunc(list, func(a, b interval) int { return compareBounds(s, a.lo, b.lo) })
	out := list[:0]
	for _, iv := range list {
		if len(out) == 0 {
			out = append(out, iv)
			continue
		}
		prev := &out[len(out)-1]
		switch {
		case !s.Exact() && (prev.lo.text != iv.lo.text || prev.hi.text != iv.hi.text || prev.hi.kind != iv.hi.kind),
			s.Exact() && apart(s, prev.hi, iv.lo):
			out = append(out, iv)
		case compareEnds(s, prev.hi, iv.hi) < 0:
			prev.hi = iv.hi
		}
	}
	return out
}

// apart reports whether no version is below the end hi and above the start lo.
func apart(s *Scheme, hi, lo bound) bool {
	if hi.kind == 0 {
		return false
	}
	c := compareBounds(s, hi, lo)
	return c < 0 || c == 0 && hi.kind != LastAffected
}

// compareEnds orders the ends of two intervals: none is the greatest, and at
// one version a closed end is greater than an open one.
func compareEnds(s *Scheme, a, b bound) int {
	switch {
	case a.kind == 0 && b.kind == 0:
		return 0
	case a.kind == 0:
		return 1
	case b.kind == 0:
		return -1
	}
	return cmp.Or(compareBounds(s, a, b), cmp.Compare(closed(a), closed(b)))
}

func closed(b bound) int {
	if b.kind == LastAffected {
		return 1
	}
	return 0
}
