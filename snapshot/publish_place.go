package snapshot

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// place gives the new segment its place in the manifest, merges those that
// are due, makes a base where one is due, and checks every new way.
func (p *publisher) place(ctx context.Context, m *Manifest, first Segment, sample *sampler) error {
	lib := newLibrary(p.Repo, m, p.temp)
	defer lib.close()
	stored := lib.file
	lib.file = func(ctx context.Context, s Segment) (*os.File, error) {
		for _, b := range p.blobs {
			if b.blob.SHA256 == s.SHA256 {
				return os.Open(b.path)
			}
		}
		return stored(ctx, s)
	}
	if first.From == 0 {
		p.setBase(m, first)
		if err := p.newDictionary(m, sample); err != nil {
			return err
		}
		return p.check(ctx, lib, m, []Segment{first})
	}
	fresh := []Segment{first}
	m.Segments = append(m.Segments, first)
	for _, from := range spans(m.Version)[1:] {
		s, ok, err := p.merge(ctx, lib, m, from)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		fresh = append(fresh, s)
		m.Segments = append(m.Segments, s)
	}
	m.Segments = keep(m.Segments)
	for _, s := range fresh {
		way, ok := m.through(s)
		if !ok {
			continue
		}
		if err := p.check(ctx, lib, m, way); err != nil {
			return fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
		}
	}
	if way, err := m.plan(0); err != nil || m.Version-m.Base.To >= p.BaseEvery || (way.bytes()-m.Base.Size)*100 > m.Base.Size*baseShare {
		if err := p.newBase(ctx, m); err != nil {
			return err
		}
		if err := p.check(ctx, lib, m, []Segment{m.Base}); err != nil {
			return fmt.Errorf("base: %w", err)
		}
	}
	m.dropDictionaries()
	return nil
}

// merge makes the segment (from, version] out of those one level below.
func (p *publisher) merge(ctx context.Context, lib *library, m *Manifest, from uint64) (s Segment, ok bool, err error) {
	width := (m.Version - from) / fanOut
	var children []Segment
	for _, c := range m.Segments {
		if c.To-c.From == width && c.From >= from {
			children = append(children, c)
		}
	}
	slices.SortFunc(children, func(a, b Segment) int { return int(a.From) - int(b.From) })
	if len(children) != fanOut {
		// The chain began in between: its base leads further anyway.
		return s, false, nil
	}
	segs, err := lib.segments(ctx, children)
	if err != nil {
		return s, false, err
	}
	dict, err := lib.dictionary(ctx, children[len(children)-1].Dictionary)
	if err != nil {
		return s, false, err
	}
	s, err = p.segment(from, m.Version, dict, func(w *segmentWriter) error { return mergeSegments(segs, w) })
	return s, err == nil, err
}

// through returns a way to the newest release that ends with the segment.
func (m *Manifest) through(s Segment) ([]Segment, bool) {
	if m.Base.To >= s.From && m.Base.To < s.To {
		return []Segment{m.Base, s}, true
	}
	for at := s.To - 1; at >= s.From && at > m.Base.To; at-- {
		var list []Segment
		for _, x := range m.Segments {
			if x.To <= at {
				list = append(list, x)
			}
		}
		if way, cost := cheapest(list, m.Base.To, at); cost >= 0 {
			return append(append([]Segment{m.Base}, way...), s), true
		}
	}
	return nil, false
}

// check applies a way from nothing and compares what comes out with the state
// that is to be signed.
func (p *publisher) check(ctx context.Context, lib *library, m *Manifest, way []Segment) error {
	segs, err := lib.segments(ctx, way)
	if err != nil {
		return err
	}
	got, err := rootsOf(segs, nil)
	if err != nil {
		return err
	}
	if topRoot(got) != m.StateRoot {
		return fmt.Errorf("%w: applying what would be published does not lead to the state", ErrGate)
	}
	p.out.Cover++
	return ctx.Err()
}
