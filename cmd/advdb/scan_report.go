package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/vex"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// scanReport is what is known of the packages of one SBOM.
type scanReport struct {
	name  string
	input bytes.Buffer // the SBOM itself, where it is written again
	sbom  *query.SBOM
	found []query.Assessment
	gaps  []query.Gap
	vex   vex.Tally
	meta  store.Meta
}

// scanMatch is a component in the output of scan --json.
type scanMatch struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	Purl    string     `json:"purl"`
	CPE     string     `json:"cpe,omitempty"`
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
	Suppressed *query.Suppression    `json:"suppressed,omitempty"`
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

// writeScanJSON writes one object on a line, component by component.
func (a *app) writeScanJSON(w io.Writer, r *scanReport) error {
	b := bufio.NewWriterSize(w, 64<<10)
	enc := jsontext.NewEncoder(b, jsontext.AllowInvalidUTF8(true))
	enc.WriteToken(jsontext.BeginObject)
	put := func(v any) error { return json.MarshalEncode(enc, v, json.Deterministic(true)) }
	for _, m := range []struct {
		name  string
		value any
	}{{"sbom", r.name}, {"components", len(r.sbom.Components)}, {"suppressed", r.vex.Suppressed}} {
		enc.WriteToken(jsontext.String(m.name))
		if err := put(m.value); err != nil {
			return err
		}
	}
	enc.WriteToken(jsontext.String("matches"))
	enc.WriteToken(jsontext.BeginArray)
	for i := range r.found {
		if err := put(newScanMatch(&r.found[i])); err != nil {
			return err
		}
	}
	enc.WriteToken(jsontext.EndArray)
	enc.WriteToken(jsontext.String("gaps"))
	enc.WriteToken(jsontext.BeginArray)
	for _, g := range r.gaps {
		if err := put(scanGap{g.Component.Name, g.Component.Version, g.Component.Purl, g.Reason}); err != nil {
			return err
		}
	}
	enc.WriteToken(jsontext.EndArray)
	enc.WriteToken(jsontext.String("notes"))
	if err := put(append([]string{}, r.sbom.Notes...)); err != nil {
		return err
	}
	return errors.Join(enc.WriteToken(jsontext.EndObject), b.Flush())
}

func newScanMatch(a *query.Assessment) scanMatch {
	m := scanMatch{Name: a.Component.Name, Version: a.Component.Version, Purl: a.Component.Purl, CPE: a.Component.CPE}
	for i := range a.Vulnerabilities {
		m.Vulns = append(m.Vulns, newVulnJSON(&a.Vulnerabilities[i]))
	}
	return m
}

func newVulnJSON(v *query.Vulnerability) vulnJSON {
	out := vulnJSON{ID: v.ID, Aliases: v.Aliases, Verdict: v.Verdict.String(), Suppressed: v.Suppressed, Fixed: v.Fixed, Severity: v.Severity,
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

// sayScan sums a report up: what was not matched and why, and the counts.
func (a *app) sayScan(r *scanReport) {
	for _, n := range r.sbom.Notes {
		a.sayf("%s: %s", r.name, n)
	}
	a.sayGaps(r.gaps)
	vulns := 0
	for i := range r.found {
		vulns += len(r.found[i].Vulnerabilities)
	}
	suppressed := ""
	if r.vex.Suppressed > 0 {
		suppressed = fmt.Sprintf(", %d suppressed", r.vex.Suppressed)
	}
	if r.vex.Idle > 0 {
		a.sayf("%s: %d VEX statements are about nothing that was found", r.name, r.vex.Idle)
	}
	a.sayf("%s: %d packages, %d with findings (%d in all%s), %d not matched", r.name, len(r.sbom.Components), len(r.found), vulns, suppressed, len(r.gaps))
}

// shownGaps is how many packages that were not matched are named by reason.
const shownGaps = 5

// sayGaps says what was not matched, by reason.
func (a *app) sayGaps(gaps []query.Gap) {
	by := map[string][]string{}
	for _, g := range gaps {
		by[g.Reason] = append(by[g.Reason], g.Component.Name)
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
