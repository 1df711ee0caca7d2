package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"
)

// CheckWork verifies what a folder that syncs feeds holds beside its state:
// that the file is sound, that every document has the bytes it had when it
// was fetched, and that the parts are those that the documents say. It
// returns ErrBusy while the folder is written to; of a replica there is
// nothing to check. dir is the folder, temp where it may sort.
func CheckWork(ctx context.Context, dir, temp string) (rep Report, err error) {
	db, err := openWork(dir)
	if err != nil || db == nil {
		return rep, err
	}
	defer db.Close()
	c := workCheck{s: &Store{dir: dir, db: db}, rep: &rep, want: newSorter(temp, indexLimit)}
	defer c.want.close()
	err = db.View(func(tx *bolt.Tx) error {
		for e := range tx.Check() {
			rep.problem("file: %v", e)
		}
		if err := c.documents(ctx, tx); err != nil {
			return err
		}
		return c.parts(ctx, tx)
	})
	return rep, err
}

type workCheck struct {
	s    *Store
	rep  *Report
	want *sorter // part key → hash, as the documents' lists have it
}

func (c *workCheck) documents(ctx context.Context, tx *bolt.Tx) error {
	r := blobReader{s: c.s}
	lists := tx.Bucket(listBucket)
	return tx.Bucket(docBucket).ForEach(func(k, v []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := decodeDocEntry(v)
		if err != nil {
			c.rep.problem("document %q: %v", k, err)
			return nil
		}
		c.bytes(k, &r, e.current)
		if e.good.hash != e.current.hash {
			c.bytes(k, &r, e.good)
		}
		refs, err := decodeList(lists.Get(k))
		if err != nil {
			// A table's document has a count only.
			return nil
		}
		for _, ref := range refs {
			if err := c.want.add(partKey(ref.id, k), ref.hash[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// bytes reads a document and compares its hash.
func (c *workCheck) bytes(key []byte, r *blobReader, b blob) {
	if !b.exists() {
		return
	}
	h := sha256.New()
	n, err := io.Copy(h, r.open(b))
	switch {
	case err != nil:
		c.rep.problem("document %q: %v", key, err)
	case uint64(n) != b.size || !bytes.Equal(h.Sum(nil), b.hash[:]):
		c.rep.problem("document %q: its bytes changed in the store", key)
	}
}

// parts walks live parts and what the lists want side by side.
func (c *workCheck) parts(ctx context.Context, tx *bolt.Tx) error {
	t, _, err := currentParts(tx)
	if err != nil {
		c.rep.problem("%v", err)
		return nil
	}
	have := newSorter(c.want.dir, indexLimit)
	defer have.close()
	var terr error
	for k, v := range t.from(nil, &terr) {
		_, gone, json, err := cutPart(v)
		if err != nil {
			c.rep.problem("part %q: %v", k, err)
			continue
		}
		if gone != "" {
			continue
		}
		h := hashPart(json)
		if err := have.add(bytes.Clone(k), h[:], []byte{'h'}); err != nil {
			return err
		}
	}
	if terr != nil {
		c.rep.problem("parts: %v", terr)
	}
	return c.compare(have)
}

// compare wants each part key twice in a row, from both sides, with one hash.
func (c *workCheck) compare(have *sorter) error {
	var serr error
	var key, hash []byte
	single := func() {
		if key != nil {
			c.rep.problem("part %q: only in the %s", key, map[bool]string{true: "table", false: "document's list"}[len(hash) > partHashSize])
		}
	}
	for k, v := range mergeSorters(&serr, have, c.want) {
		if !bytes.Equal(k, key) {
			single()
			key, hash = bytes.Clone(k), bytes.Clone(v)
			continue
		}
		if !bytes.Equal(hash[:partHashSize], v[:partHashSize]) {
			c.rep.problem("part %q: not the content that its document had", k)
		}
		key = nil
	}
	single()
	if serr != nil {
		return fmt.Errorf("parts: %w", serr)
	}
	return nil
}
