package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// packSize is how many bytes of documents are compressed together. Small
// documents share a pack; a large one goes on over several.
const packSize = 1 << 20

// stageLimit is how many bytes of compressed packs wait for a transaction.
const stageLimit = 16 << 20

// Documents is the documents of one source, for a Mirror to fill. It is used
// by one goroutine; several sources may be filled at once.
type Documents struct {
	s      *Store
	source string

	puts    map[string]blob // the zero blob: delete
	kept    map[string]bool // puts that are copies
	raw     []byte          // the open pack
	pack    uint64          // its number
	begun   bool            // a pack is open
	staged  map[uint64][]byte
	pending int // bytes in staged
	readBuf []byte
}

// Documents returns the documents of the named source.
func (s *Store) Documents(source string) *Documents {
	return &Documents{s: s, source: source, puts: map[string]blob{}, kept: map[string]bool{}, staged: map[uint64][]byte{}}
}

// Put makes what r yields the document name and reports whether it differs
// from what is there. An error of r leaves the document as it was. Nothing
// counts before Commit.
func (d *Documents) Put(name string, r io.Reader) (changed bool, err error) {
	b, err := d.write(r)
	if err != nil {
		return false, err
	}
	old, err := d.current(name)
	if err != nil {
		return false, err
	}
	if old.hash == b.hash {
		d.unwrite(b)
		return false, nil
	}
	d.puts[name], d.kept[name] = b, false
	return true, d.flushIfFull()
}

// Copy makes the document to what the parts of from come from: what it was at
// the last Commit, unless that did not parse, was not believed, or was not come
// to. Nothing counts before Commit.
func (d *Documents) Copy(to, from string) error {
	e, err := d.entry(from)
	if err != nil {
		return err
	}
	b := e.good
	if !b.exists() {
		b = e.current
	}
	if !b.exists() {
		return fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	}
	d.puts[to], d.kept[to] = b, true // the packs are shared until one of the two is moved
	return nil
}

// Delete takes the document away at the next Commit.
func (d *Documents) Delete(name string) error {
	old, err := d.current(name)
	if err == nil && old.exists() {
		d.puts[name] = blob{}
	}
	return err
}

// current returns the document's bytes as they will be after Commit.
func (d *Documents) current(name string) (b blob, err error) {
	if b, ok := d.puts[name]; ok {
		return b, nil
	}
	e, err := d.entry(name)
	return e.current, err
}

// entry returns what is known of the document as of the last Commit.
func (d *Documents) entry(name string) (e docEntry, err error) {
	err = d.s.db.View(func(tx *bolt.Tx) error {
		if v := tx.Bucket(docBucket).Get(docKey(d.source, name)); v != nil {
			e, err = decodeDocEntry(v)
		}
		return err
	})
	return e, err
}

// write appends r to the packs.
func (d *Documents) write(r io.Reader) (b blob, err error) {
	if d.readBuf == nil {
		d.readBuf = make([]byte, 64<<10)
	}
	if !d.begun {
		d.openPack()
		d.begun = true
	}
	b.offset = uint64(len(d.raw))
	h := sha256.New()
	start := len(d.raw)
	for {
		n, err := r.Read(d.readBuf)
		h.Write(d.readBuf[:n])
		b.size += uint64(n)
		d.raw = append(d.raw, d.readBuf[:n]...)
		for len(d.raw) >= packSize {
			b.packs = append(b.packs, d.pack)
			d.closePack(packSize)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(b.packs) == 0 {
				d.raw = d.raw[:start]
			}
			return blob{}, err
		}
		if d.pending > stageLimit {
			if err := d.flush(); err != nil {
				return blob{}, err
			}
		}
	}
	if len(b.packs) > 0 && len(d.raw) > 0 || len(d.raw) > start {
		b.packs = append(b.packs, d.pack)
	}
	h.Sum(b.hash[:0])
	return b, nil
}

// unwrite takes the document just written off the open pack again. What it
// filled of closed packs is garbage.
func (d *Documents) unwrite(b blob) {
	if b.size == 0 {
		return
	}
	if b.packs[0] == d.pack {
		d.raw = d.raw[:b.offset]
		return
	}
	for _, p := range b.packs[1:] {
		if v, ok := d.staged[p]; ok && p != d.pack {
			d.pending -= len(v)
			delete(d.staged, p)
		}
	}
	if b.packs[len(b.packs)-1] == d.pack {
		d.raw = d.raw[:0]
	}
}

func (d *Documents) openPack() {
	d.s.mu.Lock()
	d.pack = d.s.nextPack
	d.s.nextPack++
	d.s.mu.Unlock()
}

// closePack compresses the first n bytes of the open pack and opens the next.
func (d *Documents) closePack(n int) {
	v := fastEncoder().EncodeAll(d.raw[:n], nil)
	d.staged[d.pack] = v
	d.pending += len(v)
	d.raw = append(d.raw[:0], d.raw[n:]...)
	d.openPack()
}

func (d *Documents) flushIfFull() error {
	if d.pending <= stageLimit {
		return nil
	}
	return d.flush()
}

// flush writes the packs that are closed. They are garbage until a Commit
// makes documents of them.
func (d *Documents) flush() error {
	err := d.s.db.Update(func(tx *bolt.Tx) error { return d.writePacks(tx) })
	if err == nil {
		clear(d.staged)
		d.pending = 0
	}
	return err
}

func (d *Documents) writePacks(tx *bolt.Tx) error {
	numbers := make([]uint64, 0, len(d.staged))
	for p := range d.staged {
		numbers = append(numbers, p)
	}
	slices.Sort(numbers)
	packs := tx.Bucket(packBucket)
	for _, p := range numbers {
		if err := packs.Put(binary.BigEndian.AppendUint64(nil, p), d.staged[p]); err != nil {
			return err
		}
	}
	return nil
}

// Names yields the names of all documents as of the last Commit, sorted.
func (d *Documents) Names(yield func(name string) bool) error {
	return d.s.eachDoc(d.source, func(name string, e docEntry) bool {
		return !e.current.exists() || yield(name)
	})
}

// Load returns the state given to the last Commit, nil before the first.
func (d *Documents) Load() (state []byte, err error) {
	err = d.s.db.View(func(tx *bolt.Tx) error {
		state = bytes.Clone(tx.Bucket(stateBucket).Get([]byte(d.source)))
		return nil
	})
	return state, err
}

// Commit makes puts and deletes since the last Commit, and state, durable in
// one transaction. With nothing new it writes nothing.
func (d *Documents) Commit(state []byte) error {
	old, err := d.Load()
	if err != nil {
		return err
	}
	if len(d.puts) == 0 && bytes.Equal(old, state) {
		return nil
	}
	if len(d.raw) > 0 {
		d.closePack(len(d.raw))
	}
	err = d.s.db.Update(func(tx *bolt.Tx) error {
		if err := d.writePacks(tx); err != nil {
			return err
		}
		names := make([]string, 0, len(d.puts))
		for n := range d.puts {
			names = append(names, n)
		}
		slices.Sort(names)
		docs := tx.Bucket(docBucket)
		for _, n := range names {
			if err := putCurrent(docs, docKey(d.source, n), d.puts[n], d.kept[n]); err != nil {
				return err
			}
		}
		return tx.Bucket(stateBucket).Put([]byte(d.source), state)
	})
	if err != nil {
		return fmt.Errorf("%s: commit: %w", d.source, err)
	}
	clear(d.puts)
	clear(d.kept)
	clear(d.staged)
	d.pending = 0
	return nil
}

// putCurrent makes b the current bytes of a document, which is a copy or not.
func putCurrent(docs *bolt.Bucket, key []byte, b blob, kept bool) error {
	var e docEntry
	if v := docs.Get(key); v != nil {
		var err error
		if e, err = decodeDocEntry(v); err != nil {
			return err
		}
	}
	e.current, e.failed, e.problem = b, 0, ""
	if b.exists() {
		e.kept = kept
	}
	if !b.exists() && !e.good.exists() {
		return docs.Delete(key)
	}
	return docs.Put(key, e.append(nil))
}

// eachDoc calls f with each document of a source in the order of names, until
// it returns false.
func (s *Store) eachDoc(source string, f func(name string, e docEntry) bool) error {
	return s.db.View(func(tx *bolt.Tx) error {
		prefix := docKey(source, "")
		c := tx.Bucket(docBucket).Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			e, err := decodeDocEntry(v)
			if err != nil {
				return fmt.Errorf("document %s: %w", k[len(prefix):], err)
			}
			if !f(string(k[len(prefix):]), e) {
				return nil
			}
		}
		return nil
	})
}
