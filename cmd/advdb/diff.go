package main

import (
	"bufio"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

// diffOptions are the flags of diff.
type diffOptions struct {
	repoOptions
	ecosystems []string
	ids        []string
	enrichment bool
	touched    bool
	stat       bool
}

func (a *app) diffCommand() *cobra.Command {
	var opt diffOptions
	c := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Say what differs between two states",
		Long: `Diff compares two states. Each is the folder of a database, or a past release of
a repository: its number, a date (its end, UTC) or an RFC 3339 time. B is the
database (--db) where it is not named. Two releases are compared by the delta
between them: no state is made of either; a release and a folder by making the
release's state again.

Records are added, changed, withdrawn, revived, deleted, or touched (another
modified and nothing else: counted, and listed with --touched).

With --json one object a record: id, kind, summary, packages (ecosystem, name:
those of which something else is said), fields (field, package, removed, added),
and table where it is a row of an enrichment table (--enrichment); with --stat
one object: from, to, records and tables (kind to number), packages.
` + exitHelp,
		Example: `  advdb diff 41 42 --repo https://advdb.example.org
  advdb diff 2026-07-31 2026-08-31 --ecosystem npm --json
  advdb diff /var/lib/advdb-old --stat`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				args = append(args, a.dir)
			}
			return a.diff(c.Context(), args[0], args[1], opt)
		},
	}
	f := c.Flags()
	opt.flags(f)
	f.StringSliceVar(&opt.ecosystems, "ecosystem", nil, "records of these ecosystems only; one without its release means any")
	f.StringSliceVar(&opt.ids, "id", nil, "these records only")
	f.BoolVar(&opt.enrichment, "enrichment", false, "also the rows of the enrichment tables")
	f.BoolVar(&opt.touched, "touched", false, "list records of which modified alone changed, too")
	f.BoolVar(&opt.stat, "stat", false, "print numbers only")
	return c
}

// A side is one of the states to compare: a folder, or a release.
type side struct {
	dir  string
	when when
}

// parseSide reads a side. What is a folder that is there is one, unless it
// looks like a release; "./42" is a folder.
func parseSide(s string) (side, error) {
	if w, err := parseWhen(s); err == nil {
		return side{when: w}, nil
	}
	if st, err := os.Stat(s); err != nil || !st.IsDir() {
		return side{}, usagef("%q: no release, date or folder", s)
	}
	return side{dir: s}, nil
}

func (a *app) diff(ctx context.Context, one, two string, opt diffOptions) error {
	from, err := parseSide(one)
	if err != nil {
		return err
	}
	to, err := parseSide(two)
	if err != nil {
		return err
	}
	p := newDiffPrinter(a, opt)
	o := snapshot.CompareOptions{IDs: opt.ids, Tables: opt.enrichment}
	if from.dir == "" && to.dir == "" {
		err = a.diffReleases(ctx, from.when, to.when, opt, o, p)
	} else {
		err = a.diffFolders(ctx, from, to, opt, o, p)
	}
	if err != nil {
		return err
	}
	return p.finish()
}

func (a *app) diffReleases(ctx context.Context, from, to when, opt diffOptions, o snapshot.CompareOptions, p *diffPrinter) error {
	held, err := a.held()
	if err != nil {
		return err
	}
	l, done, err := a.releases(opt.repoOptions, held).open(ctx)
	if err != nil {
		return err
	}
	defer done()
	x, err := from.find(ctx, l)
	if err != nil {
		return err
	}
	y, err := to.find(ctx, l)
	if err != nil {
		return err
	}
	p.name(releaseText(x), releaseText(y))
	if err := l.Compare(ctx, x, y, o, p.change); err != nil {
		return err
	}
	requests, bytes := l.Traffic()
	if requests > 0 && a.verbose {
		a.sayf("%s in %d requests", size(bytes), requests)
	}
	return nil
}

func releaseText(x snapshot.Leaf) string { return fmt.Sprintf("release %d, %s", x.Version, x.Time) }

func (a *app) diffFolders(ctx context.Context, from, to side, opt diffOptions, o snapshot.CompareOptions, p *diffPrinter) error {
	var dbs [2]*store.DB
	var names [2]string
	for i, s := range []side{from, to} {
		if names[i] = s.dir; s.dir == "" {
			dir, x, err := a.past(ctx, s.when, opt.repoOptions)
			if err != nil {
				return err
			}
			s.dir, names[i] = dir, releaseText(x)
		}
		db, err := store.OpenDB(s.dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.dir, err)
		}
		defer db.Close()
		dbs[i] = db
	}
	p.name(names[0], names[1])
	return snapshot.Compare(ctx, dbs[0], dbs[1], o, p.change)
}

// A diffPrinter prints changes as they come, and counts.
type diffPrinter struct {
	a        *app
	opt      diffOptions
	out      *bufio.Writer
	stat     diffStat
	seed     maphash.Seed
	packages map[uint64]struct{} // hashes of their names
}

// diffStat is what diff --stat --json prints.
type diffStat struct {
	From     string                    `json:"from"`
	To       string                    `json:"to"`
	Records  map[string]int            `json:"records"`
	Tables   map[string]map[string]int `json:"tables,omitempty"`
	Packages int                       `json:"packages"` // of which something else is said
}

func newDiffPrinter(a *app, opt diffOptions) *diffPrinter {
	return &diffPrinter{a: a, opt: opt, out: bufio.NewWriter(a.stdout), seed: maphash.MakeSeed(),
		stat: diffStat{Records: map[string]int{}, Tables: map[string]map[string]int{}}, packages: map[uint64]struct{}{}}
}

func (p *diffPrinter) name(from, to string) { p.stat.From, p.stat.To = from, to }

// change takes one change.
func (p *diffPrinter) change(c snapshot.Change) error {
	if !p.wants(c) {
		return nil
	}
	if c.Table == "" {
		p.stat.Records[c.Kind]++
	} else {
		if p.stat.Tables[c.Table] == nil {
			p.stat.Tables[c.Table] = map[string]int{}
		}
		p.stat.Tables[c.Table][c.Kind]++
	}
	for _, x := range c.Packages {
		p.packages[maphash.String(p.seed, x.Ecosystem+"\x00"+x.Name)] = struct{}{}
	}
	if p.opt.stat || c.Kind == snapshot.ChangeTouched && !p.opt.touched {
		return nil
	}
	if p.a.json {
		if err := p.out.Flush(); err != nil {
			return err
		}
		return p.a.printJSON(c)
	}
	return p.line(c)
}

// wants reports whether a change passes the filter of ecosystems: whether the
// record speaks of one of them, before or after.
func (p *diffPrinter) wants(c snapshot.Change) bool {
	if len(p.opt.ecosystems) == 0 {
		return true
	}
	return c.Table == "" && slices.ContainsFunc(c.Ecosystems(), func(have string) bool {
		return slices.ContainsFunc(p.opt.ecosystems, func(want string) bool {
			bare, _, _ := strings.Cut(have, ":")
			return want == have || want == bare
		})
	})
}

// line prints a change for people: what became of it, and in which fields.
func (p *diffPrinter) line(c snapshot.Change) error {
	fields := make([]string, 0, len(c.Fields))
	for _, d := range c.Fields {
		if d.Field != "modified" && !slices.Contains(fields, d.Field) {
			fields = append(fields, d.Field)
		}
	}
	what := firstLine(c.Summary)
	if len(fields) > 0 {
		what = strings.Join(fields, ", ") + "  " + what
	}
	_, err := fmt.Fprintf(p.out, "%-10s %s  %s\n", kindText(c), c.ID, strings.TrimSpace(what))
	return err
}

// finish prints the numbers: to standard output where they are the answer.
func (p *diffPrinter) finish() error {
	p.stat.Packages = len(p.packages)
	switch {
	case p.opt.stat && p.a.json:
		return p.a.printJSON(p.stat)
	case p.opt.stat:
		fmt.Fprintln(p.out, p.stat.text())
	default:
		p.a.sayf("%s", p.stat.text())
	}
	return p.out.Flush()
}

func (s diffStat) text() string {
	out := fmt.Sprintf("from %s to %s: %s; %d packages", s.From, s.To, countText("records", s.Records), s.Packages)
	for _, name := range slices.Sorted(maps.Keys(s.Tables)) {
		out += "\n" + countText(filepath.Base(name)+" rows", s.Tables[name])
	}
	return out
}

// countText is "records: 3 added, 1 deleted".
func countText(what string, counts map[string]int) string {
	if len(counts) == 0 {
		return what + ": none"
	}
	var list []string
	for _, k := range []string{snapshot.ChangeAdded, snapshot.ChangeChanged, snapshot.ChangeTouched, snapshot.ChangeWithdrawn, snapshot.ChangeRevived, snapshot.ChangeDeleted} {
		if n := counts[k]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, k))
		}
	}
	return what + ": " + strings.Join(list, ", ")
}
