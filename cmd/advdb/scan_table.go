package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/advdb/advdb/query"
)

// writeTable writes a line for each vulnerability of a package, in columns.
// They are as wide as the widest cell: lines are made twice, and not held.
func (a *app) writeTable(w io.Writer, r *scanReport) error {
	var width [9]int
	r.eachRow(func(row []string) {
		for i, cell := range row[:len(row)-1] {
			width[i] = max(width[i], utf8.RuneCountInString(cell)+2)
		}
	})
	b := bufio.NewWriterSize(w, 64<<10)
	r.eachRow(func(row []string) {
		for i, cell := range row[:len(row)-1] {
			b.WriteString(cell)
			for n := utf8.RuneCountInString(cell); n < width[i]; n++ {
				b.WriteByte(' ')
			}
		}
		b.WriteString(row[len(row)-1])
		b.WriteByte('\n')
	})
	return b.Flush()
}

// eachRow calls f with the cells of each line; they are good during the call.
func (r *scanReport) eachRow(f func(row []string)) {
	var row []string
	for i := range r.found {
		c := &r.found[i].Component
		for j := range r.found[i].Vulnerabilities {
			row = append(append(row[:0], c.Name, c.Version), vulnColumns(&r.found[i].Vulnerabilities[j])...)
			for k, cell := range row {
				if strings.ContainsAny(cell, "\t\n\r") { // a name may hold anything
					row[k] = strings.Join(strings.Fields(cell), " ")
				}
			}
			f(row)
		}
	}
}

// vulnColumns are the columns of a vulnerability: ID, verdict, severity, what
// to do, records, EPSS, who says that it is exploited.
func vulnColumns(v *query.Vulnerability) []string {
	severity := v.Severity.Rating.String()
	switch {
	case v.Severity.Score > 0:
		severity += fmt.Sprintf(" %.1f", v.Severity.Score)
	case v.Severity.Vendor != "":
		severity += " (" + v.Severity.Vendor + ")"
	}
	epss, exploited := "", ""
	if v.Threat.EPSS > 0 {
		epss = fmt.Sprintf("%.1f%%", 100*v.Threat.EPSS)
	}
	if len(v.Threat.Exploited) > 0 {
		exploited = "exploited"
	}
	verdict := v.Verdict.String()
	if v.Suppressed != nil {
		verdict = "suppressed"
	}
	return []string{v.ID, verdict, severity, todo(v), otherIDs(v), epss, exploited}
}

// todo says why a vulnerability does not count, why it is not known whether it
// does, or what can be done about it.
func todo(v *query.Vulnerability) string {
	switch {
	case v.Suppressed != nil:
		return v.Suppressed.Text()
	case v.Assertions[0].Reason != "":
		return v.Assertions[0].Reason
	case len(v.Fixed) > 0:
		return "fixed " + strings.Join(v.Fixed, ", ")
	case len(v.Statements) > 0:
		return strings.ReplaceAll(v.Statements[0].Status, "_", " ")
	}
	return "-"
}
