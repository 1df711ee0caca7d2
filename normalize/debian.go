package normalize

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrUnknownDocument says that a parser does not know what a document of that
// name holds.
var ErrUnknownDocument = errors.New("unknown document")

// DebianEnded is the folder of what the tracker was when it last spoke of a
// release: "ended/buster.json".
const DebianEnded = "ended"

// Debian reads the documents of the Debian security tracker, told apart by
// their names: "tracker.json", what it was before it dropped a release at its
// end of life, "ended/buster.json", and the lists "DSA/list" and "DLA/list".
//
// # tracker.json
//
// {source package: {CVE or TEMP ID: {releases: {codename: status}}}}. Each ID
// becomes DEBIAN-<ID> with the CVE upstream. By release:
//
//   - resolved with a fixed version: [0, fixed); with the version "0", which
//     the tracker writes for "never affected": a statement, no range;
//   - open: [0, ∞). A fixed version that such a release names all the same (not
//     yet in it) stands in database_specific;
//   - undetermined: a statement (under investigation), never a range;
//   - no-dsa, postponed, ignored, and the urgency "end-of-life": a statement
//     beside the range.
//
// The urgency stands in ecosystem_specific as it is written ("low**"). The
// versions that suites hold at the moment (repositories) say nothing about
// the vulnerability, change with every upload, and are left out.
//
// # ended/buster.json
//
// The same, of one release alone: what was last known of it. Its affected
// entries say so (database_specific.last_known), and nothing but that is taken.
//
// # DSA/list, DLA/list
//
// Each advisory becomes a record of its own ID (DSA-5380-1).
func Debian(d Doc, emit func(*Record) error) error {
	switch {
	case path.Ext(d.Name) == ".json" || path.Base(d.Name) == "json":
		p := debianTracker{doc: d, emit: emit, unknown: map[string]bool{}}
		if path.Base(path.Dir(d.Name)) == DebianEnded {
			p.only = strings.TrimSuffix(path.Base(d.Name), ".json")
		}
		return p.parse()
	case path.Base(d.Name) == "list":
		p := advisoryList{doc: d, emit: emit, unknown: map[string]bool{}}
		return p.parse()
	}
	return fmt.Errorf("%w: %s", ErrUnknownDocument, d.Name)
}

type debianTracker struct {
	doc     Doc
	emit    func(*Record) error
	unknown map[string]bool // codenames reported
	only    string          // the release to read, "" for all
}

type trackerIssue struct {
	Description string                    `json:"description"`
	DebianBug   jsontext.Value            `json:"debianbug"`
	Scope       string                    `json:"scope"`
	Releases    map[string]trackerRelease `json:"releases"`
}

type trackerRelease struct {
	Status          string `json:"status"`
	FixedVersion    string `json:"fixed_version"`
	Urgency         string `json:"urgency"`
	NoDSA           string `json:"nodsa"`
	NoDSAReason     string `json:"nodsa_reason"`
	NextPointUpdate bool   `json:"next_point_update"`
}

func (p *debianTracker) parse() error {
	body, err := textReader(p.doc.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachMember(dec, func(pkg string) error {
		return eachMember(dec, func(id string) error { return p.issue(dec, pkg, id) })
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

func (p *debianTracker) issue(dec *jsontext.Decoder, pkg, id string) error {
	if !isTrackerID(id) {
		p.doc.report(Finding{Place: pkg, Rule: "unusable-id", Message: fmt.Sprintf("%q", id)})
		return dec.SkipValue()
	}
	var issue trackerIssue
	if err := json.UnmarshalDecode(dec, &issue, decodeOptions); err != nil {
		return err
	}
	if p.only != "" {
		rel, ok := issue.Releases[p.only]
		if !ok {
			return nil
		}
		issue.Releases = map[string]trackerRelease{p.only: rel}
	}
	r, err := p.record(pkg, id, &issue)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", pkg, id, err)
	}
	return p.emit(r)
}

// isTrackerID accepts CVE-2023-1393 and TEMP-0000000-A1B2C3.
func isTrackerID(id string) bool {
	return isCVE(id) || strings.HasPrefix(id, "TEMP-") && isAdvisoryID(id)
}

func (p *debianTracker) record(pkg, id string, issue *trackerIssue) (*Record, error) {
	r := &Record{ID: "DEBIAN-" + id, Details: issue.Description}
	if isCVE(id) {
		r.Upstream = []string{id}
	}
	var statements []Statement
	for _, codename := range slices.Sorted(maps.Keys(issue.Releases)) {
		rel := issue.Releases[codename]
		eco := p.ecosystem(pkg, id, codename)
		statements = append(statements, rel.statements(eco, pkg)...)
		if !rel.affects() {
			if !rel.known() {
				p.doc.report(Finding{Place: pkg + "/" + id + "/" + codename, Rule: "unknown-status",
					Message: fmt.Sprintf("status %q, fixed version %q", rel.Status, rel.FixedVersion)})
			}
			continue
		}
		a, err := rel.affected(eco, pkg, issue, p.only != "")
		if err != nil {
			return nil, err
		}
		r.Affected = append(r.Affected, a)
	}
	return r, r.AddStatements(statements...)
}

func (p *debianTracker) ecosystem(pkg, id, codename string) string {
	eco, ok := debianEcosystem(codename)
	if !ok && !p.unknown[codename] {
		p.unknown[codename] = true
		p.doc.report(Finding{Place: pkg + "/" + id, Rule: "unknown-release",
			Message: codename + " is kept as " + eco})
	}
	return eco
}

func (rel *trackerRelease) affects() bool {
	return rel.FixedVersion != "0" &&
		(rel.Status == "open" || rel.Status == "resolved" && rel.FixedVersion != "")
}

// known reports whether the status is one that the tracker documents.
func (rel *trackerRelease) known() bool {
	return rel.FixedVersion == "0" || rel.Status == "undetermined" || rel.affects()
}

func (rel *trackerRelease) affected(eco, pkg string, issue *trackerIssue, ended bool) (Affected, error) {
	iv := Interval{Introduced: "0"}
	pending := ""
	if rel.Status == "resolved" {
		iv.Fixed = rel.FixedVersion
	} else {
		pending = rel.FixedVersion
	}
	a := Affected{
		Package: Package{Ecosystem: eco, Name: pkg},
		Ranges:  []Range{{Type: Ecosystem, Events: iv.events()}},
	}
	if rel.Urgency != "" {
		v, err := json.Marshal(struct {
			Urgency string `json:"urgency"`
		}{rel.Urgency}, encodeOptions)
		if err != nil {
			return a, err
		}
		a.EcosystemSpecific = v
	}
	db := trackerSpecific{issue.DebianBug, pending, ended, rel.NextPointUpdate, issue.Scope}
	if db.isZero() {
		return a, nil
	}
	v, err := json.Marshal(&db, encodeOptions)
	a.DatabaseSpecific = v
	return a, err
}

// trackerSpecific is the database_specific of an affected entry.
type trackerSpecific struct {
	DebianBug       jsontext.Value `json:"debianbug,omitzero"`
	FixedVersion    string         `json:"fixed_version,omitempty"`
	LastKnown       bool           `json:"last_known,omitzero"` // upstream no longer speaks of the release
	NextPointUpdate bool           `json:"next_point_update,omitzero"`
	Scope           string         `json:"scope,omitempty"`
}

func (s *trackerSpecific) isZero() bool {
	return len(s.DebianBug) == 0 && s.FixedVersion == "" && !s.LastKnown && !s.NextPointUpdate && s.Scope == ""
}

// statements returns what upstream says of the release that is no range.
func (rel *trackerRelease) statements(eco, pkg string) []Statement {
	var out []Statement
	add := func(status, detail string) {
		out = append(out, Statement{Ecosystem: eco, Package: pkg, Status: status, Detail: detail})
	}
	switch {
	case rel.FixedVersion == "0":
		add(NotAffected, "")
	case rel.Status == "undetermined":
		add(UnderInvestigation, "undetermined")
	case !rel.known():
		add(UnderInvestigation, rel.Status)
	}
	if rel.NoDSA != "" || rel.NoDSAReason != "" {
		add(noDSAStatus(rel.NoDSAReason), rel.NoDSA)
	}
	if rel.Urgency == "end-of-life" {
		add(EndOfLife, "")
	}
	return out
}

// noDSAStatus reads nodsa_reason: empty for no-dsa, "ignored" or "postponed".
func noDSAStatus(reason string) string {
	switch reason {
	case "ignored":
		return WillNotFix
	case "postponed":
		return Postponed
	}
	return NoAdvisory
}
