package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// facts are what an answer needs of a record.
type facts struct {
	id       string
	cves     []string // that it is, has as aliases, or is about; sorted
	aliases  []string
	upstream []string
	summary  string
	modified string
	severity Severity
	cwes     []string
	record   *normalize.Record
}

// A claim is what a record says of one package.
type claim struct {
	Assertion
	facts      *facts
	severity   Severity
	statements []normalize.Statement
}

// readFacts reads the facts of a record, with what it says of the packages of
// findings alone.
func readFacts(id string, data []byte, of ...use) (*facts, error) {
	r, err := decodeBrief(id, data, of...)
	if err != nil {
		return nil, err
	}
	return factsOf(r), nil
}

// decodeBrief is brief, or all of a record that is not written as that expects.
func decodeBrief(id string, data []byte, of ...use) (*normalize.Record, error) {
	r, err := brief(data, wantedBy(of))
	if err != nil {
		if r, err = normalize.Decode(data); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return r, nil
}

// wantedBy reports of a package whether one of the findings is about it.
func wantedBy(of []use) func(ecosystem, name []byte) bool {
	return func(ecosystem, name []byte) bool {
		for i := range of {
			x := of[i].finding
			if x.Ecosystem == string(ecosystem) && (x.Package == string(name) ||
				normalize.PackageKey(x.Ecosystem, x.Package) == normalize.PackageKey(x.Ecosystem, string(name))) {
				return true
			}
		}
		return false
	}
}

func factsOf(r *normalize.Record) *facts {
	f := &facts{id: r.ID, cves: CVEs(r), aliases: r.Aliases, upstream: r.Upstream, summary: firstSentence(r), modified: r.Modified, record: r}
	var s struct {
		Severity jsontext.Value `json:"severity"`
		CWEs     []string       `json:"cwe_ids"`
	}
	if len(r.DatabaseSpecific) > 0 && json.Unmarshal(r.DatabaseSpecific, &s) == nil {
		f.cwes = s.CWEs
	}
	f.severity = severityOf(r.ID, r.Severity).or(word(r.ID, s.Severity))
	return f
}

// word reads a vendor's word for a severity: a string, or a list of which the
// first counts.
func word(id string, v jsontext.Value) Severity {
	var one string
	if len(v) == 0 || json.Unmarshal(v, &one) != nil {
		var list []string
		if len(v) == 0 || json.Unmarshal(v, &list) != nil || len(list) == 0 {
			return Severity{}
		}
		one = list[0]
	}
	return Severity{Vendor: one, Word: id}
}

// CVEs returns the CVEs that a record is, or is about, sorted.
func CVEs(r *normalize.Record) []string {
	var list []string
	for _, ids := range [][]string{{r.ID}, r.Aliases, r.Upstream} {
		for _, id := range ids {
			if isCVE(id) {
				list = append(list, id)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// named returns the IDs whose groups a record without CVEs is about.
func (f *facts) named() []string {
	if len(f.upstream) > 0 {
		return f.upstream
	}
	return []string{f.id}
}

// known returns the IDs other than id that the record has for the
// vulnerability: itself and its aliases, where these are of one only.
func (f *facts) known(id string) []string {
	var list []string
	if len(f.cves) > 1 {
		return nil
	}
	for _, a := range f.aliases {
		if a != id {
			list = append(list, a)
		}
	}
	if f.id != id && len(f.upstream) == 0 {
		list = append(list, f.id)
	}
	return list
}

// claim joins the facts with a finding: what the record says of its package at
// the version.
func (f *facts) claim(x Finding, version string) claim {
	c := claim{Assertion: Assertion{Finding: x, Modified: f.modified}, facts: f}
	key := normalize.PackageKey(x.Ecosystem, x.Package)
	for i := range f.record.Affected {
		a := &f.record.Affected[i]
		if a.Package.Ecosystem != x.Ecosystem || normalize.PackageKey(x.Ecosystem, a.Package.Name) != key {
			continue
		}
		c.Fixed = append(c.Fixed, fixedVersions(a)...)
		c.severity = c.severity.or(severityOf(f.id, a.Severity)).or(word(f.id, member(a.EcosystemSpecific, "severity"))).or(word(f.id, member(a.DatabaseSpecific, "severity")))
	}
	c.Fixed = above(x.Ecosystem, version, c.Fixed)
	c.severity = c.severity.or(f.severity)
	statements, err := f.record.Statements()
	if err != nil {
		return c // of another shape than ours: a site's own feed may have such a member
	}
	for _, s := range statements {
		if s.Ecosystem == x.Ecosystem && s.Package == x.Package {
			c.statements = append(c.statements, s)
		}
	}
	return c
}

func member(object jsontext.Value, name string) jsontext.Value {
	var all map[string]jsontext.Value
	if len(object) == 0 || json.Unmarshal(object, &all) != nil {
		return nil
	}
	return all[name]
}

// fixedVersions returns the fixed versions of an element of affected[], in
// its order.
func fixedVersions(a *normalize.Affected) (list []string) {
	for _, r := range a.Ranges {
		if r.Type == normalize.Git {
			continue
		}
		for _, e := range r.Events {
			if e.Fixed != "" {
				list = append(list, e.Fixed)
			}
		}
	}
	return list
}

// above returns the versions that are above the given one, ascending, each
// once. What cannot be compared stays, behind the others.
func above(ecosystem, version string, list []string) []string {
	at, atErr := versioncmp.Parse(ecosystem, version)
	var known []versioncmp.Version
	var rest []string
	for _, s := range list {
		v, err := versioncmp.Parse(ecosystem, s)
		switch {
		case err != nil || atErr != nil:
			rest = append(rest, s)
		case v.Compare(at) > 0:
			known = append(known, v)
		}
	}
	slices.SortStableFunc(known, versioncmp.Version.Compare)
	out := make([]string, 0, len(list))
	for _, v := range known {
		out = append(out, v.String())
	}
	return slices.Compact(append(out, slices.Compact(rest)...))
}

// firstSentence is a record's summary on one line, or the begin of its
// details.
func firstSentence(r *normalize.Record) string {
	s := r.Summary
	if s == "" {
		s, _, _ = strings.Cut(r.Details, ". ")
	}
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	n := 0
	for at := range s {
		if n++; n == 160 {
			if _, size := utf8.DecodeRuneInString(s[at:]); at+size < len(s) {
				return s[:at] + "…"
			}
		}
	}
	return strings.Clone(s) // which lets go of the details
}
