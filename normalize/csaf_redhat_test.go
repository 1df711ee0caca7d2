package normalize

import (
	stdjson "encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A vexFixture writes a VEX document: products are "id cpe" or "id purl" or
// "id" alone, relations "of to", statuses "status id…", remedies "category
// details|url id…".
type vexFixture struct{ products, relations, statuses, remedies []string }

func (f vexFixture) String() string {
	var products, relations, statuses, remedies []string
	quoted := func(ids []string) string {
		b, _ := stdjson.Marshal(ids)
		return string(b)
	}
	for _, p := range f.products {
		id, what, _ := strings.Cut(p, " ")
		helper := ""
		if what != "" {
			kind := "purl"
			if strings.HasPrefix(what, "cpe:") {
				kind = "cpe"
			}
			helper = fmt.Sprintf(`,"product_identification_helper":{%q:%q}`, kind, what)
		}
		products = append(products, fmt.Sprintf(`{"category":"product_version","product":{"name":%q,"product_id":%q%s}}`, id, id, helper))
	}
	for _, r := range f.relations {
		of, to, _ := strings.Cut(r, " ")
		relations = append(relations, fmt.Sprintf(`{"category":"default_component_of","full_product_name":{"name":"x","product_id":%q},"product_reference":%q,"relates_to_product_reference":%q}`, to+":"+of, of, to))
	}
	for _, s := range f.statuses {
		w := strings.Fields(s)
		statuses = append(statuses, fmt.Sprintf(`%q:%s`, w[0], quoted(w[1:])))
	}
	for _, s := range f.remedies {
		parts := strings.Split(s, "|")
		url := ""
		if parts[0] == "vendor_fix" {
			url = "https://access.redhat.com/errata/" + parts[1]
		}
		remedies = append(remedies, fmt.Sprintf(`{"category":%q,"details":%q,"url":%q,"date":"2024-04-30T10:36:25+02:00","product_ids":%s}`, parts[0], parts[1], url, quoted(strings.Fields(parts[2]))))
	}
	return fmt.Sprintf(`{"document":{"aggregate_severity":{"text":"Moderate"},"category":"csaf_vex","csaf_version":"2.0",
"references":[{"category":"self","url":"https://security.example/cve.json"}],"title":"doc",
"tracking":{"id":"CVE-2024-0727","status":"final","initial_release_date":"2024-01-25T00:00:00+00:00","current_release_date":"2025-11-21T16:56:52+02:00"}},
"product_tree":{"branches":[{"category":"vendor","name":"Red Hat","branches":[%s]}],"relationships":[%s]},
"vulnerabilities":[{"cve":"CVE-2024-0727","cwe":{"id":"CWE-476"},"title":"a crash","notes":[{"category":"description","text":"It crashes."}],
"product_status":{%s},"remediations":[%s],
"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"},"products":["a"]}],
"references":[{"category":"external","url":"https://bugzilla.redhat.com/1"},{"category":"external","url":"https://example.org/x"}]}]}`,
		strings.Join(products, ","), strings.Join(relations, ","), strings.Join(statuses, ","), strings.Join(remedies, ","))
}

var vexSmall = vexFixture{
	products: []string{"AppStream-9 cpe:/a:redhat:enterprise_linux:9::appstream", "rhel7 cpe:/o:redhat:enterprise_linux:7",
		"openssl-1:3.0.7-27.el9.x86_64 pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=x86_64&epoch=1",
		"openssl-1:3.0.7-27.el9.src pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src&epoch=1",
		"edk2 pkg:rpm/redhat/edk2", "openssl pkg:rpm/redhat/openssl", "ovmf pkg:rpm/redhat/ovmf?arch=src", "shim pkg:rpm/redhat/shim", "grub pkg:rpm/redhat/grub"},
	relations: []string{"openssl-1:3.0.7-27.el9.x86_64 AppStream-9", "openssl-1:3.0.7-27.el9.src AppStream-9", "openssl rhel7", "ovmf rhel7", "shim rhel7", "edk2 rhel7", "grub rhel7"},
	statuses: []string{"fixed AppStream-9:openssl-1:3.0.7-27.el9.x86_64 AppStream-9:openssl-1:3.0.7-27.el9.src",
		"known_affected rhel7:openssl rhel7:ovmf rhel7:edk2", "known_not_affected rhel7:shim", "under_investigation rhel7:grub"},
	remedies: []string{"vendor_fix|RHSA-2024:2447|AppStream-9:openssl-1:3.0.7-27.el9.x86_64 AppStream-9:openssl-1:3.0.7-27.el9.src",
		"no_fix_planned|Out of support scope|rhel7:openssl", "no_fix_planned|Will not fix|rhel7:ovmf", "none_available|Fix deferred|rhel7:edk2",
		"workaround|Do not open files.|rhel7:openssl"},
}.String()

func TestRedHatVEX(t *testing.T) {
	records, findings, err := parseDoc(t, RedHatVEX, "2024/cve-2024-0727.json", vexSmall)
	if err != nil || findings != nil {
		t.Fatal(err, findings)
	}
	const rhel7, open = `"package":{"ecosystem":"Red Hat:enterprise_linux:7","name":`, `"ranges":[{"events":[{"introduced":"0"}],"type":"ECOSYSTEM"}]}`
	want := `{"affected":[{` + rhel7 + `"edk2","purl":"pkg:rpm/redhat/edk2"},` + open + `,{` + rhel7 + `"openssl","purl":"pkg:rpm/redhat/openssl"},` + open +
		`,{` + rhel7 + `"ovmf","purl":"pkg:rpm/redhat/ovmf"},` + open +
		`,{"database_specific":{"advisories":["RHSA-2024:2447"]},"package":{"ecosystem":"Red Hat:enterprise_linux:9::appstream","name":"openssl","purl":"pkg:rpm/redhat/openssl"},` +
		`"ranges":[{"events":[{"introduced":"0"},{"fixed":"1:3.0.7-27.el9"}],"type":"ECOSYSTEM"}]}],` +
		`"database_specific":{"cwe_ids":["CWE-476"],"redhat":{"advisories":{"RHSA-2024:2447":"2024-04-30T08:36:25Z"},"mitigations":["Do not open files."]},"severity":"Moderate",` +
		`"statements":[{"detail":"Fix deferred","ecosystem":"Red Hat:enterprise_linux:7","package":"edk2","status":"postponed"},` +
		`{"ecosystem":"Red Hat:enterprise_linux:7","package":"grub","status":"under_investigation"},` +
		`{"detail":"Out of support scope","ecosystem":"Red Hat:enterprise_linux:7","package":"openssl","status":"end_of_life"},` +
		`{"detail":"Will not fix","ecosystem":"Red Hat:enterprise_linux:7","package":"ovmf","status":"will_not_fix"},` +
		`{"ecosystem":"Red Hat:enterprise_linux:7","package":"shim","status":"not_affected"}]},` +
		`"details":"It crashes.","id":"REDHAT-CVE-2024-0727","modified":"2025-11-21T14:56:52Z","published":"2024-01-25T00:00:00Z",` +
		`"references":[{"type":"ADVISORY","url":"https://security.example/cve.json"},{"type":"REPORT","url":"https://bugzilla.redhat.com/1"},{"type":"WEB","url":"https://example.org/x"},` +
		`{"type":"ADVISORY","url":"https://access.redhat.com/errata/RHSA-2024:2447"}],` +
		`"severity":[{"score":"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H","type":"CVSS_V3"}],"summary":"a crash","upstream":["CVE-2024-0727"]}` + "\n"
	if d := cmp.Diff(want, encodeLines(t, records)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// affectedLines lists affected entries as "ecosystem name specific fixed…".
func affectedLines(records []*Record) []string {
	var out []string
	for _, r := range records {
		for _, a := range r.Affected {
			line := strings.Join([]string{a.Package.Ecosystem, a.Package.Name, string(a.EcosystemSpecific)}, " ")
			for _, rg := range a.Ranges {
				for _, e := range rg.Events {
					line += " " + strings.TrimSpace(e.Introduced+" <"+e.Fixed)
				}
			}
			out = append(out, strings.ReplaceAll(strings.ReplaceAll(line, "0 < <", "<"), "0 <", "open"))
		}
	}
	return out
}

// The traps of Red Hat's products: each row is a document and what comes of it.
func TestRedHatVEXProducts(t *testing.T) {
	const el8, el9 = "el8 cpe:/a:redhat:enterprise_linux:8::appstream", "el9 cpe:/o:redhat:enterprise_linux:9"
	const eco8, eco9 = "Red Hat:enterprise_linux:8::appstream", "Red Hat:enterprise_linux:9"
	for _, tt := range []struct {
		name         string
		fixture      vexFixture
		want, report []string
	}{
		{"purl of a module around the package", vexFixture{
			products:  []string{el8, "mod pkg:rpmmod/redhat/postgresql@15:8100020240814101911:489197e6", "p pkg:rpm/redhat/postgresql@15.8-1.module%2Bel8.10.0%2B22242%2B80f4a6fc?arch=x86_64"},
			relations: []string{"mod el8", "p el8:mod"}, statuses: []string{"fixed el8:mod:p"},
		}, []string{eco8 + ` postgresql {"module":"postgresql:15"} <0:15.8-1.module+el8.10.0+22242+80f4a6fc`}, nil},
		{"rpmmod of four parts", vexFixture{
			products:  []string{el8, "p pkg:rpm/redhat/perl-FCGI@0.78-12.module%2Bel8?arch=x86_64&epoch=1&rpmmod=perl-FCGI:0.78:8100020250529111022:491cfe3d"},
			relations: []string{"p el8"}, statuses: []string{"fixed el8:p"},
		}, []string{eco8 + ` perl-FCGI {"module":"perl-FCGI:0.78"} <1:0.78-12.module+el8`}, nil},
		{"rpmmod of two parts", vexFixture{
			products:  []string{el8, "p pkg:rpm/redhat/python36@rhel8?arch=src&rpmmod=python36:3.6"},
			relations: []string{"p el8"}, statuses: []string{"known_affected el8:p"},
		}, []string{eco8 + ` python36 {"module":"python36:3.6"} open`}, nil},
		{"rpmmod of one part", vexFixture{
			products:  []string{el9, "p pkg:rpm/redhat/firefox-flatpak?arch=src&rpmmod=rhel10", "q pkg:rpm/redhat/firefox"},
			relations: []string{"p el9", "q el9"}, statuses: []string{"known_affected el9:p el9:q"},
		}, []string{eco9 + " firefox  open"}, []string{"truncated-rpmmod"}},
		{"streams that only the build tells apart", vexFixture{
			products: []string{el8, "a pkg:rpm/redhat/postgresql@12.15-1.module%2Bel8.8.0%2B19427%2Bd1071523", "b pkg:rpm/redhat/postgresql@15.3-1.module%2Bel8.8.0%2B19565%2B1b0ddae0",
				"c pkg:rpm/redhat/postgresql"},
			relations: []string{"a el8", "b el8", "c el8"}, statuses: []string{"fixed el8:a el8:b", "known_affected el8:c"},
			remedies: []string{"vendor_fix|RHSA-2023:1|el8:a", "vendor_fix|RHSA-2023:2|el8:b"},
		}, []string{eco8 + ` postgresql {"module_build":"module+el8.8.0+19427+d1071523"} <0:12.15-1.module+el8.8.0+19427+d1071523`,
			eco8 + ` postgresql {"module_build":"module+el8.8.0+19565+1b0ddae0"} <0:15.3-1.module+el8.8.0+19565+1b0ddae0`}, nil},
		{"one advisory, builds by architecture", vexFixture{
			products:  []string{el8, "a pkg:rpm/redhat/p@1-2.module%2Bel8%2B1%2Bdd?arch=x86_64&rpmmod=m:1", "b pkg:rpm/redhat/p@1-2.module%2Bel8%2B1%2Bcc?arch=s390x&rpmmod=m:1"},
			relations: []string{"a el8", "b el8"}, statuses: []string{"fixed el8:a el8:b"}, remedies: []string{"vendor_fix|RHSA-2023:1|el8:a el8:b"},
		}, []string{eco8 + ` p {"module":"m:1"} <0:1-2.module+el8+1+cc`}, nil},
		{"two advisories for one package", vexFixture{
			products: []string{el9, "a pkg:rpm/redhat/p@1-9.el9_2", "b pkg:rpm/redhat/p@1-10.el9_2"}, relations: []string{"a el9", "b el9"},
			statuses: []string{"fixed el9:a el9:b"}, remedies: []string{"vendor_fix|RHSA-2023:1|el9:a", "vendor_fix|RHSA-2023:2|el9:b"},
		}, []string{eco9 + " p  <0:1-10.el9_2"}, nil},
		{"one fix for each stream of updates", vexFixture{
			products:  []string{"eus cpe:/a:redhat:rhel_eus:9.2::appstream", "z cpe:/a:redhat:enterprise_linux:9::appstream", "a pkg:rpm/redhat/p@1-9.el9_2", "b pkg:rpm/redhat/p@2-1.el9_4"},
			relations: []string{"a eus", "b z"}, statuses: []string{"fixed eus:a z:b"},
		}, []string{eco9 + "::appstream p  <0:2-1.el9_4", "Red Hat:rhel_eus:9.2::appstream p  <0:1-9.el9_2"}, nil},
		{"affected beside a fix", vexFixture{
			products: []string{el9, "a pkg:rpm/redhat/p@1-9.el9_2?arch=src", "b pkg:rpm/redhat/p"}, relations: []string{"a el9", "b el9"},
			statuses: []string{"fixed el9:a", "known_affected el9:b"}, remedies: []string{"none_available|Fix deferred|el9:b"},
		}, []string{eco9 + " p  <0:1-9.el9_2"}, nil},
		{"no purl", vexFixture{
			products:  []string{el9, el8, "kernel", "log4j:2/log4j", "openshift/console", "kernel-rt-0:4.18.0-1.el8.x86_64", "py3-1.0-2-3.src"},
			relations: []string{"kernel el9", "log4j:2/log4j el8", "openshift/console el9", "kernel-rt-0:4.18.0-1.el8.x86_64 el8", "py3-1.0-2-3.src el9"},
			statuses:  []string{"known_affected el9:kernel el8:log4j:2/log4j el9:openshift/console el9:py3-1.0-2-3.src", "fixed el8:kernel-rt-0:4.18.0-1.el8.x86_64"},
		}, []string{eco9 + " kernel  open", eco9 + " py3-1.0-2-3  open", eco8 + " kernel-rt  <0:4.18.0-1.el8", eco8 + ` log4j {"module":"log4j:2"} open`}, []string{"no-purl"}},
		{"an ID that no relationship explains", vexFixture{products: []string{el9}, statuses: []string{"known_affected el9:foo none:bar"}},
			[]string{eco9 + " foo  open"}, []string{"dangling-product", "unknown-product", "no-purl"}},
		{"one ID for two products", vexFixture{
			products: []string{el9, "p pkg:rpm/redhat/p", "p pkg:rpm/redhat/other", "p"}, relations: []string{"p el9"}, statuses: []string{"known_affected el9:p"},
		}, []string{eco9 + " p  open"}, []string{"duplicate-product"}},
		{"Maven, images and whole products", vexFixture{
			products: []string{"eap cpe:/a:redhat:jboss_enterprise_application_platform:7.4", "m pkg:maven/io.undertow/undertow-core@2.2.19.SP1-redhat-00001?type=jar",
				"i pkg:oci/console@sha256%3A00?arch=amd64", "g pkg:generic/redhat/x"},
			relations: []string{"m eap", "i eap", "g eap"}, statuses: []string{"fixed eap:m eap:i eap", "known_not_affected eap:g"},
		}, nil, nil},
		{"not a product of Red Hat", vexFixture{
			products: []string{"x cpe:/a:other:thing:1", "p pkg:rpm/redhat/p"}, relations: []string{"p x"}, statuses: []string{"known_affected x:p"},
		}, nil, []string{"bad-cpe"}},
		{"no purl at all", vexFixture{products: []string{el9, "p purl"}, relations: []string{"p el9"}, statuses: []string{"known_affected el9:p", "recommended el9:p"}},
			nil, []string{"bad-purl", "unknown-status"}},
		{"minor release of 2.1", vexFixture{products: []string{"as cpe:/o:redhat:enterprise_linux:2.1::as", "p pkg:rpm/redhat/p@1-2"}, relations: []string{"p as"}, statuses: []string{"fixed as:p"}},
			[]string{"Red Hat:enterprise_linux:2.1::as p  <0:1-2"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, RedHatVEX, "", tt.fixture.String())
			if err != nil || len(records) != 1 {
				t.Fatal(err, len(records))
			}
			got := affectedLines(records)
			slices.Sort(got)
			slices.Sort(tt.want)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			var rules []string
			for _, f := range findings {
				rules = append(rules, f.Rule)
			}
			if d := cmp.Diff(tt.report, rules); d != "" {
				t.Errorf("findings %v (-want +got):\n%s", findings, d)
			}
		})
	}
}

// Minor releases that share a CPE are fixed at versions of their own: the range
// ends at the last, and each is named.
func TestRedHatVEXMinorReleases(t *testing.T) {
	records, _, err := parseDoc(t, RedHatVEX, "", vexFixture{
		products:  []string{"base cpe:/o:redhat:enterprise_linux:9::baseos", "a pkg:rpm/redhat/gnutls@3.7.6-23.el9_3.4", "b pkg:rpm/redhat/gnutls@3.8.3-4.el9_4"},
		relations: []string{"a base", "b base"}, statuses: []string{"fixed base:a base:b"},
		remedies: []string{"vendor_fix|RHSA-2024:1784|base:a", "vendor_fix|RHSA-2024:1879|base:b"},
	}.String())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"advisories":["RHSA-2024:1784","RHSA-2024:1879"],"fixed":{"RHSA-2024:1784":["0:3.7.6-23.el9_3.4"],"RHSA-2024:1879":["0:3.8.3-4.el9_4"]}}`
	a := records[0].Affected
	if len(a) != 1 || string(a[0].DatabaseSpecific) != want || a[0].Ranges[0].Events[1].Fixed != "0:3.8.3-4.el9_4" {
		t.Errorf("%s", encodeLines(t, records))
	}
}

// What is no RPM is listed, not lost.
func TestRedHatVEXComponents(t *testing.T) {
	records, _, err := parseDoc(t, RedHatVEX, "", vexFixture{
		products: []string{"eap cpe:/a:redhat:jboss:7.4", "m pkg:maven/io.undertow/undertow-core@2.2.19?type=jar", "i pkg:oci/console@sha256%3A00?arch=amd64",
			"j pkg:oci/console@sha256%3A01?arch=s390x"},
		relations: []string{"m eap", "i eap", "j eap"}, statuses: []string{"fixed eap:m eap:i eap:j", "known_affected eap"},
	}.String())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Components map[string]map[string][]string `json:"components"`
	}
	if ok, err := records[0].Specific("redhat", &got); !ok || err != nil {
		t.Fatal(ok, err)
	}
	want := map[string]map[string][]string{"fixed": {"jboss:7.4": {"pkg:maven/io.undertow/undertow-core@2.2.19", "pkg:oci/console"}}, "known_affected": {"jboss:7.4": {"*"}}}
	if d := cmp.Diff(want, got.Components); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A document may call thousands of packages unaffected: they are grouped.
func TestRedHatVEXManyNotAffected(t *testing.T) {
	for _, n := range []int{vexStatements, vexStatements + 1} {
		f := vexFixture{products: []string{"el9 cpe:/o:redhat:enterprise_linux:9"}}
		status := "known_not_affected"
		for i := range n {
			p := fmt.Sprintf("p%03d", i)
			f.products = append(f.products, p+" pkg:rpm/redhat/"+p)
			f.relations = append(f.relations, p+" el9")
			status += " el9:" + p
		}
		f.statuses = []string{status}
		records, _, err := parseDoc(t, RedHatVEX, "", f.String())
		if err != nil {
			t.Fatal(err)
		}
		statements, err := records[0].Statements()
		if err != nil {
			t.Fatal(err)
		}
		var red struct {
			NotAffected map[string][]string `json:"not_affected"`
		}
		if _, err := records[0].Specific("redhat", &red); err != nil {
			t.Fatal(err)
		}
		grouped := len(red.NotAffected["Red Hat:enterprise_linux:9"])
		if len(statements)+grouped != n || (len(statements) == 0) != (n > vexStatements) {
			t.Errorf("%d packages: %d statements, %d grouped", n, len(statements), grouped)
		}
	}
}

func TestRedHatVEXDeleted(t *testing.T) {
	records, _, err := parseDoc(t, RedHatVEX, "", `{"document":{"tracking":{"id":"CVE-2023-0118","status":"deleted"}}}`)
	if err != nil || records != nil {
		t.Errorf("without a date: %v, %v", records, err)
	}
	records, _, err = parseDoc(t, RedHatVEX, "", `{"document":{"tracking":{"id":"CVE-2023-0118","status":"deleted","current_release_date":"2024-01-01T00:00:00+01:00"}}}`)
	if err != nil || len(records) != 1 || records[0].Withdrawn != "2023-12-31T23:00:00Z" {
		t.Errorf("with a date: %v, %v", records, err)
	}
}

func TestRedHatVEXBrokenDocument(t *testing.T) {
	for _, text := range []string{"", "<html>", "[]", `{"document":{}}`, vexSmall[:300], vexSmall + "{}", `{"document":{"tracking":{"id":"CVE-2023-0118"}}}`,
		`{"document":{"tracking":{"id":7}}}`} {
		if _, _, err := parseDoc(t, RedHatVEX, "", text); err == nil {
			t.Errorf("%.50q: no error", text)
		}
	}
}

func FuzzRedHatVEX(f *testing.F) {
	fuzzDocuments(f, RedHatVEX, "x",
		vexSmall,
		`{"document":{"tracking":{"id":"CVE-2023-0118","status":"deleted"}}}`)
}
