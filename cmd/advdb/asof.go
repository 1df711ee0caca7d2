package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// repoOptions are the flags of commands that read past releases.
type repoOptions struct {
	repos  []string
	root   string
	states string // folder of states made again
}

func (o *repoOptions) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.repos, "repo", nil, "repository of the releases ($ADVDB_REPO; default: where the database was pulled from); more are copies of it")
	f.StringVar(&o.root, "root", "", "file of a root to trust, where the database trusts none or another publisher")
	f.StringVar(&o.states, "states", "", "folder of past states made again (default: asof in the database's)")
}

// keepStates is how many states of past releases a cache folder keeps.
const keepStates = 4

// asOf adds --as-of to a command that asks the database.
func (a *app) asOf(c *cobra.Command) *cobra.Command {
	var opt repoOptions
	var when string
	c.Flags().StringVar(&when, "as-of", "", "answer from a past release: its number, or a date (its end, UTC) or RFC 3339 time")
	opt.flags(c.Flags())
	c.Long += asOfHelp
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if when == "" {
			for _, name := range []string{"repo", "root", "states"} {
				if c.Flags().Changed(name) {
					return usagef("%s: --%s goes with --as-of", c.Name(), name)
				}
			}
			return run(c, args)
		}
		if err := a.goBack(c.Context(), when, opt); err != nil {
			return err
		}
		return run(c, args)
	}
	return c
}

const asOfHelp = `
With --as-of, the answer is that of the newest release that was there at the
time: its state is made again from the repository's segments, verified against
the signed log, kept for the next question, and named on standard error. The
age of data is then as of that release.
`

// goBack makes the state of a past release the database of this run.
func (a *app) goBack(ctx context.Context, when string, opt repoOptions) error {
	p, err := parseWhen(when)
	if err != nil {
		return err
	}
	if _, err := a.registry(); err != nil { // the site's feeds are those of the folder named
		return err
	}
	dir, x, err := a.past(ctx, p, opt)
	if err != nil {
		return fmt.Errorf("as of %s: %w", when, err)
	}
	t, err := time.Parse(time.RFC3339, x.Time)
	if err != nil {
		return err
	}
	a.sayf("as of release %d, %s", x.Version, x.Time)
	a.dir, a.clock = dir, t
	return nil
}

// A when is a past release as a person names it: by its number, or else by a
// time.
type when struct {
	number uint64
	time   time.Time
}

func parseWhen(s string) (when, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil && n > 0 {
		return when{number: n}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return when{time: t}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return when{time: t.AddDate(0, 0, 1).Add(-time.Second)}, nil
	}
	return when{}, usagef("%q: want a release's number, a date such as 2026-08-01, or an RFC 3339 time", s)
}

// find returns the release.
func (w when) find(ctx context.Context, l *snapshot.Releases) (snapshot.Leaf, error) {
	if w.number > 0 {
		return l.Number(ctx, w.number)
	}
	return l.At(ctx, w.time)
}

// past returns a folder that holds a past release, and the log's entry of it.
func (a *app) past(ctx context.Context, p when, opt repoOptions) (string, snapshot.Leaf, error) {
	held, err := a.held()
	if err != nil {
		return "", snapshot.Leaf{}, err
	}
	if held != nil && p.number > 0 && len(opt.repos) == 0 {
		if held.Version == p.number {
			return a.dir, snapshot.Leaf{Version: held.Version, Time: held.Time}, nil
		}
		if x, ok := cached(a.stateDir(opt, p.number)); ok && x.Origin == held.Origin && x.Epoch == held.Epoch {
			return a.stateDir(opt, p.number), x, nil
		}
	}
	l, done, err := a.releases(opt, held).open(ctx)
	if err != nil {
		return "", snapshot.Leaf{}, err
	}
	defer done()
	x, err := p.find(ctx, l)
	if err != nil {
		return "", x, err
	}
	if held != nil && held.Origin == x.Origin && held.Epoch == x.Epoch && held.Version == x.Version {
		return a.dir, x, nil
	}
	dir, err := a.restore(ctx, l, x, held, opt)
	return dir, x, err
}

// cached returns the release of a state that was made before.
func cached(dir string) (snapshot.Leaf, bool) {
	db, err := store.OpenDB(dir)
	if err != nil {
		return snapshot.Leaf{}, false
	}
	defer db.Close()
	x, err := snapshot.Restored(db)
	if err != nil || x == nil {
		return snapshot.Leaf{}, false
	}
	now := time.Now()
	os.Chtimes(dir, now, now) // it was used
	return *x, true
}

// restore makes the state of a release in the cache.
func (a *app) restore(ctx context.Context, l *snapshot.Releases, x snapshot.Leaf, held *snapshot.Held, opt repoOptions) (string, error) {
	dir := a.stateDir(opt, x.Version)
	var only []string
	if held != nil && held.Origin == x.Origin {
		only = held.Only
	}
	start := time.Now()
	fresh, err := l.Restore(ctx, x, dir, only)
	if err != nil {
		return "", err
	}
	now := time.Now()
	os.Chtimes(dir, now, now)
	if !fresh {
		return dir, nil
	}
	a.sayf("release %d made again in %.1f s", x.Version, time.Since(start).Seconds())
	if requests, bytes := l.Traffic(); a.verbose {
		a.sayf("%s in %d requests", size(bytes), requests)
	}
	return dir, prune(filepath.Dir(dir), keepStates)
}

// stateDir is where the state of a release is kept.
func (a *app) stateDir(opt repoOptions, version uint64) string {
	return filepath.Join(cmp.Or(opt.states, filepath.Join(a.dir, "asof")), strconv.FormatUint(version, 10))
}

// prune deletes all but the states that were used last.
func prune(dir string, keep int) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	used := map[string]time.Time{}
	for _, e := range list {
		if _, err := strconv.ParseUint(e.Name(), 10, 64); err != nil || !e.IsDir() {
			continue // not ours
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		used[e.Name()] = st.ModTime()
	}
	names := make([]string, 0, len(used))
	for n := range used {
		names = append(names, n)
	}
	slices.SortFunc(names, func(x, y string) int { return used[y].Compare(used[x]) })
	for _, n := range names[min(keep, len(names)):] {
		if err := pruneState(filepath.Join(dir, n)); err != nil {
			return err
		}
	}
	return nil
}

// pruneState deletes a state, unless it is being made.
func pruneState(dir string) error {
	rep, err := store.OpenReplica(dir)
	if errors.Is(err, store.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer rep.Close()
	return os.RemoveAll(dir)
}

// held is what the database knows of the release that it stands for, nil
// where it comes from no snapshot or there is none.
func (a *app) held() (*snapshot.Held, error) {
	db, err := store.OpenDB(a.dir)
	if errors.Is(err, store.ErrNoData) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return snapshot.ReadHeld(db)
}

// A releaseSource is where past releases are read.
type releaseSource struct {
	a    *app
	opt  repoOptions
	held *snapshot.Held
}

func (a *app) releases(opt repoOptions, held *snapshot.Held) releaseSource {
	return releaseSource{a, opt, held}
}

// open opens the repository; done must be called in the end.
func (s releaseSource) open(ctx context.Context) (l *snapshot.Releases, done func(), err error) {
	targets := s.opt.repos
	if e := s.a.getenv("ADVDB_REPO"); len(targets) == 0 && e != "" {
		targets = []string{e}
	}
	if len(targets) == 0 && s.held != nil && s.held.Repo != "" {
		targets = []string{s.held.Repo}
	}
	if len(targets) == 0 {
		return nil, nil, usagef("which repository? name it with --repo or $ADVDB_REPO")
	}
	o := snapshot.ReleasesOptions{Held: s.held}
	if o.Root, err = trustedRoot(s.opt.root); err != nil {
		return nil, nil, err
	}
	if o.Root != nil {
		o.Held = nil
	}
	done = func() {
		for _, r := range o.Repos {
			if c, ok := r.(interface{ Close() error }); ok {
				c.Close()
			}
		}
	}
	for _, t := range targets {
		r, err := s.a.openReader(t)
		if err != nil {
			done()
			return nil, nil, err
		}
		o.Repos = append(o.Repos, r)
	}
	if l, err = snapshot.OpenReleases(ctx, o); err != nil {
		done()
		return nil, nil, err
	}
	if l.Expires().Before(s.a.now()) {
		s.a.sayf("warning: the repository's metadata expired on %s: there may be newer releases", l.Expires().Format(time.RFC3339))
	}
	return l, done, nil
}
