package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// csafText is a document with one vulnerability; products are purls by ID.
func csafText(category, id, branches, vulnerability string) string {
	return fmt.Sprintf(`{"document":{"category":%q,"csaf_version":"2.0","title":"t","aggregate_severity":{"text":"high"},"references":[{"category":"self","url":"https://a.example/x"}],
	"tracking":{"id":%q,"initial_release_date":"2024-01-01T00:00:00+08:00","current_release_date":"2024-01-02T00:00:00Z","status":"final"}},
	"product_tree":{"branches":[%s]},"vulnerabilities":[%s]}`, category, id, branches, vulnerability)
}

func csafBranchText(category, name, id, purl string) string {
	return fmt.Sprintf(`{"category":%q,"name":%q,"product":{"name":%q,"product_id":%q,"product_identification_helper":{"purl":%q}}}`, category, name, id, id, purl)
}

func TestCSAF(t *testing.T) {
	tree := strings.Join([]string{
		csafBranchText("product_version", "1.2.3", "fix", "pkg:npm/%40acme/lib@1.2.3"),
		csafBranchText("product_version", "1.2.2", "old", "pkg:npm/%40acme/lib@1.2.2"),
		csafBranchText("product_version_range", "vers:npm/>=2.0.0|<2.1.0", "range", "pkg:npm/%40acme/lib"),
		csafBranchText("product_version_range", ">1", "prose", "pkg:npm/other"),
		csafBranchText("product_name", "x", "any", "pkg:pypi/thing"),
		csafBranchText("product_version", "1-2", "rpm", "pkg:rpm/acme/daemon@1-2?epoch=1"),
		csafBranchText("product_name", "x", "cpe only", ""),
	}, ",")
	v := func(status string) string { return `{"cve":"CVE-2024-1111","product_status":{` + status + `}}` }
	for _, tt := range []struct{ name, status, ecosystem, want, findings string }{
		{"fixed", `"fixed":["fix"]`, "", "npm @acme/lib [0,1.2.3)", ""},
		{"one version", `"known_affected":["old"]`, "", "npm @acme/lib ", ""},
		{"range", `"known_affected":["range"]`, "", "npm @acme/lib [2.0.0,2.1.0)", ""},
		{"range in prose", `"known_affected":["prose"]`, "", "", "ACME-CVE-2024-1111: no-package"},
		{"every version", `"known_affected":["any"]`, "", "PyPI thing [0,)", ""},
		{"not affected", `"known_not_affected":["any"],"under_investigation":["old"]`, "", "PyPI thing not_affected; npm @acme/lib under_investigation", ""},
		{"rpm", `"fixed":["rpm"]`, "Acme Linux:9", "Acme Linux:9 daemon [0,1:1-2)", ""},
		{"rpm of nobody", `"fixed":["rpm"]`, "", "", "ACME-CVE-2024-1111: no-package"},
		{"no purl, not in the tree", `"fixed":["cpe only","nowhere"]`, "", "", "ACME-CVE-2024-1111: no-package ACME-CVE-2024-1111: no-package"},
	} {
		all, findings, err := parseAll(t, CSAF(tt.ecosystem, "ACME"), "x.json", csafText("csaf_vex", "acme cve-2024-1111", tree, v(tt.status)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Decode([]byte(all["ACME-CVE-2024-1111"]))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		var parts []string
		for _, a := range r.Affected {
			parts = append(parts, a.Package.Ecosystem+" "+a.Package.Name+" "+encodeRanges(a.Ranges))
		}
		st, _ := r.Statements()
		for _, s := range st {
			parts = append(parts, s.Ecosystem+" "+s.Package+" "+s.Status)
		}
		if g := strings.Join(parts, "; "); g != tt.want || strings.Join(findings, " ") != tt.findings {
			t.Errorf("%s: %q, %q, want %q, %q", tt.name, g, findings, tt.want, tt.findings)
		}
	}
	all, _, err := parseAll(t, CSAF("", "ACME"), "x.json", csafText("csaf_security_advisory", "acme/sa 1", tree, v(`"fixed":["fix"]`)+","+v(`"known_affected":["old"]`)))
	if _, ok := all["acme-sa-1"]; !ok || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	for _, text := range []string{"", "{}", "<html>", "[]"} {
		if _, _, err := parseAll(t, CSAF("", "ACME"), "x.json", text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// openEuler's documents: a release as its product, RPM files as components;
// one of those at hand is broken JSON, which is that document's error alone.
func TestOpenEulerCSAFShared(t *testing.T) {
	for path, want := range map[string]string{
		"csaf-vunnel-history/csaf-openeuler-cve-2025-0240.json":                              "OPENEULER-CVE-2025-0240",
		"csaf-vunnel-history/csaf-openeuler-cve-2022-0135.json":                              "OPENEULER-CVE-2022-0135",
		"fixtures/vdu/openeuler-csaf/happy/advisories/2025/csaf-openeuler-sa-2025-1351.json": "openEuler-SA-2025-1351",
		"fixtures/vdu/openeuler-csaf/happy/cve/2025/csaf-openeuler-cve-2025-30346.json":      "OPENEULER-CVE-2025-30346",
		"fixtures/vdu/openeuler-csaf/happy/cve/2024/csaf-openeuler-cve-2024-50187.json":      "offset ",
	} {
		got, findings, err := parseAll(t, OpenEulerCSAF, path, sharedText(t, "corpus", "openeuler", path))
		if want == "offset " {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: error %v", path, err)
			}
			continue
		}
		if err != nil || got[want] == "" || len(findings) > 0 {
			t.Errorf("%s: %v, %.3q, %d records", path, err, findings, len(got))
			continue
		}
		r, err := Decode([]byte(got[want]))
		if err != nil || len(r.Affected)+len(r.DatabaseSpecific) == 0 {
			t.Errorf("%s: %v, says nothing", path, err)
		}
		for _, f := range Lint(r) {
			t.Error(f)
		}
	}
	got, _ := says(t, OpenEulerCSAF, "x", sharedText(t, "corpus", "openeuler", "csaf-vunnel-history", "csaf-openeuler-cve-2025-0240.json"))
	want := "openEuler:24.03-LTS firefox [0,128.6.0-1.oe2403)"
	if d := cmp.Diff(true, strings.Contains(got["OPENEULER-CVE-2025-0240"], want)); d != "" {
		t.Errorf("%s, want %s in it", got["OPENEULER-CVE-2025-0240"], want)
	}
}

func FuzzCSAF(f *testing.F) {
	fuzzDocuments(f, CSAF("Acme", "ACME"), "x.json", csafText("csaf_vex", "a", csafBranchText("product_version_range", "vers:npm/<2", "a", "pkg:npm/a"), `{"cve":"CVE-2024-1111","product_status":{"known_affected":["a"]}}`))
}
