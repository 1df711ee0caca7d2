package query

import (
	"testing"

	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	db := world(t, manySources+`
{"id":"DHI-1","upstream":["DEBIAN-CVE-2021-1"],"affected":[{"package":{"ecosystem":"Docker Hardened Images","name":"foo"}}]}
{"id":"X-1","related":["CVE-2021-1"]}
{"id":"CVE-2021-9","withdrawn":"2026-02-01T00:00:00Z","database_specific":{"advdb":{"sources":["nvd"],"withdrawn":"no longer published by its source"}}}
`, manyRows)
	q, err := ParsePurl("pkg:pypi/foo@2.3")
	if err != nil {
		t.Fatal(err)
	}
	x, err := Explain(db, "PYSEC-1", &q)
	if err != nil {
		t.Fatal(err)
	}
	type said struct{ id, relation, verdict string }
	var got []said
	for _, a := range x.Accounts {
		v := ""
		if a.Assertion != nil {
			v = a.Assertion.Verdict.String()
		}
		got = append(got, said{a.ID, a.Relation, v})
	}
	want := []said{
		{"GHSA-a", "member", "not affected"}, {"PYSEC-1", "member", "affected"}, {"CVE-2021-1", "member", ""},
		{"DEBIAN-CVE-2021-1", "upstream", ""}, {"DHI-1", "upstream", ""}, {"DSA-1", "upstream", ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(said{})); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"X-1"}, x.Related); diff != "" {
		t.Errorf("related (-want +got):\n%s", diff)
	}
	decided := []Decision{
		{"verdict", "affected", "PYSEC-1", RuleAnyAffected},
		{"fixed", "2.4", "PYSEC-1", RuleVersions},
		{"severity", "high 7.5", "CVE-2021-1", RuleItself},
		{"vendor's rating", "CRITICAL", "GHSA-a", RulePreferred},
		{"summary", "From GHSA", "GHSA-a", RulePreferred},
	}
	if diff := cmp.Diff(decided, x.Decisions); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	if !x.Threat.KEV.Ransomware || x.Answer.Verdict != versioncmp.Affected {
		t.Errorf("%+v %+v", x.Threat, x.Answer)
	}
}

func TestExplainWithoutPackage(t *testing.T) {
	db := world(t, manySources, manyRows)
	x, err := Explain(db, "CVE-2021-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range x.Accounts {
		if a.ID == "GHSA-a" && len(a.Ranges) != 2 {
			t.Errorf("%+v", a.Ranges)
		}
		if a.ID == "DEBIAN-CVE-2021-1" && len(a.Statements) != 1 {
			t.Errorf("%+v", a.Statements)
		}
	}
	if x, err = Explain(db, "CVE-1999-9999", nil); err != nil || x.Known() {
		t.Errorf("%+v, %v", x, err)
	}
}
