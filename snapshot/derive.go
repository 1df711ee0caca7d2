package snapshot

import (
	"bytes"
	"maps"
	"slices"
)

// A memberChange is what becomes of one member, over all rows.
type memberChange struct {
	rows     int // new rows that have it
	value    []byte
	constant bool // it is value in all new rows
	changed  int  // rows of which it changed
	scale    int  // -1: not all are plain numbers
	votes    map[[2]decimal]int32
}

// A decimal is a number with so many digits behind the point. It has no
// pointers: a day of scores is a quarter of a million votes.
type decimal struct {
	n      int64
	digits int8
}

// newDecimal is false for what is no plain number, see [digits].
func newDecimal(v []byte) (decimal, bool) {
	d := digits(v)
	if d < 0 {
		return decimal{}, false
	}
	n, ok := parseDecimal(v, d)
	return decimal{n, int8(d)}, ok
}

// at is the number times 10^scale; false where parseDecimal would be.
func (d decimal) at(scale int) (int64, bool) {
	var buf [24]byte
	return parseDecimal(appendDecimal(buf[:0], d.n, int(d.digits)), scale)
}

const (
	minChanged   = 64      // a member that changed in fewer rows needs no transform
	shareChanged = 20      // nor one that changed in less than one row of so many
	maxVotes     = 1 << 18 // a map of more numbers is none
)

// A derivation finds out what happened to all rows of a table alike.
type derivation struct {
	members      map[string]*memberChange
	rows, common int // new ones; those of them that were there before
	a, b         flatRow
}

// see takes note of what became of a row.
func (d *derivation) see(old, now item) {
	if now.data == nil {
		return
	}
	d.rows++
	if d.b.parse(now.data) != nil {
		return
	}
	known := old.data != nil && d.a.parse(old.data) == nil
	if known {
		d.common++
	}
	for _, m := range d.b.members {
		c, ok := d.members[m.name]
		if !ok {
			c = &memberChange{value: m.value, constant: true, votes: map[[2]decimal]int32{}}
			d.members[m.name] = c
		}
		c.see(m.value, d.a.getIf(known, m.name))
	}
}

// transform is what a release did to the rows seen.
func (d *derivation) transform(release uint64) transform {
	t := transform{release: release}
	for _, name := range slices.Sorted(maps.Keys(d.members)) {
		c := d.members[name]
		if c.changed < minChanged || c.changed*shareChanged < d.common {
			continue
		}
		if c.constant && c.rows == d.rows {
			t.set = append(t.set, memberValue{name, c.value})
		} else if m, ok := c.numbers(name); ok {
			t.maps = append(t.maps, m)
		}
	}
	return t
}

// deriveTransform finds out what a release did to a table.
func deriveTransform(release uint64, before, after items) (transform, error) {
	d := &derivation{members: map[string]*memberChange{}}
	err := pair(before, after, func(old, now item) error {
		d.see(old, now)
		return nil
	})
	return d.transform(release), err
}

func (r *flatRow) getIf(ok bool, name string) []byte {
	if !ok {
		return nil
	}
	return r.get(name)
}

// see takes note of a member's new value and its old one, nil for none.
func (c *memberChange) see(now, old []byte) {
	c.rows++
	c.constant = c.constant && bytes.Equal(now, c.value)
	to := c.number(now)
	if old == nil {
		return
	}
	if !bytes.Equal(now, old) {
		c.changed++
	}
	from := c.number(old)
	if c.scale < 0 {
		c.votes = nil
	} else if len(c.votes) < maxVotes {
		c.votes[[2]decimal{from, to}]++
	}
}

// number reads a value, and keeps the scale large enough for all of them.
func (c *memberChange) number(v []byte) decimal {
	if c.scale < 0 {
		return decimal{}
	}
	d, ok := newDecimal(v)
	if !ok {
		c.scale = -1
		return d
	}
	c.scale = max(c.scale, int(d.digits))
	return d
}

// numbers is the map that is right for most rows; ties go to the smaller number.
func (c *memberChange) numbers(name string) (memberMap, bool) {
	m := memberMap{name: name, scale: c.scale}
	if c.scale < 0 || len(c.votes) >= maxVotes {
		return m, false
	}
	type choice struct {
		to    int64
		votes int32
	}
	best := map[int64]choice{}
	for k, n := range c.votes {
		old, ok1 := k[0].at(c.scale)
		now, ok2 := k[1].at(c.scale)
		if !ok1 || !ok2 {
			return m, false
		}
		if b := best[old]; n > b.votes || n == b.votes && now < b.to {
			best[old] = choice{now, n}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(best)) {
		if to := best[k].to; to != k {
			m.add(k, to)
		}
	}
	return m, len(m.from) > 0
}
