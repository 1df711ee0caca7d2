package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A Finding is what one record says of the package asked about.
type Finding struct {
	ID        string
	Ecosystem string // with its release
	Package   string // as it was looked up: the name asked for, or its source package
	Verdict   versioncmp.Verdict
	Event     versioncmp.Event // what decided
	Note      string           // such as versioncmp.CeilingNote
	Reason    string           // why the verdict is unknown
	Via       string           // how Package was found where it is not the name asked for
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
//
// Entries of a record for other architectures, module streams, slots or
// repositories than the package's do not count; where the question does not
// say which the package is of, and it matters, the answer is unknown.
func Package(db *store.DB, q Question) (Answer, error) {
	a := Answer{Question: q}
	var err error
	if a.Ecosystems, err = releases(db, &q); err != nil {
		return a, err
	}
	for _, eco := range a.Ecosystems {
		if err := a.search(db, eco); err != nil {
			return a, fmt.Errorf("%s: %w", eco, err)
		}
	}
	a.preferMinor()
	slices.SortFunc(a.Findings, func(x, y Finding) int {
		return cmp.Or(strings.Compare(x.Ecosystem, y.Ecosystem), strings.Compare(x.ID, y.ID))
	})
	return a, nil
}

// search asks in one ecosystem, by each name until records of one are found;
// records that go by either name are asked by the package's own first.
func (a *Answer) search(db *store.DB, eco string) error {
	before := len(a.Findings)
	for _, name := range a.Question.names(eco) {
		if err := a.ask(db, eco, name, before); err != nil {
			return err
		}
	}
	if len(a.Findings) > before {
		return nil
	}
	sources, err := a.Question.builtOf(db, eco)
	if err != nil {
		return err
	}
	for _, name := range sources {
		if err := a.ask(db, eco, name, before); err != nil {
			return err
		}
	}
	return nil
}

// ask adds a finding for each record of one name in one ecosystem, but for
// those of which the findings from index before on speak already.
func (a *Answer) ask(db *store.DB, eco string, name asked, before int) error {
	judge := asker(eco, name.version)
	known := len(a.Findings)
	var doubtful []int
	err := db.Package(eco, name.name, func(x store.Affected) error {
		if slices.ContainsFunc(a.Findings[before:known], func(f Finding) bool { return f.ID == x.ID }) {
			return nil
		}
		f := Finding{ID: x.ID, Ecosystem: eco, Package: name.name, Verdict: versioncmp.Affected, Via: name.via}
		if name.version != "" {
			f.judge(judge, x.Sets)
			if f.Verdict != versioncmp.NotAffected && restricts(eco) {
				doubtful = append(doubtful, len(a.Findings))
			}
		}
		a.Findings = append(a.Findings, f)
		return nil
	})
	if err != nil || len(doubtful) == 0 {
		return err
	}
	return a.refine(db, doubtful, judge)
}

// restricts reports whether records of the ecosystem say to which builds of a
// package they apply.
func restricts(ecosystem string) bool {
	switch base, _, _ := strings.Cut(ecosystem, ":"); base {
	case "AlmaLinux", "Amazon Linux", "Bottlerocket", "CentOS", "Gentoo", "openSUSE", "Oracle Linux", "Red Hat", "Rocky Linux",
		"SUSE", "Fedora", "ALT Linux", "Anolis OS", "openEuler":
		return true
	}
	return false
}

// refine judges findings again, by those entries of their records that apply.
// The index has one set for each entry, in their order.
func (a *Answer) refine(db *store.DB, findings []int, judge func(*versioncmp.Set) versioncmp.Answer) error {
	ids := make([]string, len(findings))
	for i, n := range findings {
		ids[i] = a.Findings[n].ID
	}
	at := 0 // findings of one name are in the order of IDs, each once
	return db.Lookup(ids, func(id string, data []byte) error {
		for at < len(ids) && ids[at] != id {
			at++
		}
		if at == len(ids) || !restricted(data) {
			return nil
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		a.Findings[findings[at]].judgeEntries(&a.Question, r, judge)
		return nil
	})
}

// judgeEntries judges by the entries of a record for the finding's package.
func (f *Finding) judgeEntries(q *Question, r *normalize.Record, judge func(*versioncmp.Set) versioncmp.Answer) {
	f.Verdict, f.Event, f.Note, f.Reason = versioncmp.NotAffected, versioncmp.Event{}, "", ""
	key := normalize.PackageKey(f.Ecosystem, f.Package)
	for i := range r.Affected {
		x := &r.Affected[i]
		if x.Package.Ecosystem != f.Ecosystem || normalize.PackageKey(f.Ecosystem, x.Package.Name) != key {
			continue
		}
		applies, why := q.applies(x, r.Summary)
		if applies == versioncmp.NotAffected {
			continue
		}
		ans := judge(store.Compile(x))
		if ans.Verdict == versioncmp.Affected && applies == versioncmp.Unknown {
			ans.Verdict, ans.Reason = versioncmp.Unknown, why
		}
		if f.Event.Kind == 0 && f.Reason == "" || weight(ans.Verdict) > weight(f.Verdict) {
			f.Verdict, f.Event, f.Note, f.Reason = ans.Verdict, ans.Event, ans.Note, ans.Reason
		}
	}
}

// preferMinor drops what Red Hat's main line says of a record where the
// extended support of the minor release asked about speaks of it: its builds
// have a line of versions of their own.
func (a *Answer) preferMinor() {
	if !strings.HasPrefix(a.Question.Ecosystem, "Red Hat:enterprise_linux:") {
		return
	}
	extended := map[string]bool{}
	for _, f := range a.Findings {
		if strings.HasPrefix(f.Ecosystem, "Red Hat:rhel_") {
			extended[f.ID] = true
		}
	}
	a.Findings = slices.DeleteFunc(a.Findings, func(f Finding) bool {
		return extended[f.ID] && !strings.HasPrefix(f.Ecosystem, "Red Hat:rhel_")
	})
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
