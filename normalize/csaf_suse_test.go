package normalize

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// suseVEXText is a document of one CVE; products are "product:package" as
// SUSE names them, by status; purls are by package.
func suseVEXText(description string, status map[string][]string, remediations string, purls map[string]string) string {
	seen := map[string]bool{}
	var products, relations, lists []string
	add := func(id, helper string) {
		if !seen[id] {
			seen[id] = true
			products = append(products, fmt.Sprintf(`{"category":"product_version","name":%q,"product":{"name":%q,"product_id":%q,"product_identification_helper":{%s}}}`, id, id, id, helper))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(status)) {
		var quoted []string
		for _, id := range status[name] {
			product, pkg, _ := strings.Cut(id, ":")
			add(product, `"cpe":"cpe:/o:suse:x"`)
			helper := ""
			if p := purls[pkg]; p != "" {
				helper = fmt.Sprintf(`"purl":%q`, p)
			}
			add(pkg, helper)
			if !seen[id] {
				seen[id] = true
				relations = append(relations, fmt.Sprintf(`{"category":"default_component_of","full_product_name":{"name":%q,"product_id":%q},"product_reference":%q,"relates_to_product_reference":%q}`, id, id, pkg, product))
			}
			quoted = append(quoted, fmt.Sprintf("%q", id))
		}
		lists = append(lists, fmt.Sprintf(`%q:[%s]`, name, strings.Join(quoted, ",")))
	}
	return fmt.Sprintf(`{"document":{"category":"csaf_vex","csaf_version":"2.0","title":"SUSE CVE CVE-2024-1111","aggregate_severity":{"text":"moderate"},
	"notes":[{"category":"description","title":"Description of the CVE","text":%q}],
	"references":[{"category":"external","summary":"Advisory link for SUSE-SU-2024:1-1","url":"https://a.example/1"},{"category":"external","summary":"CVE-2024-1111","url":"https://a.example/2"}],
	"tracking":{"id":"CVE-2024-1111","initial_release_date":"2024-01-01T00:00:00Z","current_release_date":"2024-01-02T00:00:00Z","status":"interim"}},
	"product_tree":{"branches":[{"category":"vendor","name":"SUSE","branches":[%s]}],"relationships":[%s]},
	"vulnerabilities":[{"cve":"CVE-2024-1111","product_status":{%s},"remediations":[%s]}]}`,
		description, strings.Join(products, ","), strings.Join(relations, ","), strings.Join(lists, ","), remediations)
}

func TestSUSEVEX(t *testing.T) {
	const sles, ltss, tw = "SUSE Linux Enterprise Server 12 SP4", "SUSE Linux Enterprise Server 12 SP4-LTSS", "openSUSE Tumbleweed"
	for _, tt := range []struct {
		name         string
		status       map[string][]string
		remediations string
		want         string
		findings     string
	}{
		{name: "recommended is fixed", status: map[string][]string{"recommended": {tw + ":samba-4.19.2+git.322.7e9201cef5-1.1"}},
			want: "openSUSE:Tumbleweed samba [0,4.19.2+git.322.7e9201cef5-1.1)"},
		{name: "an architecture, a release without a dot", status: map[string][]string{"recommended": {sles + ":bind-9.9.4P2-0.6.1.s390x", sles + ":old-1-5.x86_64"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 bind [0,9.9.4P2-0.6.1); SUSE:Linux Enterprise Server 12 SP4 old [0,1-5)"},
		{name: "LTSS apart", status: map[string][]string{"recommended": {ltss + ":x-1-1.2"}, "known_affected": {sles + ":x"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x [0,); SUSE:Linux Enterprise Server 12 SP4-LTSS x [0,1-1.2)"},
		{name: "names like versions", status: map[string][]string{"known_affected": {sles + ":libxml2-2-32bit", sles + ":libjavascriptcoregtk-4_0-18", sles + ":java-1_8_0-openjdk"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 java-1_8_0-openjdk [0,); SUSE:Linux Enterprise Server 12 SP4 libjavascriptcoregtk-4_0-18 [0,); SUSE:Linux Enterprise Server 12 SP4 libxml2-2-32bit [0,)"},
		{name: "a version of what is affected", status: map[string][]string{"known_affected": {sles + ":x-1.2-3.4"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x [0,)"},
		{name: "fixed before affected before nothing", status: map[string][]string{"recommended": {sles + ":x-2-1.1"}, "known_affected": {sles + ":x"}, "known_not_affected": {sles + ":x", sles + ":y"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x [0,2-1.1); SUSE:Linux Enterprise Server 12 SP4 y not_affected"},
		{name: "not affected before affected", status: map[string][]string{"known_affected": {sles + ":x"}, "known_not_affected": {sles + ":x"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x not_affected"},
		{name: "the least of several", status: map[string][]string{"recommended": {sles + ":x-2-1.10"}, "first_fixed": {sles + ":x-2-2.1", sles + ":x-2-1.9"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x [0,2-1.9)"},
		{name: "no fix planned", status: map[string][]string{"known_affected": {sles + ":x"}, "recommended": {sles + ":z-1-1.1"}},
			remediations: `{"category":"no_fix_planned","details":"no fix","product_ids":["` + sles + `:x","` + sles + `:z-1-1.1","` + sles + `:never"]}`,
			want:         "SUSE:Linux Enterprise Server 12 SP4 x [0,); SUSE:Linux Enterprise Server 12 SP4 z [0,1-1.1); SUSE:Linux Enterprise Server 12 SP4 x will_not_fix",
			findings:     "SUSE-CVE-2024-1111: no-package"},
		{name: "a source of what is fixed", status: map[string][]string{"recommended": {sles + ":libpcre1-8.39-8.3.1"}, "known_affected": {sles + ":pcre", sles + ":pcre2", ltss + ":pcre"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 libpcre1 [0,8.39-8.3.1); SUSE:Linux Enterprise Server 12 SP4 pcre2 [0,); SUSE:Linux Enterprise Server 12 SP4-LTSS pcre [0,)"},
		{name: "under investigation", status: map[string][]string{"under_investigation": {sles + ":x"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 x under_investigation"},
		{name: "no releases", status: map[string][]string{"known_affected": {"Container suse/sles/15.5:x", "chost:y", sles + ":z"}},
			want: "SUSE:Linux Enterprise Server 12 SP4 z [0,)", findings: "SUSE-CVE-2024-1111: no-package"},
	} {
		purls := map[string]string{"libpcre1-8.39-8.3.1": "pkg:rpm/suse/libpcre1@8.39-8.3.1?upstream=pcre-8.39-8.3.1.src.rpm"}
		got, findings := says(t, SUSEVEX, "cve-2024-1111.json", suseVEXText("d", tt.status, tt.remediations, purls))
		if d := cmp.Diff(tt.want, got["SUSE-CVE-2024-1111"]); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if d := cmp.Diff(tt.findings, strings.Join(findings, " ")); d != "" {
			t.Errorf("%s: findings (-want +got):\n%s", tt.name, d)
		}
	}
}

// suseRecord returns the one record of a document.
func suseRecord(t *testing.T, text string) *Record {
	t.Helper()
	records, _ := parseWhole(t, SUSEVEX, "x.json", text)
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	return records[0]
}

// A rejected CVE is withdrawn, a disputed one is not; advisories are related;
// other versions that fix it are kept.
func TestSUSEVEXRecord(t *testing.T) {
	status := map[string][]string{"recommended": {"openSUSE Leap 15.5:x-2-1.10"}, "first_fixed": {"openSUSE Leap 15.5:x-2-2.1"}}
	for text, withdrawn := range map[string]bool{
		"A flaw.": false, "** DISPUTED ** A flaw.": false, "** REJECT ** See elsewhere.": true,
		"DO NOT USE THIS CANDIDATE NUMBER. It was never.": true, "This ID has been rejected or withdrawn by its CNA.": true,
	} {
		r := suseRecord(t, suseVEXText(text, status, "", nil))
		if (r.Withdrawn != "") != withdrawn || r.Details != text {
			t.Fatalf("%q: %+v", text, r)
		}
		if d := cmp.Diff([]string{"SUSE-SU-2024:1-1"}, r.Related); d != "" {
			t.Error(d)
		}
		if g, w := string(r.Affected[0].DatabaseSpecific), `{"fixed":["2-1.10","2-2.1"]}`; g != w {
			t.Errorf("%s, want %s", g, w)
		}
	}
}

// Where thousands of packages are not affected they are grouped by release.
func TestSUSEVEXNotAffected(t *testing.T) {
	var ids []string
	for i := range vexStatements + 1 {
		ids = append(ids, fmt.Sprintf("SUSE CaaS Platform 4.0:p%03d", i))
	}
	for n, grouped := range map[int]bool{vexStatements: false, vexStatements + 1: true} {
		status := map[string][]string{"known_not_affected": ids[:n], "under_investigation": {"SUSE CaaS Platform 4.0:q"}}
		r := suseRecord(t, suseVEXText("d", status, "", nil))
		st, err := r.Statements()
		if err != nil {
			t.Fatal(err)
		}
		var suse struct {
			NotAffected map[string][]string `json:"not_affected"`
		}
		if _, err := r.Specific("suse", &suse); err != nil {
			t.Fatal(err)
		}
		inGroup := len(suse.NotAffected["SUSE:CaaS Platform 4.0"])
		if want := map[bool][2]int{false: {n + 1, 0}, true: {1, n}}[grouped]; want != [2]int{len(st), inGroup} {
			t.Errorf("%d: %d statements and %d grouped, want %v", n, len(st), inGroup, want)
		}
	}
}

// The documents at hand: one of a CVE with nothing but a description, one with
// 1,153 products that are not affected and 32 that are fixed.
func TestSUSEVEXShared(t *testing.T) {
	docs := sharedArchive(t, "corpus", "suse", "fixtures", "vdu", "suse-csaf_vex", "csaf-vex.tar.bz2")
	got, findings := says(t, SUSEVEX, "x", docs["csaf-vex/cve-1999-0003.json"])
	if got["SUSE-CVE-1999-0003"] != "" || len(findings) > 0 {
		t.Errorf("%q, %q", got, findings)
	}
	r := suseRecord(t, docs["csaf-vex/cve-2023-5568.json"])
	if r.ID != "SUSE-CVE-2023-5568" || len(r.Affected) != 32 {
		t.Fatalf("%s, %d packages", r.ID, len(r.Affected))
	}
	releases := map[string]int{}
	for i := range r.Affected {
		releases[r.Affected[i].Package.Ecosystem]++
	}
	if d := cmp.Diff(map[string]int{"openSUSE:Tumbleweed": 31, "SUSE:Linux Enterprise Micro 6.0": 1}, releases); d != "" {
		t.Error(d)
	}
	var suse struct {
		NotAffected map[string][]string `json:"not_affected"`
	}
	if _, err := r.Specific("suse", &suse); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, names := range suse.NotAffected {
		n += len(names)
	}
	if n != 1153 {
		t.Errorf("%d packages are not affected", n)
	}
	for _, f := range Lint(r) {
		t.Error(f)
	}
}

func FuzzSUSEVEX(f *testing.F) {
	fuzzDocuments(f, SUSEVEX, "x.json", suseVEXText("d", map[string][]string{"recommended": {"SUSE x:a-1-2"}, "known_affected": {"SUSE x:a", "openSUSE :b"}}, "", map[string]string{"a-1-2": "pkg:rpm/suse/a@1-2?upstream=b-1-2.src.rpm"}))
}

func BenchmarkSUSEVEX(b *testing.B) {
	text := sharedArchive(b, "corpus", "suse", "fixtures", "vdu", "suse-csaf_vex", "csaf-vex.tar.bz2")["csaf-vex/cve-2023-5568.json"]
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := SUSEVEX(Doc{Name: "x.json", Body: strings.NewReader(text)}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
