package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// build makes the segments and the manifest of the next release. The manifest
// stays nil where nothing changed.
func (p *publisher) build(ctx context.Context) error {
	cur := p.cur.manifest
	m, err := p.newManifest()
	if err != nil {
		return err
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
	return p.roomForBlobs()
}

// newManifest is what is known of the next release before it is made.
func (p *publisher) newManifest() (*Manifest, error) {
	m := &Manifest{
		Format: manifestFormat, Origin: p.Keys.Origin(), Epoch: p.Keys.cfg.Epoch, Version: 1, Time: p.Now.Format(time.RFC3339),
		Encoder: encoderName, MinClient: 1, MaxOfflineAge: int64(p.MaxOfflineAge / time.Second),
	}
	var err error
	if p.sources, err = p.DB.Sources(); err != nil {
		return nil, err
	}
	m.Sources = withoutInputs(p.sources)
	if cur := p.cur.manifest; cur != nil {
		m.Version = cur.Version + 1
		m.Dictionaries, m.Base, m.Bases, m.Segments = cur.Dictionaries, cur.Base, cur.Bases, slices.Clone(cur.Segments)
	}
	return m, nil
}

// delta writes the segment of the new release: from the last one, or from
// nothing. sample is of values, for a dictionary where it is a base.
func (p *publisher) delta(ctx context.Context, m *Manifest) (s Segment, sample *sampler, err error) {
	segs, dict, err := p.before(ctx)
	if err != nil {
		return s, nil, err
	}
	s, err = p.segment(m.Version-1, m.Version, dict, func(w *segmentWriter) error {
		p.diff = newDiffer(w, m.Version)
		sample, err = p.fill(ctx, p.diff, segs)
		p.diff.w = nil // an encoder is 64 MiB or more
		return err
	})
	return s, sample, err
}

// before opens what leads to the last release, and the dictionary for what
// leads from it; nothing where there is none.
func (p *publisher) before(ctx context.Context) ([]*segmentReader, *dictionary, error) {
	cur := p.cur.manifest
	if cur == nil {
		return nil, nil, p.roomForBase()
	}
	way, err := cur.plan(0)
	if err != nil {
		return nil, nil, err
	}
	segs, err := p.lib.segments(ctx, way.segments)
	n := len(cur.Dictionaries)
	if err != nil || n == 0 {
		return segs, nil, err
	}
	dict, err := readDictionary(ctx, p.Repo, cur.Dictionaries[n-1])
	return segs, dict, err
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
	w.temp = p.temp
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
