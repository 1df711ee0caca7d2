package snapshot

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/advdb/advdb/store"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// naive compares two states record by record.
func naive(t *testing.T, before, after map[string][]byte, row bool) (out []Change) {
	t.Helper()
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if bytes.Equal(before[id], after[id]) {
			continue
		}
		c, err := newRowChange("epss", id, before[id], after[id]), error(nil)
		if !row {
			c, err = newChange(id, before[id], after[id])
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// collect keeps what is yielded.
func collect(into *[]Change) func(Change) error {
	return func(c Change) error {
		c.Before, c.After = bytes.Clone(c.Before), bytes.Clone(c.After)
		*into = append(*into, c)
		return nil
	}
}

// TestCompare compares releases with each other, forwards and backwards, and
// databases.
func TestCompare(t *testing.T) {
	p := newPast(t, 34, 80, 18, 0, func(_ *past, o *PublishOptions) { o.BaseEvery = 7 })
	l := p.open(t)
	dirs := t.TempDir()
	open := func(v uint64) *store.DB {
		dir := filepath.Join(dirs, fmt.Sprint(v))
		if _, err := l.Restore(t.Context(), p.number(t, l, v), dir, nil); err != nil {
			t.Fatal(err)
		}
		db, err := store.OpenDB(dir)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	for _, pair := range [][2]uint64{{1, 2}, {1, 18}, {5, 13}, {17, 18}, {18, 3}, {8, 16}, {9, 9}} {
		a, b := pair[0], pair[1]
		want := append(naive(t, p.states[a-1], p.states[b-1], false), naive(t, p.tables[a-1], p.tables[b-1], true)...)
		var got []Change
		if err := l.Compare(t.Context(), p.number(t, l, a), p.number(t, l, b), CompareOptions{Tables: true, Temp: t.TempDir()}, collect(&got)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%d to %d: %s", a, b, d)
		}
		x, y := open(a), open(b)
		got = nil
		if err := Compare(t.Context(), x, y, CompareOptions{Tables: true}, collect(&got)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("databases of %d and %d: %s", a, b, d)
		}
		ids := []string{"TEST-00011", "TEST-00002", "NO-SUCH-ID"}
		var some, alsoSome []Change
		if err := l.Compare(t.Context(), p.number(t, l, a), p.number(t, l, b), CompareOptions{IDs: ids}, collect(&some)); err != nil {
			t.Fatal(err)
		}
		if err := Compare(t.Context(), x, y, CompareOptions{IDs: ids}, collect(&alsoSome)); err != nil {
			t.Fatal(err)
		}
		want = slices.DeleteFunc(want, func(c Change) bool { return !slices.Contains(ids, c.ID) })
		if d := cmp.Diff(want, some, cmpopts.EquateEmpty()) + cmp.Diff(want, alsoSome, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%d to %d, some: %s", a, b, d)
		}
		x.Close()
		y.Close()
	}
	p.compareWhole(t, l, 2, 15)
	old := open(1)
	defer old.Close()
	p.compareSynced(t, old)
}

// compareWhole compares a release with one as if no delta led to it.
func (p *past) compareWhole(t *testing.T, l *Releases, a, b uint64) {
	q := &passage{l: l, ctx: t.Context(), stage: t.TempDir(), from: p.number(t, l, a), to: p.number(t, l, b)}
	var got []Change
	q.yield = collect(&got)
	defer q.close()
	if err := q.find(); err != nil || q.delta == nil {
		t.Fatalf("delta %v, %v", q.delta, err)
	}
	if err := q.whole(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(naive(t, p.states[a-1], p.states[b-1], false), got); d != "" {
		t.Error(d)
	}
}

// compareSynced compares release 1 with a database that comes from no snapshot.
func (p *past) compareSynced(t *testing.T, old *store.DB) {
	now := p.db()
	// The leaves that the world writes say nothing, as a synced database has none.
	c := &comparing{ctx: t.Context(), before: old, after: now}
	var got []Change
	c.yield = collect(&got)
	if err := c.plain(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(naive(t, p.states[0], p.states[len(p.states)-1], false), got); d != "" {
		t.Error(d)
	}
}
