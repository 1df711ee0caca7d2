package snapshot

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
)

// A trail is the segments that tell what happened in an epoch up to a release.
type trail struct {
	base  Segment   // the oldest that can be had
	steps []Segment // the finest, until all releases behind the base are spoken of
	chain []Segment // the base, and from there on in the finest steps that lead from one to the next
	dicts []Dictionary
}

// trail finds them. A manifest names the newest segments of each level alone,
// so several are asked.
func (l *Releases) trail(ctx context.Context, to Leaf) (*trail, error) {
	list, err := l.signposts(ctx, to)
	if err != nil {
		return nil, err
	}
	t := &trail{}
	dicts, segs, bases := map[Hash]Dictionary{}, map[Hash]Segment{}, []Segment{}
	for _, m := range list {
		for _, d := range m.Dictionaries {
			dicts[d.Content] = d
		}
		for _, s := range m.Segments {
			if s.To <= to.Version {
				segs[s.SHA256] = s
			}
		}
		bases = append(bases, m.Base)
		for _, b := range m.Bases {
			bases = append(bases, b.Segment)
		}
	}
	t.begin(bases, segs, to.Version)
	if t.base.To == 0 {
		all, err := l.Obtainable(ctx)
		return nil, errors.Join(err, &GoneError{to.Version, all})
	}
	t.dicts = slices.Collect(maps.Values(dicts))
	t.choose(slices.Collect(maps.Values(segs)), to.Version)
	return t, nil
}

// begin chooses the oldest base behind which segments speak of every release.
func (t *trail) begin(bases []Segment, segs map[Hash]Segment, to uint64) {
	spoken := map[uint64]bool{}
	for _, s := range segs {
		for v := s.From + 1; v <= s.To; v++ {
			spoken[v] = true
		}
	}
	silent := to
	for silent > 0 && spoken[silent] {
		silent--
	}
	for _, b := range bases {
		if b.To >= silent && b.To <= to && (t.base.To == 0 || b.To < t.base.To) {
			t.base = b
		}
	}
}

// choose chooses steps and chain among the segments.
func (t *trail) choose(segs []Segment, to uint64) {
	slices.SortFunc(segs, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.To-a.From, b.To-b.From), cmp.Compare(a.To, b.To))
	})
	spoken := map[uint64]bool{}
	for _, s := range segs {
		fresh := false
		for v := max(s.From, t.base.To) + 1; v <= s.To; v++ {
			fresh = fresh || !spoken[v]
			spoken[v] = true
		}
		if fresh {
			t.steps = append(t.steps, s)
		}
	}
	t.chain = []Segment{t.base}
	for at := t.base.To; at < to; {
		best := Segment{}
		for _, s := range segs {
			if s.From <= at && at < s.To && (best.To == 0 || s.To < best.To) {
				best = s
			}
		}
		if best.To == 0 {
			return // what is behind is not told
		}
		t.chain = append(t.chain, best)
		at = best.To
	}
}

// signposts returns the manifests that together name all segments that can be
// had: one in so many releases as each has single segments, and the oldest.
func (l *Releases) signposts(ctx context.Context, to Leaf) ([]*Manifest, error) {
	had, err := l.available(ctx)
	if err != nil {
		return nil, err
	}
	type post struct {
		n int64
		x Leaf
	}
	var posts []post
	at := -1 // the first that is not before to
	for _, n := range had {
		x, err := l.entry(ctx, n)
		if err != nil {
			return nil, err
		}
		if x.Epoch != to.Epoch {
			continue
		}
		posts = append(posts, post{n, x})
		if at < 0 && x.Version >= to.Version {
			at = len(posts) - 1
		}
	}
	var list []*Manifest
	for at >= 0 {
		m, _, err := l.manifest(ctx, posts[at].x)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		next := at - 1
		for next > 0 && posts[next].x.Version+keepALevel > posts[at].x.Version && posts[next-1].n == posts[next].n-1 {
			next--
		}
		at = next
	}
	return list, nil
}
