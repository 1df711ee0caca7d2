package snapshot

import (
	"bytes"
	"container/heap"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// A group is all that some segments say of one key.
type group struct {
	key     []byte
	cursors []*rankedCursor // by segment, deletions first
}

// A rankedCursor is a cursor over the part of a segment of the given rank.
type rankedCursor struct {
	*segmentCursor
	rank int
}

// groups yields what the segments say, key by key, of the collections that
// wants chooses. What it yields is good until the next step. Keys are those
// of records or those of one table: collections that share keys in another
// sense must not be walked together.
func groups(segs []*segmentReader, wants func(collection string) bool) iter.Seq2[*group, error] {
	return func(yield func(*group, error) bool) {
		var h cursorHeap
		for i, s := range segs {
			for j := range s.parts {
				if !wants(s.parts[j].name) {
					continue
				}
				c := &rankedCursor{s.cursor(&s.parts[j]), i}
				if ok, err := c.next(); err != nil {
					yield(nil, err)
					return
				} else if ok {
					h = append(h, c)
				}
			}
		}
		heap.Init(&h)
		g := &group{}
		for len(h) > 0 {
			g.key, g.cursors = append(g.key[:0], h[0].e.key...), g.cursors[:0]
			for len(h) > 0 && bytes.Equal(h[0].e.key, g.key) {
				g.cursors = append(g.cursors, heap.Pop(&h).(*rankedCursor))
			}
			if !yield(g, nil) {
				return
			}
			for _, c := range g.cursors {
				if ok, err := c.next(); err != nil {
					yield(nil, err)
					return
				} else if ok {
					heap.Push(&h, c)
				}
			}
		}
	}
}

// A cursorHeap orders cursors by key, segment, and deletions first.
type cursorHeap []*rankedCursor

func (h cursorHeap) Len() int      { return len(h) }
func (h cursorHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h cursorHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if c := bytes.Compare(a.e.key, b.e.key); c != 0 {
		return c < 0
	}
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.e.op == opDelete && b.e.op != opDelete
}
func (h *cursorHeap) Push(x any) { *h = append(*h, x.(*rankedCursor)) }
func (h *cursorHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// An item is a key of a state with its value.
type item struct {
	collection string
	key        string
	data       []byte // nil: there is none
}

// fold returns what becomes of a record by what the segments say of it; it is
// the record as of release head.
func (g *group) fold(it item, head uint64) (item, error) {
	for i, c := range g.cursors {
		if c.e.release <= head {
			continue
		}
		switch {
		case c.e.op == opDelete:
			if it.collection == c.t.name {
				it.data = nil
			}
			continue
		case i > 0 && g.cursors[i-1].rank == c.rank && g.cursors[i-1].e.op != opDelete && g.cursors[i-1].e.release > head:
			return it, fmt.Errorf("%w: %q is in two collections", ErrSegment, g.key)
		case c.e.op == opPut:
			it.collection, it.data = c.t.name, c.e.value
		case it.data == nil || it.collection != c.t.name:
			return it, fmt.Errorf("%w: %q is touched and not there", ErrSegment, g.key)
		default:
			data, err := touch(it.data, string(c.e.value))
			if err != nil {
				return it, fmt.Errorf("%q: %w", g.key, err)
			}
			it.data = data
		}
	}
	return it, nil
}

// isRecord reports whether a collection holds records.
func isRecord(collection string) bool { return strings.HasPrefix(collection, recordPrefix) }

// tableNames returns the enrichment collections that segments speak of.
func tableNames(segs []*segmentReader) []string {
	names := map[string]bool{}
	for _, s := range segs {
		for _, t := range s.parts {
			if strings.HasPrefix(t.name, enrichPrefix) {
				names[t.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// items is a state, or a part of it, in the order of keys; data is good until
// the next step.
type items = iter.Seq2[item, error]

// merged walks a state and what segments say side by side, in the order of
// keys. fold makes of an item (without data where the state lacks the key) and
// of a group (nil where the segments do not speak of it) what becomes of it.
func merged(state items, said iter.Seq2[*group, error], fold func(item, *group) (item, error)) items {
	return func(yield func(item, error) bool) {
		next, stop := iter.Pull2(state)
		defer stop()
		old, err, ok := next()
		put := func(it item, g *group) bool {
			it, ferr := fold(it, g)
			if ferr != nil {
				yield(item{}, ferr)
				return false
			}
			return it.data == nil || yield(it, nil)
		}
		for g, gerr := range said {
			if gerr != nil {
				yield(item{}, gerr)
				return
			}
			for ; ok && err == nil && old.key < string(g.key); old, err, ok = next() {
				if !put(old, nil) {
					return
				}
			}
			if err != nil {
				break
			}
			if !ok || old.key != string(g.key) {
				if !put(item{key: string(g.key)}, g) {
					return
				}
				continue
			}
			if !put(old, g) {
				return
			}
			old, err, ok = next()
		}
		for ; ok && err == nil; old, err, ok = next() {
			if !put(old, nil) {
				return
			}
		}
		if err != nil {
			yield(item{}, err)
		}
	}
}

// mergeRecords yields the records of a state as of release head, changed by
// segments. Records that the segments do not speak of come as they are.
func mergeRecords(state items, head uint64, segs []*segmentReader, sel selection) items {
	said := groups(segs, func(c string) bool { return isRecord(c) && sel.wants(c) })
	return merged(state, said, func(it item, g *group) (item, error) {
		if g == nil {
			return it, nil
		}
		return g.fold(it, head)
	})
}

// noItems is the state of nothing.
func noItems(func(item, error) bool) {}

// mergeTable yields the rows of one enrichment table as of release head,
// changed by segments.
func mergeTable(name string, state items, head uint64, segs []*segmentReader) items {
	return func(yield func(item, error) bool) {
		m := &tableMerge{head: head, name: name, at: make([]*segmentTable, len(segs)), ends: make([]uint64, len(segs))}
		for i, s := range segs {
			m.at[i], m.ends[i] = s.table(name), s.info.To
		}
		said := groups(segs, func(c string) bool { return c == name })
		merged(state, said, func(it item, g *group) (item, error) {
			it.collection = name
			return m.fold(it, g)
		})(yield)
	}
}

// A tableMerge applies the entries and transforms of segments to rows.
type tableMerge struct {
	name string
	head uint64
	at   []*segmentTable // by rank, nil where a segment does not speak of the table
	ends []uint64        // by rank
	row  flatRow
}

// fold returns what becomes of a row; g is what segments say of it, or nil.
func (m *tableMerge) fold(it item, g *group) (item, error) {
	head, asOf, at := m.head, m.head, 0
	for rank, t := range m.at {
		for g != nil && at < len(g.cursors) && g.cursors[at].rank == rank {
			if e := &g.cursors[at].e; e.release > head {
				it.data, asOf = nil, e.release
				if e.op == opPut {
					it.data = e.value
				}
			}
			at++
		}
		if t != nil && it.data != nil {
			data, err := applyTransforms(t.transforms, asOf, it.data, &m.row)
			if err != nil {
				return it, fmt.Errorf("%w: %s: %q: %w", ErrSegment, m.name, it.key, err)
			}
			it.data = data
		}
		head = m.ends[rank]
		asOf = head
	}
	return it, nil
}

// mergeSegments writes the union of what consecutive segments say: of each
// key what the last of them says, whatever it was before.
func mergeSegments(segs []*segmentReader, out *segmentWriter) error {
	names := map[string]bool{}
	for _, s := range segs {
		for _, t := range s.parts {
			names[t.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var transforms []transform
		for _, s := range segs {
			if t := s.table(name); t != nil {
				transforms = append(transforms, t.transforms...)
			}
		}
		out.setTransforms(name, transforms)
		for g, err := range groups(segs, func(c string) bool { return c == name }) {
			if err != nil {
				return err
			}
			e, err := g.last()
			if err != nil {
				return err
			}
			if err := out.add(name, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// last returns the one entry that says what all of a group's say, of one
// collection.
func (g *group) last() (entry, error) {
	e := g.cursors[0].e
	for _, c := range g.cursors[1:] {
		if c.e.op != opTouch || e.op == opTouch {
			e = c.e
			continue
		}
		if e.op == opDelete {
			return e, fmt.Errorf("%w: %q is touched and not there", ErrSegment, g.key)
		}
		data, err := touch(e.value, string(c.e.value))
		if err != nil {
			return e, fmt.Errorf("%q: %w", g.key, err)
		}
		e = entry{opPut, c.e.release, c.e.key, data}
	}
	return e, nil
}
