package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

// rangeLine is what query --ranges --json prints of one range.
type rangeLine struct {
	ID           string   `json:"id"`
	Ecosystem    string   `json:"ecosystem,omitempty"`
	Package      string   `json:"package,omitempty"`
	Type         string   `json:"type,omitempty"`
	Repo         string   `json:"repo,omitempty"`
	Introduced   string   `json:"introduced,omitempty"`
	After        string   `json:"after,omitempty"`
	Fixed        string   `json:"fixed,omitempty"`
	LastAffected string   `json:"last_affected,omitempty"`
	Versions     int      `json:"versions"`
	Sources      []string `json:"sources"`
	Withdrawn    string   `json:"withdrawn,omitempty"`
}

func (a *app) rangesOfPackage(db *store.DB, q query.Question) error {
	rows, ecosystems, err := query.RangesOfPackage(db, q)
	if err != nil {
		return err
	}
	if len(ecosystems) == 0 {
		return fmt.Errorf("%s: %w", q.Ecosystem, errNotCovered)
	}
	return a.printRanges(rows)
}

func (a *app) rangesOfID(db *store.DB, id string) error {
	rows, err := query.RangesOfID(db, id)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		if k, err := query.ID(db, id); err != nil {
			return err
		} else if k.Empty() {
			fmt.Fprintf(a.stderr, "%s: nothing is known of it\n", id)
			return errBad
		}
	}
	return a.printRanges(rows)
}

func (a *app) rangesOfCPE(db *store.DB, product cpe.Name) error {
	rows, err := query.RangesOfCPE(db, product)
	if err != nil {
		return err
	}
	return a.printRanges(rows)
}

// printRanges prints one row a range; a dash stands for what is not said.
func (a *app) printRanges(rows []query.RangeRow) error {
	if a.json {
		lines := []rangeLine{}
		for _, r := range rows {
			lines = append(lines, rangeLine(r))
		}
		return a.printJSON(map[string]any{"ranges": lines})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	if len(rows) > 0 {
		fmt.Fprintln(w, "ID\tECOSYSTEM\tPACKAGE\tINTRODUCED\tFIXED\tLAST AFFECTED\tVERSIONS\tSOURCE\tWITHDRAWN")
	}
	for _, r := range rows {
		from := r.Introduced
		if r.After != "" {
			from = "after " + r.After
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%.10s\n", r.ID, cmp.Or(r.Ecosystem, r.Type), cmp.Or(r.Package, r.Repo),
			cmp.Or(from, "-"), cmp.Or(r.Fixed, "-"), cmp.Or(r.LastAffected, "-"), r.Versions, strings.Join(r.Sources, ","), cmp.Or(r.Withdrawn, "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.sayf("%d ranges", len(rows))
	return nil
}
