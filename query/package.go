package query

import (
	"cmp"
	"slices"
	"strings"

	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A Finding is what one record says of the package asked about.
type Finding struct {
	ID        string
	Ecosystem string // with its release
	Package   string
	Verdict   versioncmp.Verdict
	Event     versioncmp.Event // what decided
	Note      string           // such as versioncmp.CeilingNote
	Reason    string           // why the verdict is unknown
}

// An Answer is what a state says of a package.
type Answer struct {
	Question   Question
	Ecosystems []string  // those that were searched; none: there is no data of it
	Findings   []Finding // by ecosystem and ID, of every record of the package
}

// Covered reports whether the state has data of the ecosystem at all.
func (a *Answer) Covered() bool { return len(a.Ecosystems) > 0 }

// With returns the findings of one verdict.
func (a *Answer) With(v versioncmp.Verdict) []Finding {
	var list []Finding
	for _, f := range a.Findings {
		if f.Verdict == v {
			list = append(list, f)
		}
	}
	return list
}

// IDs returns the IDs of the findings of one verdict, sorted, each once.
func (a *Answer) IDs(v versioncmp.Verdict) []string {
	var ids []string
	for _, f := range a.With(v) {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Package answers q. Without a version every record of the package is a
// finding that is affected.
func Package(db *store.DB, q Question) (Answer, error) {
	a := Answer{Question: q}
	var err error
	if a.Ecosystems, err = matchEcosystems(db, q.Ecosystem); err != nil {
		return a, err
	}
	for _, eco := range a.Ecosystems {
		ask := asker(eco, q.Version)
		err := db.Package(eco, q.Name, func(x store.Affected) error {
			f := Finding{ID: x.ID, Ecosystem: eco, Package: q.Name, Verdict: versioncmp.Affected}
			if q.Version != "" {
				f.judge(ask, x.Sets)
			}
			a.Findings = append(a.Findings, f)
			return nil
		})
		if err != nil {
			return a, err
		}
	}
	slices.SortFunc(a.Findings, func(x, y Finding) int {
		return cmp.Or(strings.Compare(x.Ecosystem, y.Ecosystem), strings.Compare(x.ID, y.ID))
	})
	return a, nil
}

// matchEcosystems returns the ecosystems of the state that name means: itself,
// or every release of a bare name.
func matchEcosystems(db *store.DB, name string) ([]string, error) {
	all, err := db.Ecosystems()
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range all {
		base, _, _ := strings.Cut(e, ":")
		if e == name || base == name {
			list = append(list, e)
		}
	}
	return list, nil
}

// asker parses the version once for all sets of an ecosystem.
func asker(ecosystem, version string) func(*versioncmp.Set) versioncmp.Answer {
	v, err := versioncmp.Parse(ecosystem, version)
	if err != nil {
		return func(s *versioncmp.Set) versioncmp.Answer { return s.AffectedText(version) }
	}
	return func(s *versioncmp.Set) versioncmp.Answer { return s.Affected(v) }
}

// judge asks all sets of a record: affected if one says so, else unknown if
// one does, else not.
func (f *Finding) judge(ask func(*versioncmp.Set) versioncmp.Answer, sets []versioncmp.Set) {
	f.Verdict = versioncmp.NotAffected
	for i := range sets {
		a := ask(&sets[i])
		if i == 0 || weight(a.Verdict) > weight(f.Verdict) {
			f.Verdict, f.Event, f.Note, f.Reason = a.Verdict, a.Event, a.Note, a.Reason
		}
	}
}

func weight(v versioncmp.Verdict) int {
	switch v {
	case versioncmp.Affected:
		return 2
	case versioncmp.Unknown:
		return 1
	}
	return 0
}
