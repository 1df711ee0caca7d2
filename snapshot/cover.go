package snapshot

import (
	"cmp"
	"fmt"
	"slices"
)

// fileCost is what a request costs, in bytes, when segments are chosen.
const fileCost = 20 << 10

// A cover is the segments that lead from one release to another, in order.
type cover struct {
	segments []Segment
	base     bool // the first is the base: what is held is not needed
}

// bytes is how much is to be fetched.
func (c cover) bytes() (n int64) {
	for _, s := range c.segments {
		n += s.Size
	}
	return n
}

// plan returns the cheapest way from release from (0: from nothing) to the
// manifest's. A segment (a,b] may be used from any release in [a,b).
func (m *Manifest) plan(from uint64) (cover, error) {
	if from == m.Version {
		return cover{}, nil
	}
	if from > m.Version {
		return cover{}, fmt.Errorf("release %d is offered, %d is held: %w", m.Version, from, ErrRollback)
	}
	list := sortedSegments(m.Segments)
	best := cover{base: true}
	cost := int64(-1)
	if segs, c := cheapest(list, m.Base.To, m.Version); c >= 0 {
		best.segments = append([]Segment{m.Base}, segs...)
		cost = c + m.Base.Size + fileCost
	}
	if from > 0 {
		if segs, c := cheapest(list, from, m.Version); c >= 0 && (cost < 0 || c < cost) {
			return cover{segments: segs}, nil
		}
	}
	if cost < 0 {
		return best, fmt.Errorf("%w: no way from %d to %d", ErrManifest, from, m.Version)
	}
	return best, nil
}

func sortedSegments(list []Segment) []Segment {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Segment) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From)) })
	return list
}

// cheapest finds the cheapest path over segments sorted by To; the cost is
// negative where there is none.
func cheapest(list []Segment, from, to uint64) ([]Segment, int64) {
	type node struct {
		release uint64
		cost    int64
		by, via int // segment, and the node before it
	}
	nodes := []node{{release: from, by: -1}}
	for i, s := range list {
		if s.To <= from || s.To > to {
			continue
		}
		bestVia, bestCost := -1, int64(0)
		for k, n := range nodes {
			if c := n.cost + s.Size + fileCost; n.release >= s.From && n.release < s.To && (bestVia < 0 || c < bestCost) {
				bestVia, bestCost = k, c
			}
		}
		if bestVia < 0 {
			continue
		}
		last := &nodes[len(nodes)-1]
		switch {
		case last.release != s.To:
			nodes = append(nodes, node{s.To, bestCost, i, bestVia})
		case bestCost < last.cost:
			*last = node{s.To, bestCost, i, bestVia}
		}
	}
	at := len(nodes) - 1
	if nodes[at].release != to {
		return nil, -1
	}
	cost := nodes[at].cost
	var path []Segment
	for ; nodes[at].by >= 0; at = nodes[at].via {
		path = append(path, list[nodes[at].by])
	}
	slices.Reverse(path)
	return path, cost
}

// Levels of segments: one of level k spans fanOut^k releases.
const (
	fanOut     = 8
	levels     = 5
	keepALevel = 16 // segments of each level that a manifest names
)

// spans returns the segments that end with release v: (v-1,v] and, where v
// is a multiple of 8^k, (v-8^k,v].
func spans(v uint64) (froms []uint64) {
	width := uint64(1)
	for range levels {
		if v%width != 0 {
			break
		}
		froms = append(froms, v-width)
		width *= fanOut
	}
	return froms
}

// keep returns the segments that a manifest names: the newest of each level.
func keep(list []Segment) []Segment {
	list = sortedSegments(list)
	count := map[uint64]int{}
	var out []Segment
	for _, s := range slices.Backward(list) {
		w := s.To - s.From
		if count[w]++; count[w] <= keepALevel {
			out = append(out, s)
		}
	}
	slices.Reverse(out)
	return out
}
