package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// Change makes a new state out of a copy of the current one and swaps it in,
// in one rename. Where change returns an error nothing changes. It suits few
// changes: see [Meta].Overlay.
func (r *Replica) Change(ctx context.Context, change func(*Changer) (StateInfo, error)) error {
	path, err := r.newPath()
	if err != nil {
		return err
	}
	defer os.Remove(path)
	old, err := r.Open()
	if err != nil {
		return err
	}
	defer old.Close()
	if err := copyFile(filepath.Join(r.s.dir, stateName), path); err != nil {
		return err
	}
	w := r.newWriter(ctx)
	if err := w.open(path); err != nil {
		return err
	}
	return w.finish(path, w.change(old, change))
}

func (w *replicaWriter) change(old *DB, change func(*Changer) (StateInfo, error)) error {
	w.w.meta = old.meta
	list, err := old.Sources()
	if err != nil {
		return err
	}
	for _, st := range list {
		if st.Enrich {
			w.rows[st.Name] = st.Records
		} else {
			w.records[st.Name] = st.Records
		}
	}
	c := &Changer{w: w}
	defer c.rollback()
	info, err := change(c)
	if err != nil {
		return err
	}
	if err := c.commit(); err != nil {
		return err
	}
	return w.w.db.Update(func(tx *bolt.Tx) error { return w.info(tx, info) })
}

// A Changer changes a copy of the current state.
type Changer struct {
	w     *replicaWriter
	tx    *bolt.Tx
	steps int
}

// step returns a transaction; after some changes a new one.
func (c *Changer) step() (*bolt.Tx, error) {
	if err := c.w.w.ctx.Err(); err != nil {
		return nil, err
	}
	if c.steps++; c.steps > partialStep {
		if err := c.commit(); err != nil {
			return nil, err
		}
	}
	if c.tx == nil {
		tx, err := c.w.w.db.Begin(true)
		if err != nil {
			return nil, err
		}
		c.tx, c.steps = tx, 1
	}
	return c.tx, nil
}

func (c *Changer) commit() error {
	if c.tx == nil {
		return nil
	}
	tx := c.tx
	c.tx = nil
	return tx.Commit()
}

func (c *Changer) rollback() {
	if c.tx != nil {
		c.tx.Rollback()
		c.tx = nil
	}
}

// Record returns the canonical JSON of a record as changed so far, nil where
// there is none, and its leaf.
func (c *Changer) Record(id string) (data, leaf []byte, err error) {
	tx, err := c.step()
	if err != nil {
		return nil, nil, err
	}
	t, _ := openTable(tx, recordTable)
	l, _ := openTable(tx, leafTable)
	if data, err = t.get([]byte(id)); err != nil || data == nil {
		return nil, nil, err
	}
	leaf, err = l.get([]byte(id))
	return data, leaf, err
}

// Put makes r the record of its ID. data is its canonical JSON, leaf what
// [DB.Leaves] is to yield for it.
func (c *Changer) Put(r *normalize.Record, data, leaf []byte) error {
	return c.replace(r.ID, r, data, leaf)
}

// Delete takes a record away; one that is not there is no error.
func (c *Changer) Delete(id string) error { return c.replace(id, nil, nil, nil) }

func (c *Changer) replace(id string, r *normalize.Record, data, leaf []byte) error {
	tx, err := c.step()
	if err != nil {
		return err
	}
	records, _ := openTable(tx, recordTable)
	leaves, _ := openTable(tx, leafTable)
	old, err := records.get([]byte(id))
	if err != nil || bytes.Equal(old, data) && old == nil {
		return err
	}
	before := &normalize.Record{ID: id, Withdrawn: "-"}
	meta := &c.w.w.meta
	meta.Overlay++
	if old == nil {
		meta.Records++
	} else if before, err = normalize.Decode(old); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if err := c.w.countOrigin(before, -1); err != nil {
		return err
	}
	if r == nil {
		meta.Records--
		gone := &normalize.Record{ID: id, Withdrawn: "-"}
		return errors.Join(records.delete([]byte(id)), leaves.delete([]byte(id)), changeIndex(tx, before, gone))
	}
	if err := c.w.countOrigin(r, 1); err != nil {
		return err
	}
	return errors.Join(records.put([]byte(id), data), leaves.put([]byte(id), leaf), changeIndex(tx, before, r))
}

// Table makes rows the enrichment table of source, ascending by key. No row
// leaves no table.
func (c *Changer) Table(source string, rows func(yield func(key, value []byte) error) error) error {
	if err := c.commit(); err != nil {
		return err
	}
	name := enrichPrefix + source
	err := c.w.w.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket([]byte(name)) == nil {
			return nil
		}
		return tx.DeleteBucket([]byte(name))
	})
	if err != nil {
		return err
	}
	l := newTableLoader(c.w.w.db, name)
	if err := rows(l.add); err != nil {
		return err
	}
	if c.w.rows[source] = l.count; l.count == 0 {
		return nil
	}
	return l.end()
}

// Leaves calls yield with the leaf of each record as changed so far, in the
// order of IDs.
func (c *Changer) Leaves(yield func(id string, leaf []byte) error) error {
	if err := c.commit(); err != nil {
		return err
	}
	return c.w.w.db.View(func(tx *bolt.Tx) error { return eachLeaf(tx, yield) })
}
