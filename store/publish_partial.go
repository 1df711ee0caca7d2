package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// partialStep is how many records are changed in one transaction.
const partialStep = 500

// partial changes the dirty records of a copy of the old state.
func (w *stateWriter) partial(d dirty) error {
	if err := w.readCounts(); err != nil {
		return err
	}
	for ids := range slices.Chunk(d.ids, partialStep) {
		err := w.db.Update(func(tx *bolt.Tx) error {
			return w.s.db.View(func(work *bolt.Tx) error { return w.change(tx, work, ids) })
		})
		if err != nil {
			return err
		}
	}
	return w.db.Update(func(tx *bolt.Tx) error {
		if err := w.writeTables(tx); err != nil || !w.touched {
			return err
		}
		return w.finish(tx)
	})
}

// readCounts starts from what the old state says of its sources.
func (w *stateWriter) readCounts() error {
	list, err := w.old.Sources()
	for _, st := range list {
		w.records[st.Name], w.newest[st.Name] = st.Records, st.Newest
	}
	return err
}

// change makes the records of ids anew.
func (w *stateWriter) change(tx, work *bolt.Tx, ids []string) error {
	parts, _, err := currentParts(work)
	if err != nil {
		return err
	}
	records, _ := openTable(tx, recordTable)
	for _, id := range ids {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		of, err := partsOf(parts, id)
		if err != nil {
			return err
		}
		if len(of) == 0 {
			continue
		}
		if err := w.changeRecord(tx, records, id, of); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

// partsOf returns the parts of one ID.
func partsOf(t table, id string) (list []normalize.Part, err error) {
	prefix := append([]byte(id), 0)
	var terr error
	for k, v := range t.from(prefix, &terr) {
		if !bytes.HasPrefix(k, prefix) {
			break
		}
		p, _, err := decodePart(k, v)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, terr
}

func (w *stateWriter) changeRecord(tx *bolt.Tx, records table, id string, parts []normalize.Part) error {
	r, origin, err := w.merge(id, parts)
	if err != nil {
		return err
	}
	data, err := normalize.AppendEncode(nil, r)
	if err != nil {
		return err
	}
	old, err := records.get([]byte(id))
	if err != nil || bytes.Equal(old, data) {
		return err
	}
	before := &normalize.Record{ID: id, Withdrawn: "-"}
	if old != nil {
		if before, err = normalize.Decode(old); err != nil {
			return err
		}
		w.meta.Overlay++
		var o normalize.Origin
		if _, err := before.Specific("advdb", &o); err != nil {
			return err
		}
		for _, src := range o.Sources {
			w.records[src]--
		}
	} else {
		w.meta.Records++
		w.meta.Overlay++
	}
	w.count(origin, true)
	return errors.Join(records.put([]byte(id), data), changeIndex(tx, before, r))
}

// changeIndex makes the index entries of one record those of another.
func changeIndex(tx *bolt.Tx, before, after *normalize.Record) error {
	prev, next := indexEntries(before), indexEntries(after)
	sortEntries(prev)
	sortEntries(next)
	var err error
	i, j := 0, 0
	for i < len(prev) || j < len(next) {
		c := -1
		switch {
		case i == len(prev):
			c = 1
		case j < len(next):
			c = compareEntries(prev[i], next[j])
		}
		switch {
		case c < 0:
			err = deleteEntry(tx, prev[i])
			i++
		case c > 0:
			err = putEntry(tx, next[j], true)
			j++
		default:
			if !bytes.Equal(prev[i].value, next[j].value) {
				err = putEntry(tx, next[j], false)
			}
			i, j = i+1, j+1
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func putEntry(tx *bolt.Tx, e indexEntry, isNew bool) error {
	if isNew && e.bucket == packageTag {
		if err := countEcosystem(tx, e.key, 1); err != nil {
			return err
		}
	}
	if !hasIndex(tx, e.bucket) {
		return nil
	}
	return tx.Bucket(indexBuckets[e.bucket]).Put([]byte(e.key), e.value)
}

func deleteEntry(tx *bolt.Tx, e indexEntry) error {
	if e.bucket == packageTag {
		if err := countEcosystem(tx, e.key, -1); err != nil {
			return err
		}
	}
	if e.bucket == binaryTag || !hasIndex(tx, e.bucket) {
		return nil // a binary is one of its source also where other records say so
	}
	return tx.Bucket(indexBuckets[e.bucket]).Delete([]byte(e.key))
}

// countEcosystem adds n to the packages of the ecosystem in a package key.
func countEcosystem(tx *bolt.Tx, key string, n int) error {
	b, e := tx.Bucket(ecosystemBucket), []byte(entryEcosystem([]byte(key)))
	if n += listSize(b.Get(e)); n <= 0 {
		return b.Delete(e)
	}
	return b.Put(e, encodeCount(n))
}
