package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
)

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
	if f.Via != "" {
		why += ", by " + f.Via
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
	for _, id := range query.CVEs(r) {
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
