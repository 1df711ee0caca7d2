package snapshot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/advdb/advdb/normalize"
	"golang.org/x/mod/sumdb/tlog"
)

// A differ writes what a release changes, and computes the roots.
type differ struct {
	w       *segmentWriter
	release uint64
	state   *forest
	events  *forest
	buf     []byte
	puts    int
	deletes int
	touches int
	changed int // keys whose value changed, rows by transforms included
	records uint64
	bytes   int64
}

// An event is one change of a release.
func (d *differ) event(collection, key string, op byte, before, after []byte) {
	d.changed++
	d.buf = binary.AppendUvarint(d.buf[:0], uint64(len(collection)+1+len(key)))
	d.buf = append(append(d.buf, collection...), 0)
	d.buf = append(append(d.buf, key...), op)
	d.buf = appendValueHash(d.buf, before)
	d.buf = appendValueHash(d.buf, after)
	d.events.tree(collection).add(tlog.RecordHash(d.buf))
}

// appendValueHash appends the hash of a value, zeros for none.
func appendValueHash(dst, v []byte) []byte {
	if v == nil {
		return append(dst, make([]byte, sha256.Size)...)
	}
	h := valueHash(v)
	return append(dst, h[:]...)
}

// pair walks two states side by side and calls f with what each has of a key.
func pair(before, after items, f func(old, now item) error) error {
	nextOld, stopOld := iter.Pull2(before)
	defer stopOld()
	nextNew, stopNew := iter.Pull2(after)
	defer stopNew()
	old, oldErr, oldOK := nextOld()
	now, nowErr, nowOK := nextNew()
	for oldOK || nowOK {
		if oldErr != nil || nowErr != nil {
			return errors.Join(oldErr, nowErr)
		}
		c := 0
		switch {
		case !oldOK:
			c = 1
		case !nowOK:
			c = -1
		default:
			c = cmp.Compare(old.key, now.key)
		}
		a, b := old, now
		if c > 0 {
			a = item{}
		}
		if c < 0 {
			b = item{}
		}
		if err := f(a, b); err != nil {
			return err
		}
		if c <= 0 {
			old, oldErr, oldOK = nextOld()
		}
		if c >= 0 {
			now, nowErr, nowOK = nextNew()
		}
	}
	return nil
}

// records writes what changed from one state of records to another.
func (d *differ) diffRecords(before, after items) error {
	return pair(before, after, func(old, now item) error {
		if now.data != nil {
			d.state.add(now.collection, now.key, valueHash(now.data))
			d.records++
			d.bytes += int64(len(now.data))
		}
		if old.data != nil && old.collection != now.collection {
			d.event(old.collection, old.key, opDelete, old.data, nil)
			d.deletes++
			if err := d.w.add(old.collection, entry{opDelete, d.release, []byte(old.key), nil}); err != nil {
				return err
			}
			old = item{}
		}
		if now.data == nil || bytes.Equal(old.data, now.data) {
			return nil
		}
		d.event(now.collection, now.key, opPut, old.data, now.data)
		e := entry{opPut, d.release, []byte(now.key), now.data}
		if m, ok := touched(old.data, now.data); ok {
			e.op, e.value = opTouch, []byte(m)
			d.touches++
		} else {
			d.puts++
		}
		return d.w.add(now.collection, e)
	})
}

// touched reports whether nothing but modified changed, and to what.
func touched(old, now []byte) (string, bool) {
	if d := len(old) - len(now); old == nil || d > 16 || d < -16 {
		return "", false
	}
	r, err := normalize.Decode(now)
	if err != nil || r.Modified == "" {
		return "", false
	}
	again, err := touch(old, r.Modified)
	return r.Modified, err == nil && bytes.Equal(again, now)
}

// diffTable writes what changed from one state of an enrichment table to
// another. Both are walked twice: once for the transform, once for the rest.
func (d *differ) diffTable(name string, before, after items) error {
	t, err := d.deriveTransform(before, after)
	if err != nil {
		return err
	}
	var list []transform
	if !t.empty() {
		list = []transform{t}
		d.w.setTransforms(name, list)
	}
	var row flatRow
	return pair(before, after, func(old, now item) error {
		if now.data != nil {
			d.state.add(name, now.key, valueHash(now.data))
		}
		switch {
		case now.data == nil:
			d.event(name, old.key, opDelete, old.data, nil)
			d.deletes++
			return d.w.add(name, entry{opDelete, d.release, []byte(old.key), nil})
		case !bytes.Equal(old.data, now.data):
			d.event(name, now.key, opPut, old.data, now.data)
		}
		if old.data != nil {
			guess, err := applyTransforms(list, d.release-1, old.data, &row)
			if err == nil && bytes.Equal(guess, now.data) {
				return nil
			}
		}
		d.puts++
		return d.w.add(name, entry{opPut, d.release, []byte(now.key), now.data})
	})
}

// A memberChange is what becomes of one member, over all rows.
type memberChange struct {
	rows     int // new rows that have it
	value    []byte
	constant bool // it is value in all new rows
	changed  int  // rows of which it changed
	scale    int  // -1: not all are plain numbers
	votes    map[[2]string]int
}

const (
	minChanged   = 64      // a member that changed in fewer rows needs no transform
	shareChanged = 20      // nor one that changed in less than one row of so many
	maxVotes     = 1 << 18 // a map of more numbers is none
)

// deriveTransform finds out what happened to all rows alike.
func (d *differ) deriveTransform(before, after items) (transform, error) {
	t := transform{release: d.release}
	members := map[string]*memberChange{}
	rows, common := 0, 0
	var a, b flatRow
	err := pair(before, after, func(old, now item) error {
		if now.data == nil {
			return nil
		}
		rows++
		if b.parse(now.data) != nil {
			return nil
		}
		known := old.data != nil && a.parse(old.data) == nil
		if known {
			common++
		}
		for _, m := range b.members {
			c, ok := members[m.name]
			if !ok {
				c = &memberChange{value: m.value, constant: true, votes: map[[2]string]int{}}
				members[m.name] = c
			}
			c.see(m.value, a.getIf(known, m.name))
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		c := members[name]
		if c.changed < minChanged || c.changed*shareChanged < common {
			continue
		}
		if c.constant && c.rows == rows {
			t.set = append(t.set, memberValue{name, c.value})
		} else if m, ok := c.numbers(name); ok {
			t.maps = append(t.maps, m)
		}
	}
	return t, nil
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
	if n := digits(now); n < 0 || c.scale < 0 {
		c.scale = -1
	} else {
		c.scale = max(c.scale, n)
	}
	if old == nil {
		return
	}
	if !bytes.Equal(now, old) {
		c.changed++
	}
	if n := digits(old); n < 0 || c.scale < 0 {
		c.scale = -1
		c.votes = nil
	} else if c.scale = max(c.scale, n); len(c.votes) < maxVotes {
		c.votes[[2]string{string(old), string(now)}]++
	}
}

// numbers is the map that is right for most rows; ties go to the smaller number.
func (c *memberChange) numbers(name string) (memberMap, bool) {
	m := memberMap{name: name, scale: c.scale, to: map[int64]int64{}}
	if c.scale < 0 || len(c.votes) >= maxVotes {
		return m, false
	}
	best := map[int64]int{}
	for k, n := range c.votes {
		old, ok1 := parseDecimal([]byte(k[0]), c.scale)
		now, ok2 := parseDecimal([]byte(k[1]), c.scale)
		if !ok1 || !ok2 {
			return m, false
		}
		if n > best[old] || n == best[old] && now < m.to[old] {
			best[old], m.to[old] = n, now
		}
	}
	for k, v := range m.to {
		if k == v {
			delete(m.to, k)
		}
	}
	return m, len(m.to) > 0
}
