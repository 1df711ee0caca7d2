package versioncmp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// An EventKind says what an event does to the versions from its version on.
type EventKind uint8

// The kinds of events of an OSV range, and Listed, which is not one of them:
// an Answer has it where a version listed by name decided.
const (
	Introduced   EventKind = iota + 1 // this version and later ones are affected
	Fixed                             // this version and later ones are not
	LastAffected                      // versions later than this one are not
	Limit                             // this version and later ones are outside the range
	Listed
)

var eventNames = [...]string{"none", "introduced", "fixed", "last_affected", "limit", "listed"}

// String returns the kind's name in the OSV schema.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "none"
}

// An Event is one event of an OSV range. An introduced "0" is below every
// version and a limit "*" above every one; neither is parsed.
type Event struct {
	Kind    EventKind
	Version string
}

// A Verdict says whether a version is affected.
type Verdict uint8

// The zero Verdict is Unknown: it is neither safe nor affected.
const (
	Unknown Verdict = iota
	NotAffected
	Affected
)

func (v Verdict) String() string {
	switch v {
	case NotAffected:
		return "not affected"
	case Affected:
		return "affected"
	}
	return "unknown"
}

// CeilingNote is the note of an answer that rests on a last_affected event:
// it names the last version there was when the advisory was written, and not
// a version known to be safe (osv-schema issues 150 and 159).
const CeilingNote = "ceiling at publication"

// An Answer is a verdict and what decided it.
type Answer struct {
	Verdict Verdict
	// Event decided: the introduced event that v lies above or, where v is
	// not affected, the nearest closing event below v, else the introduced
	// event that v lies below. It is zero where nothing spoke of v.
	Event  Event
	Note   string // CeilingNote or empty
	Reason string // why the verdict is Unknown
}

// A Set is what one affected entry says, ready to be asked: intervals of
// versions, versions listed by name, and the intervals that a bound which
// does not parse makes doubtful. It is immutable and safe for use by many
// goroutines; one made by DecodeSet is valid as long as its bytes are.
type Set struct {
	scheme *Scheme
	enc    []byte
	layout
}

// Compile reads the ranges of an affected entry and the versions it lists.
//
// Each range is walked as the OSV schema says ("Evaluation"); events of one
// version keep their order if the range is sorted, and otherwise come as
// introduced, last_affected, fixed, limit. A limit also closes like a fixed.
// The union of all ranges and listed versions is affected. A bound that does
// not parse makes the interval beside it unknown, or the whole range where
// the order of the events does not tell which; see Unparsed.
//
// Listed versions match by text and by order. Those inside an interval decide
// nothing and are dropped. (With Maven, whose order is not transitive, a
// version may equal a dropped one and yet lie outside: of the pairs that are
// equal and adversarial bounds, it is one in 100,000.)
//
// s is nil where the ecosystem has no order: listed versions then match by
// text alone and a range answers Unknown, unless it covers every version.
// Events of no kind that a range has are ignored.
func Compile(s *Scheme, ranges [][]Event, versions []string) *Set {
	var sure, doubtful []interval
	for _, events := range ranges {
		for _, iv := range walk(s, events) {
			if iv.doubt != nil {
				doubtful = append(doubtful, iv)
			} else {
				sure = append(sure, iv)
			}
		}
	}
	sure = union(s, sure)
	keyed, texts := compileListed(s, sure, versions)
	enc := appendSet(nil, sure, doubtful, keyed, texts)
	set, err := DecodeSet(s, enc)
	if err != nil {
		panic("versioncmp: the encoder and the decoder disagree: " + err.Error())
	}
	return &set
}

// compileListed sorts the listed versions into those with a key and those
// without, each in order and once, and drops those that the intervals decide.
func compileListed(s *Scheme, sure []interval, versions []string) (keyed []bound, texts []string) {
	var scratch []byte
	for _, text := range versions {
		if s == nil {
			texts = append(texts, text)
			continue
		}
		key, err := s.appendBound(scratch[:0], text)
		if err != nil {
			texts = append(texts, text)
			continue
		}
		scratch = key
		b := bound{key: key, text: text}
		if slices.ContainsFunc(sure, func(iv interval) bool { return iv.contains(s, b) }) {
			continue
		}
		b.key = bytes.Clone(key)
		keyed = append(keyed, b)
	}
	slices.SortFunc(keyed, func(a, b bound) int {
		if c := bytes.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
	keyed = slices.CompactFunc(keyed, func(a, b bound) bool {
		if s.Exact() {
			return bytes.Equal(a.key, b.key)
		}
		return a.text == b.text
	})
	slices.Sort(texts)
	return keyed, slices.Compact(texts)
}

// Unparsed returns the bounds that did not parse, each once. It is empty
// where the ecosystem has no order.
func (s *Set) Unparsed() []Event {
	var list []Event
	c := cursor{b: s.doubtful}
	for range s.doubts {
		c.interval()
		e := Event{c.kind(), string(c.bytes())}
		if e.Kind != 0 && !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

// Spans returns the intervals in order, without overlap and without those in
// doubt; for events of them see Events.
func (s *Set) Spans() []Span {
	var list []Span
	c := cursor{b: s.sure}
	for range s.sures {
		iv := c.interval()
		span := Span{Bound{Unbounded: true}, Bound{Unbounded: true}}
		if !iv.open() {
			span.Lo = Bound{Version: string(iv.loText), Inclusive: true}
		}
		if !iv.endless() {
			span.Hi = Bound{Version: string(iv.hiText), Inclusive: iv.inclusive()}
		}
		list = append(list, span)
	}
	return list
}

// Empty reports whether the set says nothing: no interval and no version.
func (s *Set) Empty() bool { return s.sures+s.doubts+s.keys+s.texts == 0 }

// Verdict says whether v, a version of the set's own scheme, is affected. It
// does not allocate for exact schemes.
func (s *Set) Verdict(v Version) Verdict { return s.decide(&v).verdict }

// Affected says whether v, a version of the set's own scheme, is affected,
// and what decided.
func (s *Set) Affected(v Version) Answer { return s.answer(s.decide(&v)) }

// AffectedText is Affected of a version as it is written. One that does not
// parse is affected if it is listed as it is written, or if every version is;
// else the answer is Unknown.
func (s *Set) AffectedText(version string) Answer {
	if s.scheme == nil {
		return s.answer(s.decideText(version, ErrNoOrder))
	}
	v, err := s.scheme.Parse(version)
	if err != nil {
		return s.answer(s.decideText(version, err))
	}
	return s.Affected(v)
}

// A decision is an Answer that still points into the set's bytes.
type decision struct {
	verdict Verdict
	kind    EventKind
	text    []byte
	err     error
}

func (s *Set) answer(d decision) Answer {
	a := Answer{Verdict: d.verdict}
	if d.kind != 0 {
		a.Event = Event{d.kind, string(d.text)}
	}
	switch {
	case d.verdict == Unknown && d.err != nil:
		a.Reason = d.err.Error()
	case d.verdict == Unknown:
		a.Reason = fmt.Sprintf("%s %q is not a version", a.Event.Kind, a.Event.Version)
	case d.verdict == NotAffected && d.kind == LastAffected:
		a.Note = CeilingNote
	}
	return a
}

// decide answers for v: the intervals first, then the listed versions, then
// the doubtful intervals.
func (s *Set) decide(v *Version) decision {
	if s.scheme == nil || v.scheme == nil {
		return s.decideText(v.text, ErrNoOrder)
	}
	if !v.Ordered() {
		return s.decideText(v.text, errUnordered)
	}
	near := decision{verdict: NotAffected}
	c := cursor{b: s.sure}
	for range s.sures {
		iv := c.interval()
		if !iv.open() && !s.reaches(v, &iv) {
			if near.kind == 0 {
				near.kind, near.text = Introduced, iv.loText
			}
			if s.scheme.Exact() {
				break
			}
			continue
		}
		if s.before(v, &iv) {
			return decision{verdict: Affected, kind: Introduced, text: iv.introduced()}
		}
		near.kind, near.text = iv.closing(), iv.hiText
	}
	if s.keys > 0 {
		if text, ok := s.listed(v); ok {
			return decision{verdict: Affected, kind: Listed, text: text}
		}
	}
	if s.doubts > 0 {
		if d, ok := s.doubt(v); ok {
			return d
		}
	}
	return near
}

// reaches reports whether v is not below the interval.
func (s *Set) reaches(v *Version, iv *view) bool {
	c := bytes.Compare(v.key, iv.loKey)
	if c == 0 && s.scheme.compare != nil {
		c = s.scheme.compare(v.text, borrow(iv.loText))
	}
	return c >= 0
}

// before reports whether v is not above the interval.
func (s *Set) before(v *Version, iv *view) bool {
	if iv.endless() {
		return true
	}
	c := bytes.Compare(v.key, iv.hiKey)
	if c == 0 && s.scheme.compare != nil {
		c = s.scheme.compare(v.text, borrow(iv.hiText))
	}
	return c < 0 || c == 0 && iv.inclusive()
}

// listed finds a listed version that equals v.
func (s *Set) listed(v *Version) (text []byte, ok bool) {
	c := cursor{b: s.keyed}
	for range s.keys {
		key, text := c.bytes(), c.bytes()
		switch order := bytes.Compare(key, v.key); {
		case order > 0:
			return nil, false
		case order == 0 && (s.scheme.compare == nil || s.scheme.compare(v.text, borrow(text)) == 0):
			return text, true
		}
	}
	return nil, false
}

// doubt finds a doubtful interval around v.
func (s *Set) doubt(v *Version) (decision, bool) {
	c := cursor{b: s.doubtful}
	for range s.doubts {
		iv := c.interval()
		kind, text := c.kind(), c.bytes()
		if (iv.open() || s.reaches(v, &iv)) && s.before(v, &iv) {
			return decision{kind: kind, text: text}, true
		}
	}
	return decision{}, false
}

// decideText answers for a version without a key, because of err.
func (s *Set) decideText(version string, err error) decision {
	c := cursor{b: s.sure}
	for range s.sures {
		if iv := c.interval(); iv.open() && iv.endless() {
			return decision{verdict: Affected, kind: Introduced, text: iv.introduced()}
		}
	}
	c = cursor{b: s.plain}
	for range s.texts {
		if text := c.bytes(); string(text) == version {
			return decision{verdict: Affected, kind: Listed, text: text}
		}
	}
	if errors.Is(err, ErrNoOrder) && s.sures+s.doubts == 0 {
		return decision{verdict: NotAffected}
	}
	return decision{err: err}
}

// borrow returns b as a string without a copy, for a comparison that does not
// keep it.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
