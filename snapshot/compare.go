package snapshot

import (
	"bytes"
	"context"

	"github.com/advdb/advdb/store"
)

// CompareOptions are the options of [Compare] and [Releases.Compare]; the zero
// value works.
type CompareOptions struct {
	IDs    []string // compare these records only
	Tables bool     // compare enrichment tables, too
	Temp   string   // where segments of a remote repository are kept meanwhile; default: the system's
}

// sortedIDs are the IDs to compare, in order.
func (o *CompareOptions) sortedIDs() []string { return sorted(o.IDs) }

// Compare calls yield with what became otherwise from one state to another:
// records in the order of IDs, then rows, table by table. Records that are
// the same are not decoded, and where both states are replicas not even read.
func Compare(ctx context.Context, before, after *store.DB, opt CompareOptions, yield func(Change) error) error {
	c := &comparing{ctx: ctx, before: before, after: after, yield: yield}
	err := c.records(opt)
	if err == nil && opt.Tables {
		err = c.tables()
	}
	return err
}

// A comparing compares two databases.
type comparing struct {
	ctx           context.Context
	before, after *store.DB
	yield         func(Change) error
}

func (c *comparing) records(opt CompareOptions) error {
	if len(opt.IDs) > 0 {
		return c.lookup(opt.sortedIDs())
	}
	if !hasLeaves(c.before) || !hasLeaves(c.after) {
		return c.plain()
	}
	var ids []string
	err := pair(canceled(c.ctx, leafItems(c.before)), leafItems(c.after), func(old, now item) error {
		if bytes.Equal(old.data, now.data) {
			return nil
		}
		if ids = append(ids, keyOf(old, now)); len(ids) < lookupBatch {
			return nil
		}
		err := c.lookup(ids)
		ids = ids[:0]
		return err
	})
	if err != nil {
		return err
	}
	return c.lookup(ids)
}

// plain compares the records themselves.
func (c *comparing) plain() error {
	return pair(canceled(c.ctx, plainRecords(c.before)), plainRecords(c.after), func(old, now item) error {
		return yieldRecord(old, now, c.yield)
	})
}

// lookupBatch is how many records are looked up at a time.
const lookupBatch = 256

// lookup compares records by their IDs, which are sorted.
func (c *comparing) lookup(ids []string) error {
	old, now := map[string][]byte{}, map[string][]byte{}
	for db, into := range map[*store.DB]map[string][]byte{c.before: old, c.after: now} {
		if err := db.Lookup(ids, func(id string, data []byte) error {
			into[id] = bytes.Clone(data)
			return nil
		}); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := yieldRecord(item{key: id, data: old[id]}, item{key: id, data: now[id]}, c.yield); err != nil {
			return err
		}
	}
	return c.ctx.Err()
}

func (c *comparing) tables() error {
	names, err := tableCollections(c.before)
	if err != nil {
		return err
	}
	more, err := tableCollections(c.after)
	if err != nil {
		return err
	}
	for _, name := range sorted(append(names, more...)) {
		if err := pair(canceled(c.ctx, tableRows(c.before, name)), tableRows(c.after, name), func(old, now item) error {
			return yieldRow(name, old, now, c.yield)
		}); err != nil {
			return err
		}
	}
	return nil
}

// hasLeaves reports whether a state comes from a snapshot.
func hasLeaves(db *store.DB) bool {
	err := db.Leaves(func(string, []byte) error { return errStop })
	return err == nil || err == errStop
}

// leafItems are the leaves of a replica's records, as data.
func leafItems(db *store.DB) items { return walkItems(db.Leaves) }

// plainRecords are the records of a state; of which collection each is
// remains open.
func plainRecords(db *store.DB) items {
	return walkItems(func(yield func(string, []byte) error) error { return db.Records("", yield) })
}

func walkItems(walk func(func(string, []byte) error) error) items {
	return func(yield func(item, error) bool) {
		err := walk(func(id string, data []byte) error {
			if !yield(item{key: id, data: data}, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(item{}, err)
		}
	}
}

func keyOf(old, now item) string {
	if old.data == nil {
		return now.key
	}
	return old.key
}

// yieldRecord compares what two states have of a record.
func yieldRecord(old, now item, yield func(Change) error) error {
	if bytes.Equal(old.data, now.data) {
		return nil
	}
	c, err := newChange(keyOf(old, now), old.data, now.data)
	if err != nil {
		return err
	}
	return yield(c)
}

// yieldRow compares what two states have of a row of a table.
func yieldRow(collection string, old, now item, yield func(Change) error) error {
	if bytes.Equal(old.data, now.data) {
		return nil
	}
	return yield(newRowChange(collection[len(enrichPrefix):], keyOf(old, now), old.data, now.data))
}
