package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// cpeLine is what query --json prints of one record for a CPE.
type cpeLine struct {
	ID       string     `json:"id"`
	Product  string     `json:"product"` // part:vendor:product
	Verdict  string     `json:"verdict"`
	Criteria string     `json:"criteria,omitempty"` // the criterion that decided
	Bounds   string     `json:"bounds,omitempty"`
	Assumed  [][]string `json:"assumed,omitempty"` // platform conditions taken as met
	Unmet    [][]string `json:"unmet,omitempty"`   // and those that are not
}

func (a *app) queryCPE(db *store.DB, product cpe.Name, platforms []cpe.Name, all bool) error {
	found, err := query.CPE(db, product, platforms...)
	if err != nil {
		return err
	}
	lines := []cpeLine{}
	counts := map[cpe.Verdict]int{}
	for _, f := range found {
		counts[f.Answer.Verdict]++
		if f.Answer.Verdict == cpe.NotAffected && !all {
			continue
		}
		l := cpeLine{ID: f.ID, Product: f.Product.Key(), Verdict: f.Answer.Verdict.String(), Assumed: f.Answer.Assumed, Unmet: f.Answer.Unmet}
		if m := f.Answer.Match; m != nil {
			l.Criteria, l.Bounds = m.Criteria, bounds(m)
		}
		lines = append(lines, l)
	}
	if a.json {
		return a.printJSON(map[string]any{"findings": lines})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Verdict, l.ID, l.Criteria, l.Bounds, conditions(l))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.sayf("%d affect it, %d unknown, %d do not", counts[cpe.Affected], counts[cpe.Unknown], counts[cpe.NotAffected])
	return nil
}

// bounds writes the version bounds of a criterion.
func bounds(m *cpe.Criterion) string {
	var b []string
	for _, x := range []struct{ op, v string }{
		{">=", m.VersionStartIncluding}, {">", m.VersionStartExcluding},
		{"<", m.VersionEndExcluding}, {"<=", m.VersionEndIncluding},
	} {
		if x.v != "" {
			b = append(b, x.op+" "+x.v)
		}
	}
	return strings.Join(b, ", ")
}

// conditions writes what was assumed of platforms, and what is not met.
func conditions(l cpeLine) string {
	var b []string
	for _, c := range l.Assumed {
		b = append(b, "assuming "+anyOf(c))
	}
	for _, c := range l.Unmet {
		b = append(b, "not on "+anyOf(c))
	}
	return strings.Join(b, "; ")
}

func anyOf(names []string) string {
	if len(names) > 2 {
		return fmt.Sprintf("%s or %d others", names[0], len(names)-1)
	}
	return strings.Join(names, " or ")
}
