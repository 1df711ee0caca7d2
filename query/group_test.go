package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/store"
	"github.com/google/go-cmp/cmp"
)

func mustGroup(t *testing.T, db *store.DB, id string) Group {
	t.Helper()
	g, err := FindGroup(db, id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFindGroup(t *testing.T) {
	db := world(t, `
{"id":"CVE-2021-1","aliases":["GHSA-a"]}
{"id":"GHSA-a"}
{"id":"PYSEC-1","aliases":["GHSA-a"]}
{"id":"GLAD-1","aliases":["PYSEC-1"]}
{"id":"BIT-x-2021-1","aliases":["CVE-2021-1"]}
{"id":"BIT-y-2021-1","aliases":["CVE-2021-1","GHSA-other"]}
{"id":"DEBIAN-CVE-2021-1","upstream":["CVE-2021-1"]}
{"id":"GHSA-b"}
{"id":"GO-1","aliases":["GHSA-b"]}
{"id":"RUSTSEC-1","aliases":["CVE-2020-1","CVE-2020-2"]}
{"id":"GHSA-c","aliases":["CVE-2020-1"]}
{"id":"GHSA-d","aliases":["CVE-2020-2"]}
{"id":"GHSA-e","withdrawn":"2026-01-01T00:00:00Z","aliases":["CVE-2019-1"]}
{"id":"GHSA-f","aliases":["CVE-2019-1"]}
{"id":"NODE-1","aliases":["CVE-1999-1","A-1","A-2","A-3","A-4","A-5"]}
{"id":"X-1","aliases":["Y-1"]}
{"id":"Y-2","aliases":["Y-1","CVE-2018-1"]}
{"id":"Y-3","aliases":["Y-1","CVE-2018-2"]}
{"id":"CVE-2017-1","aliases":["Z-1"]}
{"id":"CVE-2017-2","aliases":["Z-1"]}
{"id":"MAL-1","aliases":["GHSA-m","GHSA-n"]}
{"id":"MAL-2","aliases":["GHSA-m"]}
{"id":"GHSA-m"}
{"id":"GHSA-n"}
`, "")
	for _, c := range []struct{ id, group, members string }{
		{"CVE-2021-1", "CVE-2021-1", "CVE-2021-1 GHSA-a BIT-x-2021-1 BIT-y-2021-1 PYSEC-1 GLAD-1"},
		{"GLAD-1", "CVE-2021-1", "CVE-2021-1 GHSA-a BIT-x-2021-1 BIT-y-2021-1 PYSEC-1 GLAD-1"},
		{"BIT-y-2021-1", "CVE-2021-1", "CVE-2021-1 GHSA-a BIT-x-2021-1 BIT-y-2021-1 PYSEC-1 GLAD-1"},
		{"GHSA-other", "GHSA-other", "GHSA-other"}, // what joins extends nothing
		{"GO-1", "GHSA-b", "GHSA-b GO-1"},
		{"RUSTSEC-1", "RUSTSEC-1", "RUSTSEC-1"}, // several CVEs
		{"CVE-2020-1", "CVE-2020-1", "CVE-2020-1 GHSA-c"},
		{"CVE-2020-2", "CVE-2020-2", "CVE-2020-2 GHSA-d"},
		{"CVE-2019-1", "CVE-2019-1", "CVE-2019-1 GHSA-f"}, // without the withdrawn
		{"CVE-1999-1", "CVE-1999-1", "CVE-1999-1"},
		{"Y-1", "X-1", "X-1 Y-1"}, // two CVEs at its shores: neither
		{"CVE-2018-1", "CVE-2018-1", "CVE-2018-1 Y-2"},
		{"Z-1", "Z-1", "Z-1"}, // two CVEs claim it
		{"CVE-2017-2", "CVE-2017-2", "CVE-2017-2"},
		{"MAL-1", "MAL-1", "MAL-1"}, // fuses nothing
		{"GHSA-m", "GHSA-m", "GHSA-m MAL-2"},
		{"NOBODY-1", "NOBODY-1", "NOBODY-1"},
	} {
		g := mustGroup(t, db, c.id)
		if got := strings.Join(g.Members, " "); g.ID != c.group || got != c.members {
			t.Errorf("%s: %s of %s, want %s of %s", c.id, g.ID, got, c.group, c.members)
		}
	}
}

func TestEdges(t *testing.T) {
	db := world(t, `
{"id":"CVE-2021-1"}
{"id":"GHSA-a","aliases":["CVE-2021-1"]}
{"id":"GHSA-w","aliases":["CVE-2021-1"],"withdrawn":"2026-01-01T00:00:00Z"}
{"id":"RUSTSEC-1","aliases":["CVE-2021-1","CVE-2021-2"]}
{"id":"BIT-1","aliases":["CVE-2021-1","GHSA-z"]}
`, "")
	want := []Edge{
		{By: "BIT-1", Names: "CVE-2021-1"},
		{By: "BIT-1", Names: "GHSA-z", Unfit: UnfitJoins},
		{By: "GHSA-a", Names: "CVE-2021-1"},
		{By: "GHSA-w", Names: "CVE-2021-1", Unfit: UnfitWithdrawn},
		{By: "RUSTSEC-1", Names: "CVE-2021-1", Unfit: UnfitSeveral},
	}
	if diff := cmp.Diff(want, mustGroup(t, db, "CVE-2021-1").Edges); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGroupTooLarge(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "{\"id\":\"X-%d\",\"aliases\":[\"CVE-2021-1\"]}\n", i)
	}
	g := mustGroup(t, world(t, b.String(), ""), "X-3")
	if g.ID != "X-3" || len(g.Members) != 1 || g.Edges[0].Unfit != UnfitTooLarge {
		t.Errorf("%+v", g)
	}
}

// TestGroupLaws makes random aliases and holds groups to what they promise:
// every member has the same group, and none has two CVEs.
func TestGroupLaws(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		name := func() string {
			return fmt.Sprintf("%s-%d", []string{"CVE", "GHSA", "PYSEC", "GO", "BIT", "MAL"}[r.IntN(6)], r.IntN(6))
		}
		records := map[string]string{}
		for range 25 {
			id := name()
			var aliases []string
			for range r.IntN(3) {
				aliases = append(aliases, fmt.Sprintf("%q", name()))
			}
			withdrawn := ""
			if r.IntN(8) == 0 {
				withdrawn = `,"withdrawn":"2026-01-01T00:00:00Z"`
			}
			records[id] = fmt.Sprintf(`{"id":%q,"aliases":[%s]%s}`, id, strings.Join(aliases, ","), withdrawn)
		}
		var text strings.Builder
		for _, line := range records {
			text.WriteString(line + "\n")
		}
		db := world(t, text.String(), "")
		for id := range records {
			g := mustGroup(t, db, id)
			if !slices.Contains(g.Members, id) && !strings.Contains(records[id], "withdrawn") {
				t.Errorf("seed %d: %s is not in its group %v\n%s", seed, id, g.Members, text.String())
			}
			cves := 0
			for _, m := range g.Members {
				if isCVE(m) {
					cves++
				}
				if other := mustGroup(t, db, m); !slices.Equal(other.Members, g.Members) {
					t.Errorf("seed %d: %s has %v, its member %s has %v\n%s", seed, id, g.Members, m, other.Members, text.String())
				}
			}
			if cves > 1 || isCVE(g.ID) != (cves == 1) {
				t.Errorf("seed %d: %s: group %s of %v", seed, id, g.ID, g.Members)
			}
		}
		if t.Failed() {
			return
		}
	}
}
