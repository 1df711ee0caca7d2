package normalize

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// Comparisons with conversions of others where both sides are at hand: Debian's
// lists of advisories, and OSV's records of three of them; the exports of
// Haskell, Julia and OCaml, and what OSV serves of them. Of Debian's tracker by
// CVE, of Red Hat's errata, and of the sources behind those exports and EEF's
// only one side is.

// fieldsOf tells apart what a record says beside its ranges: a line a field,
// of those that a conversion can get wrong.
func fieldsOf(r *Record) map[string]string {
	issues := set(slices.Concat(r.Upstream, r.Related, r.Aliases))
	return map[string]string{
		"published": r.Published, "summary": r.Summary, "withdrawn": r.Withdrawn,
		"CVEs": strings.Join(slices.DeleteFunc(issues, func(id string) bool { return !isCVE(id) }), " "),
	}
}

// packagesOf groups affected entries by package, purls left out.
func packagesOf(r *Record) map[packageName][]Affected {
	m := map[packageName][]Affected{}
	for _, a := range r.Affected {
		n := packageName{a.Package.Ecosystem, a.Package.Name}
		m[n] = append(m[n], a)
	}
	return m
}

// osvZip returns the records of one ecosystem's zip by ID.
func osvZip(t *testing.T, elem ...string) map[string]*Record {
	t.Helper()
	path := append([]string{"corpus", "osv-zips", "MaineK00n+vuls-data-update", "pkg", "fetch"}, elem...)
	records := map[string]*Record{}
	for name, text := range sharedArchive(t, append(path, "all.zip")...) {
		r, err := Decode([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		records[r.ID] = r
	}
	return records
}

// compareRecords holds that ours says what theirs does. What OSV adds is not
// compared: details (from web pages), versions listed, purls, its own dates
// of change and references.
func compareRecords(t *testing.T, ours, theirs *Record) {
	t.Helper()
	var got []string
	their := fieldsOf(theirs)
	for field, mine := range fieldsOf(ours) {
		if mine != their[field] {
			got = append(got, field+": "+mine+", theirs "+their[field])
		}
	}
	slices.Sort(got)
	got = append(got, differentPackages(ours, theirs)...)
	if d := cmp.Diff(osvDifferences[theirs.ID], got); d != "" {
		t.Errorf("%s (-explained +got):\n%s", theirs.ID, d)
	}
}

// osvDifferences are the records in which the two sides differ, and why.
var osvDifferences = map[string][]string{
	// The export of 2025-11-14 dates all advisories of before by that day.
	"HSEC-2023-0001": {"published: 2025-11-14T14:45:34Z, theirs 2023-06-13T09:03:52Z"},
	// Haskell added that the flaw is back in 9.12.3 and left modified as it was,
	// so that OSV, which goes by modified, still has the first state.
	"HSEC-2025-0001": {"GHC ghc: 9.12.3.1: affected, theirs not affected", "GHC ghc: 9.12.3: affected, theirs not affected"},
}

// OSV's records of Debian's advisories are made from the same lists.
func TestDebianListsOSV(t *testing.T) {
	ours := map[string]*Record{}
	for _, list := range []string{"DSA", "DLA"} {
		text := sharedText(t, "upstream", "day1", "salsa.debian.org", "security-tracker-team", "security-tracker", "-", "raw", "master", "data", list, "list")
		err := Debian(Doc{Name: list + "/list", Body: strings.NewReader(text)}, func(r *Record) error {
			ours[r.ID] = r
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	compared := 0
	for id, theirs := range osvZip(t, "debian", "osv", "testdata", "fixtures") {
		switch {
		case strings.HasPrefix(id, "DTSA-"): // testing's list ended in 2008 and is no source
		case ours[id] == nil:
			t.Errorf("%s: not in the lists", id)
		default:
			compared++
			compareRecords(t, ours[id], theirs)
		}
	}
	if compared != 2 {
		t.Errorf("%d compared", compared)
	}
}

// What OSV serves of Haskell's, Julia's and OCaml's advisories is made from
// the exports that are the sources here.
func TestExportsOSV(t *testing.T) {
	for _, tt := range []struct {
		export string
		zips   [][]string
	}{
		{"haskell/security-advisories/archive/refs/heads/generated/osv-export.tar.gz", [][]string{{"haskell", "hackage"}, {"haskell", "ghc"}}},
		{"JuliaLang/SecurityAdvisories.jl/archive/refs/heads/generated/osv.tar.gz", [][]string{{"julia"}}},
		{"ocaml/security-advisories/archive/refs/heads/generated-osv.tar.gz", [][]string{{"ocaml"}}},
	} {
		ours := map[string]*Record{}
		walkArchive(t, sharedtest.Path(t, "upstream", "day1", "github.com", tt.export), func(d sharedDoc) {
			if !strings.HasSuffix(d.name, ".json") {
				return
			}
			err := OSV(Doc{Name: d.name, Body: bytes.NewReader(d.data)}, func(r *Record) error { ours[r.ID] = r; return nil })
			if err != nil && !strings.Contains(d.name, "osv-export/index") {
				t.Logf("%s: %v", d.name, err)
			}
		})
		for _, zip := range tt.zips {
			for id, theirs := range osvZip(t, append(zip, "osv", "testdata", "fixtures", "happy")...) {
				if ours[id] == nil {
					t.Errorf("%s: not in the export", id)
					continue
				}
				compareRecords(t, ours[id], theirs)
			}
		}
	}
}

// differentPackages returns the packages that one of two records names alone,
// and the versions, of those at and near all that either names, that they
// decide differently.
func differentPackages(ours, theirs *Record) (out []string) {
	a, b := packagesOf(ours), packagesOf(theirs)
	for p := range a {
		if b[p] == nil {
			out = append(out, p.ecosystem+" "+p.name+": ours only")
		}
	}
	for p, entries := range b {
		if a[p] == nil {
			out = append(out, p.ecosystem+" "+p.name+": theirs only")
			continue
		}
		for _, d := range differ(setOf(p.ecosystem, a[p]...), setOf(p.ecosystem, entries...), versionsNear(slices.Concat(a[p], entries)...)) {
			out = append(out, p.ecosystem+" "+p.name+": "+d)
		}
	}
	slices.Sort(out)
	return out
}

// versionsNear returns the versions that entries name, and such before and
// behind each.
func versionsNear(entries ...Affected) []string {
	list := []string{"0", "0.0.1-1", "99999:1-1"}
	for _, a := range entries {
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				if v := e.version(); v != "0" {
					list = append(list, v, v+"~", v+".1", v+"a", "1"+v)
				}
			}
		}
		list = append(list, a.Versions...)
	}
	return set(list)
}
