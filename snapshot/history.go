package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
)

// HistoryOptions are the options of [Releases.History]; the zero value works.
type HistoryOptions struct {
	// To is the last release that counts; the zero Leaf is the newest.
	To Leaf
	// Like is the record in some form, such as the one that is held: it says
	// where to look first.
	Like []byte
	// Enrichment adds the rows that the tables have of the ID.
	Enrichment bool
}

// A Revision is what a release made of one record or row.
type Revision struct {
	// Version is the release in which it became so, the first or only one of
	// Exact revisions, and of others the last of those in which it changed.
	Version uint64 `json:"version"`
	Time    string `json:"time"` // of that release
	// After is the release of the state that Change compares with: the one
	// before, or, where releases in between can be had only together, the
	// last that is known by itself.
	After uint64 `json:"after"`
	Exact bool   `json:"exact"` // nothing else is hidden between After and Version
	Change
}

// History returns what became of a record, release by release, the oldest
// first; none where no release that can be had knows of it. It reads what
// segments say of the ID alone, and makes no state.
//
// It begins with the oldest base that can be had (kind "first", or "added"
// where that is the first release). Where the segments of single releases
// were collected, merged ones tell the last of their changes and that there
// may be others before it.
func (l *Releases) History(ctx context.Context, id string, opt HistoryOptions) ([]Revision, error) {
	t, err := l.trail(ctx, cmp.Or(opt.To, l.Newest()))
	if err != nil {
		return nil, err
	}
	h := &history{l: l, ctx: ctx, id: id, trail: t, lib: newLibrary(l.r, &Manifest{Dictionaries: t.dicts}, "")}
	if err := h.records(opt.Like); err != nil {
		return nil, fmt.Errorf("history: %s: %w", id, err)
	}
	if opt.Enrichment {
		if err := h.tables(); err != nil {
			return nil, fmt.Errorf("history: %s: %w", id, err)
		}
	}
	slices.SortStableFunc(h.out, func(a, b Revision) int { return cmp.Compare(a.Version, b.Version) })
	return h.out, nil
}

// A history is one run of History.
type history struct {
	*trail
	l   *Releases
	ctx context.Context
	id  string
	lib *library
	out []Revision
}

// A sighting is the last that a segment says of a record.
type sighting struct {
	entry
	collection string
	from, to   uint64 // of the segment
}

// records finds the revisions of the record.
func (h *history) records(like []byte) error {
	var seen []sighting
	near := ""
	if r, err := normalize.Decode(like); len(like) > 0 && err == nil {
		near = collectionOf(r)
	}
	quiet := map[uint64]bool{} // releases that are known not to have changed it
	for _, s := range h.steps {
		last, err := h.last(s, "")
		if err != nil {
			return err
		}
		for v := max(last.release, s.From, h.base.To) + 1; v <= s.To; v++ {
			quiet[v] = true
		}
		if last.release > h.base.To {
			seen, near = append(seen, last), last.collection
		}
	}
	first, err := h.last(h.base, near)
	if err != nil {
		return err
	}
	r := &revising{history: h, quiet: quiet, value: first.value, at: h.base.To}
	if first.value != nil {
		if err := r.first(); err != nil {
			return err
		}
	}
	for _, s := range inOrder(seen) {
		if err := r.next(s); err != nil {
			return err
		}
	}
	return nil
}

// last returns the last that a segment says of the record; release 0 is
// nothing. A collection, if named, is looked into first; then the first that
// has the record ends the search.
func (h *history) last(s Segment, near string) (out sighting, err error) {
	seg, shut, err := h.l.pieces(h.ctx, h.lib, s)
	if err != nil {
		return out, fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
	}
	defer shut.Close()
	tables := make([]*segmentTable, 0, len(seg.parts)+1)
	if t := seg.table(near); t != nil {
		tables = append(tables, t)
	}
	for i := range seg.parts {
		if isRecord(seg.parts[i].name) {
			tables = append(tables, &seg.parts[i])
		}
	}
	for _, t := range tables {
		c, err := seg.find(t, []byte(h.id))
		if err != nil {
			return out, fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
		}
		if c == nil || c.e.release < out.release || c.e.release == out.release && c.e.op == opDelete {
			continue
		}
		e := c.e
		e.key, e.value = nil, bytes.Clone(e.value)
		out = sighting{e, t.name, s.From, s.To}
		if s.From == 0 && s.To == h.base.To {
			break // a record is in one collection of a base
		}
	}
	return out, nil
}

// inOrder sorts what segments say by release, once each: what says the whole
// value goes before what says that it was touched.
func inOrder(list []sighting) []sighting {
	slices.SortStableFunc(list, func(a, b sighting) int {
		touch := 0
		if (a.op == opTouch) != (b.op == opTouch) {
			touch = 1
			if b.op == opTouch {
				touch = -1
			}
		}
		return cmp.Or(cmp.Compare(a.release, b.release), touch, cmp.Compare(b.from, a.from))
	})
	return slices.CompactFunc(list, func(a, b sighting) bool { return a.release == b.release })
}

// A revising makes revisions of what segments say.
type revising struct {
	*history
	quiet map[uint64]bool
	value []byte // as of release at, nil for none
	at    uint64
}

// first is the record in the oldest base.
func (r *revising) first() error {
	c, err := newChange(r.id, nil, r.value)
	if r.at > 1 {
		c.Kind = ChangeFirst
	}
	return r.add(Revision{Version: r.at, Exact: r.at == 1, Change: c}, err)
}

// next is what came behind.
func (r *revising) next(s sighting) error {
	value := s.value
	switch {
	case s.op == opDelete:
		value = nil
	case s.op == opTouch && (r.value == nil || !r.known(s.from)):
		// Of which content it is the new date cannot be had.
		c := Change{ID: r.id, Kind: ChangeTouched, Fields: []Difference{{Field: "modified", Added: []string{string(s.value)}}}}
		return r.add(Revision{Version: s.release, After: r.at, Change: c}, nil)
	case s.op == opTouch:
		var err error
		if value, err = touch(r.value, string(s.value)); err != nil {
			return fmt.Errorf("release %d: %w", s.release, err)
		}
	}
	x := Revision{Version: s.release, After: r.at, Exact: r.known(s.release - 1)}
	if x.Exact {
		x.After = s.release - 1
	}
	var err error
	x.Change, err = newChange(r.id, r.value, value)
	r.value, r.at = value, s.release
	return r.add(x, err)
}

// known reports whether the record was the same from release r.at to v.
func (r *revising) known(v uint64) bool {
	for x := r.at + 1; x <= v; x++ {
		if !r.quiet[x] {
			return false
		}
	}
	return true
}

// add dates a revision and keeps it.
func (h *history) add(x Revision, err error) error {
	if err != nil {
		return err
	}
	leaf, err := h.l.Number(h.ctx, x.Version)
	x.Time, x.Change.Before, x.Change.After = leaf.Time, nil, nil
	h.out = append(h.out, x)
	return err
}

// tables finds the revisions of the rows: step by step, for a release may
// change all rows of a table alike.
func (h *history) tables() error {
	rows := map[string][]byte{}
	at := uint64(0)
	for _, s := range h.chain {
		seg, shut, err := h.l.pieces(h.ctx, h.lib, s)
		if err == nil {
			err = errors.Join(h.rows(seg, at, rows), shut.Close())
		}
		if err != nil {
			return fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
		}
		at = s.To
	}
	return nil
}

// rows moves the rows of the ID from release at to the segment's end.
func (h *history) rows(seg *segmentReader, at uint64, rows map[string][]byte) error {
	for _, name := range tableNames([]*segmentReader{seg}) {
		t := seg.table(name)
		c, err := seg.find(t, []byte(h.id))
		if err != nil {
			return err
		}
		var g *group
		to := seg.info.To
		if c != nil {
			g = &group{key: []byte(h.id), cursors: []*rankedCursor{{c, 0}}}
			if n := len(t.transforms); c.e.release > at && at > 0 && (n == 0 || t.transforms[n-1].release <= c.e.release) {
				to = c.e.release
			}
		}
		m := &tableMerge{name: name, head: at, at: []*segmentTable{t}, ends: []uint64{to}}
		it, err := m.fold(item{name, h.id, rows[name]}, g)
		if err != nil {
			return err
		}
		old, now := rows[name], bytes.Clone(it.data)
		if rows[name] = now; bytes.Equal(old, now) && (old == nil) == (now == nil) {
			continue
		}
		x := Revision{Version: to, After: at, Exact: to == at+1, Change: newRowChange(strings.TrimPrefix(name, enrichPrefix), h.id, old, now)}
		if at == 0 && to > 1 {
			x.Kind = ChangeFirst
		}
		if old == nil {
			x.Fields = RowDifferences(nil, now)
		}
		if err := h.add(x, nil); err != nil {
			return err
		}
	}
	return nil
}
