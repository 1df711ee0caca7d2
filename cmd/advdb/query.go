package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// queryOptions are the flags of query.
type queryOptions struct {
	ecosystem, name, version string
	cpe                      string
	platforms                []string
	all                      bool
}

func (a *app) queryCommand() *cobra.Command {
	var opt queryOptions
	c := &cobra.Command{
		Use:   "query PURL | ID | --ecosystem E --name N [--version V] | --cpe CPE",
		Short: "Say whether a package or product is affected, or what is known of an ID",
		Long: `Query answers from the database alone.

A package is affected, not affected, or unknown: a version or a bound that the
ecosystem's rule cannot read is neither safe nor affected. Of each answer the
deciding event is shown. Without a version all records of the package are
listed; an ecosystem without its release (Debian) means any release.

A CPE is matched against the CPE configurations of NVD's records; platforms it
runs on are given with --platform, those that are not are assumed.

With --json a package's answer has the form of OSV's /v1/query: {"vulns": […]}
of the records that affect it; the answer to an ID is one object: id, record,
named_by, enrichment; to a CPE: {"findings": […]}.
` + exitHelp + "\n     (3: also where no data of the ecosystem is held)",
		Example: `  advdb query pkg:npm/lodash@4.17.20
  advdb query 'pkg:deb/debian/openssl@1.1.1n-0+deb11u4?distro=bullseye'
  advdb query --ecosystem Alpine:v3.17 --name openssl --version 3.0.7-r0
  advdb query --cpe 'cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*'
  advdb query CVE-2021-44228`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.query(args, opt) },
	}
	f := c.Flags()
	f.StringVar(&opt.ecosystem, "ecosystem", "", "OSV ecosystem, such as PyPI or Debian:12")
	f.StringVar(&opt.name, "name", "", "package name")
	f.StringVar(&opt.version, "version", "", "package version")
	f.StringVar(&opt.cpe, "cpe", "", "CPE 2.3 name (or 2.2 URI) of a product")
	f.StringArrayVar(&opt.platforms, "platform", nil, "CPE of what the product runs on (may be repeated)")
	f.BoolVar(&opt.all, "all", false, "also show records that do not affect the version")
	return c
}

func (a *app) query(args []string, opt queryOptions) error {
	ask, err := a.question(args, opt)
	if err != nil {
		return err
	}
	db, err := a.openToAsk()
	if err != nil {
		return err
	}
	defer db.Close()
	return ask(db)
}

// openToAsk opens the database for questions, with a warning where its data
// are old.
func (a *app) openToAsk() (*store.DB, error) {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return nil, err
	}
	if err := a.warnStale(db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// question reads what is asked.
func (a *app) question(args []string, opt queryOptions) (func(*store.DB) error, error) {
	kinds := 0
	for _, asked := range []bool{len(args) > 0, opt.ecosystem != "" || opt.name != "", opt.cpe != ""} {
		if asked {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, usagef("query: one of PURL, ID, --ecosystem with --name, --cpe")
	case opt.cpe != "":
		product, platforms, err := parseCPEs(opt)
		if err != nil {
			return nil, usageError{err}
		}
		return func(db *store.DB) error { return a.queryCPE(db, product, platforms, opt.all) }, nil
	case opt.ecosystem != "" || opt.name != "":
		if opt.ecosystem == "" || opt.name == "" {
			return nil, usagef("query: --ecosystem and --name go together")
		}
		q := query.Question{Ecosystem: opt.ecosystem, Name: opt.name, Version: opt.version}
		return func(db *store.DB) error { return a.queryPackage(db, q, opt.all) }, nil
	case strings.HasPrefix(args[0], "pkg:"):
		q, err := query.ParsePurl(args[0])
		if err != nil {
			return nil, usageError{err}
		}
		if opt.version != "" {
			q.Version = opt.version
		}
		return func(db *store.DB) error { return a.queryPackage(db, q, opt.all) }, nil
	case strings.HasPrefix(args[0], "cpe:"):
		opt.cpe = args[0]
		return a.question(nil, opt)
	}
	return func(db *store.DB) error { return a.queryID(db, args[0]) }, nil
}

func parseCPEs(opt queryOptions) (product cpe.Name, platforms []cpe.Name, err error) {
	if product, err = cpe.Parse(opt.cpe); err != nil {
		return product, nil, err
	}
	for _, s := range opt.platforms {
		p, err := cpe.Parse(s)
		if err != nil {
			return product, nil, err
		}
		platforms = append(platforms, p)
	}
	return product, platforms, nil
}

// staleAfter is the age from which data come with a warning.
const staleAfter = 7 * 24 * time.Hour

// warnStale says which sources were last fetched long ago.
func (a *app) warnStale(db *store.DB) error {
	list, err := a.knownSources(db)
	if err != nil {
		return err
	}
	var old []string
	for _, s := range list {
		if s.Documents == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339, s.FetchedAt)
		if err != nil {
			old = append(old, s.Name+" (never confirmed)")
		} else if age := a.now().Sub(t); age > staleAfter {
			old = append(old, fmt.Sprintf("%s (%d days)", s.Name, int(age.Hours()/24)))
		}
	}
	if len(old) > 0 {
		a.sayf("warning: old data: %s", strings.Join(old, ", "))
	}
	return nil
}

func (a *app) queryPackage(db *store.DB, q query.Question, all bool) error {
	ans, err := query.Package(db, q)
	if err != nil {
		return err
	}
	if !ans.Covered() {
		return fmt.Errorf("%s: %w", q.Ecosystem, errNotCovered)
	}
	unknown := ans.With(versioncmp.Unknown)
	if a.json {
		for _, f := range unknown {
			a.sayf("warning: %s: unknown: %s", f.ID, f.Reason)
		}
		return a.printVulns(db, ans.With(versioncmp.Affected))
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, f := range ans.Findings {
		if f.Verdict == versioncmp.NotAffected && !all {
			continue
		}
		if err := a.printFinding(w, db, f); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	affected := len(ans.With(versioncmp.Affected))
	a.sayf("%d affect it, %d unknown, %d do not; searched: %s", affected, len(unknown),
		len(ans.Findings)-affected-len(unknown), strings.Join(ans.Ecosystems, ", "))
	return nil
}

// printFinding prints one line: verdict, ID, release, what decided, what else
// is known, summary.
func (a *app) printFinding(w *tabwriter.Writer, db *store.DB, f query.Finding) error {
	data, err := db.Record(f.ID)
	if err != nil {
		return err
	}
	r, err := normalize.Decode(data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.ID, err)
	}
	why := f.Reason
	if why == "" && f.Event.Kind != 0 {
		why = f.Event.Kind.String() + " " + f.Event.Version
	}
	if f.Note != "" {
		why += " (" + f.Note + ")"
	}
	if fixed := fixedVersions(r, f); len(fixed) > 0 && f.Verdict == versioncmp.Affected {
		why += ", fixed " + strings.Join(fixed, ", ")
	}
	names, err := a.enriched(db, r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Verdict, f.ID, f.Ecosystem, why, strings.Join(names, " "), firstLine(r.Summary))
	return err
}

// fixedVersions are the fixed versions that a record names for the package.
func fixedVersions(r *normalize.Record, f query.Finding) []string {
	var list []string
	for _, x := range r.Affected {
		if x.Package.Ecosystem != f.Ecosystem || normalize.PackageKey(f.Ecosystem, x.Package.Name) != normalize.PackageKey(f.Ecosystem, f.Package) {
			continue
		}
		for _, rg := range x.Ranges {
			for _, e := range rg.Events {
				if e.Fixed != "" && rg.Type != normalize.Git {
					list = append(list, e.Fixed)
				}
			}
		}
	}
	return list
}

// enriched names the CVEs of a record, with "KEV" behind those known to be
// exploited.
func (a *app) enriched(db *store.DB, r *normalize.Record) ([]string, error) {
	var names []string
	for _, id := range cvesOf(r) {
		rows, err := db.Enrichment(id)
		if err != nil {
			return nil, err
		}
		if rows["kev"] != nil {
			id += "(KEV)"
		}
		if id != r.ID {
			names = append(names, id)
		}
	}
	return names, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > 100 {
		return string(r[:99]) + "…"
	}
	return s
}

// printVulns prints records as OSV's /v1/query answers them.
func (a *app) printVulns(db *store.DB, list []query.Finding) error {
	vulns := []jsontext.Value{}
	seen := map[string]bool{}
	for _, f := range list {
		if seen[f.ID] {
			continue
		}
		seen[f.ID] = true
		data, err := db.Record(f.ID)
		if err != nil {
			return err
		}
		vulns = append(vulns, data)
	}
	return a.printJSON(map[string]any{"vulns": vulns})
}

func (a *app) queryID(db *store.DB, id string) error {
	k, err := query.ID(db, id)
	if err != nil {
		return err
	}
	if k.Empty() {
		fmt.Fprintf(a.stderr, "%s: nothing is known of it\n", id)
		return errBad
	}
	if a.json {
		return a.printKnown(&k)
	}
	if k.Record != nil {
		v := jsontext.Value(k.Record)
		if err := v.Indent(); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s\n", v)
	}
	for _, l := range k.Links {
		fmt.Fprintf(a.stdout, "%s names it as %s\n", l.ID, linkWords(l))
	}
	for _, src := range sortedKeys(k.Rows) {
		fmt.Fprintf(a.stdout, "%s: %s\n", src, k.Rows[src])
	}
	return nil
}

// printKnown prints what is known of an ID as one object.
func (a *app) printKnown(k *query.Known) error {
	type named struct {
		ID string   `json:"id"`
		As []string `json:"as"`
	}
	links := []named{}
	for _, l := range k.Links {
		links = append(links, named{l.ID, strings.Split(linkWords(l), ", ")})
	}
	rows := map[string]jsontext.Value{}
	for src, v := range k.Rows {
		rows[src] = v
	}
	record := jsontext.Value(k.Record)
	if k.Record == nil {
		record = jsontext.Value("null")
	}
	return a.printJSON(map[string]any{"id": k.ID, "record": record, "named_by": links, "enrichment": rows})
}

func linkWords(l store.Link) string {
	var w []string
	if l.Alias {
		w = append(w, "alias")
	}
	if l.Upstream {
		w = append(w, "upstream")
	}
	if l.Related {
		w = append(w, "related")
	}
	return strings.Join(w, ", ")
}
