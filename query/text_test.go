package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/cpe"
	"github.com/google/go-cmp/cmp"
)

func mustCPE(t *testing.T, s string) cpe.Name {
	t.Helper()
	n, err := cpe.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestText(t *testing.T) {
	db := world(t, `{"id":"A-1","summary":"Heap overflow in the Parser of libthing","details":"Über-long names","modified":"2026-01-01T00:00:00Z"}
{"id":"A-2","summary":"Overflows of a heap-based parser","modified":"2026-01-02T00:00:00Z"}
{"id":"A-3","summary":"Parser differs","details":"heap overflow","modified":"2026-01-03T00:00:00Z"}
{"id":"A-4","summary":"heap overflow parser","withdrawn":"2026-02-01T00:00:00Z","modified":"2026-01-04T00:00:00Z"}
{"id":"A-5","details":"Größe \"quoted\" parser","modified":"2026-01-05T00:00:00Z"}
{"id":"HEAP-6","summary":"Parser overflow","modified":"2026-01-06T00:00:00Z","database_specific":{"summary":"nothing"}}`, "")
	for _, test := range []struct {
		q     TextQuestion
		want  string
		total int
	}{
		{TextQuestion{Words: "heap OVERFLOW parser"}, "HEAP-6 A-1 A-2", 3},
		{TextQuestion{Words: "heap overflow"}, "A-1 HEAP-6 A-2", 3},
		{TextQuestion{Words: "heap overflow parser", Details: true}, "HEAP-6 A-1 A-2 A-3", 4},
		{TextQuestion{Words: "heap overflow parser", Withdrawn: true}, "A-4 HEAP-6 A-1 A-2", 4},
		{TextQuestion{Words: "parser", Limit: 2}, "HEAP-6 A-3", 4},
		{TextQuestion{Words: "a-3"}, "A-3", 1},
		{TextQuestion{Words: "GRÖSSE"}, "", 0},
		{TextQuestion{Words: "größe", Details: true}, "A-5", 1},
		{TextQuestion{Words: `"quoted"`, Details: true}, "A-5", 1},
		{TextQuestion{Words: "ÜBER", Details: true}, "A-1", 1},
		{TextQuestion{Words: "nothing"}, "", 0},
	} {
		a, err := Text(t.Context(), db, test.q)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, h := range a.Hits {
			ids = append(ids, h.ID)
		}
		if got := strings.Join(ids, " "); got != test.want || a.Total != test.total {
			t.Errorf("%+v: %q of %d, want %q of %d", test.q, got, a.Total, test.want, test.total)
		}
	}
	if _, err := Text(t.Context(), db, TextQuestion{Words: " "}); !errors.Is(err, ErrNoWords) {
		t.Errorf("no words: %v", err)
	}
}

func TestRanges(t *testing.T) {
	db := world(t, `{"id":"GHSA-1","aliases":["CVE-2024-1"],"affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0","1.1.0"],"ranges":[{"type":"SEMVER","events":[{"fixed":"2.1.0"},{"introduced":"0"},{"introduced":"2.0.0"},{"fixed":"1.2.0"}]}]},{"package":{"ecosystem":"npm","name":"b"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"last_affected":"3.0.0"}]}]}],"database_specific":{"advdb":{"sources":["ghsa"]}}}
{"id":"OSV-1","upstream":["CVE-2024-1"],"affected":[{"ranges":[{"type":"GIT","repo":"https://example.org/r","events":[{"introduced":"0"},{"fixed":"abc"}]}]}]}
{"id":"GONE-1","aliases":["CVE-2024-1"],"withdrawn":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["9.9.9"]}]}
{"id":"CVE-2024-1","database_specific":{"nvd":{"configurations":[{"nodes":[{"operator":"OR","cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:acme:a:*:*:*:*:*:*:*:*","versionStartExcluding":"0.9","versionEndIncluding":"1.2"},{"vulnerable":true,"criteria":"cpe:2.3:a:acme:a:2.0.5:*:*:*:*:*:*:*"}]}]}]}}}`, "")
	show := func(rows []RangeRow, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		list := []string{}
		for _, r := range rows {
			list = append(list, strings.Join([]string{r.ID, r.Package, r.Introduced, r.After, r.Fixed, r.LastAffected, strings.Join(r.Sources, "+"), r.Repo, r.Withdrawn}, "|"))
		}
		slices.Sort(list)
		return list
	}
	rows, ecosystems, err := RangesOfPackage(db, Question{Ecosystem: "npm", Name: "a", Version: "9"})
	want := []string{"GHSA-1|a|0||1.2.0||ghsa||", "GHSA-1|a|2.0.0||2.1.0||ghsa||"}
	if diff := cmp.Diff(want, show(rows, err)); diff != "" || len(ecosystems) != 1 {
		t.Errorf("package: %v\n%s", ecosystems, diff)
	}
	if n := rows[0].Versions; n != 2 {
		t.Errorf("%d versions are listed, want 2", n)
	}
	cpes := []string{"CVE-2024-1|cpe:2.3:a:acme:a:*:*:*:*:*:*:*:*||0.9||1.2|||", "CVE-2024-1|cpe:2.3:a:acme:a:2.0.5:*:*:*:*:*:*:*|2.0.5|||2.0.5|||"}
	all := slices.Concat(cpes, want, []string{"GHSA-1|b|0|||3.0.0|ghsa||", "GONE-1|a|||||||2026-01-01T00:00:00Z", "OSV-1||0||abc|||https://example.org/r|"})
	slices.Sort(all)
	if diff := cmp.Diff(all, show(RangesOfID(db, "CVE-2024-1"))); diff != "" {
		t.Errorf("ID:\n%s", diff)
	}
	if diff := cmp.Diff(cpes, show(RangesOfCPE(db, mustCPE(t, "cpe:2.3:a:*:a:*:*:*:*:*:*:*:*")))); diff != "" {
		t.Errorf("CPE:\n%s", diff)
	}
}

// BenchmarkText searches 5,000 records of about a kilobyte, of which one in a
// hundred is a hit. Bytes are those of the records.
func BenchmarkText(b *testing.B) {
	var records strings.Builder
	for i := range 5000 {
		word := "parser"
		if i%100 == 0 {
			word = "Overflow"
		}
		fmt.Fprintf(&records, `{"id":"B-%04d","summary":"A flaw in the %s","details":%q}`+"\n", i, word, strings.Repeat("long text of no account ", 40))
	}
	db := world(b, records.String(), "")
	for _, details := range []bool{false, true} {
		b.Run(fmt.Sprint("details=", details), func(b *testing.B) {
			b.SetBytes(int64(records.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if a, err := Text(b.Context(), db, TextQuestion{Words: "overflow flaw", Details: details}); err != nil || a.Total != 50 {
					b.Fatalf("%d hits, %v", a.Total, err)
				}
			}
		})
	}
}
