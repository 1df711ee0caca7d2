package normalize

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// A uctKey names one affected entry.
type uctKey struct{ ecosystem, name string }

// finish makes affected entries and statements of the statuses.
func (u *uctFile) finish() error {
	affected := map[uctKey][]Interval{}
	for _, s := range u.statuses {
		k := uctKey{s.ecosystem, s.name}
		switch s.status {
		case "released":
			affected[k] = append(affected[k], u.released(s)...)
		case "needed", "pending":
			affected[k] = append(affected[k], Interval{Introduced: "0"})
		case "deferred":
			affected[k] = append(affected[k], Interval{Introduced: "0"})
			u.state(s, Postponed)
		case "ignored":
			if wasNeeded(s.note) {
				affected[k] = append(affected[k], Interval{Introduced: "0"})
			}
			u.state(s, ignoredStatus(s.note))
		case "not-affected":
			u.state(s, NotAffected)
		case "needs-triage", "needs-traige": // the tracker has both
			u.state(s, UnderInvestigation)
		case "DNE":
		default:
			u.report(u.record.ID, "unknown-status", fmt.Sprintf("%s/%s: %q", s.ecosystem, s.name, s.status))
		}
	}
	if err := u.affected(affected); err != nil {
		return err
	}
	return u.record.AddStatements(u.statements...)
}

func (u *uctFile) state(s uctStatus, status string) {
	u.statements = append(u.statements, Statement{Ecosystem: s.ecosystem, Package: s.name, Status: status, Detail: s.note})
}

// released reads the version; some are lists.
func (u *uctFile) released(s uctStatus) []Interval {
	var out []Interval
	for _, v := range strings.FieldsFunc(s.note, func(r rune) bool { return r == ',' || r == ' ' }) {
		if isDigitByte(v[0]) || v[0] == 'v' {
			out = append(out, Interval{Introduced: "0", Fixed: v})
		}
	}
	if len(out) == 0 {
		u.report(u.record.ID, "no-version", fmt.Sprintf("%s/%s: released (%.40s)", s.ecosystem, s.name, s.note))
	}
	return out
}

// wasNeeded reports whether the note of an ignored package says that it was
// known to be affected: "was needed now end-of-life", "end of standard
// support, was deferred [2021-01-01]".
func wasNeeded(note string) bool {
	return strings.Contains(note, "was needed") || strings.Contains(note, "was pending") || strings.Contains(note, "was deferred")
}

// ignoredStatus tells the end of a release's life from other reasons.
func ignoredStatus(note string) string {
	for _, words := range []string{"end-of-life", "end of life", "out of standard support", "end of standard support", "end of ESM", "ESM criteria"} {
		if strings.Contains(note, words) {
			return EndOfLife
		}
	}
	return WillNotFix
}

// affected makes the affected entries, in order. A package that is open in one
// of two parts of Ubuntu with one name (ESM for infrastructure and for
// applications) is open.
func (u *uctFile) affected(found map[uctKey][]Interval) error {
	for k, in := range found {
		if len(in) == 0 {
			continue
		}
		a := Affected{Package: Package{Ecosystem: k.ecosystem, Name: k.name}, Ranges: Ranges(Ecosystem, k.ecosystem, in)}
		if p := u.priorities[k.name]; p != "" {
			v, err := json.Marshal(map[string]string{"priority": p}, encodeOptions)
			if err != nil {
				return err
			}
			a.EcosystemSpecific = v
		}
		u.record.Affected = append(u.record.Affected, a)
	}
	slices.SortFunc(u.record.Affected, func(a, b Affected) int {
		return cmp.Or(strings.Compare(a.Package.Ecosystem, b.Package.Ecosystem), strings.Compare(a.Package.Name, b.Package.Name))
	})
	return nil
}
