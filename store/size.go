package store

import bolt "go.etcd.io/bbolt"

// Size is the size of the state's file in bytes.
func (d *DB) Size() (n int64) {
	d.db.View(func(tx *bolt.Tx) error {
		n = tx.Size()
		return nil
	})
	return n
}
