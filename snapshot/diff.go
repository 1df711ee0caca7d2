package snapshot

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"

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

// newDiffer writes to w what a release changes.
func newDiffer(w *segmentWriter, release uint64) *differ {
	return &differ{w: w, release: release, state: newForest(), events: newForest()}
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

// diffRecords writes what changed from one state of records to another.
func (d *differ) diffRecords(before, after items) error {
	return pair(before, after, func(old, now item) error {
		if now.data != nil {
			d.state.add(now.collection, now.key, valueHash(now.data))
			d.records++
			d.bytes += int64(len(now.data))
		}
		if old.data != nil && old.collection != now.collection {
			if err := d.remove(old); err != nil {
				return err
			}
			old = item{}
		}
		if now.data == nil || bytes.Equal(old.data, now.data) {
			return nil
		}
		return d.put(old, now)
	})
}

// remove writes that a key is not in its collection any more.
func (d *differ) remove(old item) error {
	d.event(old.collection, old.key, opDelete, old.data, nil)
	d.deletes++
	return d.w.add(old.collection, entry{opDelete, d.release, []byte(old.key), nil})
}

// put writes what became of a record.
func (d *differ) put(old, now item) error {
	d.event(now.collection, now.key, opPut, old.data, now.data)
	e := entry{opPut, d.release, []byte(now.key), now.data}
	if m, ok := touched(old.data, now.data); ok {
		e.op, e.value = opTouch, []byte(m)
		d.touches++
	} else {
		d.puts++
	}
	return d.w.add(now.collection, e)
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
	t, err := deriveTransform(d.release, before, after)
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
		if now.data == nil {
			return d.remove(old)
		}
		if !bytes.Equal(old.data, now.data) {
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
