package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
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

// newPast makes releases, whose bases have ballast letters at least; opt
// changes how each is published.
func newPast(t *testing.T, seed uint64, records, releases, ballast int, opt func(*past, *PublishOptions)) *past {
	t.Helper()
	p := &past{world: newWorld(t, seed, records)}
	heavy := *p.records["TEST-00000"]
	heavy.ID, heavy.Aliases, heavy.Details = "TEST-BALLAST", nil, p.noise(ballast)
	for range releases {
		p.churn()
		p.records[heavy.ID] = &heavy
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
