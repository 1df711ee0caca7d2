package snapshot

import (
	"bytes"
	"container/heap"
	"fmt"
	"sort"
)

// seek moves to the first entry at or behind key, which must be behind the
// one at hand, and reports whether there is one. Blocks that cannot hold the
// key are passed over unread.
func (c *segmentCursor) seek(key []byte) (bool, error) {
	blocks := c.t.blocks
	i := sort.Search(len(blocks), func(i int) bool { return bytes.Compare(blocks[i].first, key) > 0 }) - 1
	if i >= c.at {
		c.at, c.left, c.rest, c.last = i, 0, byteReader{}, nil
	}
	for {
		ok, err := c.next()
		if !ok || err != nil || bytes.Compare(c.e.key, key) >= 0 {
			return ok, err
		}
	}
}

// A seeker looks records up in what segments lead to from nothing, in the
// order of keys.
type seeker struct {
	heap cursorHeap
	g    group
}

// newSeeker looks in the collections that wants chooses: those of records, or
// one table.
func newSeeker(segs []*segmentReader, wants func(collection string) bool) *seeker {
	s := &seeker{}
	for i, seg := range segs {
		for j := range seg.parts {
			if wants(seg.parts[j].name) {
				s.heap = append(s.heap, &rankedCursor{seg.cursor(&seg.parts[j]), i})
			}
		}
	}
	return s
}

// at returns all that the segments say of a key, which must be behind the
// last one; it is good until the next call.
func (s *seeker) at(key []byte) (*group, error) {
	for _, c := range s.g.cursors {
		heap.Push(&s.heap, c)
	}
	s.g.key, s.g.cursors = append(s.g.key[:0], key...), s.g.cursors[:0]
	for len(s.heap) > 0 && bytes.Compare(s.heap[0].e.key, key) < 0 {
		ok, err := s.heap[0].seek(key)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
		if ok {
			heap.Fix(&s.heap, 0)
		} else {
			heap.Pop(&s.heap)
		}
	}
	for len(s.heap) > 0 && bytes.Equal(s.heap[0].e.key, key) {
		s.g.cursors = append(s.g.cursors, heap.Pop(&s.heap).(*rankedCursor))
	}
	return &s.g, nil
}

// find returns a cursor at the entry of key in a collection, nil for none.
func (s *segmentReader) find(t *segmentTable, key []byte) (*segmentCursor, error) {
	if len(t.blocks) == 0 || bytes.Compare(t.blocks[0].first, key) > 0 {
		return nil, nil
	}
	c := s.cursor(t)
	ok, err := c.seek(key)
	if !ok || err != nil || !bytes.Equal(c.e.key, key) {
		return nil, err
	}
	return c, nil
}
