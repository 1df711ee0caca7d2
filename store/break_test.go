package store

import (
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// breakages break a state of two records, X and Y.
var breakages = map[string]func(tx *bolt.Tx) error{
	"record is lost": func(tx *bolt.Tx) error {
		t, _ := openTable(tx, recordTable)
		return t.delete([]byte("X"))
	},
	"record under another ID": func(tx *bolt.Tx) error {
		t, _ := openTable(tx, recordTable)
		v, err := t.get([]byte("X"))
		if err != nil {
			return err
		}
		return t.put([]byte("Z"), v)
	},
	"record is not canonical": func(tx *bolt.Tx) error {
		t, _ := openTable(tx, recordTable)
		v, err := t.get([]byte("X"))
		if err != nil {
			return err
		}
		return t.put([]byte("X"), append([]byte(" "), v...))
	},
	"record is no JSON": func(tx *bolt.Tx) error {
		t, _ := openTable(tx, recordTable)
		return t.put([]byte("X"), []byte("{"))
	},
	"block is damaged": func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(recordTable)).Bucket([]byte("blocks"))
		k, v := b.Cursor().First()
		v = append([]byte(nil), v...)
		v[len(v)/2] ^= 0x55
		return b.Put(k, v)
	},
	"package entry is lost": func(tx *bolt.Tx) error {
		k, _ := tx.Bucket(packageBucket).Cursor().First()
		return tx.Bucket(packageBucket).Delete(k)
	},
	"last package entry is lost": func(tx *bolt.Tx) error {
		k, _ := tx.Bucket(packageBucket).Cursor().Last()
		return tx.Bucket(packageBucket).Delete(k)
	},
	"package entry of nobody": func(tx *bolt.Tx) error {
		return tx.Bucket(packageBucket).Put([]byte("npm\x00a\x00Q"), []byte{0})
	},
	"package entry says otherwise": func(tx *bolt.Tx) error {
		k, v := tx.Bucket(packageBucket).Cursor().First()
		return tx.Bucket(packageBucket).Put(k, append([]byte(nil), v[:len(v)-1]...))
	},
	"alias is lost": func(tx *bolt.Tx) error { return tx.Bucket(aliasBucket).Delete([]byte("ALIAS-X\x00X")) },
	"alias of nobody": func(tx *bolt.Tx) error {
		return tx.Bucket(aliasBucket).Put([]byte("A\x00B"), []byte{aliasBit})
	},
	"ecosystem is miscounted": func(tx *bolt.Tx) error {
		return tx.Bucket(ecosystemBucket).Put([]byte("npm"), encodeCount(7))
	},
}

// breakState changes a state behind the store's back.
func breakState(t *testing.T, dir string, breakIt func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, stateName), 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(breakIt); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
