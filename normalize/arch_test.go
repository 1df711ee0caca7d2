package normalize

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parseAll parses text and returns the records' encodings by ID, and findings
// as "place: rule".
func parseAll(t testing.TB, p Parser, name, text string) (records map[string]string, findings []string, err error) {
	t.Helper()
	records = map[string]string{}
	d := Doc{Name: name, Body: strings.NewReader(text), Report: func(f Finding) { findings = append(findings, f.Place+": "+f.Rule) }}
	err = p(d, func(r *Record) error {
		if records[r.ID] != "" {
			old, err := Decode([]byte(records[r.ID]))
			if err != nil {
				return err
			}
			if err := Unite(r, old); err != nil {
				return err
			}
		}
		records[r.ID] = encodeString(t, r)
		return nil
	})
	return records, findings, err
}

const archText = `[
{"name":"AVG-1","packages":["a"],"status":"Fixed","severity":"High","type":"t","affected":"1-1","fixed":"1:2-1","ticket":"54842","issues":["CVE-2020-1234"],"advisories":["ASA-202001-1"]},
{"name":"AVG-2","packages":["b","c"],"status":"Vulnerable","severity":"Low","type":"t","affected":"1-1","fixed":null,"ticket":null,"issues":[],"advisories":[]},
{"name":"AVG-3","packages":["d"],"status":"Not affected","severity":"Unknown","type":"t","affected":"1-1","fixed":null,"ticket":null,"issues":["CVE-2020-1235"],"advisories":[]},
{"name":"AVG-4","packages":["e"],"status":"Testing","severity":"Low","type":"t","affected":"1-1","fixed":"1-2","ticket":null,"issues":["CVE-2020-1236"],"advisories":[]},
{"name":"AVG-5","packages":["f"],"status":"Unknown","severity":"Low","type":"t","affected":"1-1","fixed":null,"ticket":null,"issues":["CVE-2020-1237"],"advisories":[]},
{"name":"AVG-x","packages":[]},
{"name":7}]`

func TestArchAVG(t *testing.T) {
	got, findings, err := parseAll(t, ArchAVG, "all.json", archText)
	if err != nil {
		t.Fatal(err)
	}
	affected := map[string]string{}
	for id, text := range got {
		r, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, a := range r.Affected {
			b.WriteString(a.Package.Name + " " + encodeRanges(a.Ranges) + string(a.DatabaseSpecific) + ";")
		}
		st, err := r.Statements()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range st {
			b.WriteString(s.Package + " " + s.Status + ";")
		}
		affected[id] = b.String() + strings.Join(r.Upstream, ",")
	}
	want := map[string]string{
		"AVG-1": "a [0,1:2-1);CVE-2020-1234",
		"AVG-2": "b [0,);c [0,);", // no issues: a group all the same
		"AVG-3": "d not_affected;CVE-2020-1235",
		"AVG-4": `e [0,){"fixed":"1-2"};CVE-2020-1236`,
		"AVG-5": "f under_investigation;CVE-2020-1237",
	}
	if d := cmp.Diff(want, affected); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"AVG-x: bad-id", "6: unreadable-entry"}, findings); d != "" {
		t.Errorf("findings -want +got:\n%s", d)
	}
}

// encodeRanges writes ranges as intervals: [0,1) for fixed, [0,1] for last
// affected.
func encodeRanges(ranges []Range) string {
	var b strings.Builder
	for _, r := range ranges {
		open := false
		for _, e := range r.Events {
			switch {
			case e.Introduced != "":
				b.WriteString("[" + e.Introduced + ",")
				open = true
			case e.Fixed != "":
				b.WriteString(e.Fixed + ")")
				open = false
			case e.LastAffected != "":
				b.WriteString(e.LastAffected + "]")
				open = false
			}
		}
		if open {
			b.WriteString(")")
		}
	}
	return b.String()
}

func TestArchAVGShared(t *testing.T) {
	for path, want := range map[string]int{
		"vdu/arch/advisory.json":                     2,
		"vuln-list-update/arch/archlinux.json":       0,
		"vulnerablecode/archlinux.json":              3,
		"vunnel/arch/input/arch-advisories/all.json": 0,
	} {
		text := sharedText(t, "corpus", "arch", "fixtures", path)
		got, findings, err := parseAll(t, ArchAVG, "all.json", text)
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %v, %v", path, err, findings)
		}
		if want == 0 {
			want = strings.Count(text, `"AVG-`)
		}
		if len(got) != want {
			t.Errorf("%s: %d records, want %d", path, len(got), want)
		}
	}
}

func FuzzArchAVG(f *testing.F) { fuzzDocuments(f, ArchAVG, "all.json", archText) }
