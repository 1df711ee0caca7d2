package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
)

// UpdateOptions are the options of [Store.Update]; the zero value works.
type UpdateOptions struct {
	Force        bool            // parse every document again, and write all records anew
	AcceptShrink map[string]bool // sources believed although they lost much
	Jobs         int             // sources parsed at a time; default 2

	// Progress, if not nil, is told of each document before it is parsed. It
	// is called by several goroutines.
	Progress func(source string, bytes uint64)
	// Stage, if not nil, is told when parsing, writing parts, and making the
	// state are done.
	Stage func(name string)
	// Sources holds what a new state says of each source beside what the
	// store knows itself.
	Sources []SourceState

	dirtyTables map[string]bool // tables whose documents were parsed but not written
}

// Update parses what is due of the feeds, commits it, and makes a new state of
// the records where any changed. Trouble of a source is in its Outcome and
// touches no other; the error is one of the store, or ctx's: then nothing
// counts but what was whole.
func (s *Store) Update(ctx context.Context, feeds []Feed, opt UpdateOptions) ([]Outcome, error) {
	if opt.Jobs <= 0 {
		opt.Jobs = 2
	}
	var err error
	if opt.dirtyTables, err = s.dirtyTables(); err != nil {
		return nil, err
	}
	batches := make([]*batch, len(feeds))
	defer func() {
		for _, b := range batches {
			if b != nil {
				b.close()
			}
		}
	}()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(opt.Jobs)
	for i, f := range feeds {
		g.Go(func() (err error) {
			batches[i], err = s.parse(gctx, f, &opt)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	opt.stage("parse")
	if err := s.commit(batches); err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	opt.stage("parts")
	outs, err := s.publish(ctx, batches, &opt)
	opt.stage("state")
	return outs, err
}

func (o *UpdateOptions) stage(name string) {
	if o.Stage != nil {
		o.Stage(name)
	}
}

// dirtyPrefix marks in dirtyBucket the tables of feeds that enrich; dirtyAll
// stands for every ID.
const (
	dirtyPrefix = "\x00table:"
	dirtyAll    = "\x00all"
)

func (s *Store) dirtyTables() (map[string]bool, error) {
	tables := map[string]bool{}
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(dirtyBucket).Cursor()
		for k, _ := c.Seek([]byte(dirtyPrefix)); bytes.HasPrefix(k, []byte(dirtyPrefix)); k, _ = c.Next() {
			tables[string(k[len(dirtyPrefix):])] = true
		}
		return nil
	})
	return tables, err
}

// A fold writes the table of parts anew where the overlay would become larger
// than foldFrom entries and an eighth of what is in blocks.
const foldFrom = 4000

// commit makes the batches' changes the parts, in one step.
func (s *Store) commit(batches []*batch) error {
	var changes, updates []*sorter
	count, dirtyCount := 0, 0
	for _, b := range batches {
		changes, updates = append(changes, b.changes), append(updates, b.updates)
		count += b.changes.count
		dirtyCount += b.updates.count
		if b.table != nil {
			dirtyCount++
		}
	}
	if count+dirtyCount == 0 {
		return nil
	}
	entries, overlay, err := s.partsSize()
	if err != nil {
		return err
	}
	var serr error
	pending := mergeSorters(&serr, changes...)
	final := func(tx *bolt.Tx) error { return writeUpdates(tx, batches, updates) }
	if overlay+count > foldFrom+entries/8 {
		err = s.fold(pending, count, final)
	} else {
		err = s.db.Update(func(tx *bolt.Tx) error {
			return errors.Join(s.overlayParts(tx, pending, overlay+count), final(tx))
		})
	}
	return errors.Join(err, serr)
}

// partsSize returns the number of parts in blocks, and an upper bound of those
// in the overlay.
func (s *Store) partsSize() (entries, overlay int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		entries, overlay = listSize(meta.Get([]byte("entries"))), listSize(meta.Get([]byte("overlay")))
		return nil
	})
	return entries, overlay, err
}

// writeUpdates writes what the batches say of documents, and which tables are due.
func writeUpdates(tx *bolt.Tx, batches []*batch, updates []*sorter) error {
	buckets := map[byte]*bolt.Bucket{
		docTag: tx.Bucket(docBucket), listTag: tx.Bucket(listBucket), findingTag: tx.Bucket(findingBucket),
	}
	var serr error
	for k, v := range mergeSorters(&serr, updates...) {
		b, key := buckets[k[0]], bytes.Clone(k[1:])
		var err error
		if len(v) == 0 {
			err = b.Delete(key)
		} else {
			err = b.Put(key, bytes.Clone(v))
		}
		if err != nil {
			return err
		}
	}
	for _, b := range batches {
		if b.table != nil {
			if err := tx.Bucket(dirtyBucket).Put([]byte(dirtyPrefix+b.feed.Name), nil); err != nil {
				return err
			}
		}
	}
	return serr
}

// applyChange returns the part's value after op; old is its value before, nil
// if there was none. A part that went and is not there yields nil.
func (s *Store) applyChange(old, op []byte) ([]byte, error) {
	switch op[0] {
	case putDated:
		return appendPart(nil, "", "", op[1:]), nil
	case putUndated:
		return appendPart(nil, s.today(), "", op[1:]), nil
	case gonePart:
		if old == nil {
			return nil, nil
		}
		day, _, json, err := cutPart(old)
		if err != nil {
			return nil, err
		}
		return appendPart(nil, day, s.today(), json), nil
	}
	return nil, fmt.Errorf("change %q: %w", op[0], errCorrupt)
}

// overlayParts puts few changes over the table as it is.
func (s *Store) overlayParts(tx *bolt.Tx, changes pairs, overlay int) error {
	t, _, err := currentParts(tx)
	if err != nil {
		return err
	}
	dirty := tx.Bucket(dirtyBucket)
	for k, op := range changes {
		old, err := t.get(k)
		if err != nil {
			return err
		}
		key := bytes.Clone(k)
		v, err := s.applyChange(old, op)
		if err != nil {
			return fmt.Errorf("%q: %w", k, err)
		}
		if v == nil {
			continue
		}
		id, _, _, err := splitPartKey(key)
		if err := errors.Join(err, t.put(key, v), dirty.Put([]byte(id), nil)); err != nil {
			return err
		}
	}
	return tx.Bucket(metaBucket).Put([]byte("overlay"), encodeCount(overlay))
}

// maxDirty is how many IDs are noted one by one in a fold; beyond it every ID
// is merged again.
const maxDirty = 50_000

// foldStep is how many bytes of blocks are written in one transaction.
const foldStep = 8 << 20

// fold writes table and changes as a new table of parts, in many transactions,
// and makes it the current one in a last one.
func (s *Store) fold(changes pairs, count int, final func(*bolt.Tx) error) error {
	next, stop := iter.Pull2(changes)
	defer stop()
	f := &folder{s: s, next: next, all: count > maxDirty}
	if err := s.db.Update(func(tx *bolt.Tx) error {
		_, name, err := currentParts(tx)
		if err != nil {
			return err
		}
		f.old, f.name = name, nextPartsTable(name)
		_, err = createTable(tx, f.name)
		return err
	}); err != nil {
		return err
	}
	f.w = blockWriter{enc: fastEncoder(), flush: func(first, block []byte) error {
		f.out = append(f.out, [2][]byte{bytes.Clone(first), bytes.Clone(block)})
		f.size += len(block)
		return nil
	}}
	f.pull()
	for done := false; !done; {
		var err error
		if done, err = f.step(); err != nil {
			return err
		}
		if err := s.db.Update(f.writeBlocks); err != nil {
			return err
		}
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		meta, dirty := tx.Bucket(metaBucket), tx.Bucket(dirtyBucket)
		for _, id := range f.dirty {
			if err := dirty.Put([]byte(id), nil); err != nil {
				return err
			}
		}
		if f.all {
			if err := dirty.Put([]byte(dirtyAll), nil); err != nil {
				return err
			}
		}
		return errors.Join(
			tx.DeleteBucket([]byte(f.old)),
			meta.Put([]byte("parts"), []byte(f.name)),
			meta.Put([]byte("entries"), encodeCount(f.entries)),
			meta.Put([]byte("overlay"), encodeCount(0)),
			final(tx),
		)
	})
}

// A folder merges the old table of parts with changes into blocks.
type folder struct {
	s         *Store
	old, name string
	next      func() (k, v []byte, ok bool)
	key, op   []byte // the change at hand, nil at the end
	after     []byte // the key behind which the old table goes on
	w         blockWriter
	out       [][2][]byte
	size      int
	entries   int
	dirty     []string
	all       bool
}

func (f *folder) pull() { f.key, f.op, _ = f.next() }

// step fills f.out with about foldStep bytes of blocks.
func (f *folder) step() (done bool, err error) {
	f.out, f.size = f.out[:0], 0
	err = f.s.db.View(func(tx *bolt.Tx) error {
		t, _ := openTable(tx, f.old)
		var terr error
		for k, v := range t.from(f.after, &terr) {
			if err := f.changesUpTo(k, v); err != nil {
				return err
			}
			if f.size >= foldStep && len(f.w.raw) == 0 {
				f.after = append(bytes.Clone(k), 0)
				return nil
			}
		}
		if terr != nil {
			return terr
		}
		f.after = []byte{0xff}
		for f.key != nil && f.size < foldStep {
			if err := f.change(nil); err != nil {
				return err
			}
		}
		if f.key != nil {
			return nil
		}
		done = true
		return f.w.end()
	})
	return done, err
}

// changesUpTo writes the changes before key, and then what key is now.
func (f *folder) changesUpTo(key, v []byte) error {
	for f.key != nil && bytes.Compare(f.key, key) < 0 {
		if err := f.change(nil); err != nil {
			return err
		}
	}
	if f.key != nil && bytes.Equal(f.key, key) {
		return f.change(v)
	}
	f.entries++
	return f.w.add(key, v)
}

// change writes the change at hand and pulls the next.
func (f *folder) change(old []byte) error {
	v, err := f.s.applyChange(old, f.op)
	if err != nil {
		return fmt.Errorf("%q: %w", f.key, err)
	}
	if v != nil {
		f.entries++
		if err := f.w.add(f.key, v); err != nil {
			return err
		}
		f.mark(f.key)
	}
	f.pull()
	return nil
}

// mark notes that the ID of a part key is dirty.
func (f *folder) mark(key []byte) {
	if f.all {
		return
	}
	id := key[:bytes.IndexByte(key, 0)]
	if n := len(f.dirty); n == 0 || f.dirty[n-1] != string(id) {
		f.dirty = append(f.dirty, string(id))
	}
}

func (f *folder) writeBlocks(tx *bolt.Tx) error {
	t, _ := openTable(tx, f.name)
	t.blocks.FillPercent = 1
	for _, b := range slices.All(f.out) {
		if err := t.blocks.Put(b[0], b[1]); err != nil {
			return err
		}
	}
	return nil
}
