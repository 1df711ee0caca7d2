package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
)

// syncOptions are the flags of sync.
type syncOptions struct {
	upstream     string
	jobs         int
	acceptShrink []string
	api          bool
	force        bool
	patience
}

// patience is how long and how often upstream is asked.
type patience struct {
	retries int
	timeout time.Duration
}

func (p *patience) flags(f *pflag.FlagSet) {
	f.IntVar(&p.retries, "retries", 4, "how often a request that may succeed later is repeated")
	f.DurationVar(&p.timeout, "timeout", time.Minute, "longest wait for an answer to begin, or to go on")
}

// client returns the options of a client with this patience.
func (p *patience) client(a *app, upstream string) sources.ClientOptions {
	opt := sources.ClientOptions{Upstream: upstream, Log: a.log(), Retries: p.retries, HeaderTimeout: p.timeout, StallTimeout: p.timeout}
	if p.retries == 0 {
		opt.Retries = -1
	}
	return opt
}

func (a *app) syncCommand() *cobra.Command {
	var opt syncOptions
	c := &cobra.Command{
		Use:   "sync [SOURCE...]",
		Short: "Fetch, parse and merge what changed upstream",
		Long: `Sync fetches what changed of the named sources (default: all), parses what is
due, merges what changed, and makes a new state of the database if any record
became otherwise. One sick source touches no other: its last good data stay.

A source that lost more than a tenth of its entries is not believed, until
--accept-shrink names it.

Of an --upstream that was carried over, sources that it lacks and that were
never fetched are passed over and named, unless they were asked for.

With --json one object a source is printed: source, documents, changed (of
those, in this run), parts, parts_changed, parts_gone, records,
records_changed, findings, requests, bytes (fetched), seconds, absent, error.
` + exitHelp + " (a source failed)",
		Example: `  advdb sync
  advdb sync alpine debian --jobs 2
  advdb sync --upstream /mnt/feeds             from carried-over feeds
  advdb sync nvd --api                         NVD's API ($NVD_API_KEY)`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.sync(c.Context(), args, opt) },
	}
	f := c.Flags()
	f.StringVar(&opt.upstream, "upstream", "", "answer requests from this folder or URL, laid out as <host>/<path>, or a folder of fixtures")
	f.IntVar(&opt.jobs, "jobs", 4, "sources fetched at a time")
	f.StringSliceVar(&opt.acceptShrink, "accept-shrink", nil, "believe these sources although they lost much")
	f.BoolVar(&opt.api, "api", false, "prefer a source's API to its files")
	opt.patience.flags(f)
	f.BoolVar(&opt.force, "force", false, "fetch everything anew, whatever was fetched before")
	return c
}

// fetched is how fetching one source went.
type fetched struct {
	stats   sources.Stats
	seconds float64
	err     error
	absent  bool // all sources were asked for, and the upstream tree has none of this one's
}

func (a *app) sync(ctx context.Context, names []string, opt syncOptions) error {
	known, err := a.registry()
	if err != nil {
		return err
	}
	chosen, err := known.pick(names)
	if err != nil {
		return err
	}
	for _, n := range opt.acceptShrink {
		if _, ok := known.byName(n); !ok {
			return usagef("--accept-shrink: no source %q", n)
		}
	}
	if opt.jobs < 1 {
		return usagef("--jobs: %d, want at least 1", opt.jobs)
	}
	tree, done, err := upstreamTree(opt.upstream)
	if err != nil {
		return usageError{fmt.Errorf("--upstream: %w", err)}
	}
	defer done()
	client, err := sources.NewClient(opt.client(a, tree))
	if err != nil {
		return usageError{fmt.Errorf("--upstream: %w", err)}
	}
	st, err := store.Open(a.dir, store.Options{Now: a.now, Log: a.log()})
	if err != nil {
		return err
	}
	defer st.Close()
	r := &syncRun{a: a, known: known, store: st, opt: opt, all: len(names) == 0, clock: newStopwatch(), progress: a.newProgress()}
	defer r.progress.stop()
	got := r.fetch(ctx, client, chosen)
	if err := ctx.Err(); err != nil {
		return err
	}
	outs, err := r.update(ctx, got, false)
	if err != nil {
		return err
	}
	return r.report(chosen, got, outs)
}

// A syncRun is one run of sync or rebuild.
type syncRun struct {
	a        *app
	known    registry
	store    *store.Store
	opt      syncOptions
	all      bool // no source was named
	clock    *stopwatch
	progress *progress
}

// fetch copies the sources side by side.
func (r *syncRun) fetch(ctx context.Context, client *sources.Client, list []sources.Source) map[string]*fetched {
	got := map[string]*fetched{}
	var g errgroup.Group
	g.SetLimit(r.opt.jobs)
	for _, s := range list {
		f := &fetched{}
		got[s.Name] = f
		g.Go(func() error {
			start := time.Now()
			f.stats, f.err = r.fetchOne(ctx, client, s)
			if r.all && r.opt.upstream != "" && sources.NotFound(f.err) && f.stats.Put == 0 && r.holdsNone(s.Name) {
				f.absent, f.err = true, nil
			}
			f.seconds = time.Since(start).Seconds()
			r.progress.fetched(s.Name, f)
			return nil
		})
	}
	g.Wait()
	r.clock.lap("fetch")
	return got
}

// holdsNone reports whether no document of the source was ever fetched.
func (r *syncRun) holdsNone(source string) bool {
	none := true
	err := r.store.Documents(source).Names(func(string) bool {
		none = false
		return false
	})
	return err == nil && none
}

func (r *syncRun) fetchOne(ctx context.Context, client *sources.Client, s sources.Source) (sources.Stats, error) {
	m, err := sources.NewMirror(r.store.Documents(s.Name), sources.MirrorOptions{
		Client:   client,
		Force:    r.opt.force,
		API:      r.opt.api,
		Secret:   r.a.getenv,
		Log:      r.a.log().With("source", s.Name),
		Now:      r.a.now,
		TempDir:  r.store.Dir(),
		Progress: r.progress.fetching(s.Name),
	})
	if err != nil {
		return sources.Stats{}, err
	}
	err = s.Fetch(ctx, m)
	return m.Stats(), err
}

// update parses and merges what is due and notes how each source stands.
func (r *syncRun) update(ctx context.Context, got map[string]*fetched, force bool) ([]store.Outcome, error) {
	status, err := r.status(got)
	if err != nil {
		return nil, err
	}
	accept := map[string]bool{}
	for _, n := range r.opt.acceptShrink {
		accept[n] = true
	}
	states, err := r.states(status)
	if err != nil {
		return nil, err
	}
	outs, err := r.store.Update(ctx, r.known.feeds(), store.UpdateOptions{
		Force:        force,
		AcceptShrink: accept,
		Sources:      states,
		Progress:     r.progress.parsing,
		Stage:        r.clock.lap,
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(outs, func(o store.Outcome) bool { return o.Parsed > 0 }) {
		if _, err := r.store.Collect(); err != nil {
			return nil, fmt.Errorf("documents: %w", err)
		}
		r.clock.lap("collect")
	}
	for _, o := range outs {
		st, tried := status[o.Source]
		if !tried && o.Err == nil {
			continue
		}
		if f := got[o.Source]; f != nil {
			st.Error = errText(errors.Join(f.err, o.Err))
		} else {
			st.Error = errText(o.Err)
		}
		status[o.Source] = st
	}
	return outs, r.store.WriteStatus(status)
}

// status brings the status of the sources up to now.
func (r *syncRun) status(got map[string]*fetched) (map[string]store.Status, error) {
	status, err := store.ReadStatus(r.store.Dir())
	if err != nil {
		return nil, err
	}
	now := r.a.now().Format(time.RFC3339)
	for name, f := range got {
		if f.absent {
			continue
		}
		st := status[name]
		st.TriedAt, st.Error = now, errText(f.err)
		if f.err == nil {
			st.FetchedAt = now
		}
		status[name] = st
	}
	return status, nil
}

// syncLine is what sync --json prints of one source.
type syncLine struct {
	Source         string  `json:"source"`
	Documents      int     `json:"documents"`
	Changed        int     `json:"changed"`
	Parts          int     `json:"parts"`
	PartsChanged   int     `json:"parts_changed"`
	PartsGone      int     `json:"parts_gone"`
	Records        int     `json:"records"`
	RecordsChanged int     `json:"records_changed"`
	Findings       int     `json:"findings"`
	Requests       int     `json:"requests"`
	Bytes          int64   `json:"bytes"`
	Seconds        float64 `json:"seconds"`
	Absent         bool    `json:"absent,omitempty"`
	Error          string  `json:"error,omitempty"`
}

// report prints a line a source, and fails if one failed.
func (r *syncRun) report(chosen []sources.Source, got map[string]*fetched, outs []store.Outcome) error {
	r.progress.stop()
	counts, err := recordCounts(r.store.Dir())
	if err != nil {
		return err
	}
	var failed, absent []string
	var total syncLine
	for _, s := range chosen {
		i := slices.IndexFunc(outs, func(o store.Outcome) bool { return o.Source == s.Name })
		o, f := outs[i], got[s.Name]
		if f == nil {
			f = &fetched{}
		}
		line := syncLine{
			Source: s.Name, Documents: o.Documents, Changed: f.stats.Changed + f.stats.Deleted,
			Parts: o.Parts, PartsChanged: o.PartsChanged, PartsGone: o.PartsGone,
			Records: counts[s.Name], RecordsChanged: o.Records, Findings: o.Findings,
			Requests: f.stats.Requests, Bytes: f.stats.Bytes, Seconds: f.seconds,
			Absent: f.absent, Error: errText(errors.Join(f.err, o.Err)),
		}
		if line.Error != "" {
			failed = append(failed, s.Name)
		}
		if line.Absent {
			absent = append(absent, s.Name)
		}
		total.Changed += line.Changed
		total.RecordsChanged += line.RecordsChanged
		total.Bytes += line.Bytes
		if err := r.print(line); err != nil {
			return err
		}
	}
	r.a.sayf("%d documents and %d records changed, %s fetched, %s", total.Changed, total.RecordsChanged, size(total.Bytes), r.clock)
	if len(absent) > 0 {
		r.a.sayf("not in this upstream: %s", strings.Join(absent, ", "))
	}
	if len(failed) > 0 {
		r.a.sayf("failed: %s; their last good data stay", strings.Join(failed, ", "))
		return errBad
	}
	return nil
}

func (r *syncRun) print(l syncLine) error {
	if r.a.json {
		return r.a.printJSON(l)
	}
	if l.Error != "" {
		fmt.Fprintf(r.a.stderr, "%s: %s\n", l.Source, l.Error)
	}
	if r.a.quiet || l.Absent {
		return nil
	}
	_, err := fmt.Fprintf(r.a.stdout, "%-12s %7d documents (%d changed), %7d records (%d changed)\n",
		l.Source, l.Documents, l.Changed, l.Records, l.RecordsChanged)
	return err
}

// recordCounts returns the number of records of each source.
func recordCounts(dir string) (map[string]int, error) {
	counts := map[string]int{}
	db, err := store.OpenDB(dir)
	if errors.Is(err, store.ErrNoData) {
		return counts, nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	list, err := db.Sources()
	for _, s := range list {
		counts[s.Name] = s.Records
	}
	return counts, err
}
