package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// sparse is the share of a pack's bytes, in percent, below which what is
// still used of it is written elsewhere.
const sparse = 40

// Collect deletes packs that no document uses any more, and moves documents
// out of packs of which little is used. It returns the bytes freed.
func (s *Store) Collect() (freed int64, err error) {
	used, err := s.packUse()
	if err != nil {
		return 0, err
	}
	moved, err := s.moveSparse(used)
	if err != nil {
		return 0, err
	}
	if moved {
		if used, err = s.packUse(); err != nil {
			return 0, err
		}
	}
	var drop [][]byte
	err = s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(packBucket).ForEach(func(k, v []byte) error {
			if _, ok := used[binary.BigEndian.Uint64(k)]; !ok {
				drop = append(drop, append([]byte(nil), k...))
				freed += int64(len(v))
			}
			return nil
		})
	})
	if err != nil || len(drop) == 0 {
		return 0, err
	}
	return freed, s.db.Update(func(tx *bolt.Tx) error {
		for _, k := range drop {
			if err := tx.Bucket(packBucket).Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// packUse returns how many bytes of each pack documents use.
func (s *Store) packUse() (map[uint64]uint64, error) {
	used := map[uint64]uint64{}
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(docBucket).ForEach(func(k, v []byte) error {
			e, err := decodeDocEntry(v)
			if err != nil {
				return fmt.Errorf("document %q: %w", k, err)
			}
			e.current.addUse(used)
			if e.good.hash != e.current.hash {
				e.good.addUse(used)
			}
			return nil
		})
	})
	return used, err
}

func (b *blob) addUse(used map[uint64]uint64) {
	left, off := b.size, b.offset
	for _, p := range b.packs {
		n := min(left, packSize-off)
		used[p] += n
		left, off = left-n, 0
	}
}

// moveSparse writes the small documents of sparse packs anew, and reports
// whether there was reason to.
func (s *Store) moveSparse(used map[uint64]uint64) (bool, error) {
	isSparse := map[uint64]bool{}
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(packBucket).ForEach(func(k, v []byte) error {
			n := binary.BigEndian.Uint64(k)
			if u := used[n]; u > 0 && u*100 < packSize*sparse && uint64(len(v)) > 0 {
				isSparse[n] = true
			}
			return nil
		})
	})
	// Short packs end every commit: moving a few of them gains nothing.
	if err != nil || len(isSparse) < 32 {
		return false, err
	}
	return true, s.move(isSparse)
}

// move writes the documents that lie in one of the packs into new ones.
func (s *Store) move(packs map[uint64]bool) error {
	moved := map[string]docEntry{}
	d := s.Documents("")
	r := blobReader{s: s}
	err := s.eachEntry(func(key string, e docEntry) error {
		if e.good.hash != e.current.hash || len(e.current.packs) != 1 || !packs[e.current.packs[0]] {
			return nil
		}
		b, err := d.write(r.open(e.current))
		if err != nil {
			return err
		}
		e.current, e.good = b, b
		moved[key] = e
		return d.flushIfFull()
	})
	if err != nil || len(moved) == 0 {
		return err
	}
	d.closePack(len(d.raw))
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := d.writePacks(tx); err != nil {
			return err
		}
		for k, e := range moved {
			if err := tx.Bucket(docBucket).Put([]byte(k), e.append(nil)); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachEntry calls f with every document; f may write.
func (s *Store) eachEntry(f func(key string, e docEntry) error) error {
	type pair struct {
		key string
		e   docEntry
	}
	var all []pair
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(docBucket).ForEach(func(k, v []byte) error {
			e, err := decodeDocEntry(v)
			all = append(all, pair{string(k), e})
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := f(p.key, p.e); err != nil {
			return err
		}
	}
	return nil
}
