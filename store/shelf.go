package store

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// A Shelf is a file of keys and values, sorted, for what is neither document
// nor record. One process at a time has it open.
type Shelf struct{ db *bolt.DB }

// OpenShelf opens the file, with its buckets, and makes what is missing. It
// waits for as long as wait while another process has it open, and then
// returns ErrBusy.
func OpenShelf(path string, wait time.Duration, buckets ...string) (*Shelf, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: max(wait, time.Millisecond), FreelistType: bolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Shelf{db}, nil
}

// Close closes the file.
func (s *Shelf) Close() error { return s.db.Close() }

// View calls f with a transaction that reads.
func (s *Shelf) View(f func(ShelfTx) error) error {
	return s.db.View(func(tx *bolt.Tx) error { return f(ShelfTx{tx}) })
}

// Update calls f with a transaction that writes: all of it, or where f returns
// an error nothing.
func (s *Shelf) Update(f func(ShelfTx) error) error {
	return s.db.Update(func(tx *bolt.Tx) error { return f(ShelfTx{tx}) })
}

// A ShelfTx is a transaction of a Shelf. What it returns is good until it ends
// or writes.
type ShelfTx struct{ tx *bolt.Tx }

// Get returns the value of a key, nil where there is none.
func (t ShelfTx) Get(bucket, key string) []byte { return t.tx.Bucket([]byte(bucket)).Get([]byte(key)) }

// Put sets the value of a key.
func (t ShelfTx) Put(bucket, key string, value []byte) error {
	return t.tx.Bucket([]byte(bucket)).Put([]byte(key), value)
}

// Delete takes a key away; one that is not there is no error.
func (t ShelfTx) Delete(bucket, key string) error {
	return t.tx.Bucket([]byte(bucket)).Delete([]byte(key))
}

// Scan calls yield with each key at or after from that begins with prefix, in
// order, until it returns false. Nothing may be written meanwhile.
func (t ShelfTx) Scan(bucket, prefix, from string, yield func(key string, value []byte) bool) {
	c := t.tx.Bucket([]byte(bucket)).Cursor()
	for k, v := c.Seek([]byte(max(prefix, from))); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
		if !yield(string(k), v) {
			return
		}
	}
}

// Last returns the last key of a bucket, empty where it has none.
func (t ShelfTx) Last(bucket string) string {
	k, _ := t.tx.Bucket([]byte(bucket)).Cursor().Last()
	return string(k)
}
