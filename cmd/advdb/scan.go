package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

func (a *app) scanCommand() *cobra.Command {
	var failOn []string
	c := &cobra.Command{
		Use:   "scan SBOM...",
		Short: "Say which packages of SBOMs are affected",
		Long: `Scan reads SBOMs (CycloneDX JSON or XML, SPDX 2 JSON or tag-value; - for standard
input) and matches their packages, by purl, against the database. What could
not be matched (no purl, no version, an ecosystem without data) is listed: it
is not clean.

--fail-on names what ends with status 1: any, kev (known to be exploited),
fixable (a fixed version is named), unknown, gaps, epss>=N (N from 0 to 1).

With --json one object a SBOM: sbom, components, matches (name, version, purl,
vulns: id, verdict, ecosystem, event, reason, fixed, cves, kev, epss, summary),
gaps (name, version, purl, reason).
` + exitHelp + "\n     (1: the policy is violated)",
		Example: `  advdb scan app.cdx.json
  advdb scan --fail-on kev --fail-on 'epss>=0.5' app.spdx.json
  syft -o cyclonedx-json alpine:3.17 | advdb scan -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.scan(args, failOn) },
	}
	c.Flags().StringArrayVar(&failOn, "fail-on", nil, "what violates the policy (may be repeated)")
	return c
}

// A policy says which vulnerabilities are too bad.
type policy struct {
	any, kev, fixable, unknown, gaps bool
	epss                             float64 // above 1: none
}

func parsePolicy(terms []string) (p policy, err error) {
	p.epss = 2
	for _, t := range terms {
		switch n, isEPSS := strings.CutPrefix(strings.ReplaceAll(t, " ", ""), "epss>="); {
		case isEPSS:
			if p.epss, err = strconv.ParseFloat(n, 64); err != nil || p.epss < 0 || p.epss > 1 {
				return p, usagef("--fail-on %s: want a number from 0 to 1", t)
			}
		case t == "any":
			p.any = true
		case t == "kev":
			p.kev = true
		case t == "fixable":
			p.fixable = true
		case t == "unknown":
			p.unknown = true
		case t == "gaps":
			p.gaps = true
		default:
			return p, usagef("--fail-on %s: want any, kev, fixable, unknown, gaps or epss>=N", t)
		}
	}
	return p, nil
}

func (p policy) violated(v *scanVuln) bool {
	if v.Verdict != versioncmp.Affected.String() {
		return p.unknown
	}
	return p.any || p.kev && v.KEV || p.fixable && len(v.Fixed) > 0 || v.EPSS >= p.epss
}

// scanLine is what scan --json prints of one SBOM.
type scanLine struct {
	SBOM       string          `json:"sbom"`
	Components int             `json:"components"`
	Matches    []scanComponent `json:"matches"`
	Gaps       []scanComponent `json:"gaps"`
}

type scanComponent struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	Purl    string     `json:"purl"`
	Reason  string     `json:"reason,omitempty"` // of a gap
	Vulns   []scanVuln `json:"vulns,omitempty"`
}

type scanVuln struct {
	ID        string   `json:"id"`
	Verdict   string   `json:"verdict"`
	Ecosystem string   `json:"ecosystem"`
	Event     string   `json:"event,omitempty"` // what decided
	Reason    string   `json:"reason,omitempty"`
	Fixed     []string `json:"fixed,omitempty"`
	CVEs      []string `json:"cves,omitempty"`
	KEV       bool     `json:"kev"`
	EPSS      float64  `json:"epss,omitempty"`
	Summary   string   `json:"summary,omitempty"`
}

func (a *app) scan(files, failOn []string) error {
	p, err := parsePolicy(failOn)
	if err != nil {
		return err
	}
	db, err := a.openToAsk()
	if err != nil {
		return err
	}
	defer db.Close()
	bad := false
	for _, f := range files {
		line, err := a.scanFile(db, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		bad = bad || line.violates(p)
		if a.json {
			err = a.printJSON(line)
		} else {
			err = a.printScan(line)
		}
		if err != nil {
			return err
		}
	}
	if bad {
		a.sayf("the policy is violated: %s", strings.Join(failOn, ", "))
		return errBad
	}
	return nil
}

func (l *scanLine) violates(p policy) bool {
	return p.gaps && len(l.Gaps) > 0 || slices.ContainsFunc(l.Matches, func(c scanComponent) bool {
		return slices.ContainsFunc(c.Vulns, func(v scanVuln) bool { return p.violated(&v) })
	})
}

func (a *app) scanFile(db *store.DB, name string) (*scanLine, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	components, err := query.ReadSBOM(in)
	if err != nil {
		return nil, err
	}
	s, err := query.ScanComponents(db, components)
	if err != nil {
		return nil, err
	}
	line := &scanLine{SBOM: name, Components: s.Components, Gaps: []scanComponent{}}
	if line.Matches, err = describeAll(db, s.Matches); err != nil {
		return nil, err
	}
	for _, g := range s.Gaps {
		line.Gaps = append(line.Gaps, scanComponent{Name: g.Component.Name, Version: g.Component.Version, Purl: g.Component.Purl, Reason: g.Reason})
	}
	return line, nil
}

// describeAll describes the findings of all matches, record by record.
func describeAll(db *store.DB, matches []query.Match) ([]scanComponent, error) {
	list := make([]scanComponent, len(matches))
	uses := map[string][][2]int{} // ID → match and finding
	for i, m := range matches {
		c := m.Component
		list[i] = scanComponent{Name: c.Name, Version: c.Version, Purl: c.Purl, Vulns: make([]scanVuln, len(m.Findings))}
		for j, f := range m.Findings {
			uses[f.ID] = append(uses[f.ID], [2]int{i, j})
		}
	}
	err := db.Lookup(sortedKeys(uses), func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		for _, at := range uses[id] {
			list[at[0]].Vulns[at[1]] = describe(r, matches[at[0]].Findings[at[1]])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, enrichAll(db, list)
}

// describe joins a finding with its record.
func describe(r *normalize.Record, f query.Finding) scanVuln {
	v := scanVuln{ID: f.ID, Verdict: f.Verdict.String(), Ecosystem: f.Ecosystem, Reason: f.Reason, Summary: firstLine(r.Summary)}
	if f.Event.Kind != 0 {
		v.Event = f.Event.Kind.String() + " " + f.Event.Version
	}
	v.Fixed, v.CVEs = fixedVersions(r, f), cvesOf(r)
	return v
}

// enrichAll joins vulnerabilities with what the tables say of their CVEs.
func enrichAll(db *store.DB, list []scanComponent) error {
	of := map[string][]*scanVuln{}
	for i := range list {
		for j := range list[i].Vulns {
			v := &list[i].Vulns[j]
			for _, cve := range v.CVEs {
				of[cve] = append(of[cve], v)
			}
		}
	}
	cves := sortedKeys(of)
	err := db.LookupRows("kev", cves, func(cve string, _ []byte) error {
		for _, v := range of[cve] {
			v.KEV = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.LookupRows("epss", cves, func(cve string, data []byte) error {
		var row struct {
			EPSS float64 `json:"epss"`
		}
		if err := json.Unmarshal(data, &row); err != nil {
			return fmt.Errorf("epss of %s: %w", cve, err)
		}
		for _, v := range of[cve] {
			v.EPSS = max(v.EPSS, row.EPSS)
		}
		return nil
	})
}

// cvesOf returns the CVEs that a record is, or is about, sorted.
func cvesOf(r *normalize.Record) []string {
	var list []string
	for _, ids := range [][]string{{r.ID}, r.Aliases, r.Upstream} {
		for _, id := range ids {
			if strings.HasPrefix(id, "CVE-") {
				list = append(list, id)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// printScan prints a SBOM's matches as a table, then what was not matched.
func (a *app) printScan(l *scanLine) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	vulns := 0
	for _, c := range l.Matches {
		for _, v := range c.Vulns {
			vulns++
			mark := ""
			if v.KEV {
				mark = "exploited"
			}
			epss := ""
			if v.EPSS > 0 {
				epss = fmt.Sprintf("%.1f%%", 100*v.EPSS)
			}
			fixed := "fixed " + strings.Join(v.Fixed, ", ")
			if len(v.Fixed) == 0 {
				fixed = "-"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.Version, v.ID, v.Verdict,
				cmp.Or(v.Reason, fixed), strings.Join(v.CVEs, " "), epss, mark)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.printGaps(l.Gaps)
	a.sayf("%s: %d packages, %d with findings (%d in all), %d not matched", l.SBOM, l.Components, len(l.Matches), vulns, len(l.Gaps))
	return nil
}

// shownGaps is how many packages that were not matched are named by reason.
const shownGaps = 5

// printGaps says what was not matched, by reason.
func (a *app) printGaps(gaps []scanComponent) {
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
