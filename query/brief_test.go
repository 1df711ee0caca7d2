package query

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameFacts holds that a record read by brief gives the facts and claims that
// the whole of it gives, for each package that it names.
func sameFacts(t *testing.T, data []byte) {
	t.Helper()
	whole, err := normalize.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	var of []use
	for i := range whole.Affected {
		p := whole.Affected[i].Package
		if !p.IsZero() && len(of) < 20 {
			of = append(of, use{finding: &Finding{ID: whole.ID, Ecosystem: p.Ecosystem, Package: p.Name}})
		}
	}
	short, err := brief(data, wantedBy(of))
	if err != nil {
		t.Fatalf("%s: %v", whole.ID, err)
	}
	a, b := factsOf(whole), factsOf(short)
	for _, u := range of {
		for _, version := range []string{"", "1.0"} {
			want, got := a.claim(*u.finding, version), b.claim(*u.finding, version)
			want.facts, got.facts = nil, nil
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(claim{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s of %s (-whole +brief):\n%s", whole.ID, u.finding.Package, diff)
			}
		}
	}
	a.record, b.record = nil, nil
	if diff := cmp.Diff(a, b, cmp.AllowUnexported(facts{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-whole +brief):\n%s", whole.ID, diff)
	}
	if n, m := (&node{id: whole.ID}), (&node{id: whole.ID}); true {
		n.take(whole)
		m.take(short)
		if diff := cmp.Diff(n, m, cmp.AllowUnexported(node{})); diff != "" {
			t.Errorf("%s: node (-whole +brief):\n%s", whole.ID, diff)
		}
	}
}

func canonical(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := normalize.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := normalize.AppendEncode(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var briefSeeds = []string{
	`{"affected":[],"aliases":[],"id":"A-1"}`,
	`{"affected":[{"package":{"ecosystem":"npm","name":"a\"b\\"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.2"}],"type":"SEMVER"},{"events":[{"fixed":"abc"}],"repo":"x","type":"GIT"}]},{"ranges":[]}],"id":"A-2","summary":"x \\\" y"}`,
	`{"affected":[{"database_specific":{"severity":"HIGH","x":[1,2,{"y":"}"}]},"ecosystem_specific":{"severity":["low"]},"package":{"ecosystem":"PyPI","name":"Foo_Bar"},"severity":[{"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","type":"CVSS_V3"}],"versions":["1","2"]}],"aliases":["CVE-2021-1","GHSA-é"],"details":"First. Second","id":"A-3","modified":"2026-01-01T00:00:00Z","upstream":["CVE-2021-2"],"withdrawn":"2026-02-01T00:00:00Z"}`,
	`{"database_specific":{"cwe_ids":["CWE-1"],"severity":"MODERATE","statements":[{"ecosystem":"npm","package":"a","status":"not_affected"}]},"details":"","id":"A-4","references":[{"type":"WEB","url":"x"}],"severity":[{"score":"high","type":"Ubuntu"}]}`,
	`{"details":"` + strings.Repeat(`word \n\u00e9 `, 900) + `","id":"A-5"}`,
	`{"affected":[{"database_specific":[],"ecosystem_specific":"x","package":{"ecosystem":"npm","name":"a"}}],"database_specific":[],"id":"A-7"}`,
	`{"details":"` + strings.Repeat("x", 9000) + `","id":"A-6"}`,
}

func TestBriefAgrees(t *testing.T) {
	for _, s := range briefSeeds {
		sameFacts(t, canonical(t, []byte(s)))
	}
}

func TestBriefOtherForms(t *testing.T) {
	for _, s := range []string{``, `{`, `[]`, `{"id":"A"`, `{"id":"A"} `, `{ "id":"A"}`, `{"id": "A"}`, `{"id":"A",}`, `{"id":7}`, `{"affected":{},"id":"A"}`, `{"affected":[{"package":{"name":"x"}}]}`} {
		if r, err := brief([]byte(s), wantedBy(nil)); err == nil {
			t.Errorf("%q: %+v", s, r)
		} else if s != "" && !errors.Is(err, errOther) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestBriefOnRealRecords reads all records at hand both ways.
func TestBriefOnRealRecords(t *testing.T) {
	root := sharedtest.Path(t, "corpus", "ghsa")
	n := 0
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".json" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if r, err := normalize.Decode(data); err == nil && r.ID != "" {
			sameFacts(t, canonical(t, data))
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 10 {
		t.Errorf("%d records", n)
	}
}

func FuzzBrief(f *testing.F) {
	for _, s := range briefSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		brief(data, wantedBy(nil)) // whatever it is: no panic
		r, err := normalize.Decode(data)
		if err != nil || slices.ContainsFunc(r.Affected, func(a normalize.Affected) bool { return a.Package.IsZero() != (a.Package.Ecosystem == "") }) {
			return
		}
		out, err := normalize.AppendEncode(nil, r)
		if err != nil {
			return
		}
		sameFacts(t, out)
	})
}
