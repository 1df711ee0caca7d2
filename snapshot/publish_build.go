package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// build makes the segments and the manifest of the next release. The manifest
// stays nil where nothing changed.
func (p *publisher) build(ctx context.Context) error {
	cur := p.cur.manifest
	m := &Manifest{
		Format: manifestFormat, Origin: p.Keys.Origin(), Epoch: p.Keys.cfg.Epoch, Version: 1, Time: p.Now.Format(time.RFC3339),
		Encoder: encoderName, MinClient: 1, MaxOfflineAge: int64(p.MaxOfflineAge / time.Second),
	}
	var err error
	if m.Sources, err = p.DB.Sources(); err != nil {
		return err
	}
	if cur != nil {
		m.Version = cur.Version + 1
		m.Dictionaries, m.Base, m.Segments = cur.Dictionaries, cur.Base, slices.Clone(cur.Segments)
	}
	first, sample, err := p.delta(ctx, m)
	if err != nil {
		return err
	}
	if cur != nil && p.diff.changed == 0 && sameSources(cur.Sources, m.Sources) && !p.Force {
		return nil
	}
	if cur != nil && m.Time < cur.Time {
		return fmt.Errorf("%w: the last release is of %s, this one would be of %s", ErrGate, cur.Time, m.Time)
	}
	m.Collections, m.Records = p.diff.state.collections(), p.diff.records
	m.StateRoot, m.EventsRoot = topRoot(m.Collections), topRoot(p.diff.events.collections())
	if err := p.Gates.check(ctx, cur, m, p.diff); err != nil {
		return err
	}
	p.out.Version, p.out.StateRoot, p.out.Records, p.out.Delta = m.Version, m.StateRoot, m.Records, first.Size
	p.out.Puts, p.out.Deletes, p.out.Touches, p.out.Changed = p.diff.puts, p.diff.deletes, p.diff.touches, p.diff.changed
	if err := p.place(ctx, m, first, sample); err != nil {
		return err
	}
	p.out.BaseSize = m.Base.Size
	p.m = m
	return nil
}

// delta writes the segment of the new release: from the last one, or from
// nothing. sample is of values, for a dictionary where it is a base.
func (p *publisher) delta(ctx context.Context, m *Manifest) (s Segment, sample *sampler, err error) {
	var segs []*segmentReader
	var dict *dictionary
	if cur := p.cur.manifest; cur != nil {
		way, err := cur.plan(0)
		if err != nil {
			return s, nil, err
		}
		if segs, err = p.lib.segments(ctx, way.segments); err != nil {
			return s, nil, err
		}
		if n := len(cur.Dictionaries); n > 0 {
			newest, err := readDictionary(ctx, p.Repo, cur.Dictionaries[n-1])
			if err != nil {
				return s, nil, err
			}
			dict = newest
		}
	}
	s, err = p.segment(m.Version-1, m.Version, dict, func(w *segmentWriter) error {
		p.diff = &differ{w: w, release: m.Version, state: newForest(), events: newForest()}
		sample, err = p.fill(ctx, p.diff, segs)
		return err
	})
	return s, sample, err
}

// fill writes what leads from what segs lead to to the database.
func (p *publisher) fill(ctx context.Context, d *differ, segs []*segmentReader) (*sampler, error) {
	sample := newSampler(int64(p.DB.Meta().Records) * 2000)
	all := selection(nil)
	if err := d.diffRecords(mergeRecords(noItems, 0, segs, all), canceled(ctx, sampled(sourceRecords(p.DB), sample))); err != nil {
		return nil, err
	}
	tables, err := tableCollections(p.DB)
	if err != nil {
		return nil, err
	}
	names := append(tables, tableNames(segs)...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := d.diffTable(name, mergeTable(name, noItems, 0, segs), canceled(ctx, tableRows(p.DB, name))); err != nil {
			return nil, err
		}
	}
	return sample, nil
}

// sampled shows each value to a sampler.
func sampled(list items, s *sampler) items {
	return func(yield func(item, error) bool) {
		for it, err := range list {
			s.see(it.data)
			if !yield(it, err) {
				return
			}
		}
	}
}

// canceled ends a walk when the context does.
func canceled(ctx context.Context, list items) items {
	return func(yield func(item, error) bool) {
		for it, err := range list {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// segment writes one segment into a file that becomes a blob.
func (p *publisher) segment(from, to uint64, dict *dictionary, fill func(*segmentWriter) error) (s Segment, err error) {
	w, err := newSegmentWriter(from, to, dict)
	if err != nil {
		return s, err
	}
	defer w.close()
	if err := fill(w); err != nil {
		return s, err
	}
	f, err := os.CreateTemp(p.temp, "segment-*")
	if err != nil {
		return s, err
	}
	s, err = w.finish(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return s, err
	}
	p.blobs = append(p.blobs, stagedBlob{s.Blob, f.Name()})
	return s, nil
}

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
		m.Base = first
		p.out.Base = true
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

// newBase writes a base of the release, and the dictionary of those to come.
func (p *publisher) newBase(ctx context.Context, m *Manifest) error {
	var sample *sampler
	base, err := p.segment(0, m.Version, nil, func(w *segmentWriter) (err error) {
		d := &differ{w: w, release: m.Version, state: newForest(), events: newForest()}
		sample, err = p.fill(ctx, d, nil)
		return err
	})
	if err != nil {
		return err
	}
	m.Base = base
	p.out.Base = true
	return p.newDictionary(m, sample)
}

// newDictionary makes what was sampled the dictionary of segments to come.
func (p *publisher) newDictionary(m *Manifest, sample *sampler) error {
	if len(sample.data) < 8 {
		return nil
	}
	fresh := newDictionary(sample.data)
	for i, d := range m.Dictionaries {
		if d.Content == fresh.hash {
			m.Dictionaries = append(slices.Delete(slices.Clone(m.Dictionaries), i, i+1), d)
			return nil
		}
	}
	packed, dict, err := fresh.pack()
	if err != nil {
		return err
	}
	path := filepath.Join(p.temp, "dictionary-"+dict.SHA256.String())
	if err := os.WriteFile(path, packed, 0o600); err != nil {
		return err
	}
	p.blobs = append(p.blobs, stagedBlob{dict.Blob, path})
	m.Dictionaries = append(slices.Clone(m.Dictionaries), dict)
	return nil
}

// dropDictionaries keeps those that segments use, and the newest.
func (m *Manifest) dropDictionaries() {
	used := map[Hash]bool{}
	for _, s := range m.Segments {
		used[s.Dictionary] = true
	}
	var list []Dictionary
	for i, d := range m.Dictionaries {
		if used[d.Content] || i == len(m.Dictionaries)-1 {
			list = append(list, d)
		}
	}
	m.Dictionaries = list
}
