package sourcetest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/fixture"
)

// now is the time at which fixtures are fetched.
var now = time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC)

// A bench has one source and its fixture's trees set up for checks.
type bench struct {
	src  sources.Source
	fix  *fixture.Fixture
	one  string // tree of what upstream serves at first
	two  string // tree of what it serves the next time; "" if the fixture does not say
	root string
}

func newBench(src sources.Source, fix *fixture.Fixture, dir string) (*bench, error) {
	b := &bench{src: src, fix: fix, root: dir, one: dir + "/one"}
	if err := fix.WriteTree(b.one, "upstream", fixture.DayOne); err != nil {
		return nil, err
	}
	if !fix.Has("next") {
		return b, nil
	}
	b.two = dir + "/two"
	if err := os.CopyFS(b.two, os.DirFS(b.one)); err != nil {
		return nil, err
	}
	if err := touch(b.two, fixture.DayOne); err != nil {
		return nil, err
	}
	if err := fix.WriteTree(b.two, "next", fixture.DayTwo); err != nil {
		return nil, err
	}
	return b, fix.RemoveGone(b.two)
}

// A result is what one fetch did.
type result struct {
	log   []exchange
	stats sources.Stats
	err   error
}

// fetch fetches from the tree into docs, with a fault in the answers of one
// URL or without.
func (b *bench) fetch(ctx context.Context, docs *Memory, tree string, f *fault, url string) result {
	w := &wire{fault: f, url: url}
	opt := sources.ClientOptions{
		Upstream: tree,
		Retries:  1,
		Backoff:  time.Microsecond,
		Wrap: func(next http.RoundTripper) http.RoundTripper {
			w.next = next
			return w
		},
	}
	if f != nil && f.slow {
		opt.Retries, opt.HeaderTimeout, opt.StallTimeout = -1, 200*time.Millisecond, 200*time.Millisecond
	}
	client, err := sources.NewClient(opt)
	if err != nil {
		return result{err: err}
	}
	m, err := sources.NewMirror(docs, sources.MirrorOptions{
		Client: client,
		Now:    func() time.Time { return now },
		Sleep:  func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		return result{err: err}
	}
	err = b.src.Fetch(ctx, m)
	return result{log: w.log, stats: m.Stats(), err: err}
}

// fetched returns the documents after a fetch of the tree without faults, on
// top of base (nil: nothing).
func (b *bench) fetched(ctx context.Context, base *Memory, tree string) (*Memory, result, error) {
	docs := &Memory{}
	if base != nil {
		docs = base.Reopen()
	}
	r := b.fetch(ctx, docs, tree, nil, "")
	if r.err != nil {
		return nil, r, fmt.Errorf("fetch: %w", r.err)
	}
	return docs.Reopen(), r, nil
}

// A step is one fetch that a check puts faults in: from what is there to
// what upstream serves.
type step struct {
	name   string
	before *Memory
	tree   string
	after  *Memory
	log    []exchange
}

// steps returns the first fetch, and the next one if the fixture has one.
func (b *bench) steps(ctx context.Context) ([]step, error) {
	one, r, err := b.fetched(ctx, nil, b.one)
	if err != nil {
		return nil, err
	}
	steps := []step{{"first", &Memory{}, b.one, one, r.log}}
	if b.two != "" {
		two, r, err := b.fetched(ctx, one, b.two)
		if err != nil {
			return nil, fmt.Errorf("next: %w", err)
		}
		steps = append(steps, step{"next", one, b.two, two, r.log})
	}
	return steps, nil
}
