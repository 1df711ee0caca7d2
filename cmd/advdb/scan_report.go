package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
)

// scanReport is what scan --json prints of one SBOM.
type scanReport struct {
	SBOM       string      `json:"sbom"`
	Components int         `json:"components"`
	Matches    []scanMatch `json:"matches"`
	Gaps       []scanGap   `json:"gaps"`

	found []query.Assessment // what Matches is made of
}

type scanMatch struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	Purl    string     `json:"purl"`
	Vulns   []vulnJSON `json:"vulns"`
}

type scanGap struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Purl    string `json:"purl"`
	Reason  string `json:"reason"`
}

// vulnJSON is a vulnerability of a package, in the output of scan and explain.
type vulnJSON struct {
	ID         string                `json:"id"`
	Aliases    []string              `json:"aliases,omitempty"`
	Verdict    string                `json:"verdict"`
	Records    []assertionJSON       `json:"records"`
	Fixed      []string              `json:"fixed,omitempty"`
	Severity   query.Severity        `json:"severity"`
	Statements []normalize.Statement `json:"statements,omitempty"`
	CWEs       []string              `json:"cwes,omitempty"`
	Summary    string                `json:"summary,omitempty"`
	query.Threat
	KEV bool `json:"kev"`
}

// assertionJSON is what one record says of a package.
type assertionJSON struct {
	ID        string   `json:"id"`
	Ecosystem string   `json:"ecosystem"`
	Verdict   string   `json:"verdict"`
	Event     string   `json:"event,omitempty"` // what decided
	Reason    string   `json:"reason,omitempty"`
	Note      string   `json:"note,omitempty"`
	Fixed     []string `json:"fixed,omitempty"`
}

func newScanReport(name string, s *query.Scan, found []query.Assessment) *scanReport {
	r := &scanReport{SBOM: name, Components: s.Components, Matches: []scanMatch{}, Gaps: []scanGap{}, found: found}
	for _, a := range found {
		m := scanMatch{Name: a.Component.Name, Version: a.Component.Version, Purl: a.Component.Purl}
		for i := range a.Vulnerabilities {
			m.Vulns = append(m.Vulns, newVulnJSON(&a.Vulnerabilities[i]))
		}
		r.Matches = append(r.Matches, m)
	}
	for _, g := range s.Gaps {
		r.Gaps = append(r.Gaps, scanGap{g.Component.Name, g.Component.Version, g.Component.Purl, g.Reason})
	}
	return r
}

func newVulnJSON(v *query.Vulnerability) vulnJSON {
	out := vulnJSON{ID: v.ID, Aliases: v.Aliases, Verdict: v.Verdict.String(), Fixed: v.Fixed, Severity: v.Severity,
		Statements: v.Statements, CWEs: v.CWEs, Summary: v.Summary, Threat: v.Threat, KEV: v.Threat.KEV != nil}
	for i := range v.Assertions {
		out.Records = append(out.Records, newAssertionJSON(&v.Assertions[i]))
	}
	return out
}

func newAssertionJSON(a *query.Assertion) assertionJSON {
	return assertionJSON{ID: a.ID, Ecosystem: a.Ecosystem, Verdict: a.Verdict.String(),
		Event: eventText(a.Finding), Reason: a.Reason, Note: a.Note, Fixed: a.Fixed}
}

// eventText is what decided, empty where nothing did.
func eventText(f query.Finding) string {
	if f.Event.Kind == 0 {
		return ""
	}
	return f.Event.Kind.String() + " " + f.Event.Version
}

// printScan prints a SBOM's matches as a table, then what was not matched.
func (a *app) printScan(r *scanReport) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	vulns := 0
	for _, m := range r.found {
		for i := range m.Vulnerabilities {
			vulns++
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Component.Name, m.Component.Version, vulnColumns(&m.Vulnerabilities[i]))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.printGaps(r.Gaps)
	a.sayf("%s: %d packages, %d with findings (%d in all), %d not matched", r.SBOM, r.Components, len(r.Matches), vulns, len(r.Gaps))
	return nil
}

// vulnColumns are the columns of a vulnerability: ID, verdict, severity, what
// to do, records, EPSS, who says that it is exploited.
func vulnColumns(v *query.Vulnerability) string {
	severity := v.Severity.Rating.String()
	switch {
	case v.Severity.Score > 0:
		severity += fmt.Sprintf(" %.1f", v.Severity.Score)
	case v.Severity.Vendor != "":
		severity += " (" + v.Severity.Vendor + ")"
	}
	todo := "-"
	switch {
	case v.Assertions[0].Reason != "":
		todo = v.Assertions[0].Reason
	case len(v.Fixed) > 0:
		todo = "fixed " + strings.Join(v.Fixed, ", ")
	case len(v.Statements) > 0:
		todo = strings.ReplaceAll(v.Statements[0].Status, "_", " ")
	}
	epss, exploited := "", ""
	if v.Threat.EPSS > 0 {
		epss = fmt.Sprintf("%.1f%%", 100*v.Threat.EPSS)
	}
	if len(v.Threat.Exploited) > 0 {
		exploited = "exploited"
	}
	return strings.Join([]string{v.ID, v.Verdict.String(), severity, todo, otherIDs(v), epss, exploited}, "\t")
}

// otherIDs are the records behind a vulnerability that are not named like it.
func otherIDs(v *query.Vulnerability) string {
	var ids []string
	for _, id := range v.Records() {
		if id != v.ID {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, " ")
}

// shownGaps is how many packages that were not matched are named by reason.
const shownGaps = 5

// printGaps says what was not matched, by reason.
func (a *app) printGaps(gaps []scanGap) {
	by := map[string][]string{}
	for _, g := range gaps {
		by[g.Reason] = append(by[g.Reason], g.Name)
	}
	for _, reason := range sortedKeys(by) {
		names := by[reason]
		more := ""
		if len(names) > shownGaps {
			more = fmt.Sprintf(" and %d more", len(names)-shownGaps)
			names = names[:shownGaps]
		}
		a.sayf("not matched: %s: %s%s", reason, strings.Join(names, ", "), more)
	}
}
