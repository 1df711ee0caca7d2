package store

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Snapshot returns what the last [StateInfo] had under the name, nil where
// the state comes from no snapshot.
func (d *DB) Snapshot(name string) (data []byte, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(snapshotBucket); b != nil {
			data = bytes.Clone(b.Get([]byte(name)))
		}
		return nil
	})
	return data, err
}

// Snapshots returns all that the last [StateInfo] had, empty where the state
// comes from no snapshot.
func (d *DB) Snapshots() (all map[string][]byte, err error) {
	all = map[string][]byte{}
	err = d.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(snapshotBucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			all[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return all, err
}

// Leaves calls yield with the leaf of each record, in the order of IDs, until
// it returns an error. leaf is good until the next call.
func (d *DB) Leaves(yield func(id string, leaf []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error { return eachLeaf(tx, yield) })
}

func eachLeaf(tx *bolt.Tx, yield func(id string, leaf []byte) error) error {
	t, ok := openTable(tx, leafTable)
	if !ok {
		return fmt.Errorf("%w: no leaves: this state comes from no snapshot", ErrFormat)
	}
	var terr error
	for k, v := range t.from(nil, &terr) {
		if err := yield(string(k), v); err != nil {
			return err
		}
	}
	return terr
}

// Tables returns the names of the sources that have an enrichment table, in
// order.
func (d *DB) Tables() (names []string, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		return eachTable(tx, func(source string, _ table) error {
			names = append(names, source)
			return nil
		})
	})
	return names, err
}

// Rows calls yield with each row of the enrichment table of source, in the
// order of keys, until it returns an error. What it gets is good until the
// next call. A table that is not there has no rows.
func (d *DB) Rows(source string, yield func(key, value []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		t, ok := openTable(tx, enrichPrefix+source)
		if !ok {
			return nil
		}
		var terr error
		for k, v := range t.from(nil, &terr) {
			if err := yield(k, v); err != nil {
				return err
			}
		}
		return terr
	})
}
