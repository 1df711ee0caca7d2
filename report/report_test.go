package report

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	lodash = query.Component{Name: "lodash", Version: "4.17.20", Purl: "pkg:npm/lodash@4.17.20"}
	older  = query.Component{Name: "lodash", Version: "4.17.4", Purl: "pkg:npm/lodash@4.17.4"}
	nginx  = query.Component{Name: "nginx", Version: "1.20.0", CPE: "cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}
	glibc  = query.Component{Name: "glibc", Version: "2.31-1", Purl: "pkg:deb/debian/glibc@2.31-1", Distro: "debian-11"}
)

// sample is a report with all that makes a difference: a vulnerability of two
// versions of a package, one suppressed, one unknown, one without severity, a
// component with a CPE only, a gap and a note.
func sample() *Report {
	said := func(v versioncmp.Verdict, id, why string, fixed ...string) []query.Assertion {
		return []query.Assertion{{Finding: query.Finding{ID: id, Ecosystem: "npm", Verdict: v, Reason: why}, Fixed: fixed}}
	}
	high := query.Severity{Rating: query.High, Score: 7.2, Vector: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", Type: "CVSS_V3", By: "GHSA-35jh-r3h4-6jhm", Vendor: "HIGH", Word: "GHSA-35jh-r3h4-6jhm"}
	injection := query.Vulnerability{ID: "CVE-2021-23337", Aliases: []string{"GHSA-35jh-r3h4-6jhm"}, Verdict: versioncmp.Affected, Summary: "Command injection | in lodash", Severity: high,
		Assertions: said(versioncmp.Affected, "GHSA-35jh-r3h4-6jhm", "", "4.17.21"), Fixed: []string{"4.17.21"}, CWEs: []string{"CWE-77", "CWE-94"},
		Threat: query.Threat{EPSS: 0.01234, Percentile: 0.8, Exploited: []string{"kev"}, Exploits: []string{"metasploit"}, SSVC: &query.SSVC{Exploitation: "poc"}}}
	suppressed := injection
	suppressed.Suppressed = &query.Suppression{Status: "not_affected", Justification: "vulnerable_code_not_in_execute_path", Detail: "templates are not used", By: "app.vex.json/statements/0"}
	return &Report{
		Name: "dir/app sbom.json", Time: time.Date(2026, 8, 3, 4, 5, 6, 0, time.UTC), State: "7", Version: "v1.2.3",
		SBOM: &query.SBOM{Format: "SPDX-2.3", Components: []query.Component{lodash, older, nginx, glibc}, Notes: []string{"a note"}},
		Gaps: []query.Gap{{Component: query.Component{Name: "mystery", Version: "1"}, Reason: "no purl"}},
		Found: []query.Assessment{
			{Component: lodash, Vulnerabilities: []query.Vulnerability{injection}},
			{Component: older, Vulnerabilities: []query.Vulnerability{suppressed}},
			{Component: nginx, Vulnerabilities: []query.Vulnerability{{ID: "CVE-2021-23017", Verdict: versioncmp.Affected, Assertions: said(versioncmp.Affected, "CVE-2021-23017", "")}}},
			{Component: glibc, Vulnerabilities: []query.Vulnerability{
				{ID: "CVE-2010-4756", Verdict: versioncmp.Affected, Assertions: said(versioncmp.Affected, "DEBIAN-CVE-2010-4756", ""), Severity: query.Severity{Rating: query.Low, Vendor: "unimportant", Word: "DEBIAN-CVE-2010-4756", By: "DEBIAN-CVE-2010-4756"},
					Statements: []normalize.Statement{{Status: normalize.NoAdvisory, Detail: "no-dsa"}}},
				{ID: "CVE-2019-1010023", Verdict: versioncmp.Unknown, Assertions: said(versioncmp.Unknown, "DEBIAN-CVE-2019-1010023", "the version has no order")},
			}},
		},
	}
}

func written(t *testing.T, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := write(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same report makes other bytes")
	}
	return first.Bytes()
}

// at returns the value at a path of members and indexes ("runs.0.results").
func at(t *testing.T, data []byte, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			n := int(step[0] - '0')
			if n >= len(x) {
				t.Fatalf("%s: no %s", path, step)
			}
			v = x[n]
		default:
			t.Fatalf("%s: %s of %T", path, step, v)
		}
	}
	return v
}

func expect(t *testing.T, data []byte, want map[string]any) {
	t.Helper()
	for path, w := range want {
		if diff := cmp.Diff(w, at(t, data, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestSARIF(t *testing.T) {
	data := written(t, func(b *bytes.Buffer) error { return SARIF(b, sample()) })
	expect(t, data, map[string]any{
		"version":                                       "2.1.0",
		"runs.0.tool.driver.rules.3.id":                 "CVE-2021-23337",
		"runs.0.tool.driver.rules.3.helpUri":            "https://nvd.nist.gov/vuln/detail/CVE-2021-23337",
		"runs.0.tool.driver.rules.3.properties":         map[string]any{"tags": []any{"security", "vulnerability", "external/cwe/cwe-77", "external/cwe/cwe-94"}, "security-severity": "7.2"},
		"runs.0.tool.driver.rules.0.properties":         map[string]any{"tags": []any{"security", "vulnerability"}, "security-severity": "0.1"},
		"runs.0.tool.driver.rules.2.properties":         map[string]any{"tags": []any{"security", "vulnerability"}},
		"runs.0.results.0.ruleId":                       "CVE-2021-23337",
		"runs.0.results.0.ruleIndex":                    3.0,
		"runs.0.results.0.level":                        "error",
		"runs.0.results.0.suppressions":                 []any{},
		"runs.0.results.0.message.text":                 "lodash 4.17.20 is affected by CVE-2021-23337 (Command injection | in lodash). Upgrade lodash to 4.17.21.",
		"runs.0.results.1.suppressions":                 []any{map[string]any{"kind": "external", "status": "accepted", "justification": "not_affected: vulnerable_code_not_in_execute_path: templates are not used (app.vex.json/statements/0)"}},
		"runs.0.results.2.locations.0.logicalLocations": []any{map[string]any{"name": "nginx", "fullyQualifiedName": nginx.CPE, "kind": "module"}},
		"runs.0.results.2.locations.0.physicalLocation": map[string]any{"artifactLocation": map[string]any{"uri": "dir/app%20sbom.json"}, "region": map[string]any{"startLine": 1.0}},
		"runs.0.results.4.kind":                         "open",
		"runs.0.results.4.level":                        "none",
		"runs.0.results.4.message.text":                 "It cannot be decided whether glibc 2.31-1 is affected by CVE-2019-1010023: the version has no order.",
		"runs.0.invocations.0.endTimeUtc":               "2026-08-03T04:05:06Z",
		"runs.0.invocations.0.toolExecutionNotifications": []any{
			map[string]any{"level": "note", "message": map[string]any{"text": "a note"}},
			map[string]any{"level": "warning", "message": map[string]any{"text": "not matched: mystery 1: no purl"}},
		},
	})
	if md := at(t, data, "runs.0.tool.driver.rules.3.help.markdown").(string); !strings.Contains(md, `Command injection \| in lodash`) || !strings.Contains(md, "[GHSA-35jh-r3h4-6jhm](https://github.com/advisories/GHSA-35jh-r3h4-6jhm)") {
		t.Errorf("help: %s", md)
	}
}

// TestFingerprints: they stay when a package gets another version that is
// affected too, and no two results have the same.
func TestFingerprints(t *testing.T) {
	prints := func(r *Report) (list []string) {
		data := written(t, func(b *bytes.Buffer) error { return SARIF(b, r) })
		for _, res := range at(t, data, "runs.0.results").([]any) {
			list = append(list, res.(map[string]any)["partialFingerprints"].(map[string]any)["advdb/v1"].(string))
		}
		return list
	}
	before := sample()
	first := prints(before)
	after := sample()
	after.Found[0].Component.Version, after.Found[0].Component.Purl = "4.17.19", "pkg:npm/lodash@4.17.19"
	if diff := cmp.Diff(first, prints(after)); diff != "" {
		t.Errorf("another version (-before +after):\n%s", diff)
	}
	slices.Sort(first)
	if len(slices.Compact(slices.Clone(first))) != len(first) {
		t.Errorf("one of several results: %q", first)
	}
}

func TestOpenVEX(t *testing.T) {
	data := written(t, func(b *bytes.Buffer) error { return OpenVEX(b, sample()) })
	product := func(id, kind string) map[string]any {
		return map[string]any{"@id": id, "identifiers": map[string]any{kind: id}}
	}
	expect(t, data, map[string]any{
		"@context": "https://openvex.dev/ns/v0.2.0", "author": "advdb", "timestamp": "2026-08-03T04:05:06Z", "version": 1.0, "tooling": "advdb v1.2.3",
		"statements.0.action_statement":   "No fixed version is known; the vendor says: no advisory (no-dsa).",
		"statements.1.status":             "under_investigation",
		"statements.1.status_notes":       "the version has no order",
		"statements.2.products":           []any{product(nginx.CPE, "cpe23")},
		"statements.3.status":             "affected",
		"statements.3.products":           []any{product(lodash.Purl, "purl")},
		"statements.3.vulnerability.name": "CVE-2021-23337",
		"statements.3.action_statement":   "Upgrade lodash to 4.17.21.",
		"statements.4.status":             "not_affected",
		"statements.4.justification":      "vulnerable_code_not_in_execute_path",
		"statements.4.impact_statement":   "templates are not used",
		"statements.4.products":           []any{product(older.Purl, "purl")},
	})
	if n := len(at(t, data, "statements").([]any)); n != 5 {
		t.Errorf("%d statements", n)
	}
}

func TestOpenVEXJoinsProducts(t *testing.T) {
	r := sample()
	r.Found[1].Vulnerabilities[0].Suppressed = nil
	data := written(t, func(b *bytes.Buffer) error { return OpenVEX(b, r) })
	if products := at(t, data, "statements.3.products").([]any); len(products) != 2 {
		t.Errorf("%v", products)
	}
}

func TestCycloneDX(t *testing.T) {
	schema := cycloneDXSchema(t)
	for name, bom := range map[string]func() *cyclonedx.BOM{
		"of another form": func() *cyclonedx.BOM { return nil },
		"JSON 1.4": func() *cyclonedx.BOM {
			return decodeBOM(t, cyclonedx.BOMFileFormatJSON, `{"bomFormat":"CycloneDX","specVersion":"1.4","version":3,"serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","components":[
{"type":"library","bom-ref":"a","name":"lodash","version":"4.17.20","purl":"pkg:npm/lodash@4.17.20","licenses":[{"license":{"id":"MIT"}}],"components":[{"type":"library","name":"lodash","version":"4.17.4","purl":"pkg:npm/lodash@4.17.4"}]},
{"type":"application","name":"nginx","version":"1.20.0","cpe":"cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"},{"type":"library","name":"glibc","version":"2.31-1","purl":"pkg:deb/debian/glibc@2.31-1"}],
"dependencies":[{"ref":"a"}],"vulnerabilities":[{"id":"CVE-2021-23337","analysis":{"state":"in_triage"}},{"id":"OTHER-1","description":"kept"}]}`)
		},
		"XML 1.2": func() *cyclonedx.BOM {
			return decodeBOM(t, cyclonedx.BOMFileFormatXML, `<bom xmlns="http://cyclonedx.org/schema/bom/1.2" version="1"><components>
<component type="library"><name>lodash</name><version>4.17.20</version><purl>pkg:npm/lodash@4.17.20</purl></component><component type="library"><name>lodash</name><version>4.17.4</version><purl>pkg:npm/lodash@4.17.4</purl></component>
<component type="application"><name>nginx</name><version>1.20.0</version><cpe>cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*</cpe></component><component type="library"><name>glibc</name><version>2.31-1</version><purl>pkg:deb/debian/glibc@2.31-1</purl></component></components></bom>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := written(t, func(b *bytes.Buffer) error { return CycloneDX(b, sample(), bom()) })
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%v\n%s", err, data)
			}
			got := decodeBOM(t, cyclonedx.BOMFileFormatJSON, string(data))
			checkBOM(t, got)
			if name == "JSON 1.4" {
				if n := len(*got.Vulnerabilities); n != 6 || (*got.Vulnerabilities)[5].ID != "OTHER-1" || got.Version != 3 || (*got.Components)[0].Licenses == nil {
					t.Errorf("what was there: %d vulnerabilities, version %d", n, got.Version)
				}
			}
		})
	}
}

// checkBOM holds that the vulnerabilities of the sample are in a BOM, and that
// each affects a component of it.
func checkBOM(t *testing.T, bom *cyclonedx.BOM) {
	t.Helper()
	purls := map[string]string{}
	visit(bom.Components, func(c *cyclonedx.Component) { purls[c.BOMRef] = c.PackageURL + c.CPE })
	type row struct{ ID, State, Purl, Version, Status, Ratings string }
	var got []row
	for _, v := range (*bom.Vulnerabilities)[:5] {
		r := row{ID: v.ID}
		if v.Analysis != nil {
			r.State = string(v.Analysis.State) + " " + string(v.Analysis.Justification)
		}
		if v.Ratings != nil {
			for _, x := range *v.Ratings {
				r.Ratings += string(x.Method) + " " + string(x.Severity) + " "
			}
		}
		for _, a := range *v.Affects {
			r.Purl, r.Version, r.Status = purls[a.Ref], (*a.Range)[0].Version, string((*a.Range)[0].Status)
			got = append(got, r)
		}
	}
	want := []row{
		{"CVE-2010-4756", "", glibc.Purl, "2.31-1", "affected", "other low "},
		{"CVE-2019-1010023", "", glibc.Purl, "2.31-1", "unknown", ""},
		{"CVE-2021-23017", "", nginx.CPE, "1.20.0", "affected", ""},
		{"CVE-2021-23337", "", lodash.Purl, "4.17.20", "affected", "CVSSv31 high other high "},
		{"CVE-2021-23337", "not_affected code_not_reachable", older.Purl, "4.17.4", "unaffected", "CVSSv31 high other high "},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func decodeBOM(t *testing.T, form cyclonedx.BOMFileFormat, text string) *cyclonedx.BOM {
	t.Helper()
	bom := new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(strings.NewReader(text), form).Decode(bom); err != nil {
		t.Fatal(err)
	}
	return bom
}

// cycloneDXSchema is that of version 1.6, as the reference library carries it.
func cycloneDXSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	for name, file := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
