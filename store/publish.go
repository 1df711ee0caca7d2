package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
)

// dirty is what must be merged again.
type dirty struct {
	all    bool
	ids    []string
	tables map[string]bool
}

func (d dirty) empty() bool { return !d.all && len(d.ids)+len(d.tables) == 0 }

func (s *Store) readDirty() (d dirty, err error) {
	d.tables = map[string]bool{}
	err = s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(dirtyBucket).ForEach(func(k, _ []byte) error {
			switch table, ok := bytes.CutPrefix(k, []byte(dirtyPrefix)); {
			case ok:
				d.tables[string(table)] = true
			case string(k) == dirtyAll:
				d.all = true
			default:
				d.ids = append(d.ids, string(k))
			}
			return nil
		})
	})
	return d, err
}

func (s *Store) clearDirty() error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket(dirtyBucket); err != nil {
			return err
		}
		_, err := tx.CreateBucket(dirtyBucket)
		return err
	})
}

// publish makes the new state, if anything changed, and swaps it in.
func (s *Store) publish(ctx context.Context, batches []*batch, opt *UpdateOptions) ([]Outcome, error) {
	d, err := s.readDirty()
	if err != nil {
		return nil, err
	}
	old, err := OpenDB(s.dir)
	if err != nil && !errors.Is(err, ErrNoData) {
		s.opt.Log.Warn("the state is written anew", "error", err)
	}
	w := &stateWriter{s: s, ctx: ctx, old: old, opt: opt, batches: batches}
	if old != nil {
		defer old.Close()
		w.meta = old.meta
		d.all = d.all || old.meta.Index != indexVersion
	} else {
		d.all = true
	}
	if opt.Force {
		d.all = true
	}
	if !d.empty() {
		if err := w.run(d); err != nil {
			return nil, err
		}
		if err := s.clearDirty(); err != nil {
			return nil, err
		}
	}
	outs := make([]Outcome, len(batches))
	for i, b := range batches {
		outs[i] = b.out
		outs[i].Records = w.changed[b.feed.Name]
	}
	return outs, nil
}

// A stateWriter makes a new state.
type stateWriter struct {
	s       *Store
	ctx     context.Context
	old     *DB // nil if there is none
	opt     *UpdateOptions
	batches []*batch
	db      *bolt.DB
	meta    Meta

	changed map[string]int // source → records that became otherwise
	records map[string]int // source → records it speaks of
	newest  map[string]string
	touched bool // something differs from the old state
}

// fullFrom is the number of dirty IDs from which, beyond a fifth of the
// records, everything is written anew.
const fullFrom = 2000

func (w *stateWriter) run(d dirty) error {
	w.changed, w.records, w.newest = map[string]int{}, map[string]int{}, map[string]string{}
	path := filepath.Join(w.s.dir, stateName+".new")
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.Remove(path)
	full := d.all || len(d.ids)+w.meta.Overlay > fullFrom+w.meta.Entries/5
	if full {
		w.touched = w.old == nil || w.opt.Force
	} else if err := copyFile(filepath.Join(w.s.dir, stateName), path); err != nil {
		return err
	}
	var err error
	w.db, err = bolt.Open(path, 0o644, &bolt.Options{
		NoSync: true, NoFreelistSync: !full, FreelistType: bolt.FreelistMapType, PageSize: pageSize, NoGrowSync: true,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if full {
		err = w.full(d)
	} else {
		err = w.partial(d)
	}
	if err == nil && w.touched {
		err = w.db.Sync()
	}
	if err := errors.Join(err, w.db.Close()); err != nil || !w.touched {
		return err
	}
	return w.s.swap(path)
}

// swap makes the file at path the current state and keeps the one before.
func (s *Store) swap(path string) error {
	current, prev := filepath.Join(s.dir, stateName), filepath.Join(s.dir, stateName+".prev")
	if _, err := os.Stat(current); err == nil {
		tmp := prev + ".new"
		os.Remove(tmp)
		if err := errors.Join(os.Link(current, tmp), os.Rename(tmp, prev)); err != nil {
			return err
		}
	}
	if err := os.Rename(path, current); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// finish writes what a state says of itself and its sources.
func (w *stateWriter) finish(tx *bolt.Tx) error {
	w.meta.Format, w.meta.KeyVersion = stateFormat, versioncmp.KeyVersion
	w.meta.Number++
	w.meta.Created = w.s.opt.Now().UTC().Format(time.RFC3339)
	v, err := json.Marshal(w.meta)
	if err != nil {
		return err
	}
	if err := tx.Bucket(stateMeta).Put([]byte("state"), v); err != nil {
		return err
	}
	for _, b := range w.batches {
		st, err := w.source(b)
		if err != nil {
			return err
		}
		v, err := json.Marshal(st)
		if err != nil {
			return err
		}
		if err := tx.Bucket(sourceBucket).Put([]byte(st.Name), v); err != nil {
			return err
		}
	}
	return nil
}

// source says how the source of a batch stands.
func (w *stateWriter) source(b *batch) (SourceState, error) {
	st := SourceState{Name: b.feed.Name}
	for _, x := range w.opt.Sources {
		if x.Name == b.feed.Name {
			st = x
		}
	}
	st.Documents, st.Findings = b.out.Documents, b.out.Findings
	st.Records, st.Newest = w.records[st.Name], w.newest[st.Name]
	if b.feed.Enrich {
		st.Records = b.out.Parts
	}
	if err := b.out.Err; err != nil {
		st.Status, st.Error = "error", err.Error()
	}
	in, err := w.s.inputs(st.Name)
	st.Inputs.DirHash, st.Inputs.SHA256 = in.DirHash, in.SHA256
	return st, err
}

// createBuckets makes the buckets of a new state.
func createBuckets(tx *bolt.Tx) error {
	for _, n := range [][]byte{stateMeta, sourceBucket, ecosystemBucket, packageBucket, aliasBucket, cpeBucket, gitBucket, binaryBucket} {
		if _, err := tx.CreateBucketIfNotExists(n); err != nil {
			return err
		}
	}
	_, err := createTable(tx, recordTable)
	return err
}

// writeTables writes the enrichment tables that batches hold.
func (w *stateWriter) writeTables(tx *bolt.Tx) error {
	for _, b := range w.batches {
		if b.table == nil {
			continue
		}
		w.touched = true
		name := enrichPrefix + b.feed.Name
		if tx.Bucket([]byte(name)) != nil {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		t, err := createTable(tx, name)
		if err != nil {
			return err
		}
		t.blocks.FillPercent = 1
		var serr error
		if err := fillTable(t, b.table.sorted(&serr)); err != nil || serr != nil {
			return errors.Join(err, serr)
		}
	}
	return nil
}

// fillTable writes sorted rows into an empty table; of rows of one key the
// last one stays.
func fillTable(t table, rows pairs) error {
	w := blockWriter{enc: denseEncoder(), flush: func(first, block []byte) error {
		return t.blocks.Put(bytes.Clone(first), bytes.Clone(block))
	}}
	var key, value []byte
	for k, v := range rows {
		if key != nil && !bytes.Equal(k, key) {
			if err := w.add(key, value); err != nil {
				return err
			}
		}
		key, value = append(key[:0], k...), append(value[:0], v...)
	}
	if key != nil {
		if err := w.add(key, value); err != nil {
			return err
		}
	}
	return w.end()
}
