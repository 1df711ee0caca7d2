package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

// historyOptions are the flags of history.
type historyOptions struct {
	repoOptions
	since, until string
	enrichment   bool
}

func (a *app) historyCommand() *cobra.Command {
	var opt historyOptions
	c := &cobra.Command{
		Use:   "history ID",
		Short: "Say when a record changed, and how",
		Long: `History lists the releases of a repository in which a record changed, and what
became otherwise in it. It reads what the deltas say of the ID and makes no
state; a database needs to be there for its trust alone, or --root.

It begins with the oldest base that the repository has. Where the deltas of
single releases were collected, it tells the last change of several and that
there may be others before it ("9..16"). With --enrichment it follows the rows
of the ID in the tables (EPSS, KEV, SSVC), too; --since and --until are release
numbers, dates, or RFC 3339 times.

With --json one object a change: id, table (of an enrichment row), version,
time, after, exact, kind (first, added, changed, touched, withdrawn, revived,
deleted, returned), summary, packages (ecosystem, name: those of which something
else is said), fields (field, package, removed, added).
` + exitHelp + "\n     (1: no release that can be had knows of the ID)",
		Example: `  advdb history CVE-2021-44228 --repo https://advdb.example.org
  advdb history --enrichment --since 2026-08-01 CVE-2024-3094 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.history(c.Context(), args[0], opt) },
	}
	f := c.Flags()
	opt.flags(f)
	f.StringVar(&opt.since, "since", "", "changes after this release or time only")
	f.StringVar(&opt.until, "until", "", "changes up to this release or time only")
	f.BoolVar(&opt.enrichment, "enrichment", false, "also the rows of the enrichment tables")
	return c
}

func (a *app) history(ctx context.Context, id string, opt historyOptions) error {
	held, err := a.held()
	if err != nil {
		return err
	}
	l, done, err := a.releases(opt.repoOptions, held).open(ctx)
	if err != nil {
		return err
	}
	defer done()
	o := snapshot.HistoryOptions{Enrichment: opt.enrichment, Like: a.anyForm(id)}
	since, err := boundary(ctx, l, opt.since, snapshot.Leaf{})
	if err != nil {
		return err
	}
	if o.To, err = boundary(ctx, l, opt.until, l.Newest()); err != nil {
		return err
	}
	list, err := l.History(ctx, id, o)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintf(a.stderr, "%s: no release that can be had knows of it\n", id)
		return errBad
	}
	return a.printHistory(list, since.Version)
}

// boundary returns the release that a flag names, def for none.
func boundary(ctx context.Context, l *snapshot.Releases, s string, def snapshot.Leaf) (snapshot.Leaf, error) {
	if s == "" {
		return def, nil
	}
	w, err := parseWhen(s)
	if err != nil {
		return def, err
	}
	return w.find(ctx, l)
}

// anyForm is the record that the database has of the ID, if any.
func (a *app) anyForm(id string) []byte {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return nil
	}
	defer db.Close()
	data, _ := db.Record(id) // a hint only
	return data
}

func (a *app) printHistory(list []snapshot.Revision, since uint64) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	hidden := false
	for _, x := range list {
		if x.Version <= since {
			continue
		}
		hidden = hidden || !x.Exact
		if a.json {
			if err := a.printJSON(x); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", span(x), x.Time, kindText(x.Change), firstLine(x.Summary))
		for _, d := range x.Fields {
			fmt.Fprintf(w, "\t\t\t%s\n", differenceText(d))
		}
	}
	if hidden {
		a.sayf("where several releases are named, the change is of the last of them, and there may be others in between: single releases were collected")
	}
	return w.Flush()
}

// span is the releases in which a revision may lie: "16", or "9..16".
func span(x snapshot.Revision) string {
	switch {
	case x.Exact:
		return fmt.Sprint(x.Version)
	case x.Kind == snapshot.ChangeFirst:
		return fmt.Sprintf("..%d", x.Version)
	}
	return fmt.Sprintf("%d..%d", x.After+1, x.Version)
}

// kindText is what became of a record, or of a row of a table.
func kindText(c snapshot.Change) string {
	if c.Table != "" {
		return c.Table + " " + c.Kind
	}
	return c.Kind
}

// shownValues is how many values of a difference a line has.
const shownValues = 4

// differenceText says a difference on one line: "affected.ranges npm/lodash:
// - SEMVER introduced 0 + SEMVER introduced 0, fixed 1.2".
func differenceText(d snapshot.Difference) string {
	var b strings.Builder
	b.WriteString(d.Field)
	if d.Package != "" {
		b.WriteString(" " + d.Package)
	}
	for _, x := range []struct {
		sign string
		list []string
	}{{" - ", d.Removed}, {" + ", d.Added}} {
		for i, v := range x.list {
			if i == shownValues {
				fmt.Fprintf(&b, "%s%d more", x.sign, len(x.list)-i)
				break
			}
			b.WriteString(x.sign + firstLine(v))
		}
	}
	return b.String()
}
