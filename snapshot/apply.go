package snapshot

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// An applying makes the state of a release out of the one that is held and
// segments, or out of segments alone.
type applying struct {
	ctx  context.Context
	m    *Manifest
	sel  selection
	segs []*segmentReader
	info store.StateInfo

	db   *store.DB // nil: from nothing
	head uint64    // the release that db stands for
	held *Held

	bare bool // the manifest is gone: m has the state root alone

	state *forest
}

// changeLimit is how many changed records, beside a fifth of all, a state
// takes before it is better written anew.
const changeLimit = 2000

func (a *applying) run(rep *store.Replica) error {
	a.state = newForest()
	if a.db == nil {
		return rep.Build(a.ctx, a.build)
	}
	meta := a.db.Meta()
	if n := uint64(meta.Overlay) + a.changes(); n > changeLimit+uint64(meta.Entries)/5 {
		return rep.Build(a.ctx, a.build)
	}
	return rep.Change(a.ctx, a.change)
}

// changes is the number of records that the segments speak of, at most.
func (a *applying) changes() (n uint64) {
	for _, s := range a.segs {
		for _, t := range s.parts {
			if isRecord(t.name) && a.sel.wants(t.name) {
				n += t.entries
			}
		}
	}
	return n
}

// build writes the whole state.
func (a *applying) build(b *store.Builder) (store.StateInfo, error) {
	old, tables := items(noItems), []string(nil)
	if a.db != nil {
		old = replicaRecords(a.db)
		var err error
		if tables, err = tableCollections(a.db); err != nil {
			return a.info, err
		}
	}
	var leaf []byte
	for it, err := range mergeRecords(old, a.head, a.segs, a.sel) {
		if err != nil {
			return a.info, err
		}
		r, err := a.record(it)
		if err != nil {
			return a.info, err
		}
		h := valueHash(it.data)
		a.state.add(it.collection, it.key, h)
		leaf = appendReplicaLeaf(leaf[:0], it.collection, h)
		if err := b.Record(r, it.data, leaf); err != nil {
			return a.info, err
		}
	}
	tables = append(tables, tableNames(a.segs)...)
	slices.Sort(tables)
	for _, name := range slices.Compact(tables) {
		rows := items(noItems)
		if a.db != nil {
			rows = tableRows(a.db, name)
		}
		for it, err := range mergeTable(name, rows, a.head, a.segs) {
			if err != nil {
				return a.info, err
			}
			a.state.add(name, it.key, valueHash(it.data))
			if err := b.Row(strings.TrimPrefix(name, enrichPrefix), []byte(it.key), it.data); err != nil {
				return a.info, err
			}
		}
	}
	return a.info, a.compare(a.state.collections())
}

// record decodes a record, which must be what its key and its collection say,
// and canonical.
func (a *applying) record(it item) (*normalize.Record, error) {
	r, err := normalize.Decode(it.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", it.key, ErrState, err)
	}
	again, err := normalize.AppendEncode(nil, r)
	if err != nil || !bytes.Equal(again, it.data) || r.ID != it.key || collectionOf(r) != it.collection {
		return nil, fmt.Errorf("%s: %w: not canonical, or another record", it.key, ErrState)
	}
	return r, nil
}

// change changes what the segments speak of.
func (a *applying) change(c *store.Changer) (store.StateInfo, error) {
	for g, err := range groups(a.segs, func(n string) bool { return isRecord(n) && a.sel.wants(n) }) {
		if err != nil {
			return a.info, err
		}
		if err := a.changeRecord(c, g); err != nil {
			return a.info, err
		}
	}
	changed := tableNames(a.segs)
	for _, name := range changed {
		if err := c.Table(strings.TrimPrefix(name, enrichPrefix), func(yield func(k, v []byte) error) error {
			for it, err := range mergeTable(name, tableRows(a.db, name), a.head, a.segs) {
				if err != nil {
					return err
				}
				a.state.add(name, it.key, valueHash(it.data))
				if err := yield([]byte(it.key), it.data); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return a.info, err
		}
	}
	if err := c.Leaves(func(id string, leaf []byte) error {
		collection, h, err := splitLeaf(leaf)
		a.state.add(collection, id, h)
		return err
	}); err != nil {
		return a.info, err
	}
	list := a.state.collections()
	for _, old := range a.held.m.Collections {
		if isTable(old.Name) && !slices.Contains(changed, old.Name) {
			list = append(list, old)
		}
	}
	return a.info, a.compare(list)
}

func (a *applying) changeRecord(c *store.Changer, g *group) error {
	id := string(g.key)
	data, leaf, err := c.Record(id)
	if err != nil {
		return err
	}
	old := item{key: id, data: data}
	if data != nil {
		if old.collection, _, err = splitLeaf(leaf); err != nil {
			return err
		}
	}
	it, err := g.fold(old, a.head)
	switch {
	case err != nil:
		return err
	case it.data == nil:
		return c.Delete(id)
	case bytes.Equal(it.data, data) && it.collection == old.collection:
		return nil
	}
	r, err := a.record(it)
	if err != nil {
		return err
	}
	return c.Put(r, it.data, appendReplicaLeaf(nil, it.collection, valueHash(it.data)))
}

// compare compares the collections that came out with those that are signed.
func (a *applying) compare(got []Collection) error {
	slices.SortFunc(got, func(x, y Collection) int { return strings.Compare(x.Name, y.Name) })
	if root := topRoot(got); a.bare && root != a.m.StateRoot {
		return fmt.Errorf("state root %s, signed is %s: %w", root, a.m.StateRoot, ErrState)
	} else if a.bare {
		return nil
	}
	want := a.sel.pick(a.m.Collections)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("collection %q is missing: %w", want[i].Name, ErrState)
		case i >= len(want):
			return fmt.Errorf("collection %q is not of the release: %w", got[i].Name, ErrState)
		case got[i] != want[i]:
			return fmt.Errorf("collection %q has %d entries with root %s, signed are %q, %d, %s: %w",
				got[i].Name, got[i].Entries, got[i].Root, want[i].Name, want[i].Entries, want[i].Root, ErrState)
		}
	}
	return nil
}

// isTable reports whether a collection is an enrichment table.
func isTable(collection string) bool { return strings.HasPrefix(collection, enrichPrefix) }
