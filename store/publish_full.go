package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// indexLimit is the buffer of the sorter of index entries.
const indexLimit = 48 << 20

// full writes all records and indexes into an empty file.
func (w *stateWriter) full(d dirty) error {
	if err := w.db.Update(createBuckets); err != nil {
		return err
	}
	w.meta.Records, w.meta.Entries, w.meta.Overlay, w.meta.Index = 0, 0, 0, indexVersion
	index := newSorter(w.s.dir, indexLimit)
	defer index.close()
	if err := w.allRecords(index); err != nil {
		return err
	}
	if !w.touched && len(d.tables) == 0 {
		return nil
	}
	if err := w.loadIndex(index); err != nil {
		return err
	}
	return w.db.Update(func(tx *bolt.Tx) error {
		return errors.Join(w.copyTables(tx), w.writeTables(tx), w.finish(tx))
	})
}

// allRecords merges all parts into records.
func (w *stateWriter) allRecords(index *sorter) error {
	records := newTableLoader(w.db, recordTable)
	cmp := w.compareOld()
	defer cmp.stop()
	var buf []byte
	err := w.s.eachID(func(id string, parts []normalize.Part) error {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		r, origin, err := w.merge(id, parts)
		if err != nil {
			return err
		}
		if buf, err = normalize.AppendEncode(buf[:0], r); err != nil {
			return err
		}
		same, err := cmp.same(id, buf)
		if err != nil {
			return err
		}
		w.count(origin, !same)
		w.meta.Records++
		if err := addEntries(index, r); err != nil {
			return err
		}
		return records.add([]byte(id), buf)
	})
	w.meta.Entries = w.meta.Records
	return errors.Join(err, records.end())
}

// merge makes a record and notes the newest time that upstream gave.
func (w *stateWriter) merge(id string, parts []normalize.Part) (*normalize.Record, normalize.Origin, error) {
	for _, p := range parts {
		m, n := p.Record.Modified, w.newest[p.Source]
		if m == "" || len(m) == len(n) && m <= n {
			continue
		}
		mt, err := time.Parse(time.RFC3339Nano, m)
		if err != nil {
			continue
		}
		if nt, err := time.Parse(time.RFC3339Nano, n); err != nil || mt.After(nt) {
			w.newest[p.Source] = m
		}
	}
	return normalize.Merge(id, parts)
}

// count adds a record to those of its sources.
func (w *stateWriter) count(o normalize.Origin, changed bool) {
	for _, src := range o.Sources {
		w.records[src]++
		if changed {
			w.changed[src]++
		}
	}
	if changed {
		w.touched = true
	}
}

func addEntries(index *sorter, r *normalize.Record) error {
	for _, e := range indexEntries(r) {
		if e.bucket == binaryTag && !index.seen.add(e.key) {
			continue
		}
		if err := index.add(append([]byte{e.bucket}, e.key...), e.value); err != nil {
			return err
		}
	}
	return nil
}

// eachID calls f with the parts of each ID, in the order of IDs.
func (s *Store) eachID(f func(id string, parts []normalize.Part) error) error {
	return s.db.View(func(tx *bolt.Tx) error {
		t, _, err := currentParts(tx)
		if err != nil {
			return err
		}
		var terr error
		var parts []normalize.Part
		last := ""
		for k, v := range t.from(nil, &terr) {
			p, id, err := decodePart(k, v)
			if err != nil {
				return err
			}
			if id != last && len(parts) > 0 {
				if err := f(last, parts); err != nil {
					return err
				}
				parts = parts[:0]
			}
			last, parts = id, append(parts, p)
		}
		if terr != nil || len(parts) == 0 {
			return terr
		}
		return f(last, parts)
	})
}

// loadIndex writes the sorted index entries, bucket after bucket, and counts
// the packages of each ecosystem.
func (w *stateWriter) loadIndex(index *sorter) error {
	var serr error
	next, stop := iter.Pull2(index.sorted(&serr))
	defer stop()
	ecosystems := map[string]int{}
	k, v, ok := next()
	for ok {
		err := w.db.Update(func(tx *bolt.Tx) error {
			for size := 0; ok && size < foldStep; k, v, ok = next() {
				b := tx.Bucket(indexBuckets[k[0]])
				b.FillPercent = 1
				if k[0] == packageTag {
					ecosystems[entryEcosystem(k[1:])]++
				}
				if err := b.Put(bytes.Clone(k[1:]), bytes.Clone(v)); err != nil {
					return fmt.Errorf("index %q: %w", k, err)
				}
				size += len(k) + len(v)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if serr != nil {
		return serr
	}
	return w.db.Update(func(tx *bolt.Tx) error {
		for e, n := range ecosystems {
			if err := tx.Bucket(ecosystemBucket).Put([]byte(e), encodeCount(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

// entryEcosystem is the ecosystem in a key of packageBucket.
func entryEcosystem(key []byte) string {
	e, _, _ := bytes.Cut(key, []byte{0})
	return string(e)
}

// copyTables copies the enrichment tables of the old state that no batch
// writes anew.
func (w *stateWriter) copyTables(tx *bolt.Tx) error {
	if w.old == nil {
		return nil
	}
	fresh := map[string]bool{}
	for _, b := range w.batches {
		fresh[b.feed.Name] = b.table != nil
	}
	return w.old.db.View(func(from *bolt.Tx) error {
		return eachTable(from, func(source string, t table) error {
			if fresh[source] {
				return nil
			}
			to, err := createTable(tx, enrichPrefix+source)
			if err != nil {
				return err
			}
			to.blocks.FillPercent = 1
			return t.blocks.ForEach(func(k, v []byte) error {
				return to.blocks.Put(bytes.Clone(k), bytes.Clone(v))
			})
		})
	})
}

// An oldRecords walks the records of the old state beside the new ones.
type oldRecords struct {
	next func() (string, []byte, bool)
	stop func()
	id   string
	data []byte
	ok   bool
	err  error
}

// compareOld starts on the records of the old state.
func (w *stateWriter) compareOld() *oldRecords {
	o := &oldRecords{stop: func() {}}
	if w.old == nil {
		return o
	}
	errEnough := errors.New("enough")
	o.next, o.stop = iter.Pull2(func(yield func(string, []byte) bool) {
		err := w.old.Records("", func(id string, data []byte) error {
			if !yield(id, data) {
				return errEnough
			}
			return nil
		})
		if err != errEnough {
			o.err = err
		}
	})
	o.id, o.data, o.ok = o.next()
	return o
}

// same reports whether the old state had id with the same bytes.
func (o *oldRecords) same(id string, data []byte) (bool, error) {
	for o.ok && o.id < id {
		o.id, o.data, o.ok = o.next()
	}
	return o.ok && o.id == id && bytes.Equal(o.data, data), o.err
}
