package snapshot

import (
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestDifferences goes through the members of a record.
func TestDifferences(t *testing.T) {
	const whole = `{"id":"A","modified":"2026-01-01T00:00:00Z","aliases":["CVE-1","CVE-2"],"summary":"one","details":"long",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],"references":[{"type":"WEB","url":"https://a.example"}],
		"affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}],"versions":["0.1.0","0.2.0"]}]}`
	for _, c := range []struct {
		name, before, after string
		want                []Difference
	}{
		{"nothing", whole, whole, nil},
		{"the order of a set", `{"id":"A","aliases":["CVE-1","CVE-2"]}`, `{"id":"A","aliases":["CVE-2","CVE-1","CVE-1"]}`, nil},
		{"modified", `{"id":"A","modified":"2026-01-01T00:00:00Z"}`, `{"id":"A","modified":"2026-01-02T00:00:00Z"}`,
			[]Difference{{Field: "modified", Removed: []string{"2026-01-01T00:00:00Z"}, Added: []string{"2026-01-02T00:00:00Z"}}}},
		{"all of it", whole, `{"id":"A"}`, []Difference{
			{Field: "affected", Package: "npm/x", Removed: []string{"0.1.0", "0.2.0", "SEMVER introduced 0, fixed 1.0.0"}},
			{Field: "severity", Removed: []string{"CVSS_V3 CVSS:3.1/AV:N"}},
			{Field: "aliases", Removed: []string{"CVE-1", "CVE-2"}},
			{Field: "summary", Removed: []string{"one"}},
			{Field: "details"},
			{Field: "references", Removed: []string{"WEB https://a.example"}},
			{Field: "modified", Removed: []string{"2026-01-01T00:00:00Z"}},
		}},
		{"a package without a range", `{"id":"A"}`, `{"id":"A","affected":[{"package":{"ecosystem":"Debian:12","name":"y"}}]}`,
			[]Difference{{Field: "affected", Package: "Debian:12/y", Added: []string{"no range"}}}},
		{"two entries of one package made one",
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]},{"package":{"ecosystem":"npm","name":"x"},"versions":["2"]}]}`,
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1","2"]}]}`,
			[]Difference{{Field: "affected.other", Package: "npm/x"}}},
		{"ranges, versions, severity of a package",
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"GIT","repo":"https://g.example","events":[{"introduced":"0"},{"last_affected":"9"}]}],"versions":["1","2"]}]}`,
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"GIT","repo":"https://g.example","events":[{"introduced":"0"},{"limit":"9"}]}],"versions":["2","3"],"severity":[{"type":"Ubuntu","score":"low"}]}]}`,
			[]Difference{
				{Field: "affected.ranges", Package: "npm/x", Removed: []string{"GIT https://g.example introduced 0, last affected 9"}, Added: []string{"GIT https://g.example introduced 0, limit 9"}},
				{Field: "affected.versions", Package: "npm/x", Removed: []string{"1"}, Added: []string{"3"}},
				{Field: "affected.severity", Package: "npm/x", Added: []string{"Ubuntu low"}},
			}},
		{"what a database says of a package",
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"database_specific":{"a":1}}]}`,
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"},"database_specific":{"a":2}}]}`,
			[]Difference{{Field: "affected.specific", Package: "npm/x"}}},
		{"the purl of a package", `{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x"}}]}`,
			`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"x","purl":"pkg:npm/x"}}]}`,
			[]Difference{{Field: "affected.other", Package: "npm/x"}}},
		{"members that OSV does not know", `{"id":"A","x":1,"y":{"z":2}}`, `{"id":"A","y":{"z":3},"w":0}`, []Difference{
			{Field: "w", Added: []string{"0"}}, {Field: "x", Removed: []string{"1"}}, {Field: "y", Removed: []string{`{"z":2}`}, Added: []string{`{"z":3}`}}}},
		{"no package", `{"id":"A","affected":[{"versions":["1"]}]}`, `{"id":"A"}`, []Difference{{Field: "affected", Package: "git", Removed: []string{"1"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r [2]*normalize.Record
			for i, s := range []string{c.before, c.after} {
				var err error
				if r[i], err = normalize.Decode([]byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(c.want, Differences(r[0], r[1])); d != "" {
				t.Error(d)
			}
			// Backwards, what was added was removed.
			back := Differences(r[1], r[0])
			for i := range back {
				back[i].Removed, back[i].Added = back[i].Added, back[i].Removed
			}
			if d := cmp.Diff(c.want, back); d != "" {
				t.Error("backwards:", d)
			}
		})
	}
}

// TestRowDifferences compares rows, of which one may not be there.
func TestRowDifferences(t *testing.T) {
	got := RowDifferences([]byte(`{"date":"2026-01-01","epss":0.1,"model":"v4"}`), []byte(`{"date":"2026-01-02","epss":0.25,"model":"v4"}`))
	want := []Difference{
		{Field: "date", Removed: []string{`"2026-01-01"`}, Added: []string{`"2026-01-02"`}},
		{Field: "epss", Removed: []string{"0.1"}, Added: []string{"0.25"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Difference{{Field: "a", Added: []string{"[1,2]"}}}, RowDifferences(nil, []byte(`{"a":[1,2]}`))); d != "" {
		t.Error(d)
	}
	if got := RowDifferences([]byte("broken"), []byte("{}")); got != nil {
		t.Errorf("of what is no row: %v", got)
	}
}

// TestPackagesChanged says of which packages something else is said.
func TestPackagesChanged(t *testing.T) {
	const two = `"affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]},{"package":{"ecosystem":"Debian:12","name":"y"},"versions":["1"]}]`
	const other = `"affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]},{"package":{"ecosystem":"Debian:12","name":"y"},"versions":["2"]}]`
	x, y := PackageName{"npm", "x"}, PackageName{"Debian:12", "y"}
	for _, c := range []struct {
		name, before, after, kind string
		want                      []PackageName
	}{
		{"added", "", `{"id":"A",` + two + `}`, ChangeAdded, []PackageName{y, x}},
		{"deleted", `{"id":"A",` + two + `}`, "", ChangeDeleted, []PackageName{y, x}},
		{"one of two", `{"id":"A",` + two + `}`, `{"id":"A",` + other + `}`, ChangeChanged, []PackageName{y}},
		{"none", `{"id":"A",` + two + `}`, `{"id":"A","summary":"s",` + two + `}`, ChangeChanged, nil},
		{"withdrawn", `{"id":"A",` + two + `}`, `{"id":"A","withdrawn":"2026-01-01T00:00:00Z",` + two + `}`, ChangeWithdrawn, []PackageName{y, x}},
		{"neither", "", "", ChangeReturned, nil},
	} {
		form := func(s string) []byte {
			if s == "" {
				return nil
			}
			return []byte(s)
		}
		got, err := newChange("A", form(c.before), form(c.after))
		if err != nil || got.Kind != c.kind || !cmp.Equal(got.Packages, c.want, cmpopts.EquateEmpty()) {
			t.Errorf("%s: %s %v, %v", c.name, got.Kind, got.Packages, err)
		}
	}
}
