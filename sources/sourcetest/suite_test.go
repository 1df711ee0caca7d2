package sourcetest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/fixture"
)

const listFixture = `
-- upstream/feed.test/changes.csv --
a.json,2026-01-01T10:00:00Z
-- upstream/feed.test/a.json --
{"id":"T-1","modified":"2026-01-01T10:00:00Z","summary":"one"}
-- next/feed.test/changes.csv --
a.json,2026-01-01T10:00:00Z
b.json,2026-01-02T10:00:00Z
-- next/feed.test/b.json --
{"id":"T-2","modified":"2026-01-02T10:00:00Z","summary":"two"}
`

const archiveFixture = `
-- upstream/feed.test/all.tar.gz/a.json --
{"id":"T-1","modified":"2026-01-01T10:00:00Z","summary":"one"}
-- upstream/feed.test/all.tar.gz/b.json --
{"id":"T-2","modified":"2026-01-01T10:00:00Z","summary":"two"}
-- next/feed.test/all.tar.gz/b.json --
{"id":"T-2","modified":"2026-01-02T10:00:00Z","summary":"two, again"}
-- next/feed.test/all.tar.gz/c.json --
{"id":"T-3","modified":"2026-01-02T10:00:00Z","summary":"three"}
`

const fileFixture = `
-- upstream/feed.test/all.json --
{"id":"T-1","modified":"2026-01-01T10:00:00Z","aliases":["CVE-2026-0001","CVE-2026-0002","CVE-2026-0003"]}
-- next/feed.test/all.json --
{"id":"T-1","modified":"2026-01-02T10:00:00Z","aliases":["CVE-2026-0001"]}
`

const base = "https://feed.test/"

// listed fetches what changes.csv names since the cursor, which becomes what
// advance says, given the newest date seen.
func listed(advance func(newest time.Time) time.Time) sources.Fetch {
	return func(ctx context.Context, m *sources.Mirror) error {
		var cursor time.Time
		if err := m.Load(&cursor); err != nil {
			return err
		}
		resp, err := m.Get(ctx, base+"changes.csv")
		if errors.Is(err, sources.ErrUnchanged) {
			return m.Commit(ctx, nil)
		}
		if err != nil {
			return err
		}
		defer resp.Close()
		rows, err := csv.NewReader(resp).ReadAll()
		if err != nil || len(rows) == 0 {
			return fmt.Errorf("%schanges.csv: %d rows: %w", base, len(rows), errors.Join(err, sources.ErrIncomplete))
		}
		newest := cursor
		for _, row := range rows {
			at, err := time.Parse(time.RFC3339, row[len(row)-1])
			if err != nil {
				return fmt.Errorf("%schanges.csv: %w", base, err)
			}
			if !at.After(cursor) {
				continue
			}
			if err := m.Copy(ctx, row[0], base+row[0]); err != nil {
				return err
			}
			if at.After(newest) {
				newest = at
			}
		}
		resp.Keep()
		return m.Commit(ctx, advance(newest))
	}
}

func newestSeen(t time.Time) time.Time { return t }

// entries reads the archive entry by entry, and calls done after each.
func entries(ctx context.Context, m *sources.Mirror, done func() error) (*sources.Response, error) {
	resp, err := m.Get(ctx, base+"all.tar.gz")
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	for tr := tar.NewReader(resp); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return resp, nil
		}
		if err == nil {
			err = m.Put(h.Name, tr)
		}
		if err == nil {
			err = done()
		}
		if err != nil {
			return nil, fmt.Errorf("%sall.tar.gz: %w", base, err)
		}
	}
}

func nothing() error { return nil }

func unchanged(err error) error {
	if errors.Is(err, sources.ErrUnchanged) {
		return nil
	}
	return err
}

var plants = []struct {
	name    string
	fixture string
	fetch   sources.Fetch
	parse   normalize.Parser // nil: normalize.OSV
	caught  string           // by which check; "" for a sound source
}{
	{"sound list", listFixture, listed(newestSeen), nil, ""},
	{"sound archive", archiveFixture, sources.Archive("", base+"all.tar.gz", sources.Selection{Match: []string{"*.json"}}), nil, ""},
	{"sound file", fileFixture, sources.File("all.json", base+"all.json"), nil, ""},

	{"cursor is the clock", listFixture, listed(func(time.Time) time.Time { return now }), nil, "fresh"},
	{"cursor moves with every run", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		n := 0
		if err := errors.Join(m.Load(&n), m.Copy(ctx, "all.json", base+"all.json")); err != nil {
			return err
		}
		return m.Commit(ctx, n+1)
	}, nil, "quiet"},
	{"archive not read to its end", archiveFixture, func(ctx context.Context, m *sources.Mirror) error {
		resp, err := entries(ctx, m, func() error { return m.Commit(ctx, nil) })
		if err != nil {
			return unchanged(err)
		}
		resp.Keep()
		return m.Commit(ctx, nil)
	}, nil, "hostile"},
	{"deletion is dropped", archiveFixture, func(ctx context.Context, m *sources.Mirror) error {
		resp, err := entries(ctx, m, nothing)
		if err != nil {
			return unchanged(err)
		}
		resp.Keep()
		return m.Commit(ctx, nil)
	}, nil, "fresh"},
	{"deletion before reading", archiveFixture, func(ctx context.Context, m *sources.Mirror) error {
		var names []string
		if err := m.Names(func(n string) bool { names = append(names, n); return true }); err != nil {
			return err
		}
		for _, n := range names {
			if err := m.Delete(n); err != nil {
				return err
			}
		}
		if err := m.Commit(ctx, nil); err != nil {
			return err
		}
		if _, err := entries(ctx, m, nothing); err != nil {
			return err
		}
		return m.Commit(ctx, nil)
	}, nil, "resume"},
	{"validator before data", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		resp, err := m.Get(ctx, base+"all.json")
		if err != nil {
			return unchanged(err)
		}
		defer resp.Close()
		resp.Keep()
		if err := m.Commit(ctx, nil); err != nil {
			return err
		}
		if err := m.Put("all.json", resp); err != nil {
			return err
		}
		return m.Commit(ctx, nil)
	}, nil, "resume"},
	{"whole body every time", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		m.Forget(base + "all.json")
		if err := m.Copy(ctx, "all.json", base+"all.json"); err != nil {
			return err
		}
		return m.Commit(ctx, nil)
	}, nil, "quiet"},
	{"error swallowed", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		_ = m.Copy(ctx, "all.json", base+"all.json")
		return m.Commit(ctx, nil)
	}, nil, "resume"},
	{"error without a name", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		if m.Copy(ctx, "all.json", base+"all.json") != nil {
			return errors.New("download did not work")
		}
		return m.Commit(ctx, nil)
	}, nil, "hostile"},
	{"half a document", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		resp, err := m.Get(ctx, base+"all.json")
		if err != nil {
			return unchanged(err)
		}
		defer resp.Close()
		data, rerr := io.ReadAll(resp)
		if err := m.Put("all.txt", bytes.NewReader(append([]byte("x"), data...))); err != nil {
			return err
		}
		if rerr == nil {
			resp.Keep()
		}
		return errors.Join(rerr, m.Commit(ctx, nil))
	}, func(d normalize.Doc, emit func(*normalize.Record) error) error {
		_, err := io.Copy(io.Discard, d.Body)
		return err
	}, "hostile"},
	{"name from the date", fileFixture, func(ctx context.Context, m *sources.Mirror) error {
		resp, err := m.Get(ctx, base+"all.json")
		if err != nil {
			return unchanged(err)
		}
		defer resp.Close()
		if err := m.Put(resp.Modified.Format(time.DateOnly)+".json", resp); err != nil {
			return fmt.Errorf("%sall.json: %w", base, err)
		}
		resp.Keep()
		return m.Commit(ctx, nil)
	}, nil, "touched"},

	{"parse in another order", fileFixture, sources.File("all.json", base+"all.json"), shuffled, "parse"},
	{"parse takes a cut for the end", fileFixture, sources.File("all.json", base+"all.json"), func(d normalize.Doc, emit func(*normalize.Record) error) error {
		var cut *normalize.Record
		if err := normalize.OSV(d, func(r *normalize.Record) error { cut = r; return nil }); err != nil && !strings.Contains(err.Error(), "read fault") {
			return nil
		} else if err != nil {
			return err
		}
		return emit(cut)
	}, "parse"},
	{"parse ignores a read that fails", fileFixture, sources.File("all.json", base+"all.json"), func(d normalize.Doc, emit func(*normalize.Record) error) error {
		data, _ := io.ReadAll(d.Body)
		d.Body = bytes.NewReader(data)
		return normalize.OSV(d, emit)
	}, "parse"},
	{"parse panics on what is cut", fileFixture, sources.File("all.json", base+"all.json"), func(d normalize.Doc, emit func(*normalize.Record) error) error {
		data, err := io.ReadAll(d.Body)
		if err != nil {
			return err
		}
		if data[19] == 0 {
			return errors.New("zero")
		}
		d.Body = bytes.NewReader(data)
		return normalize.OSV(d, emit)
	}, "parse"},
}

var calls atomic.Int64

// shuffled emits aliases in an order that changes with every call.
func shuffled(d normalize.Doc, emit func(*normalize.Record) error) error {
	turn := int(calls.Add(1))
	return normalize.OSV(d, func(r *normalize.Record) error {
		for range turn % 3 {
			r.Aliases = slices.Concat(r.Aliases[1:], r.Aliases[:1])
		}
		return emit(r)
	})
}

// TestSuiteCatches plants mistakes that sources make and expects the check
// that is there for each to tell, and sound sources to pass all of them.
func TestSuiteCatches(t *testing.T) {
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			parse := p.parse
			if parse == nil {
				parse = normalize.OSV
			}
			src := sources.Source{Name: "planted", Fetch: p.fetch, Parse: parse}
			fix := fixture.Parse(path.Join(t.TempDir(), "x.txtar"), []byte(p.fixture))
			b, err := newBench(src, fix, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, c := range checks {
				if err := c.run(t.Context(), b); err != nil {
					told = append(told, c.name)
					t.Logf("%s: %v", c.name, err)
				}
			}
			if p.caught == "" && len(told) > 0 || p.caught != "" && !slices.Contains(told, p.caught) {
				t.Errorf("told by %q, want %q", told, p.caught)
			}
		})
	}
}
