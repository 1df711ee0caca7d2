package normalize

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Lint checks r against the OSV JSON schema 1.9.0 and the range rules of the
// schema's text, and returns what it breaks, nil for nothing. It allocates
// only for findings.
//
// Names that advdb adds to OSV's (private ecosystems, IDs of databases that
// are not registered) are no finding; [Record.Strict] tells them. Places are
// paths such as "affected/0/ranges/1/events".
//
// What the schema forbids and a Record cannot hold (a number for a string) is
// an error of [Decode]; what it forbids and Decode forgives (null for a list)
// is gone.
func Lint(r *Record) []Finding {
	l := linter{id: r.ID}
	l.record(r)
	for i := range r.Affected {
		l.affected(i, &r.Affected[i], len(r.Severity) > 0)
	}
	for i := range r.References {
		l.reference(i, &r.References[i])
	}
	for i := range r.Credits {
		l.credit(i, &r.Credits[i])
	}
	return l.found
}

type linter struct {
	id    string
	found []Finding
}

// add notes a finding at a place below the record.
func (l *linter) add(rule, message, place string, args ...any) {
	if len(args) > 0 {
		place = fmt.Sprintf(place, args...)
	}
	if place != "" {
		place = "/" + place
	}
	l.found = append(l.found, Finding{Place: l.id + place, Rule: rule, Message: message})
}

func (l *linter) record(r *Record) {
	switch {
	case r.ID == "":
		l.add("id", "missing", "id")
	case !HasRegisteredID(r.ID) && !hasPrivateID(r.ID):
		l.add("id", "of no known database", "id")
	}
	if strings.ContainsFunc(r.ID, func(c rune) bool { return c <= ' ' || c == '/' || c == '\\' || c == 0x7f }) {
		l.add("id-characters", "blanks, slashes or control characters", "id")
	}
	if r.Modified == "" {
		l.add("modified", "missing", "modified")
	}
	l.time("modified", r.Modified)
	l.time("published", r.Published)
	l.time("withdrawn", r.Withdrawn)
	l.list("aliases", r.Aliases)
	l.list("related", r.Related)
	l.list("upstream", r.Upstream)
	l.object("database_specific", r.DatabaseSpecific)
	if hasMembers(r.Extra) {
		l.add("unknown-member", string(r.Extra), "")
	}
	for i := range r.Severity {
		l.severity(&r.Severity[i], "severity/%d", i)
	}
}

func (l *linter) time(name, v string) {
	if v != "" && !isTime(v) {
		l.add("time", fmt.Sprintf("%q is not RFC 3339 in UTC", v), name)
	}
}

// list finds empty strings, which name nothing.
func (l *linter) list(name string, s []string) {
	for i, v := range s {
		if v == "" {
			l.add("empty-string", "empty", "%s/%d", name, i)
		}
	}
}

func (l *linter) object(name string, v jsontext.Value) {
	if len(v) > 0 && v.Kind() != '{' {
		l.add("object", "an object is expected", name)
	}
}

// hasMembers reports whether Extra holds anything.
func hasMembers(extra jsontext.Value) bool { return len(extra) > len("{}") }

func (l *linter) affected(i int, a *Affected, recordHasSeverity bool) {
	if !a.Package.IsZero() {
		l.packageName(i, &a.Package)
	}
	if recordHasSeverity && len(a.Severity) > 0 {
		l.add("severity-twice", "severity both of the record and of an affected entry", "affected/%d/severity", i)
	}
	for j := range a.Severity {
		l.severity(&a.Severity[j], "affected/%d/severity/%d", i, j)
	}
	for j := range a.Ranges {
		l.eventRange(i, j, a)
	}
	for j, v := range a.Versions {
		if v == "" {
			l.add("empty-string", "empty", "affected/%d/versions/%d", i, j)
		}
	}
	if len(a.DatabaseSpecific) > 0 && a.DatabaseSpecific.Kind() != '{' {
		l.add("object", "an object is expected", "affected/%d/database_specific", i)
	}
	if len(a.EcosystemSpecific) > 0 && a.EcosystemSpecific.Kind() != '{' {
		l.add("object", "an object is expected", "affected/%d/ecosystem_specific", i)
	}
}

func (l *linter) packageName(i int, p *Package) {
	switch {
	case p.Ecosystem == "":
		l.add("ecosystem", "missing", "affected/%d/package", i)
	case !IsRegistered(p.Ecosystem) && !IsPrivate(p.Ecosystem):
		l.add("ecosystem", fmt.Sprintf("%q is not registered", p.Ecosystem), "affected/%d/package", i)
	}
	if p.Name == "" {
		l.add("package-name", "missing", "affected/%d/package", i)
	}
	if p.Purl != "" && !strings.HasPrefix(p.Purl, "pkg:") {
		l.add("purl", fmt.Sprintf("%q", p.Purl), "affected/%d/package", i)
	}
}

// referenceTypes are those of the schema.
var referenceTypes = nameSet("ADVISORY", "ARTICLE", "DETECTION", "DISCUSSION", "REPORT", "FIX", "INTRODUCED", "GIT",
	"PACKAGE", "EVIDENCE", "WEB")

func (l *linter) reference(i int, r *Reference) {
	if !referenceTypes[r.Type] {
		l.add("reference-type", fmt.Sprintf("%q", r.Type), "references/%d", i)
	}
	if !isURI(r.URL) {
		l.add("reference-url", fmt.Sprintf("%q", r.URL), "references/%d", i)
	}
}

// creditTypes are those of the schema.
var creditTypes = nameSet("FINDER", "REPORTER", "ANALYST", "COORDINATOR", "REMEDIATION_DEVELOPER",
	"REMEDIATION_REVIEWER", "REMEDIATION_VERIFIER", "TOOL", "SPONSOR", "OTHER")

func (l *linter) credit(i int, c *Credit) {
	if c.Type != "" && !creditTypes[c.Type] {
		l.add("credit-type", fmt.Sprintf("%q", c.Type), "credits/%d", i)
	}
	if c.Name == "" {
		l.add("credit-name", "missing", "credits/%d", i)
	}
}
