package versioncmp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt says that bytes are not an encoded Set.
var ErrCorrupt = errors.New("corrupt set of ranges")

// The encoded form of a Set, of which a Set in memory is only a view:
//
//	format<<4 | section flags
//	number of intervals, then each: flags, lower bound, upper bound
//	if hasDoubtful: number, then each: an interval, event kind, event version
//	if hasKeyed: number of listed versions with a key, then each: a bound
//	if hasPlain: number of those without, then each: its text
//
// A bound is a key and a text; a key or text is its length and its bytes; a
// number is a uvarint. Bounds that an interval lacks are left out.
const setFormat = 1

const (
	hasDoubtful = 1 << iota
	hasKeyed
	hasPlain
	sectionFlags = hasDoubtful | hasKeyed | hasPlain
)

const (
	flagOpen      = 1 << iota // from below every version: no lower bound
	flagEndless               // no upper bound
	flagInclusive             // ends at a last_affected
	flagLimit                 // ends at a limit; neither flag: at a fixed
)

// layout says where the sections of an encoded set are.
type layout struct {
	sure, doubtful, keyed, plain []byte
	sures, doubts, keys, texts   int
}

// AppendBinary appends the encoded form of the set to dst. It does not name
// the scheme: the encoding is good for the scheme of the same ecosystem with
// the same KeyVersion.
func (s *Set) AppendBinary(dst []byte) []byte {
	if len(s.enc) == 0 {
		return append(dst, setFormat<<4, 0)
	}
	return append(dst, s.enc...)
}

// DecodeSet reads what AppendBinary wrote and checks all of its structure.
// The set keeps b, which must not be changed. Its error is ErrCorrupt with
// the offset.
func DecodeSet(s *Scheme, b []byte) (Set, error) {
	set := Set{scheme: s, enc: b}
	c := cursor{b: b}
	head := c.byte()
	if head>>4 != setFormat || head&0xf&^sectionFlags != 0 {
		return Set{}, fmt.Errorf("%w: unknown format %#x", ErrCorrupt, head)
	}
	set.sure, set.sures = c.section(0)
	if head&hasDoubtful != 0 {
		set.doubtful, set.doubts = c.section(hasDoubtful)
	}
	if head&hasKeyed != 0 {
		set.keyed, set.keys = c.section(hasKeyed)
	}
	if head&hasPlain != 0 {
		set.plain, set.texts = c.section(hasPlain)
	}
	switch {
	case c.bad:
		return Set{}, fmt.Errorf("%w: offset %d of %d", ErrCorrupt, c.at, len(b))
	case c.at != len(b):
		return Set{}, fmt.Errorf("%w: %d bytes follow it", ErrCorrupt, len(b)-c.at)
	case s == nil && !set.unordered():
		return Set{}, fmt.Errorf("%w: it has keys but no order", ErrCorrupt)
	}
	return set, nil
}

// unordered reports whether the set can be asked without a scheme.
func (s *Set) unordered() bool {
	c := cursor{b: s.sure}
	for range s.sures {
		if iv := c.interval(); !iv.open() || !iv.endless() {
			return false
		}
	}
	return s.keys == 0
}

func appendSet(dst []byte, sure, doubtful []interval, keyed []bound, texts []string) []byte {
	flags := byte(0)
	if len(doubtful) > 0 {
		flags |= hasDoubtful
	}
	if len(keyed) > 0 {
		flags |= hasKeyed
	}
	if len(texts) > 0 {
		flags |= hasPlain
	}
	dst = append(dst, setFormat<<4|flags)
	dst = appendIntervals(dst, sure)
	if len(doubtful) > 0 {
		dst = appendIntervals(dst, doubtful)
	}
	if len(keyed) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(keyed)))
	}
	for _, b := range keyed {
		dst = appendBound(dst, b)
	}
	if len(texts) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(texts)))
	}
	for _, t := range texts {
		dst = appendSized(dst, t)
	}
	return dst
}

func appendIntervals(dst []byte, list []interval) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, iv := range list {
		dst = appendInterval(dst, iv)
		if iv.doubt != nil {
			dst = append(dst, byte(iv.doubt.Kind))
			dst = appendSized(dst, iv.doubt.Version)
		}
	}
	return dst
}

func appendInterval(dst []byte, iv interval) []byte {
	at := len(dst)
	dst = append(dst, 0)
	if len(iv.lo.key) == 0 {
		dst[at] |= flagOpen
	} else {
		dst = appendBound(dst, iv.lo)
	}
	switch iv.hi.kind {
	case 0:
		dst[at] |= flagEndless
		return dst
	case LastAffected:
		dst[at] |= flagInclusive
	case Limit:
		dst[at] |= flagLimit
	}
	return appendBound(dst, iv.hi)
}

func appendBound(dst []byte, b bound) []byte {
	return appendSized(appendSized(dst, b.key), b.text)
}

func appendSized[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// A view is an encoded interval.
type view struct {
	flags         byte
	loKey, loText []byte
	hiKey, hiText []byte
}

func (v *view) open() bool      { return v.flags&flagOpen != 0 }
func (v *view) endless() bool   { return v.flags&flagEndless != 0 }
func (v *view) inclusive() bool { return v.flags&flagInclusive != 0 }

func (v *view) closing() EventKind {
	switch {
	case v.flags&flagInclusive != 0:
		return LastAffected
	case v.flags&flagLimit != 0:
		return Limit
	}
	return Fixed
}

var zero = []byte("0")

// introduced returns the version of the event that opens the interval.
func (v *view) introduced() []byte {
	if v.open() {
		return zero
	}
	return v.loText
}

// A cursor reads encoded values one after the other. From the first that is
// not there on it is bad and reads nothing.
type cursor struct {
	b   []byte
	at  int
	bad bool
}

func (c *cursor) byte() byte {
	if c.at >= len(c.b) {
		c.bad = true
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *cursor) uvarint() int {
	n, size := binary.Uvarint(c.b[c.at:])
	if size <= 0 || n > uint64(len(c.b)) {
		c.bad = true
		return 0
	}
	c.at += size
	return int(n)
}

func (c *cursor) bytes() []byte {
	var n int
	if c.at < len(c.b) && c.b[c.at] < 0x80 {
		n = int(c.b[c.at])
		c.at++
	} else {
		n = c.uvarint()
	}
	if n > len(c.b)-c.at {
		c.bad = true
		n = 0
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

func (c *cursor) kind() EventKind { return EventKind(c.byte()) }

func (c *cursor) interval() (v view) {
	v.flags = c.byte()
	if !v.open() {
		v.loKey, v.loText = c.bytes(), c.bytes()
	}
	if !v.endless() {
		v.hiKey, v.hiText = c.bytes(), c.bytes()
	}
	return v
}

// section passes over a number and as many elements of the section named by
// its flag, zero for the intervals, and returns them.
func (c *cursor) section(flag byte) (section []byte, n int) {
	n = c.uvarint()
	from := c.at
	for range n {
		switch flag {
		case hasPlain:
			c.bytes()
		case hasKeyed:
			c.bytes()
			c.bytes()
		default:
			v := c.interval()
			c.bad = c.bad || v.flags >= flagLimit<<1 || v.flags&(flagInclusive|flagLimit) == flagInclusive|flagLimit
		}
		if flag == hasDoubtful {
			c.bad = c.kind() > Limit || c.bad
			c.bytes()
		}
		if c.bad {
			return nil, 0
		}
	}
	return c.b[from:c.at:c.at], n
}
