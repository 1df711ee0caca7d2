package store

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A tableLoader fills a new table with sorted entries, in many transactions.
type tableLoader struct {
	db    *bolt.DB
	name  string
	w     blockWriter
	out   [][2][]byte
	size  int
	count int
	last  []byte
}

func newTableLoader(db *bolt.DB, name string) *tableLoader {
	l := &tableLoader{db: db, name: name}
	l.w = blockWriter{enc: denseEncoder(), flush: l.flush}
	return l
}

func (l *tableLoader) flush(first, block []byte) error {
	l.out = append(l.out, [2][]byte{bytes.Clone(first), bytes.Clone(block)})
	if l.size += len(block); l.size < foldStep {
		return nil
	}
	return l.write()
}

func (l *tableLoader) add(key, value []byte) error {
	switch {
	case l.count > 0 && bytes.Compare(key, l.last) <= 0:
		return fmt.Errorf("%s: %q is not behind %q", l.name, key, l.last)
	case len(value) == 0:
		return fmt.Errorf("%s: %q: empty", l.name, key)
	}
	l.last = append(l.last[:0], key...)
	l.count++
	return l.w.add(key, value)
}

func (l *tableLoader) write() error {
	err := l.db.Update(func(tx *bolt.Tx) error {
		t, err := createTable(tx, l.name)
		if err != nil {
			return err
		}
		t.blocks.FillPercent = 1
		for _, b := range l.out {
			if err := t.blocks.Put(b[0], b[1]); err != nil {
				return err
			}
		}
		return nil
	})
	l.out, l.size = l.out[:0], 0
	return err
}

// end writes what is left; the table is there even if nothing was added.
func (l *tableLoader) end() error {
	if err := l.w.end(); err != nil {
		return err
	}
	return l.write()
}
