package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ovalText writes a document: definitions whole; tests, objects and states as
// "kind number object:N state:N", "number name" and "number field op value",
// with the IDs oval:t:def:N, oval:t:tst:N and so on.
func ovalText(definitions string, tests, objects, states []string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:i="urn:i">
<generator><oval:timestamp>2020-01-01T00:00:00</oval:timestamp></generator><definitions>` + definitions + `</definitions><tests>`)
	for _, t := range tests {
		w := strings.Fields(t)
		fmt.Fprintf(&b, `<%s_test id="oval:t:tst:%s" check="at least one"><object object_ref="oval:t:obj:%s"/>`, w[0], w[1], w[2])
		for _, s := range w[3:] {
			fmt.Fprintf(&b, `<state state_ref="oval:t:ste:%s"/>`, s)
		}
		fmt.Fprintf(&b, `</%s_test>`, w[0])
	}
	b.WriteString("</tests><objects>")
	for _, o := range objects {
		number, name, _ := strings.Cut(o, " ")
		if strings.HasPrefix(name, "/") {
			fmt.Fprintf(&b, `<i:textfilecontent54_object id="oval:t:obj:%s"><i:filepath>%s</i:filepath><i:pattern operation="pattern match">\[x\][\w\W]*</i:pattern></i:textfilecontent54_object>`, number, name)
			continue
		}
		fmt.Fprintf(&b, "<rpminfo_object id=\"oval:t:obj:%s\">\n<name>%s</name>\n</rpminfo_object>", number, name)
	}
	b.WriteString("</objects><states>")
	for _, s := range states {
		w := strings.SplitN(s, "|", 4)
		fmt.Fprintf(&b, `<rpminfo_state id="oval:t:ste:%s"><%s operation=%q>%s</%s></rpminfo_state>`, w[0], w[1], w[2], w[3], w[1])
	}
	b.WriteString("</states></oval_definitions>")
	return b.String()
}

// elsa writes a definition of an Oracle advisory.
func elsa(id, advisory, criteria string) string {
	return fmt.Sprintf(`<definition id="oval:t:def:%d" class="patch"><metadata><title>
%s:  important: a fix  (IMPORTANT)
</title><affected family="unix"><platform>Oracle Linux 8</platform></affected><reference source="elsa" ref_id=%q ref_url="https://linux.oracle.example/%s"/>
<reference source="CVE" ref_id="CVE-2023-0001" ref_url="https://linux.oracle.example/c"/><description>[1-2] &amp; text</description>%s</metadata>%s</definition>`,
		len(id), id, id, id, advisory, criteria)
}

const oracleAdvisory = `<!-- details --><advisory><severity>IMPORTANT</severity><issued date="2023-06-26"/>
<cve cvss2="1.2/AV:L/AC:H/Au:S/C:N/I:P/A:N" cvss3="5.5/CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N" public="20230626">CVE-2023-0001</cve>
<cve cvss3="7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H">CVE-2023-0002</cve><affected_cpe_list><cpe>cpe:/a:oracle:linux:8::appstream</cpe></affected_cpe_list></advisory>`

// and and or write criteria; a leaf is a test's number.
func and(members ...string) string { return ovalGroup("AND", members) }
func or(members ...string) string  { return ovalGroup("OR", members) }

func ovalGroup(op string, members []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<criteria operator=%q>", op)
	for _, m := range members {
		if strings.HasPrefix(m, "<") {
			b.WriteString(m)
			continue
		}
		fmt.Fprintf(&b, `<criterion test_ref="oval:t:tst:%s" comment="says anything"/>`, m)
	}
	return b.String() + "</criteria>"
}

// The parts that Oracle's documents are made of: 1 is the release, 2 and 3 are
// architectures, 4 a module stream, 5 a signature, 6 a Ksplice build, 10 and
// on packages.
var (
	oracleTests = []string{"rpminfo 1 1 1", "rpminfo 2 1 2", "rpminfo 3 1 3", "i:textfilecontent54 4 4 4", "rpminfo 5 2 5", "rpminfo 6 2 6",
		"rpminfo 7 1 7", "i:textfilecontent54 8 4 8", "uname 9 4 4",
		"rpminfo 10 2 10", "rpminfo 11 2 11", "rpminfo 12 2 12", "rpminfo 13 3 13", "rpminfo 14 3 14", "rpminfo 15 99 10", "rpminfo 16 2 16", "rpminfo 17 2 17"}
	oracleObjects = []string{"1 oraclelinux-release", "2 openssl", "3 hivex", "4 /etc/dnf/modules.d/virt.module"}
	oracleStates  = []string{"1|version|pattern match|^8", "2|arch|pattern match|aarch64", "3|arch|pattern match|x86_64",
		`4|text|pattern match|\nstream\s*=\s*kvm_utils\b[\w\W]*\nstate\s*=\s*(enabled|1|true)|\nstate\s*=\s*(enabled|1|true)[\w\W]*\nstream\s*=\s*kvm_utils\b`,
		"5|signature_keyid|equals|82562ea9ad986da3", "6|release|pattern match|ksplice", "7|version|pattern match|^9",
		`8|text|pattern match|\nstate\s*=\s*(enabled|1|true)[\w\W]*\nstream\s*=\s*1\.0\b`,
		"10|evr|less than|2:1.1.1g-15.el8_3", "11|evr|less than|2:1.1.1g-15.ksplice1.el8_3", "12|evr|less than|10:3.6.16-5.el8_6_fips",
		"13|evr|less than|0:1.3.18-21.module+el8.7.0+21037+8ee66348", "14|evr|less than|(none):2-1", "16|evr|less than|2:1.1.1k-1.el8", "17|evr|greater than|2:1-1"}
)

func oracleText(definitions ...string) string {
	return ovalText(strings.Join(definitions, "\n"), oracleTests, oracleObjects, oracleStates)
}

var ovalSmall = oracleText(elsa("ELSA-2023-12342", oracleAdvisory,
	and("1", or(and("2", and("4", or(and("13", "5")))), and("3", or(and("10", "5")))))))

func TestOracleOVAL(t *testing.T) {
	records, findings, err := parseDoc(t, OracleOVAL, "com.oracle.elsa-all.xml", ovalSmall)
	if err != nil || findings != nil {
		t.Fatal(err, findings)
	}
	want := `{"database_specific":{"oracle":{"cpes":["cpe:/a:oracle:linux:8::appstream"],"cves":[{"cvss2":"1.2/AV:L/AC:H/Au:S/C:N/I:P/A:N",` +
		`"cvss3":"5.5/CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N","id":"CVE-2023-0001","public":"20230626"},` +
		`{"cvss3":"7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","id":"CVE-2023-0002"}]},"severity":"IMPORTANT"},` +
		`"details":"[1-2] & text","id":"ELSA-2023-12342","published":"2023-06-26T00:00:00Z",` +
		`"references":[{"type":"ADVISORY","url":"https://linux.oracle.example/ELSA-2023-12342"},{"type":"WEB","url":"https://linux.oracle.example/c"}],` +
		`"severity":[{"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H","type":"CVSS_V3"}],"summary":"important: a fix","upstream":["CVE-2023-0001","CVE-2023-0002"]}` + "\n" +
		`{"affected":[{"ecosystem_specific":{"arch":["aarch64"],"module":"virt:kvm_utils"},"package":{"ecosystem":"Oracle Linux:8","name":"hivex"},` +
		`"ranges":[{"events":[{"introduced":"0"},{"fixed":"0:1.3.18-21.module+el8.7.0+21037+8ee66348"}],"type":"ECOSYSTEM"}]},` +
		`{"ecosystem_specific":{"arch":["x86_64"]},"package":{"ecosystem":"Oracle Linux:8","name":"openssl"},` +
		`"ranges":[{"events":[{"introduced":"0"},{"fixed":"2:1.1.1g-15.el8_3"}],"type":"ECOSYSTEM"}]}],"id":"ELSA-2023-12342"}` + "\n"
	if d := cmp.Diff(want, encodeLines(t, records)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The traps of Oracle's criteria: each row is criteria and what comes of it.
func TestOracleOVALCriteria(t *testing.T) {
	const eco = "Oracle Linux:8"
	for _, tt := range []struct {
		name, criteria string
		want, report   []string
	}{
		{"no architecture", and("1", or(and("10", "5"))), []string{eco + " openssl  <2:1.1.1g-15.el8_3"}, nil},
		{"one version on two architectures", and("1", or(and("2", or(and("10"))), and("3", or(and("10"))))),
			[]string{eco + ` openssl {"arch":["aarch64","x86_64"]} <2:1.1.1g-15.el8_3`}, nil},
		{"another version on each architecture", and("1", or(and("2", "10"), and("3", "16"))),
			[]string{eco + ` openssl {"arch":["aarch64"]} <2:1.1.1g-15.el8_3`, eco + ` openssl {"arch":["x86_64"]} <2:1.1.1k-1.el8`}, nil},
		{"ksplice in a test and the version", and("1", or(and("3", or(and("11", "5", "6"))))),
			[]string{eco + `:ksplice openssl {"arch":["x86_64"],"flavour":"ksplice"} <2:1.1.1g-15.ksplice1.el8_3`}, nil},
		{"ksplice in the version alone", and("1", "11"), []string{eco + `:ksplice openssl {"flavour":"ksplice"} <2:1.1.1g-15.ksplice1.el8_3`}, nil},
		{"fips in the version", and("1", "12"), []string{eco + `:fips openssl {"flavour":"fips"} <10:3.6.16-5.el8_6_fips`}, nil},
		{"plain and ksplice in one advisory", and("1", or("10", "11")),
			[]string{eco + " openssl  <2:1.1.1g-15.el8_3", eco + `:ksplice openssl {"flavour":"ksplice"} <2:1.1.1g-15.ksplice1.el8_3`}, nil},
		{"a module, its state first", and("1", and("8", "13")), []string{eco + ` hivex {"module":"virt:1.0"} <0:1.3.18-21.module+el8.7.0+21037+8ee66348`}, nil},
		{"two streams", and("1", or(and("4", "13"), and("8", "13"))),
			[]string{eco + ` hivex {"module":"virt:1.0"} <0:1.3.18-21.module+el8.7.0+21037+8ee66348`, eco + ` hivex {"module":"virt:kvm_utils"} <0:1.3.18-21.module+el8.7.0+21037+8ee66348`}, nil},
		{"two releases before the packages", and(or("1", "7"), or("10")), []string{eco + " openssl  <2:1.1.1g-15.el8_3", "Oracle Linux:9 openssl  <2:1.1.1g-15.el8_3"}, nil},
		{"the release from the platform", or("10"), []string{eco + " openssl  <2:1.1.1g-15.el8_3"}, nil},
		{"an epoch of (none)", and("1", "14"), []string{eco + " hivex  <0:2-1"}, nil},
		{"an object that is not there", and("1", or(and("15"), and("10"))), []string{eco + " openssl  <2:1.1.1g-15.el8_3"}, []string{"bad-criteria"}},
		{"a test that is not there", and("1", or(and("77", "10"), "13")), []string{eco + " hivex  <0:1.3.18-21.module+el8.7.0+21037+8ee66348"}, []string{"bad-criteria"}},
		{"a test of another kind", and("1", "9", "10"), nil, []string{"bad-criteria", "no-packages"}},
		{"negated packages", and("1", strings.Replace(or("10"), "<criteria ", `<criteria negate="true" `, 1)), nil, []string{"bad-criteria", "no-packages"}},
		{"an operation that is no bound", and("1", "17"), nil, []string{"bad-criteria", "no-packages"}},
		{"no criteria", "", nil, []string{"no-packages"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, OracleOVAL, "", oracleText(elsa("ELSA-2023-1", "", tt.criteria)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, affectedLines(records)); d != "" {
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

// A plain package must not be held against a fix that only a flavour has.
func TestOracleOVALFlavourOfCPE(t *testing.T) {
	for cpe, want := range map[string]string{
		"cpe:/a:oracle:linux:8::userspace_ksplice": "Oracle Linux:8:ksplice",
		"cpe:/a:oracle:linux:8:3:fips_validation":  "Oracle Linux:8:fips",
		"cpe:/a:oracle:linux:8::appstream":         "Oracle Linux:8",
		"cpe:/a:oracle:exadata_dbserver:23::ol8":   "Oracle Linux:8",
	} {
		advisory := "<advisory><affected_cpe_list><cpe>" + cpe + "</cpe></affected_cpe_list></advisory>"
		records, _, err := parseDoc(t, OracleOVAL, "", oracleText(elsa("ELSA-2023-1", advisory, and("1", "10"))))
		if err != nil || len(records) != 2 {
			t.Fatal(cpe, err, len(records))
		}
		if got := records[1].Affected[0].Package.Ecosystem; got != want {
			t.Errorf("%s: %s, want %s", cpe, got, want)
		}
	}
}

// IDs of all forms, advisories without CVE, and scores that are none.
func TestOracleOVALAdvisories(t *testing.T) {
	for _, tt := range []struct {
		name, definition string
		id, severity     string
		report           []string
	}{
		{"with a suffix", elsa("ELSA-2018-1196-1", "", and("1", "10")), "ELSA-2018-1196-1", "", nil},
		{"sequence of 7 digits", elsa("ELSA-2026-5000061", "", and("1", "10")), "ELSA-2026-5000061", "", nil},
		{"the title is malformed", strings.Replace(elsa("ELSA-2007-0057", "", and("1", "10")), "ELSA-2007-0057:", "ELSA-2007:0057:", 1), "ELSA-2007-0057", "", nil},
		{"the reference is missing", strings.Replace(elsa("ELSA-2007-0057", "", and("1", "10")), `ref_id="ELSA-2007-0057"`, "", 1), "ELSA-2007-0057", "", nil},
		{"no ID", elsa("update", "", and("1", "10")), "", "", []string{"bad-id"}},
		{"CVSS cut", elsa("ELSA-2007-1", `<advisory><cve cvss3="5.5/AC:N">CVE-2023-0001</cve></advisory>`, and("1", "10")), "ELSA-2007-1", "", []string{"bad-cvss"}},
		{"CVSS 2 in another form", elsa("ELSA-2007-1", `<advisory><cve cvss2="4.3/CVSS:2/AV:N">CVE-2023-0001</cve></advisory>`, and("1", "10")), "ELSA-2007-1", "", []string{"bad-cvss"}},
		{"CVSS 3 malformed, 2 is not", elsa("ELSA-2007-1", `<advisory><cve cvss3="AC:N" cvss2="1.2/AV:L/AC:H/Au:S/C:N/I:P/A:N">CVE-2023-0001</cve></advisory>`, and("1", "10")),
			"ELSA-2007-1", "AV:L/AC:H/Au:S/C:N/I:P/A:N", []string{"bad-cvss"}},
		{"CVSS 2 is higher than 3", elsa("ELSA-2007-1", `<advisory><cve cvss2="9.0/AV:L/AC:H/Au:S/C:N/I:P/A:N">CVE-2023-0001</cve><cve cvss3="1.0/CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H">CVE-2023-0002</cve></advisory>`, and("1", "10")),
			"ELSA-2007-1", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", nil},
		{"no date, no CVE", elsa("ELSA-2007-1", `<advisory><issued date="soon"/><cve>none</cve></advisory>`, and("1", "10")), "ELSA-2007-1", "", []string{"bad-time", "bad-id"}},
	} {
		records, findings, err := parseDoc(t, OracleOVAL, "", oracleText(tt.definition))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		var rules []string
		for _, f := range findings {
			rules = append(rules, f.Rule)
		}
		if d := cmp.Diff(tt.report, rules); d != "" {
			t.Errorf("%s: findings %v (-want +got):\n%s", tt.name, findings, d)
		}
		if tt.id == "" {
			continue
		}
		severity := ""
		if len(records) > 0 && len(records[0].Severity) > 0 {
			severity = records[0].Severity[0].Score
		}
		if len(records) != 2 || records[0].ID != tt.id || records[1].ID != tt.id || severity != tt.severity {
			t.Errorf("%s: %s", tt.name, encodeLines(t, records))
		}
	}
}

func TestOracleOVALBrokenDocument(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", " \n", "offset 0: empty document"},
		{"page of a server", "<!DOCTYPE html><html></html>", "web page"},
		{"no XML", "test", "text outside of the root"},
		{"another root", "<xml></xml>", "<xml> where <oval_definitions> is expected"},
		{"no definitions", "<oval_definitions></oval_definitions>", "<definitions>: missing"},
		{"cut", ovalSmall[:len(ovalSmall)/2], "unexpected"},
		{"cut at the root's end", strings.TrimSuffix(ovalSmall, "</oval_definitions>"), "unexpected EOF"},
		{"crossed", "<oval_definitions><definitions></tests></definitions></oval_definitions>", "unexpected </tests>"},
		{"another document behind it", ovalSmall + "<x/>", "<x> where"},
		{"text behind it", ovalSmall + "x", "text outside of the root"},
		{"too deep", "<oval_definitions><definitions><definition>" + strings.Repeat("<criteria>", 300), "nested deeper"},
	} {
		_, _, err := parseDoc(t, OracleOVAL, "", tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "offset ") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzOracleOVAL(f *testing.F) {
	fuzzDocuments(f, OracleOVAL, "x", ovalSmall, oracleText(elsa("ELSA-2023-1", "", and(or("1", "7"), or("10", and("11", "8"))))))
}

// Without tests the comments speak: the same records but for what is reported.
func TestOracleOVALByComment(t *testing.T) {
	text := ovalSmall
	for test, comment := range map[string]string{"1": "Oracle Linux 8 is installed", "2": "Oracle Linux arch is aarch64", "3": "Oracle Linux arch is x86_64",
		"4": "Module virt:kvm_utils is enabled", "5": "openssl is signed with the Oracle Linux 8 key",
		"10": "openssl is earlier than 2:1.1.1g-15.el8_3", "13": "hivex is earlier than 0:1.3.18-21.module+el8.7.0+21037+8ee66348"} {
		text = strings.ReplaceAll(text, `:tst:`+test+`" comment="says anything"`, `:tst:`+test+`" comment="`+comment+`"`)
	}
	whole, findings, err := parseDoc(t, OracleOVAL, "", text)
	if err != nil || findings != nil {
		t.Fatal(err, findings)
	}
	cut := text[:strings.Index(text, "<tests>")] + "</oval_definitions>"
	commented, findings, err := parseDoc(t, OracleOVAL, "", cut)
	if err != nil || len(findings) != 1 || findings[0].Rule != "missing-tests" {
		t.Fatal(err, findings)
	}
	if d := cmp.Diff(encodeLines(t, whole), encodeLines(t, commented)); d != "" {
		t.Errorf("(-tests +comments):\n%s", d)
	}
	ksplice := oracleText(elsa("ELSA-2021-9151", "", and("1", "90", "91")))
	ksplice = strings.ReplaceAll(ksplice, `:tst:90" comment="says anything"`, `:tst:90" comment="openssl is earlier than 2:1-2"`)
	ksplice = strings.ReplaceAll(ksplice, `:tst:91" comment="says anything"`, `:tst:91" comment="openssl is ksplice-based"`)
	records, _, err := parseDoc(t, OracleOVAL, "", ksplice)
	want := []string{`Oracle Linux:8:ksplice openssl {"flavour":"ksplice"} <2:1-2`}
	if d := cmp.Diff(want, affectedLines(records)); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}
