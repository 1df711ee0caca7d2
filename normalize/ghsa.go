package normalize

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/advdb/advdb/versioncmp"
)

// GHSA reads one record of github.com/github/advisory-database: OSV, with
// habits of its own that are mended here:
//
//   - database_specific.last_known_affected_version_range of an affected entry
//     is its upper bound where its only range has none (github/advisory-database
//     issue 7295: such a record reads as "every version" otherwise);
//   - every range is typed ECOSYSTEM: those of ecosystems that order by SemVer
//     become SEMVER where every event is strict SemVer, as osv.dev does;
//   - a CVSS vector may end with a slash, which its grammar forbids.
//
// A package may stand several times in affected, and may have versions and no
// ranges: both are valid and stay.
func GHSA(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendGHSA)
}

func mendGHSA(d Doc, r *Record) error {
	trimVectors(r.Severity)
	for i := range r.Affected {
		a := &r.Affected[i]
		trimVectors(a.Severity)
		if err := a.boundByLastKnown(); err != nil {
			d.report(Finding{
				Place:   fmt.Sprintf("%s/affected/%d", r.ID, i),
				Rule:    "last-known-range",
				Message: err.Error(),
			})
		}
		a.retypeSemver()
	}
	return nil
}

func trimVectors(s []Severity) {
	for i := range s {
		if strings.HasPrefix(s[i].Type, "CVSS_") {
			s[i].Score = strings.TrimRight(s[i].Score, "/")
		}
	}
}

// boundByLastKnown adds the upper bound that GitHub states beside the range.
// It fails where there is one that cannot be used.
func (a *Affected) boundByLastKnown() error {
	if len(a.DatabaseSpecific) == 0 || len(a.Ranges) != 1 {
		return nil
	}
	var db struct {
		LastKnown string `json:"last_known_affected_version_range"`
	}
	if err := json.Unmarshal(a.DatabaseSpecific, &db, decodeOptions); err != nil || db.LastKnown == "" {
		return err
	}
	events := a.Ranges[0].Events
	if len(events) != 1 || events[0].Introduced == "" {
		return nil
	}
	end, ok := lastKnownEvent(db.LastKnown)
	if !ok {
		return fmt.Errorf("%q is no upper bound", db.LastKnown)
	}
	if below(a.Package.Ecosystem, end, events[0].Introduced) {
		return fmt.Errorf("%q is below the introduction, %s", db.LastKnown, events[0].Introduced)
	}
	a.Ranges[0].Events = append(events, end)
	return nil
}

// lastKnownEvent reads "<= 1.2.3" or "< 1.2.3".
func lastKnownEvent(s string) (Event, bool) {
	s = strings.TrimSpace(s)
	if v, ok := strings.CutPrefix(s, "<="); ok {
		v = strings.TrimSpace(v)
		return Event{LastAffected: v}, isBareVersion(v)
	}
	v, ok := strings.CutPrefix(s, "<")
	v = strings.TrimSpace(v)
	return Event{Fixed: v}, ok && isBareVersion(v)
}

func isBareVersion(v string) bool {
	return v != "" && !strings.ContainsAny(v, "<>=,| ")
}

// below reports whether the interval from introduced to end holds no version.
func below(ecosystem string, end Event, introduced string) bool {
	s := versioncmp.For(ecosystem)
	if s == nil {
		return false
	}
	sp, err := parseSpan(s, Interval{Introduced: introduced, Fixed: end.Fixed, LastAffected: end.LastAffected})
	return err == nil && sp.empty()
}

// semverEcosystems order their versions by SemVer 2.0 and nothing else.
var semverEcosystems = map[string]bool{
	"npm": true, "Go": true, "crates.io": true, "Hex": true, "SwiftURL": true, "Bitnami": true,
}

// retypeSemver types ECOSYSTEM ranges SEMVER where all their events are
// strict SemVer.
func (a *Affected) retypeSemver() {
	if !semverEcosystems[a.Package.Ecosystem] {
		return
	}
	for i := range a.Ranges {
		r := &a.Ranges[i]
		if r.Type == Ecosystem && allSemver(r.Events) {
			r.Type = Semver
		}
	}
}

func allSemver(events []Event) bool {
	for i := range events {
		v := events[i].version()
		if events[i].Introduced == "0" {
			continue
		}
		if !isSemver(v) {
			return false
		}
	}
	return len(events) > 0
}

// isSemver reports whether v is a version by SemVer 2.0, sections 2, 9 and
// 10: three numbers without leading zeros, no "v".
func isSemver(v string) bool {
	v, build, hasBuild := strings.Cut(v, "+")
	if hasBuild && !areIdentifiers(build, false) {
		return false
	}
	core, pre, hasPre := strings.Cut(v, "-")
	if hasPre && !areIdentifiers(pre, true) {
		return false
	}
	n := 0
	for part := range strings.SplitSeq(core, ".") {
		if !isNumber(part) || part[0] == '0' && len(part) > 1 {
			return false
		}
		n++
	}
	return n == 3
}

// areIdentifiers checks dot-separated identifiers; those of a pre-release
// (strict) have no leading zeros where they are numbers.
func areIdentifiers(s string, strict bool) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" || strict && len(id) > 1 && id[0] == '0' && isNumber(id) {
			return false
		}
		for i := range len(id) {
			if c := id[i]; c != '-' && !isAlphanumeric(c) {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
