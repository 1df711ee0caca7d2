package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const vuxmlVID = "6e1105d8-bfc2-11f0-bb2b-ecf4bbefc954"

func vuxmlText(members string) string {
	return `<?xml version="1.0"?><!DOCTYPE vuxml PUBLIC "-//vuxml.org//DTD VuXML 1.1//EN" "x" [<!ENTITY vuln-2003 SYSTEM "vuln-2003.xml">]>
<vuxml xmlns="http://www.vuxml.org/apps/vuxml-1"><vuln vid="` + vuxmlVID + `">` + members + `</vuln></vuxml>`
}

func TestVuXML(t *testing.T) {
	affects := func(s string) string { return `<affects>` + s + `</affects>` }
	tests := []struct{ name, members, want string }{
		{"range", affects(`<package><name>a</name><range><ge>8.2.0</ge><lt>8.2.3</lt></range></package>`), "FreeBSD:ports a [8.2.0,8.2.3)"},
		{"epoch", affects(`<package><name>a</name><range><lt>142.0.0,2</lt></range></package>`), "FreeBSD:ports a [0,142.0.0,2)"},
		{"several names and ranges", affects(`<package><name>a</name><name>b</name><range><ge>1</ge><lt>1.2</lt></range><range><ge>2</ge><lt>2.3</lt></range></package>`),
			"FreeBSD:ports a [1,1.2)[2,2.3); FreeBSD:ports b [1,1.2)[2,2.3)"},
		{"a port twice", affects(`<package><name>t</name><range><lt>142.0.0</lt></range></package><package><name>t</name><range><lt>140.2.0</lt></range></package>`),
			"FreeBSD:ports t [0,142.0.0)"},
		{"gt", affects(`<package><name>a</name><range><gt>1.2_3,1</gt><le>1.4,1</le></range></package>`), "FreeBSD:ports a [1.2_4,1,1.4,1]"},
		{"gt without revision", affects(`<package><name>a</name><range><gt>1.2</gt></range></package>`), "FreeBSD:ports a [1.2_1,)"},
		{"all", affects(`<package><name>a</name><range><gt>0</gt></range></package>`), "FreeBSD:ports a [0,)"},
		{"eq", affects(`<package><name>a</name><range><eq>1.2</eq></range></package>`), "FreeBSD:ports a [1.2,1.2]"},
		{"system", affects(`<package><name>FreeBSD</name><range><ge>14.3</ge><lt>14.3_2</lt></range></package><package><name>FreeBSD-kernel</name><range><ge>13.2</ge><lt>13.2_4</lt></range></package>`),
			"FreeBSD:base FreeBSD [14.3,14.3_2); FreeBSD:kernel FreeBSD-kernel [13.2,13.2_4)"},
		{"entry about nothing", `<topic>x</topic>`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := VuXML(Doc{Body: strings.NewReader(vuxmlText(tt.members)), Report: func(f Finding) { t.Error(f) }}, func(r *Record) error {
				r.Modified = "2024-01-01T00:00:00Z"
				for _, a := range r.Affected {
					got = append(got, a.Package.Ecosystem+" "+a.Package.Name+" "+encodeRanges(a.Ranges))
				}
				for _, f := range Lint(r) {
					t.Error(f)
				}
				return nil
			})
			if g := strings.Join(got, "; "); err != nil || g != tt.want {
				t.Errorf("%s, %v\nwant %s", g, err, tt.want)
			}
		})
	}
}

// A cancelled entry makes no record, an empty <url> no reference; dates and
// references of every kind; what cannot be used is reported.
func TestVuXMLEntries(t *testing.T) {
	got, findings, err := parseAll(t, VuXML, "vuln.xml", vuxmlText(`<cancelled superseded="`+vuxmlVID+`"/>`))
	if len(got) > 0 || len(findings) > 0 || err != nil {
		t.Errorf("cancelled: %v, %v, %v", got, findings, err)
	}
	got, findings, err = parseAll(t, VuXML, "vuln.xml", vuxmlText(`<topic>a &lt; 2 -- b</topic><references><cvename>CVE-2025-62507</cvename>
		<cvename>2025</cvename><url></url><url>https://a.example/x</url><freebsdsa>SA-23:19.openssh</freebsdsa><freebsdpr>ports/12345</freebsdpr><bid>7</bid><certsa>CA-2004-01</certsa></references>
		<dates><discovery>2025-11-01</discovery><entry>2025-11-02</entry><modified>2025-11-03</modified></dates>`))
	want := `{"database_specific":{"discovery":"2025-11-01","references":["certsa:CA-2004-01"]},"id":"VUXML-` + vuxmlVID + `","modified":"2025-11-03T00:00:00Z",` +
		`"published":"2025-11-02T00:00:00Z","references":[{"type":"WEB","url":"https://a.example/x"},` +
		`{"type":"ADVISORY","url":"https://www.freebsd.org/security/advisories/FreeBSD-SA-23:19.openssh.asc"},{"type":"REPORT","url":"https://bugs.freebsd.org/12345"},` +
		`{"type":"WEB","url":"https://www.securityfocus.com/bid/7"},{"type":"ADVISORY","url":"https://vuxml.freebsd.org/freebsd/` + vuxmlVID + `.html"}],` +
		`"summary":"a < 2 -- b","upstream":["CVE-2025-62507"]}`
	if d := cmp.Diff(want, got["VUXML-"+vuxmlVID]); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	if d := cmp.Diff([]string{"VUXML-" + vuxmlVID + ": bad-id"}, findings); d != "" {
		t.Error(d)
	}
	_, findings, err = parseAll(t, VuXML, "vuln.xml", vuxmlText(`<affects><package><name>a</name></package><package><name>p-*</name><range><lt>1</lt></range></package>
		<package><name>a</name><range><near>1</near></range><range><lt/></range></package></affects><dates><entry>yesterday</entry></dates>`))
	id := "VUXML-" + vuxmlVID
	if d := cmp.Diff([]string{id + ": no-range", id + ": bad-name", id + ": bad-range", id + ": bad-range", id + ": bad-time"}, findings); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}

// Entities are never looked up: the source form of the feed, in which they
// stand for whole years, is refused and not taken for a feed without them.
func TestVuXMLEntities(t *testing.T) {
	for _, text := range []string{
		strings.Replace(vuxmlText(""), "</vuxml>", "&vuln-2003;</vuxml>", 1),
		`<!DOCTYPE vuxml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><vuxml><vuln vid="x"><topic>&b;</topic></vuln></vuxml>`,
		`<!DOCTYPE vuxml [<!ENTITY e SYSTEM "file:///etc/hostname">]><vuxml><vuln vid="x"><topic>&e;</topic></vuln></vuxml>`,
	} {
		if got, _, err := parseAll(t, VuXML, "vuln.xml", text); err == nil || !strings.Contains(err.Error(), "entity") {
			t.Errorf("%v, error %v", got, err)
		}
	}
}

func TestVuXMLShared(t *testing.T) {
	got, findings, err := parseAll(t, VuXML, "vuln.xml", sharedText(t, "upstream", "day1", "vuxml.freebsd.org", "freebsd", "vuln.xml.bz2"))
	if err != nil || len(findings) > 0 || len(got) != 1 {
		t.Errorf("%d records, %v, %v", len(got), findings, err)
	}
	text := "<vuxml>" + sharedText(t, "corpus", "freebsd", "vuxml-2025-excerpt", "2025.first-entries.xml") + "</vuxml>"
	got, findings, err = parseAll(t, VuXML, "vuln.xml", text)
	if want := strings.Count(text, "<vuln "); err != nil || len(findings) > 0 || len(got) != want {
		t.Errorf("%d records, want %d, %v, %v", len(got), want, findings, err)
	}
}

func FuzzVuXML(f *testing.F) {
	fuzzDocuments(f, VuXML, "vuln.xml", vuxmlText(`<topic>x</topic><affects><package><name>a</name><range><gt>1_2,3</gt><le>2</le></range></package></affects>`), vuxmlText(`<cancelled/>`))
}

func BenchmarkVuXML(b *testing.B) {
	var text strings.Builder
	text.WriteString("<vuxml>")
	for i := range 2000 {
		fmt.Fprintf(&text, `<vuln vid="%08x-bfc2-11f0-bb2b-ecf4bbefc954"><topic>a -- b</topic><affects><package><name>port%d</name><range><ge>1</ge><lt>1.%d</lt></range></package></affects>
<description><body xmlns="http://www.w3.org/1999/xhtml"><p>Someone reports:</p><blockquote cite="https://a.example/"><p>%s</p></blockquote></body></description>
<references><cvename>CVE-2024-%d</cvename><url>https://a.example/%d</url></references><dates><discovery>2024-01-01</discovery><entry>2024-01-02</entry></dates></vuln>`,
			i, i, i, strings.Repeat("Some words of prose that go on. ", 20), 10000+i, i)
	}
	text.WriteString("</vuxml>")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := VuXML(Doc{Body: strings.NewReader(text.String())}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
