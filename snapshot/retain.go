package snapshot

import (
	"fmt"
	"time"
)

// A KeptBase is a base that is there although a newer one leads to the newest
// release: what led to its release can be had again.
type KeptBase struct {
	Time string `json:"time"` // of its release, RFC 3339, UTC
	Segment
}

// quarter is the quarter of a year of a time, counted from the year 0.
func (b *KeptBase) quarter() int {
	t, _ := time.Parse(time.RFC3339, b.Time)
	return t.Year()*4 + (int(t.Month())-1)/3
}

// keepBases returns the bases that stay, ascending: the newest two, and the
// first of each of the newest quarters, all of them where quarters is 0, none
// where it is negative. now is the release in hand.
func keepBases(list []KeptBase, quarters int, now time.Time) []KeptBase {
	var out []KeptBase
	current := (&KeptBase{Time: now.UTC().Format(time.RFC3339)}).quarter()
	last := -1
	for i := range list {
		b := &list[i]
		q := b.quarter()
		first := q != last
		last = q
		if i >= len(list)-2 || first && (quarters == 0 || quarters > 0 && q > current-quarters) {
			out = append(out, *b)
		}
	}
	return out
}

// reach returns what leads from nothing to a release up to this one, by the
// base that makes it cheapest.
func (m *Manifest) reach(version uint64) (way []Segment, ok bool) {
	list := sortedSegments(m.Segments)
	bases := []Segment{m.Base}
	for _, b := range m.Bases {
		bases = append(bases, b.Segment)
	}
	least := int64(-1)
	for _, base := range bases {
		if base.To > version {
			continue
		}
		segs, cost := cheapest(list, base.To, version)
		if cost += base.Size; cost >= base.Size && (least < 0 || cost < least) {
			way, least = append([]Segment{base}, segs...), cost
		}
	}
	return way, least >= 0
}

// checkBases refuses kept bases that cannot be some.
func (m *Manifest) checkBases() error {
	for i := range m.Bases {
		b := &m.Bases[i]
		if _, err := time.Parse(time.RFC3339, b.Time); err != nil || b.From != 0 || i > 0 && b.To <= m.Bases[i-1].To {
			return fmt.Errorf("%w: base of release %d, %q", ErrManifest, b.To, b.Time)
		}
		if err := b.check(m.Version); err != nil {
			return err
		}
	}
	return nil
}
