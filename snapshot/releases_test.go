package snapshot

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
	"golang.org/x/mod/sumdb/tlog"
)

// finds finds releases by time and number.
func (p *past) finds(t *testing.T, l *Releases) {
	if l.Newest().Version != 14 {
		t.Errorf("newest %+v", l.Newest())
	}
	for i, at := range p.times {
		for _, c := range []struct {
			at   time.Time
			want uint64
		}{{at, uint64(i + 1)}, {at.Add(59 * time.Minute), uint64(i + 1)}, {at.Add(-time.Second), uint64(i)}} {
			x, err := l.At(t.Context(), c.at)
			if c.want == 0 {
				if !errors.Is(err, ErrNotFound) {
					t.Errorf("before the first release: %+v, %v", x, err)
				}
				continue
			}
			if err != nil || x.Version != c.want || x.StateRoot != p.out[c.want-1].StateRoot {
				t.Errorf("at %s: release %d, %v; want %d", c.at, x.Version, err, c.want)
			}
		}
		p.number(t, l, uint64(i+1))
	}
	for _, v := range []uint64{0, 15, 1 << 60} {
		if _, err := l.Number(t.Context(), v); !errors.Is(err, ErrNotFound) {
			t.Errorf("release %d: %v", v, err)
		}
	}
}

// TestManyReleases has a log of more than one tile.
func TestManyReleases(t *testing.T) {
	repo := memory{}
	l := &Releases{r: repo, bundle: map[int64][]Leaf{}, v: &verified{manifest: &Manifest{Epoch: 1, Version: 600}}}
	for n := range int64(600) {
		leaf, err := canonical(Leaf{Type: leafFormat, Epoch: 1, Version: uint64(n + 1), Time: testStart.Add(time.Duration(n) * time.Hour).Format(time.RFC3339)})
		if err != nil {
			t.Fatal(err)
		}
		if l.v.tree, err = appendLog(t.Context(), repo, l.v.tree, leaf); err != nil {
			t.Fatal(err)
		}
	}
	l.tiles = &tileReader{ctx: t.Context(), r: repo}
	l.hashes = tlog.TileHashReader(l.v.tree, l.tiles)
	for _, v := range []uint64{1, 255, 256, 257, 512, 513, 600} {
		if x, err := l.Number(t.Context(), v); err != nil || x.Version != v {
			t.Errorf("%d: %+v, %v", v, x, err)
		}
		if x, err := l.At(t.Context(), testStart.Add(time.Duration(v)*time.Hour-time.Minute)); err != nil || x.Version != v {
			t.Errorf("at %d: %+v, %v", v, x, err)
		}
	}
}

// TestHostileReleases tampers with what leads to the past.
func TestHostileReleases(t *testing.T) {
	p := newPast(t, 27, 60, 12, 0, nil)
	l := p.open(t)
	five := p.number(t, l, 5)
	m, _, err := l.manifest(t.Context(), five)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := p.keys.FirstRoot()
	try := func(name string, want error, change func(name string, data []byte) []byte, ask func(l *Releases) error) {
		t.Helper()
		l, err := OpenReleases(t.Context(), ReleasesOptions{Repos: []Reader{&hostile{Reader: p.repo, change: change}}, Root: root})
		if err == nil {
			err = ask(l)
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	restore := func(l *Releases) error {
		dir := filepath.Join(t.TempDir(), "asof")
		x, err := l.Number(t.Context(), 5)
		if err == nil {
			_, err = l.Restore(t.Context(), x, dir, nil)
		}
		if _, opened := store.OpenDB(dir); !errors.Is(opened, store.ErrNoData) {
			t.Errorf("something was restored: %v", opened)
		}
		return err
	}
	flip := func(part string, at int) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if data = bytes.Clone(data); strings.Contains(name, part) {
				data[(at+len(data))%len(data)] ^= 1
			}
			return data
		}
	}
	segment := m.Segments[len(m.Segments)-1]
	try("segment", ErrMismatch, flip(segment.name(), 20), restore)
	try("index", ErrMismatch, flip(segment.name(), -40), restore)
	try("base", ErrMismatch, flip(m.Base.name(), 100), restore)
	try("manifest", ErrMismatch, flip(five.Manifest.String(), 50), restore)
	try("log entry", ErrMismatch, flip("log/tile/entries", 60), restore)
	try("log tile", ErrMismatch, flip("log/tile/0", 40), restore)
	try("another manifest", ErrMismatch, func(name string, data []byte) []byte {
		if strings.Contains(name, five.Manifest.String()) {
			other, err := readAll(t.Context(), p.repo, targetPath(manifestTarget, p.number(t, l, 6).Manifest), maxManifest)
			if err != nil {
				t.Error(err)
			}
			return other
		}
		return data
	}, restore)
	id := p.touchedIn(segment)
	history := func(l *Releases) error {
		_, err := l.History(t.Context(), id, HistoryOptions{Enrichment: true})
		return err
	}
	try("history of a tampered segment", ErrMismatch, flip(segment.name(), 20), history)
	oldest, err := l.trail(t.Context(), l.Newest())
	if err != nil {
		t.Fatal(err)
	}
	try("history of a tampered base", ErrMismatch, flip(oldest.base.name(), 100), func(l *Releases) error {
		_, err := l.History(t.Context(), "CVE-2024-0001", HistoryOptions{Enrichment: true}) // its first block is of that table
		return err
	})
	seg, shut, err := l.pieces(t.Context(), newLibrary(l.r, &Manifest{Dictionaries: oldest.dicts}, ""), oldest.base)
	if err != nil {
		t.Fatal(err)
	}
	defer shut.Close()
	part := seg.parts[slices.IndexFunc(seg.parts, func(t segmentTable) bool { return isRecord(t.name) })]
	try("history of a record in a tampered block", ErrMismatch, flip(oldest.base.name(), int(part.blocks[0].offset)+9), func(l *Releases) error {
		_, err := l.History(t.Context(), string(part.blocks[0].first), HistoryOptions{})
		return err
	})
	try("comparison", ErrMismatch, flip(segment.name(), 20), func(l *Releases) error {
		x, err := l.Number(t.Context(), 5)
		if err != nil {
			return err
		}
		return l.Compare(t.Context(), p.number(t, l, 1), x, CompareOptions{}, func(Change) error { return nil })
	})
	// A release that is in nobody's log.
	forged := five
	forged.StateRoot[0] ^= 1
	forged.Manifest[0] ^= 1
	if _, err := l.Restore(t.Context(), forged, filepath.Join(t.TempDir(), "asof"), nil); !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrRefused) {
		t.Errorf("a forged release: %v", err)
	}
}

// touchedIn is an ID that a segment speaks of.
func (p *past) touchedIn(s Segment) string {
	for _, id := range p.ids() {
		if !bytes.Equal(p.record(s.From, id), p.record(s.To, id)) {
			return id
		}
	}
	p.t.Fatal("nothing changed")
	return ""
}

// TestTrust asks who is not to be trusted.
func TestTrust(t *testing.T) {
	p := newPast(t, 28, 200, 4, 0, nil)
	fork := newFork(t, p.world)
	c := p.client("replica")
	p.pull(c)
	db, err := store.OpenDB(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	held, err := ReadHeld(db)
	if err != nil {
		t.Fatal(err)
	}
	old := copyRepo(t, p.world)
	p.churn()
	p.publish()
	open := func(r Reader, h *Held, root []byte) error {
		_, err := OpenReleases(context.Background(), ReleasesOptions{Repos: []Reader{r}, Held: h, Root: root})
		return err
	}
	if err := open(p.repo, held, nil); err != nil {
		t.Errorf("with what a replica trusts: %v", err)
	}
	if err := open(old, held, nil); err != nil {
		t.Errorf("the very release that is held: %v", err)
	}
	if err := open(p.repo, nil, nil); !errors.Is(err, ErrTrust) {
		t.Errorf("without a root: %v", err)
	}
	other := newPast(t, 29, 10, 1, 0, nil)
	if err := open(other.repo, held, nil); !errors.Is(err, ErrRefused) {
		t.Errorf("another publisher's repository: %v", err)
	}
	c.Now = p.now
	p.pull(c)
	db2, err := store.OpenDB(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db2.Close()
	if held, err = ReadHeld(db2); err != nil {
		t.Fatal(err)
	}
	if err := open(fork(6), held, nil); !errors.Is(err, ErrFork) {
		t.Errorf("a fork: %v", err)
	}
	if err := open(old, held, nil); !errors.Is(err, ErrRollback) {
		t.Errorf("an older copy: %v", err)
	}
}
