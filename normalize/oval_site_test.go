package normalize

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// altText is OVAL as ALT writes it: the release is a test of text in a file.
const altText = `<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"><definitions>
<definition id="oval:org.altlinux.errata:def:202412341" version="1" class="patch"><metadata><title>ALT-PU-2024-1234: package curl update to version 8.9.1-alt1</title>
<reference ref_id="ALT-PU-2024-1234" ref_url="https://errata.altlinux.org/ALT-PU-2024-1234" source="ALTPU"/>
<reference ref_id="BDU:2024-05962" ref_url="https://bdu.fstec.ru/vul/2024-05962" source="BDU"/>
<reference ref_id="CVE-2024-7264" ref_url="https://nvd.nist.gov/vuln/detail/CVE-2024-7264" source="CVE"/>
<description>Fixed.</description><advisory from="errata.altlinux.org"><severity>Low</severity><issued date="2024-08-01"/><updated date="2024-08-02"/></advisory></metadata>
<criteria operator="AND"><criterion test_ref="oval:org.altlinux.errata:tst:1" comment="ALT Linux must be installed"/>
<criteria operator="OR"><criterion test_ref="oval:org.altlinux.errata:tst:2" comment="curl is earlier than 0:8.9.1-alt1"/><criterion test_ref="oval:org.altlinux.errata:tst:3" comment="libcurl is earlier than 0:8.9.1-alt1"/></criteria></criteria></definition>
<definition id="oval:x:def:2" class="inventory"><metadata><title>i</title></metadata><criteria><criterion test_ref="oval:org.altlinux.errata:tst:1"/></criteria></definition>
<definition id="oval:x:def:3" class="vulnerability"><metadata><title>v</title><reference ref_id="CVE-2024-1111" ref_url="https://a.example/" source="CVE"/></metadata><criteria><criterion test_ref="oval:org.altlinux.errata:tst:2"/></criteria></definition>
</definitions><tests>
<textfilecontent54_test id="oval:org.altlinux.errata:tst:1" check="all"><object object_ref="oval:org.altlinux.errata:obj:1"/><state state_ref="oval:org.altlinux.errata:ste:1"/></textfilecontent54_test>
<rpminfo_test id="oval:org.altlinux.errata:tst:2" check="all"><object object_ref="oval:org.altlinux.errata:obj:2"/><state state_ref="oval:org.altlinux.errata:ste:2"/></rpminfo_test>
<rpminfo_test id="oval:org.altlinux.errata:tst:3" check="all"><object object_ref="oval:org.altlinux.errata:obj:3"/><state state_ref="oval:org.altlinux.errata:ste:2"/></rpminfo_test>
</tests><objects>
<textfilecontent54_object id="oval:org.altlinux.errata:obj:1"><filepath>/etc/os-release</filepath><pattern operation="pattern match">cpe</pattern></textfilecontent54_object>
<rpminfo_object id="oval:org.altlinux.errata:obj:2"><name>curl</name></rpminfo_object><rpminfo_object id="oval:org.altlinux.errata:obj:3"><name>libcurl</name></rpminfo_object>
</objects><states>
<textfilecontent54_state id="oval:org.altlinux.errata:ste:1"><subexpression operation="pattern match">10</subexpression></textfilecontent54_state>
<rpminfo_state id="oval:org.altlinux.errata:ste:2"><evr datatype="evr_string" operation="less than">0:8.9.1-alt1</evr></rpminfo_state>
</states></oval_definitions>`

func TestALTLinux(t *testing.T) {
	got, findings := says(t, ALTLinux, "p10/ALT-PU-2024-1234.xml", altText)
	want := map[string]string{
		"ALT-PU-2024-1234":  "ALT Linux:p10 curl [0,0:8.9.1-alt1); ALT Linux:p10 libcurl [0,0:8.9.1-alt1)",
		"ALT-CVE-2024-1111": "ALT Linux:p10 curl [0,0:8.9.1-alt1)",
	}
	if d := cmp.Diff(want, got); d != "" || len(findings) > 0 {
		t.Error(d, findings)
	}
	r := parseFirst(t, ALTLinux, "p10/x.xml", altText)
	if d := cmp.Diff([]string{"CVE-2024-7264"}, r.Upstream); d != "" || r.Published != "2024-08-01T00:00:00Z" || r.Modified != "2024-08-02T00:00:00Z" {
		t.Error(d, r.Published, r.Modified)
	}
	if d := cmp.Diff([]string{"BDU:2024-05962"}, r.Related); d != "" {
		t.Error(d)
	}
}

func FuzzALTLinux(f *testing.F) { fuzzDocuments(f, ALTLinux, "p10/x.xml", altText) }
