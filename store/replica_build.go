package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// Build makes a whole new state of what fill adds and swaps it in, in one
// rename. Where fill returns an error nothing changes.
func (r *Replica) Build(ctx context.Context, fill func(*Builder) (StateInfo, error)) error {
	path, err := r.newPath()
	if err != nil {
		return err
	}
	defer os.Remove(path)
	w := r.newWriter(ctx)
	if err := w.open(path); err != nil {
		return err
	}
	return w.finish(path, w.build(r, fill))
}

func (w *replicaWriter) build(r *Replica, fill func(*Builder) (StateInfo, error)) error {
	b := &Builder{w: w, index: newSorter(r.s.dir, indexLimit)}
	defer b.index.close()
	if err := w.w.db.Update(createBuckets); err != nil {
		return err
	}
	b.records, b.leaves = newTableLoader(w.w.db, recordTable), newTableLoader(w.w.db, leafTable)
	info, err := fill(b)
	if err != nil {
		return err
	}
	if err := errors.Join(b.records.end(), b.leaves.end(), b.endTable()); err != nil {
		return err
	}
	w.w.meta.Records, w.w.meta.Entries, w.w.meta.Index = b.records.count, b.records.count, indexVersion
	if err := w.w.loadIndex(b.index); err != nil {
		return err
	}
	return w.w.db.Update(func(tx *bolt.Tx) error { return w.info(tx, info) })
}

// A Builder takes all records, and then all rows, of a new state.
type Builder struct {
	w       *replicaWriter
	records *tableLoader
	leaves  *tableLoader
	index   *sorter

	table  *tableLoader // of the enrichment source being written
	source string
}

// Record adds a record; IDs must ascend. data must be r's canonical JSON, and
// leaf is whatever [DB.Leaves] is to yield for it (not empty).
func (b *Builder) Record(r *normalize.Record, data, leaf []byte) error {
	if err := b.w.w.ctx.Err(); err != nil {
		return err
	}
	if err := b.w.countOrigin(r, 1); err != nil {
		return err
	}
	if err := addEntries(b.index, r); err != nil {
		return err
	}
	return errors.Join(b.records.add([]byte(r.ID), data), b.leaves.add([]byte(r.ID), leaf))
}

// countOrigin adds n to the records of each source that r names.
func (w *replicaWriter) countOrigin(r *normalize.Record, n int) error {
	var o normalize.Origin
	if _, err := r.Specific("advdb", &o); err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	for _, src := range o.Sources {
		w.records[src] += n
	}
	return nil
}

// Row adds a row of an enrichment table; rows of one source must follow one
// another, with ascending keys. value must not be empty.
func (b *Builder) Row(source string, key, value []byte) error {
	if b.table == nil || source != b.source {
		if err := b.endTable(); err != nil {
			return err
		}
		b.table, b.source = newTableLoader(b.w.w.db, enrichPrefix+source), source
	}
	b.w.rows[source]++
	return b.table.add(key, value)
}

func (b *Builder) endTable() error {
	if b.table == nil {
		return nil
	}
	t := b.table
	b.table = nil
	return t.end()
}
