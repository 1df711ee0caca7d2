package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Compare calls yield with what became otherwise from one release to another,
// as [Compare] does. It makes no state of either: it reads what the delta
// between them speaks of, and of the older one what it says of the same.
func (l *Releases) Compare(ctx context.Context, from, to Leaf, opt CompareOptions, yield func(Change) error) error {
	if from.Epoch > to.Epoch || from.Epoch == to.Epoch && from.Version > to.Version {
		back := yield
		from, to, yield = to, from, func(c Change) error { return c.reversed(back) }
	}
	stage, err := os.MkdirTemp(opt.Temp, "advdb-compare-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	p := &passage{l: l, ctx: ctx, stage: stage, from: from, to: to, yield: yield}
	defer p.close()
	if err := p.find(); err != nil {
		return err
	}
	switch {
	case len(opt.IDs) > 0:
		err = p.lookup(opt.sortedIDs())
	case p.delta != nil:
		err = p.changes()
	default:
		err = p.whole()
	}
	if err == nil && opt.Tables {
		err = p.tables()
	}
	if err != nil {
		return fmt.Errorf("releases %d to %d: %w", from.Version, to.Version, err)
	}
	return nil
}

// reversed yields a change as its reverse.
func (c Change) reversed(yield func(Change) error) error {
	if c.Table != "" {
		return yield(newRowChange(c.Table, c.ID, c.After, c.Before))
	}
	r, err := newChange(c.ID, c.After, c.Before)
	if err != nil {
		return err
	}
	return yield(r)
}

// A passage leads from one release to a later one.
type passage struct {
	l        *Releases
	ctx      context.Context
	stage    string
	from, to Leaf
	yield    func(Change) error

	old, now *way
	delta    []Segment // nil where nothing leads from one to the other directly
	libs     []*library
	shut     []func() error
}

func (p *passage) find() (err error) {
	if p.old, err = p.l.way(p.ctx, p.from); err != nil {
		return err
	}
	if p.now, err = p.l.way(p.ctx, p.to); err != nil {
		return err
	}
	if p.from.Epoch != p.to.Epoch {
		return nil
	}
	if segs, cost := cheapest(sortedSegments(p.now.by.Segments), p.from.Version, p.to.Version); cost >= 0 {
		p.delta = append([]Segment{}, segs...)
	}
	return nil
}

// open opens segments to be read whole.
func (p *passage) open(by *Manifest, list []Segment) ([]*segmentReader, error) {
	lib := p.l.library(by, p.stage)
	p.libs = append(p.libs, lib)
	return lib.segments(p.ctx, list)
}

// rangeCost is about what it costs, in bytes, to read one block of a segment
// by itself.
const rangeCost = 40 << 10

// openFor opens segments for so many keys to be looked up: where they are
// few, for a few blocks of each.
func (p *passage) openFor(w *way, keys uint64) ([]*segmentReader, error) {
	if int64(keys)*rangeCost >= w.segments[0].Size {
		return p.open(w.by, w.segments)
	}
	lib := p.l.library(w.by, p.stage)
	p.libs = append(p.libs, lib)
	var out []*segmentReader
	for _, s := range w.segments {
		r, shut, err := p.l.pieces(p.ctx, lib, s)
		if err != nil {
			return nil, fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
		}
		p.shut = append(p.shut, shut.Close)
		out = append(out, r)
	}
	return out, nil
}

func (p *passage) close() {
	for _, l := range p.libs {
		l.close()
	}
	for _, f := range p.shut {
		f()
	}
}

// changes compares the records that the delta speaks of.
func (p *passage) changes() error {
	delta, err := p.open(p.now.by, p.delta)
	if err != nil {
		return err
	}
	a := &applying{segs: delta}
	before, err := p.openFor(p.old, a.changes())
	if err != nil {
		return err
	}
	seek := newSeeker(before, isRecord)
	for g, err := range groups(delta, isRecord) {
		if err != nil {
			return err
		}
		then, err := seek.at(g.key)
		if err != nil {
			return err
		}
		old, err := then.fold(item{key: string(g.key)}, 0)
		if err != nil {
			return err
		}
		now, err := g.fold(old, p.from.Version)
		if err != nil {
			return err
		}
		if err := errors.Join(yieldRecord(old, now, p.yield), p.ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// lookup compares a few records.
func (p *passage) lookup(ids []string) error {
	before, err := p.openFor(p.old, uint64(len(ids)))
	if err != nil {
		return err
	}
	after, err := p.openFor(p.now, uint64(len(ids)))
	if err != nil {
		return err
	}
	seekOld, seekNow := newSeeker(before, isRecord), newSeeker(after, isRecord)
	for _, id := range ids {
		var both [2]item
		for i, s := range []*seeker{seekOld, seekNow} {
			g, err := s.at([]byte(id))
			if err != nil {
				return err
			}
			if both[i], err = g.fold(item{key: id}, 0); err != nil {
				return err
			}
		}
		if err := yieldRecord(both[0], both[1], p.yield); err != nil {
			return err
		}
	}
	return nil
}

// whole compares all records of two releases of which neither leads to the other.
func (p *passage) whole() error {
	before, after, err := p.openBoth()
	if err != nil {
		return err
	}
	return pair(canceled(p.ctx, mergeRecords(noItems, 0, before, nil)), mergeRecords(noItems, 0, after, nil), func(old, now item) error {
		return yieldRecord(old, now, p.yield)
	})
}

func (p *passage) openBoth() (before, after []*segmentReader, err error) {
	if before, err = p.open(p.old.by, p.old.segments); err != nil {
		return nil, nil, err
	}
	after, err = p.open(p.now.by, p.now.segments)
	return before, after, err
}

// tables compares the rows of two releases.
func (p *passage) tables() error {
	before, after, err := p.openBoth()
	if err != nil {
		return err
	}
	for _, name := range tableNames(slices.Concat(before, after)) {
		if err := pair(canceled(p.ctx, mergeTable(name, noItems, 0, before)), mergeTable(name, noItems, 0, after), func(old, now item) error {
			return yieldRow(name, old, now, p.yield)
		}); err != nil {
			return err
		}
	}
	return nil
}
