package vex

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
)

var (
	image   = query.Component{Name: "image", Purl: "pkg:oci/image@sha256%3Aabc?repository_url=example.org"}
	lodash  = query.Component{Name: "lodash", Version: "4.17.20", Purl: "pkg:npm/lodash@4.17.20"}
	openssl = query.Component{Name: "openssl-libs", Version: "3.0.7-25.el9", Purl: "pkg:rpm/redhat/openssl-libs@3.0.7-25.el9?arch=x86_64&distro=rhel-9.2&upstream=openssl-3.0.7-25.el9.src.rpm"}
	nginx   = query.Component{Name: "nginx", Version: "1.20.0", CPE: "cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}
	sbom    = &query.SBOM{ID: "urn:uuid:5f2c", Subject: image, Components: []query.Component{lodash, openssl, nginx},
		Refs: map[string]int{"root": -1, "l": 0, "o": 1, "n": 2}}
)

// found is one vulnerability of each component.
func found() []query.Assessment {
	of := func(c query.Component, id string, records ...string) query.Assessment {
		v := query.Vulnerability{ID: id, Verdict: versioncmp.Affected}
		for _, r := range records {
			v.Assertions = append(v.Assertions, query.Assertion{Finding: query.Finding{ID: r}})
			if strings.HasPrefix(r, "GHSA") {
				v.Aliases = append(v.Aliases, r)
			}
		}
		return query.Assessment{Component: c, Vulnerabilities: []query.Vulnerability{v}}
	}
	return []query.Assessment{of(lodash, "CVE-2021-1", "GHSA-aaaa"), of(openssl, "CVE-2021-2", "RHSA-2021:1", "REDHAT-CVE-2021-2"), of(nginx, "CVE-2021-3", "CVE-2021-3")}
}

// suppressed applies documents, and returns what they suppress: name, status,
// justification, detail, place.
func suppressed(t *testing.T, texts ...string) []string {
	t.Helper()
	var docs []*Document
	for i, text := range texts {
		d, err := Read(fmt.Sprint("d", i), strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		docs = append(docs, d)
	}
	list := found()
	tally := Apply(docs, sbom, list)
	var got []string
	for _, a := range list {
		for _, v := range a.Vulnerabilities {
			if s := v.Suppressed; s != nil {
				got = append(got, strings.Join([]string{a.Component.Name, s.Status, s.Justification, s.Detail, s.By}, "|"))
			}
		}
	}
	if tally.Suppressed != len(got) {
		t.Errorf("tally %d, suppressed %d", tally.Suppressed, len(got))
	}
	return got
}

func openVEXOf(vulnerability, products, more string) string {
	return fmt.Sprintf(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,
"statements":[{"vulnerability":{"name":%q},"products":[%s],%s}]}`, vulnerability, products, more)
}

const (
	notAffected = `"status":"not_affected","justification":"vulnerable_code_not_present"`
	marked      = "lodash|not_affected|vulnerable_code_not_present||d0/statements/0"
)

func TestOpenVEX(t *testing.T) {
	for _, c := range []struct {
		name, vulnerability, products, more string
		want                                []string
	}{
		{"purl", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20"}`, notAffected, []string{marked}},
		{"identifier", "CVE-2021-1", `{"@id":"https://example.org/l","identifiers":{"purl":"pkg:npm/lodash@4.17.20"}}`, notAffected, []string{marked}},
		{"without a version", "CVE-2021-1", `{"@id":"pkg:npm/lodash"}`, notAffected, []string{marked}},
		{"another version", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.19"}`, notAffected, nil},
		{"another package", "CVE-2021-1", `{"@id":"pkg:npm/lodash-es@4.17.20"}`, notAffected, nil},
		{"another namespace", "CVE-2021-1", `{"@id":"pkg:npm/%40x/lodash@4.17.20"}`, notAffected, nil},
		{"a qualifier that it has not", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20?arch=x"}`, notAffected, nil},
		{"another vulnerability", "CVE-2021-2", `{"@id":"pkg:npm/lodash@4.17.20"}`, notAffected, nil},
		{"an alias", "GHSA-aaaa", `{"@id":"pkg:npm/lodash@4.17.20"}`, notAffected, []string{marked}},
		{"a record of a tracker", "REDHAT-CVE-2021-2", `{"@id":"pkg:rpm/redhat/openssl-libs"}`, notAffected, []string{"openssl-libs|not_affected|vulnerable_code_not_present||d0/statements/0"}},
		{"a record about several", "RHSA-2021:1", `{"@id":"pkg:rpm/redhat/openssl-libs"}`, notAffected, nil},
		{"a source RPM", "CVE-2021-2", `{"@id":"pkg:rpm/redhat/openssl@3.0.7-25.el9?arch=src"}`, `"status":"fixed","status_notes":"n"`, []string{"openssl-libs|fixed||n|d0/statements/0"}},
		{"CPE", "CVE-2021-3", `{"@id":"x","identifiers":{"cpe23":"cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*"}}`, notAffected, []string{"nginx|not_affected|vulnerable_code_not_present||d0/statements/0"}},
		{"a reference", "CVE-2021-3", `"n"`, notAffected, []string{"nginx|not_affected|vulnerable_code_not_present||d0/statements/0"}},
		{"the whole product", "CVE-2021-1", `{"@id":"pkg:oci/image"}`, notAffected, []string{marked}},
		{"a part of the product", "CVE-2021-1", `{"@id":"pkg:oci/image","subcomponents":[{"@id":"pkg:npm/lodash"}]}`, notAffected, []string{marked}},
		{"another part", "CVE-2021-1", `{"@id":"pkg:oci/image","subcomponents":[{"@id":"pkg:npm/react"}]}`, notAffected, nil},
		{"a part of another product", "CVE-2021-1", `{"@id":"pkg:oci/other","subcomponents":[{"@id":"pkg:npm/lodash"}]}`, notAffected, nil},
		{"affected", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20"}`, `"status":"affected","action_statement":"x"`, nil},
		{"open", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20"}`, `"status":"under_investigation"`, nil},
		{"in words", "CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20"}`, `"status":"not_affected","impact_statement":"because"`, []string{"lodash|not_affected||because|d0/statements/0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, suppressed(t, openVEXOf(c.vulnerability, c.products, c.more))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewestCounts(t *testing.T) {
	yes := openVEXOf("CVE-2021-1", `{"@id":"pkg:npm/lodash@4.17.20"}`, notAffected)
	no := openVEXOf("GHSA-aaaa", `{"@id":"pkg:npm/lodash"}`, `"status":"affected","action_statement":"x"`)
	later := strings.ReplaceAll(no, "2026-01-01", "2026-02-01")
	for name, c := range map[string]struct {
		texts []string
		want  int
	}{"the later document": {[]string{yes, no}, 0}, "again": {[]string{no, yes}, 1}, "the newer": {[]string{later, yes}, 0}} {
		if got := suppressed(t, c.texts...); len(got) != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestIdle(t *testing.T) {
	d, err := Read("x", strings.NewReader(openVEXOf("CVE-1999-1", `"pkg:npm/lodash"`, notAffected)))
	if err != nil {
		t.Fatal(err)
	}
	if got := Apply([]*Document{d}, sbom, found()); got != (Tally{0, 1}) {
		t.Errorf("%+v", got)
	}
}

func bomOf(serial, analysis, affects string) string {
	return fmt.Sprintf(`{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":%q,"version":1,
"components":[{"type":"library","bom-ref":"mine","name":"lodash","purl":"pkg:npm/lodash@4.17.20","components":[{"bom-ref":"inner","type":"library","name":"nginx","cpe":"cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*"}]}],
"vulnerabilities":[{"id":"CVE-0000-0"},{"id":"OTHER","references":[{"id":"CVE-2021-1"},{"id":"CVE-2021-3"}],"analysis":%s,"affects":[%s]}]}`, serial, analysis, affects)
}

func TestCycloneDX(t *testing.T) {
	const no = `{"state":"not_affected","justification":"code_not_reachable"}`
	l := []string{"lodash|not_affected|vulnerable_code_not_in_execute_path|code not reachable|d0/vulnerabilities/1"}
	n := []string{"nginx|not_affected|vulnerable_code_not_in_execute_path|code not reachable|d0/vulnerabilities/1"}
	for _, c := range []struct {
		name, serial, analysis, affects string
		want                            []string
	}{
		{"its own component", "urn:uuid:77", no, `{"ref":"mine"}`, l},
		{"one within it", "urn:uuid:77", no, `{"ref":"inner"}`, n},
		{"a reference to the SBOM", "urn:uuid:77", no, `{"ref":"urn:cdx:5f2c/1#l"}`, l},
		{"quoted", "urn:uuid:77", no, `{"ref":"urn:cdx:5f2c/1#%6c"}`, l},
		{"to another SBOM", "urn:uuid:77", no, `{"ref":"urn:cdx:9999/1#l"}`, nil},
		{"of the same name elsewhere", "urn:uuid:77", no, `{"ref":"l"}`, nil},
		{"the same SBOM", "urn:uuid:5f2c", no, `{"ref":"l"}`, l},
		{"a purl", "", no, `{"ref":"pkg:npm/lodash@4.17.20"}`, l},
		{"the version", "", no, `{"ref":"mine","versions":[{"version":"4.17.20","status":"unaffected"}]}`, l},
		{"the version, affected", "", no, `{"ref":"mine","versions":[{"version":"4.17.20","status":"affected"}]}`, nil},
		{"another version", "", no, `{"ref":"mine","versions":[{"version":"4.17.19"}]}`, nil},
		{"a range", "", no, `{"ref":"mine","versions":[{"range":"vers:npm/<5"}]}`, nil},
		{"false positive", "", `{"state":"false_positive","detail":"d"}`, `{"ref":"mine"}`, []string{"lodash|false_positive||d|d0/vulnerabilities/1"}},
		{"resolved", "", `{"state":"resolved"}`, `{"ref":"mine"}`, []string{"lodash|fixed|||d0/vulnerabilities/1"}},
		{"exploitable", "", `{"state":"exploitable"}`, `{"ref":"mine"}`, nil},
		{"in triage", "", `{"state":"in_triage"}`, `{"ref":"mine"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, suppressed(t, bomOf(c.serial, c.analysis, c.affects))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const csafText = `{"document":{"category":"csaf_vex","csaf_version":"2.0","tracking":{"current_release_date":"2026-01-01T00:00:00Z"}},
"product_tree":{"branches":[{"category":"vendor","name":"Red Hat","branches":[
 {"category":"product_name","name":"RHEL 9","product":{"product_id":"rhel9","name":"RHEL 9","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}},
 {"category":"product_name","name":"RHEL 8","product":{"product_id":"rhel8","name":"RHEL 8","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:8"}}},
 {"category":"product_version","name":"openssl","product":{"product_id":"openssl","name":"openssl","product_identification_helper":{"purl":"pkg:rpm/redhat/openssl?arch=src"}}}]}],
"full_product_names":[{"product_id":"lodash","name":"lodash","product_identification_helper":{"purl":"pkg:npm/lodash@4.17.20"}}],
"relationships":[{"category":"default_component_of","full_product_name":{"product_id":"rhel9:openssl","name":"x"},"product_reference":"openssl","relates_to_product_reference":"rhel9"},
 {"category":"default_component_of","full_product_name":{"product_id":"rhel8:openssl","name":"x"},"product_reference":"openssl","relates_to_product_reference":"rhel8"}],
"product_groups":[{"group_id":"g","product_ids":["lodash","rhel9:openssl","rhel8:openssl"]}]},
"vulnerabilities":[{"cve":%q,"product_status":{%q:[%q]},"flags":[{"label":"component_not_present","group_ids":["g"]}],"threats":[{"category":"impact","details":" not built ","product_ids":["lodash"]},{"category":"impact","details":"y","group_ids":["g"]}]}]}`

func TestCSAF(t *testing.T) {
	for _, c := range []struct {
		cve, status, product string
		want                 []string
	}{
		{"CVE-2021-1", "known_not_affected", "lodash", []string{"lodash|not_affected|component_not_present|not built|d0/vulnerabilities/0/product_status/known_not_affected/0"}},
		{"CVE-2021-1", "fixed", "lodash", []string{"lodash|fixed|component_not_present|not built|d0/vulnerabilities/0/product_status/fixed/0"}},
		{"CVE-2021-1", "known_affected", "lodash", nil},
		{"CVE-2021-1", "under_investigation", "lodash", nil},
		{"CVE-2021-9", "known_not_affected", "lodash", nil},
		{"CVE-2021-2", "known_not_affected", "rhel9:openssl", []string{"openssl-libs|not_affected|component_not_present|y|d0/vulnerabilities/0/product_status/known_not_affected/0"}},
		{"CVE-2021-2", "known_not_affected", "rhel8:openssl", nil},
	} {
		if diff := cmp.Diff(c.want, suppressed(t, fmt.Sprintf(csafText, c.cve, c.status, c.product))); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", c.cve, c.status, c.product, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		text, want string
		is         error
	}{
		{"", "not a VEX document", ErrFormat},
		{"<bom/>", "not a VEX document", ErrFormat},
		{"{}", "not a VEX document", ErrFormat},
		{`{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{]}`, "/statements/0: offset 59: invalid: ", ErrInvalid},
		{`{"@context":"https://openvex.dev/ns/v0.2.0","statements":{}}`, "/statements: offset 57: invalid", ErrInvalid},
		{openVEXOf("CVE-1", `"pkg:npm/a"`, `"status":"safe"`), `/statements/0/status: invalid: "safe"`, ErrInvalid},
		{openVEXOf("CVE-1", `"pkg:npm/a"`, `"status":"not_affected","justification":"because"`), `/statements/0/justification: invalid: "because"`, ErrInvalid},
		{openVEXOf("", `"pkg:npm/a"`, notAffected), `/statements/0/vulnerability: invalid: no name`, ErrInvalid},
		{openVEXOf("CVE-1", `"pkg:npm/a","pkg:"`, notAffected), `/statements/0/products/1: invalid: purl "pkg:"`, ErrInvalid},
		{openVEXOf("CVE-1", `"pkg:npm/a"`, notAffected+`,"timestamp":"yesterday"`), `/statements/0: invalid: time "yesterday"`, ErrInvalid},
		{bomOf("", `{"state":"fine"}`, `{"ref":"a"}`), `/vulnerabilities/1/analysis/state: invalid: "fine"`, ErrInvalid},
		{bomOf("", `{"state":"not_affected","justification":"x"}`, ``), `/vulnerabilities/1/analysis/justification: invalid: "x"`, ErrInvalid},
		{fmt.Sprintf(csafText, "CVE-1", "fixed", "nobody"), `/vulnerabilities/0/product_status/fixed/0: invalid: no product "nobody"`, ErrInvalid},
		{strings.Replace(fmt.Sprintf(csafText, "CVE-1", "fixed", "lodash"), "2026-01-01T00:00:00Z", "soon", 1), `/document/tracking/current_release_date: invalid: time "soon"`, ErrInvalid},
		{fmt.Sprintf(csafText, "", "fixed", "lodash"), `/vulnerabilities/0: invalid: neither cve nor ids`, ErrInvalid},
	} {
		_, err := Read("x", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, c.is) {
			t.Errorf("%.80s: %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(openVEXOf("CVE-2021-1", `{"@id":"pkg:oci/image","subcomponents":[{"@id":"pkg:npm/lodash"}]}`, notAffected)))
	f.Add([]byte(bomOf("urn:uuid:5f2c", `{"state":"resolved"}`, `{"ref":"l"},{"ref":"urn:cdx:5f2c/1#n"}`)))
	f.Add([]byte(fmt.Sprintf(csafText, "CVE-2021-2", "known_not_affected", "rhel9:openssl")))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read("x", strings.NewReader(string(data)))
		if err != nil {
			return
		}
		list := found()
		tally := Apply([]*Document{d}, sbom, list)
		if tally.Suppressed > len(list) || tally.Idle < 0 || tally.Idle > len(d.Statements) {
			t.Errorf("%+v", tally)
		}
		for _, a := range list {
			for _, v := range a.Vulnerabilities {
				if v.Suppressed != nil && !Status(v.Suppressed.Status).suppresses() {
					t.Errorf("suppressed as %q", v.Suppressed.Status)
				}
			}
		}
	})
}
