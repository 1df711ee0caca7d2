package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"golang.org/x/mod/sumdb/tlog"
)

// A past is what a world was, release by release.
type past struct {
	*world
	out     []Published
	states  []map[string][]byte // records by ID
	tables  []map[string][]byte // rows by CVE
	digests []string
	times   []time.Time
}

// newPast makes releases; opt changes how each is published.
func newPast(t *testing.T, seed uint64, records, releases int, opt func(*past, *PublishOptions)) *past {
	t.Helper()
	p := &past{world: newWorld(t, seed, records)}
	ballast := *p.records["TEST-00000"]
	ballast.ID, ballast.Aliases, ballast.Details = "TEST-BALLAST", nil, p.noise(600<<10)
	for range releases {
		p.churn()
		p.records[ballast.ID] = &ballast
		o := p.publishOptions()
		o.Gates = Gates{Churn: 2, Shrink: 1}
		if opt != nil {
			opt(p, &o)
		}
		out, err := Publish(t.Context(), o)
		o.DB.Close()
		if err != nil {
			t.Fatal(err)
		}
		p.out, p.times = append(p.out, out), append(p.times, o.Now)
		p.digests = append(p.digests, p.digest(p.world.dir))
		state, rows := map[string][]byte{}, map[string][]byte{}
		for id, r := range p.records {
			if state[id], err = normalize.AppendEncode(nil, r); err != nil {
				t.Fatal(err)
			}
		}
		for cve := range p.scores {
			rows[cve] = p.row(cve)
		}
		p.states, p.tables = append(p.states, state), append(p.tables, rows)
	}
	return p
}

// noise does not compress: a base that has it stays the base of many releases.
func (p *past) noise(size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = 'a' + byte(p.rnd.IntN(26))
	}
	return string(b)
}

// record is a record as of a release, nil for none.
func (p *past) record(version uint64, id string) []byte {
	if version == 0 {
		return nil
	}
	return p.states[version-1][id]
}

// ids are all IDs that there ever were.
func (p *past) ids() []string {
	all := map[string]bool{}
	for _, s := range p.states {
		for id := range s {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// open reads the releases of some copies of the repository.
func (p *past) open(t *testing.T, repos ...Reader) *Releases {
	t.Helper()
	if len(repos) == 0 {
		repos = []Reader{p.repo}
	}
	root, err := p.keys.FirstRoot()
	if err != nil {
		t.Fatal(err)
	}
	l, err := OpenReleases(t.Context(), ReleasesOptions{Repos: repos, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *past) number(t *testing.T, l *Releases, version uint64) Leaf {
	t.Helper()
	x, err := l.Number(t.Context(), version)
	if err != nil || x.Version != version {
		t.Fatalf("release %d: %+v, %v", version, x, err)
	}
	return x
}

// restored verifies that a folder is the state of a release, byte for byte.
func (p *past) restored(t *testing.T, dir string, version uint64) {
	t.Helper()
	if got, want := p.digest(dir), p.digests[version-1]; got != want {
		t.Errorf("release %d: digest %s, published %s", version, got, want)
	}
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows := map[string][]byte{}
	if err := db.Rows("epss", func(k, v []byte) error {
		rows[string(k)] = bytes.Clone(v)
		return nil
	}); err != nil || !maps.EqualFunc(rows, p.tables[version-1], bytes.Equal) {
		t.Errorf("release %d: rows differ (%v)", version, err)
	}
	x, err := Restored(db)
	if err != nil || x == nil || x.StateRoot != p.out[version-1].StateRoot {
		t.Errorf("release %d: restored %+v, %v", version, x, err)
	}
}

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

// A memory is a repository in memory.
type memory map[string][]byte

func (memory) String() string { return "memory" }

func (m memory) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	data, ok := m[name]
	if !ok {
		return nil, ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data[offset:])), nil
}

func (m memory) Write(_ context.Context, name string, data []byte) error {
	m[name] = bytes.Clone(data)
	return nil
}

func (m memory) Create(ctx context.Context, name string, _ int64, r io.Reader) error {
	data, err := io.ReadAll(r)
	return errors.Join(err, m.Write(ctx, name, data))
}

func (m memory) Swap(ctx context.Context, name string, data, _ []byte) error {
	return m.Write(ctx, name, data)
}

func (memory) Lock(context.Context) (func() error, error) { return func() error { return nil }, nil }

func (m memory) List(_ context.Context, _ string, yield func(string) error) error {
	for name := range m {
		if err := yield(name); err != nil {
			return err
		}
	}
	return nil
}

func (m memory) Delete(_ context.Context, name string) error {
	delete(m, name)
	return nil
}

// TestRestore makes each release again, out of a folder and over HTTP.
func TestRestore(t *testing.T) {
	p := newPast(t, 23, 120, 14, func(_ *past, o *PublishOptions) { o.BaseEvery = 9 })
	for name, r := range map[string]Reader{"folder": p.repo, "http": serve(t, http.FileServer(http.Dir(p.repo.path)))} {
		t.Run(name, func(t *testing.T) {
			l := p.open(t, r)
			p.finds(t, l)
			dir := t.TempDir()
			for v := uint64(1); v <= 14; v++ {
				at := filepath.Join(dir, fmt.Sprint(v))
				x := p.number(t, l, v)
				fresh, err := l.Restore(t.Context(), x, at, nil)
				if err != nil || !fresh {
					t.Fatalf("release %d: %v, %v", v, fresh, err)
				}
				p.restored(t, at, v)
				if fresh, err := l.Restore(t.Context(), x, at, nil); err != nil || fresh {
					t.Errorf("release %d again: %v, %v", v, fresh, err)
				}
				if _, err := os.Stat(filepath.Join(at, "staging")); err == nil {
					t.Error("segments were left behind")
				}
			}
			// A folder of another release becomes the one that is asked for.
			if fresh, err := l.Restore(t.Context(), p.number(t, l, 3), filepath.Join(dir, "7"), nil); err != nil || !fresh {
				t.Errorf("3 over 7: %v, %v", fresh, err)
			}
			p.restored(t, filepath.Join(dir, "7"), 3)
		})
	}
}

// TestRestoreOnly restores some ecosystems, proves a record of the past, and
// goes on from there to the newest release.
func TestRestoreOnly(t *testing.T) {
	p := newPast(t, 24, 120, 12, nil)
	l := p.open(t)
	dir := filepath.Join(t.TempDir(), "asof")
	if _, err := l.Restore(t.Context(), p.number(t, l, 5), dir, []string{"npm"}); err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := db.Records("", func(id string, data []byte) error {
		n++
		if !bytes.Equal(data, p.record(5, id)) {
			t.Errorf("%s: %s", id, data)
		}
		return nil
	}); err != nil || n == 0 || n == len(p.states[4]) {
		t.Errorf("%d of %d records, %v", n, len(p.states[4]), err)
	}
	db.Close()
	if fresh, err := l.Restore(t.Context(), p.number(t, l, 5), dir, nil); err != nil || !fresh {
		t.Errorf("all instead of npm: %v, %v", fresh, err)
	}
	if db, err = store.OpenDB(dir); err != nil {
		t.Fatal(err)
	}
	proof, err := Prove(db, slices.Sorted(maps.Keys(p.states[4]))[0])
	db.Close()
	if err != nil || proof.Leaf.Version != 5 {
		t.Errorf("proof %+v, %v", proof, err)
	}
	c := p.client("unused")
	c.Dir = dir
	if got := p.pull(c); got.From != 5 || got.Version != 12 {
		t.Errorf("pulled %+v", got)
	}
	if p.digest(dir) != p.digests[11] {
		t.Error("pulling into a restored state: digests differ")
	}
}

// TestCollected asks for releases of which the repository has less and less.
func TestCollected(t *testing.T) {
	p := newPast(t, 25, 40, 62, func(p *past, o *PublishOptions) {
		o.Grace = 10 * time.Hour
	})
	l := p.open(t)
	can, err := l.Obtainable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	got := 0
	for v := uint64(1); v <= 62; v++ {
		at := filepath.Join(dir, fmt.Sprint(v))
		_, err := l.Restore(t.Context(), p.number(t, l, v), at, nil)
		switch want := slices.Contains(can, v); {
		case want && err != nil:
			t.Errorf("release %d: %v", v, err)
		case want:
			got++
			p.restored(t, at, v)
		case err == nil:
			t.Errorf("release %d was restored, and is not said to be obtainable", v)
		default:
			var gone *GoneError
			if !errors.As(err, &gone) || !errors.Is(err, ErrNotFound) || !slices.Equal(gone.Obtainable, can) {
				t.Errorf("release %d: %v", v, err)
			}
		}
	}
	// Eleven have their manifests; older ones at the ends of merged segments.
	if got < 13 || got > 40 || slices.Contains(can, 26) || !slices.Contains(can, 24) {
		t.Errorf("obtainable: %s", spansOf(can))
	}
	t.Logf("obtainable of 62: %s", spansOf(can))
	db, err := store.OpenDB(filepath.Join(dir, fmt.Sprint(can[0])))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Sources()
	if err != nil || len(list) != 2 || list[1].Status != "unknown" || list[1].License != "CC0-1.0" || list[1].FetchedAt != "" {
		t.Errorf("sources of a release whose manifest is gone: %+v, %v", list, err)
	}
}

// TestArchive takes what a repository has no more from a copy put away before.
func TestArchive(t *testing.T) {
	var old *Dir
	p := newPast(t, 26, 60, 24, func(p *past, o *PublishOptions) {
		if o.Grace, o.BaseEvery = time.Hour, 6; len(p.out) == 10 {
			old = copyRepo(t, p.world)
		}
	})
	if _, err := p.open(t).Restore(t.Context(), p.number(t, p.open(t), 9), filepath.Join(t.TempDir(), "gone"), nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("without the copy: %v", err)
	}
	l := p.open(t, p.repo, old)
	dir := filepath.Join(t.TempDir(), "asof")
	if _, err := l.Restore(t.Context(), p.number(t, l, 9), dir, nil); err != nil {
		t.Fatal(err)
	}
	p.restored(t, dir, 9)
}

// TestHostileReleases tampers with what leads to the past.
func TestHostileReleases(t *testing.T) {
	p := newPast(t, 27, 60, 12, nil)
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
		var errs []error
		for id := range p.states[0] {
			_, err := l.History(t.Context(), id, HistoryOptions{})
			errs = append(errs, err)
		}
		return errors.Join(errs...)
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
	p := newPast(t, 28, 200, 4, nil)
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
	other := newPast(t, 29, 10, 1, nil)
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
