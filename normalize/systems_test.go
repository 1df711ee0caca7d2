package normalize

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// says is what a document says, short: affected entries and statements by ID.
func says(t *testing.T, p Parser, name, text string) (got map[string]string, findings []string) {
	t.Helper()
	all, findings, err := parseAll(t, p, name, text)
	if err != nil {
		t.Fatal(err)
	}
	got = map[string]string{}
	for id, text := range all {
		r, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, a := range r.Affected {
			parts = append(parts, a.Package.Ecosystem+" "+a.Package.Name+" "+encodeRanges(a.Ranges))
		}
		st, err := r.Statements()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range st {
			parts = append(parts, s.Ecosystem+" "+s.Package+" "+s.Status)
		}
		got[id] = strings.Join(parts, "; ")
		r.Modified = "2024-01-01T00:00:00Z" // the store gives it where a feed has none
		for _, f := range Lint(r) {
			t.Errorf("%s: %v", id, f)
		}
	}
	return got, findings
}

const echoText = `{"aardvark-dns":{},"firefox":{"CVE-2025-4091":{}},"firefox-esr":{"CVE-2025-4084":{"fixed_version":"0"},
	"CVE-2025-4091":{"fixed_version":"128.10.0esr-1~deb12u1"}},"linux":{"TEMP-0000000-F7A20F":{"fixed_version":"1"},"x":{},"CVE-2025-4092":7}}`

// No fixed version is unfixed, "0" never affected; Debian's TEMP IDs.
func TestEcho(t *testing.T) {
	got, findings := says(t, Echo, "data.json", echoText)
	want := map[string]string{
		"ECHO-CVE-2025-4084":       "Echo firefox-esr not_affected",
		"ECHO-CVE-2025-4091":       "Echo firefox [0,); Echo firefox-esr [0,128.10.0esr-1~deb12u1)",
		"ECHO-TEMP-0000000-F7A20F": "Echo linux [0,1)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(findings) != 2 {
		t.Errorf("findings %q", findings)
	}
	got, findings = says(t, Echo, "data.json", sharedText(t, "corpus", "echo", "fixtures", "vunnel", "echo", "input", "echo-advisories", "data.json"))
	if len(got) != 25 || len(findings) > 0 {
		t.Errorf("%d records, %v", len(got), findings)
	}
}

const rootText = `{"debian":[{"distroversion":"12","packages":[{"pkg":{"name":"libxml2","cves":{"CVE-2022-49043":{
	"vulnerable_ranges":["<2.9.14+dfsg-1.3~deb12u1.root.io.3",">2.9.14+dfsg-1.3~deb12u1.root.io.3 <2.9.14+dfsg-1.3~deb12u2"],"severity":"MEDIUM"},
	"CVE-2022-1":{"vulnerable_ranges":["~1"]},"x":{}}}}]}],"alpine":[{"distroversion":"3.17","packages":[{"pkg":{"name":"a","cves":{"CVE-2023-46853":{"vulnerable_ranges":["<1.6.17-r00071"]}}}}]}]}`

func TestRoot(t *testing.T) {
	got, findings := says(t, Root, "cve_feed.json", rootText)
	want := map[string]string{
		"ROOT-CVE-2022-49043": "Root:Debian:12 libxml2 [0,2.9.14+dfsg-1.3~deb12u1.root.io.3)[2.9.14+dfsg-1.3~deb12u1.root.io.4,2.9.14+dfsg-1.3~deb12u2)",
		"ROOT-CVE-2022-1":     "Root:Debian:12 libxml2 under_investigation",
		"ROOT-CVE-2023-46853": "Root:Alpine:3.17 a [0,1.6.17-r00071)",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Root:Debian:12/libxml2/CVE-2022-1: bad-range", "Root:Debian:12/libxml2: unusable-id"}, findings); d != "" {
		t.Error(d)
	}
	for _, path := range []string{"vdu/rootio/happy/cve_feed", "vuln-list-update/rootio/happy/cve_feed.json"} {
		text := sharedText(t, "corpus", "rootio", "fixtures", path)
		got, findings := says(t, Root, "cve_feed.json", text)
		if len(got) != strings.Count(text, `"CVE-`) || len(findings) > 0 {
			t.Errorf("%s: %d records, %v", path, len(got), findings)
		}
	}
}

// What follows a version is above it, and not above what anyone builds next.
func TestAfterRoot(t *testing.T) {
	for _, tt := range []struct{ distribution, version, next string }{
		{"debian", "1.2-3.root.io.9", "1.2-3.root.io.10"},
		{"debian", "1.2-3", "1.2-3a"},
		{"debian", "1.2-3", "1.2-3+deb12u1"},
		{"debian", "1.2-3", "1.2-4"},
		{"ubuntu", "1.2-3a", "1.2-3a1"},
		{"ubuntu", "1.2-3a", "1.2-3b"},
		{"alpine", "1.2-r3", "1.2-r4"},
		{"alpine", "1.2", "1.2-r1"},
	} {
		eco := "Root:" + rootNames[tt.distribution]
		got := afterRoot(tt.distribution, tt.version)
		iv := Interval{Introduced: got, Fixed: "999"}
		r := Ranges(Ecosystem, eco, []Interval{{Introduced: "0", LastAffected: tt.version}, iv})
		if encodeRanges(r) != "[0,"+tt.version+"]["+got+",999)" && encodeRanges(r) != "["+got+",999)[0,"+tt.version+"]" {
			t.Errorf("%s: %s is not above %s: %s", tt.distribution, got, tt.version, encodeRanges(r))
		}
		if between := encodeRanges(Ranges(Ecosystem, eco, []Interval{iv, {Introduced: tt.next, Fixed: "999"}})); between != "["+got+",999)" {
			t.Errorf("%s: %s is above %s: %s", tt.distribution, got, tt.next, between)
		}
	}
}

func TestMageia(t *testing.T) {
	r := parseOne(t, Mageia, `{"id":"MGASA-2025-0124","related":["CVE-2024-56161","MGASA-1"],"affected":[]}`)
	if d := cmp.Diff([]string{"CVE-2024-56161"}, r.Upstream); d != "" {
		t.Error(d)
	}
}

func parseOne(t *testing.T, p Parser, text string) (r *Record) {
	t.Helper()
	if err := p(Doc{Body: strings.NewReader(text)}, func(got *Record) error { r = got; return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}

// Ecosystems that are another distribution's or nobody's are CleanStart's own,
// and marked; a version that apk would refuse stays, and is found.
func TestCleanStart(t *testing.T) {
	for _, eco := range []string{"Alpine", "clnstrt"} {
		text := `{"id":"CLEANSTART-2026-AA1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"` + eco + `","name":"redis"},
			"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"7.4.6-r0"}]}]}]}`
		got, findings := says(t, CleanStart, "x.json", text)
		if d := cmp.Diff(map[string]string{"CLEANSTART-2026-AA1": "CleanStart redis [0,7.4.6-r0)"}, got); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"CLEANSTART-2026-AA1: ecosystem"}, findings); d != "" {
			t.Error(d)
		}
		r := parseOne(t, CleanStart, text)
		if s := string(r.Affected[0].DatabaseSpecific); s != `{"ecosystem":"`+eco+`"}` {
			t.Error(s)
		}
	}
	got, findings := says(t, CleanStart, "x.json", `{"id":"CLEANSTART-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"CleanStart","name":"a"},
		"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.5.2:r0"}]}]}]}`)
	if d := cmp.Diff([]string{"CLEANSTART-1: bad-version"}, findings); d != "" || got["CLEANSTART-1"] != "CleanStart a [0,3.5.2:r0)" {
		t.Error(d, got)
	}
}

const eolText = `{"schema_version":"1.2.0","total":1,"result":[{"name":"debian","label":"Debian","category":"os","identifiers":[{"type":"cpe","id":"cpe:2.3:o:debian:debian_linux"},{"type":"purl","id":"pkg:os/debian"}],
	"releases":[{"name":"12","codename":"Bookworm","label":"12 (Bookworm)","releaseDate":"2023-06-10","isLts":false,"ltsFrom":null,"isEoas":null,"isEol":true,"eolFrom":"2026-07-11","isEoes":false,"eoesFrom":"2028-06-30","isMaintained":true,"latest":{"name":"12.15","date":"2026-07-11","link":null},"custom":null},
	{"name":"sid","releaseDate":null,"isLts":false,"isEol":false,"eolFrom":null,"latest":null},{"name":"12"},{"name":""}]}]}`

func TestEndOfLifeDates(t *testing.T) {
	got, findings, err := parseAll(t, EndOfLifeDates, "full.json", eolText)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"debian@12": `{"database_specific":{"category":"os","codename":"Bookworm","cpes":["cpe:2.3:o:debian:debian_linux"],"eoes_from":"2028-06-30","eol_from":"2026-07-11","label":"12 (Bookworm)",` +
			`"latest":{"date":"2026-07-11","name":"12.15"},"product":"Debian","purls":["pkg:os/debian"],"release":"12","released":"2023-06-10"},"id":"debian@12"}`,
		"debian@sid": `{"database_specific":{"category":"os","cpes":["cpe:2.3:o:debian:debian_linux"],"eol":false,"product":"Debian","purls":["pkg:os/debian"],"release":"sid"},"id":"debian@sid"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"debian@12: duplicate", "debian@: bad-id"}, findings); d != "" {
		t.Error(d)
	}
	for _, text := range []string{`{}`, `{"total":2,"result":[]}`, `{"result":{}}`, eolText + "{}"} {
		if _, _, err := parseAll(t, EndOfLifeDates, "full.json", text); err == nil {
			t.Errorf("%.40s: no error", text)
		}
	}
	text := sharedText(t, "corpus", "endoflife", "MaineK00n+vuls-data-update", "pkg", "fetch", "endoflife-date", "api", "testdata", "fixtures", "happy", "full")
	got, findings, err = parseAll(t, EndOfLifeDates, "full.json", text)
	if err != nil || len(findings) > 0 || len(got) != strings.Count(text, `"releaseDate"`) {
		t.Errorf("%d rows, %v, %v", len(got), findings, err)
	}
}

func bodhiText(status, prefix, version, builds string) string {
	return `{"alias":"FEDORA-2023-1","title":"t","notes":"see cve-2024-1111","status":"` + status + `","severity":"high","url":"https://a.example/",
	"date_stable":"2023-11-23 12:33:36","date_modified":"2023-11-24 00:00:00","release":{"name":"X","version":"` + version + `","id_prefix":"` + prefix + `"},
	"bugs":[{"bug_id":7,"title":"CVE-2024-2222 CVE-2024-3333 ... a: various flaws [fedora-all]"},{"bug_id":8,"title":"CVE-2024-2222 a [fedora-38]"}],"builds":[` + builds + `]}`
}

// IDs come from titles and notes; only what is stable; epochs; what is no RPM.
func TestBodhi(t *testing.T) {
	rpm := `{"nvr":"a-b-1.2-3.fc38","type":"rpm","epoch":0},{"nvr":"dovecot-2.3.9.2-1.fc31","type":"rpm","epoch":1}`
	for _, tt := range []struct{ name, text, want string }{
		{"stable", bodhiText("stable", "FEDORA", "38", rpm), "Fedora:38 a-b [0,1.2-3.fc38); Fedora:38 dovecot [0,1:2.3.9.2-1.fc31)"},
		{"epel", bodhiText("stable", "FEDORA-EPEL", "7", rpm), "EPEL:7 a-b [0,1.2-3.fc38); EPEL:7 dovecot [0,1:2.3.9.2-1.fc31)"},
		{"testing", bodhiText("testing", "FEDORA", "38", rpm), "no record"},
		{"unpushed", bodhiText("unpushed", "FEDORA", "38", rpm), "no record"},
		{"module", bodhiText("stable", "FEDORA-MODULAR", "38", `{"nvr":"mysql-8.0-3820230907003352.75741a8b","type":"module"}`), ""},
		{"flatpak", bodhiText("stable", "FEDORA-FLATPAK", "38", `{"nvr":"firefox-stable-1.1","type":"flatpak"}`), ""},
	} {
		got, findings := says(t, Bodhi, "x.json", tt.text)
		g, ok := got["FEDORA-2023-1"]
		if !ok {
			g = "no record"
		}
		if g != tt.want || len(findings) > 0 {
			t.Errorf("%s: %s, %v, want %s", tt.name, g, findings, tt.want)
		}
	}
	r := parseOne(t, Bodhi, bodhiText("stable", "FEDORA-MODULAR", "38", `{"nvr":"mysql-8.0-1.x","type":"module"}`))
	if d := cmp.Diff([]string{"CVE-2024-1111", "CVE-2024-2222", "CVE-2024-3333"}, r.Upstream); d != "" {
		t.Error(d)
	}
	if s := string(r.DatabaseSpecific); s != `{"builds":["mysql-8.0-1.x"],"severity":"high"}` {
		t.Error(s)
	}
	if r.Published != "2023-11-23T12:33:36Z" || r.Modified != "2023-11-24T00:00:00Z" {
		t.Error(r.Published, r.Modified)
	}
	_, findings := says(t, Bodhi, "x.json", bodhiText("stable", "FEDORA", "38", `{"nvr":"a-1","type":"rpm"},{"nvr":"a--1","type":"rpm"},{"nvr":"-1-1","type":"rpm"}`))
	if len(findings) != 3 {
		t.Errorf("%q", findings)
	}
}

func TestBodhiShared(t *testing.T) {
	for file, want := range map[string]string{
		"F38": "", "F38C": "", "F38F": "FEDORA-FLATPAK-2023-91f636af1c ", "F38M": "FEDORA-MODULAR-2023-5b8a7bde59 ", "F29C": "FEDORA-CONTAINER-2019-8b04b1c212 ",
		"F40": "FEDORA-2023-91e69ea326 Fedora:40 rubygem-rails-html-sanitizer [0,1.6.0-1.fc40)",
	} {
		var updates []jsontext.Value
		if err := json.Unmarshal([]byte(sharedText(t, "corpus", "fedora", "fixtures", "vdu", "fedora-api", "updates", file+".json")), &updates); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, u := range updates {
			got, findings := says(t, Bodhi, "x.json", string(u))
			for id, s := range got {
				all = append(all, id+" "+s)
			}
			if len(findings) > 0 {
				t.Error(findings)
			}
		}
		slices.Sort(all)
		if g := strings.Join(all, "\n"); g != want {
			t.Errorf("%s: %q, want %q", file, g, want)
		}
	}
}

func pkgsrcText(lines string) string {
	return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\n# $NetBSD$\n#FORMAT 1.1.0\n" + lines +
		"#CHECKSUM SHA1 40f3\n-----BEGIN PGP SIGNATURE-----\n\niQIc\n-----END PGP SIGNATURE-----\n"
}

func TestPkgVulnerabilities(t *testing.T) {
	const url = "https://nvd.nist.gov/vuln/detail/CVE-2024-1234"
	tests := []struct{ pattern, want string }{
		{"cfengine<1.5.3nb3", "cfengine [0,1.5.3nb3)"},
		{"a>=1<1.2", "a [1,1.2)"},
		{"a>1.2nb3<=1.4", "a [1.2nb4,1.4]"},
		{"a>1.2", "a [1.2nb1,)"},
		{"a-[0-9]*", "a [0,)"},
		{"a-b-1.2nb3", "a-b [1.2nb3,1.2nb3]"},
		{"{a,b-c}<1", "a [0,1); NetBSD:pkgsrc b-c [0,1)"},
		{"py{27,3{8,9}}-x<1", "py27-x [0,1); NetBSD:pkgsrc py38-x [0,1); NetBSD:pkgsrc py39-x [0,1)"},
	}
	for _, tt := range tests {
		got, findings := says(t, PkgVulnerabilities, "pkg-vulnerabilities", pkgsrcText(tt.pattern+"\tdenial-of-service\t"+url+"\n"))
		if g := got["NETBSD-CVE-2024-1234"]; g != "NetBSD:pkgsrc "+tt.want || len(findings) > 0 || len(got) != 1 {
			t.Errorf("%s: %v, %v, want %s", tt.pattern, got, findings, tt.want)
		}
	}
	for _, bad := range []string{"a-1.[0-4]", "a", "a<1<2", "{a<1", "a}<1", "a-1 x", "a<", "<1", strings.Repeat("{a,b}", 12) + "<1", "p5-*<1"} {
		got, findings := says(t, PkgVulnerabilities, "x", pkgsrcText(bad+" t "+url+"\n"))
		if len(got) > 0 || len(findings) != 1 {
			t.Errorf("%s: %v, %v", bad, got, findings)
		}
	}
}

// A line without a CVE, an end of life, one address on several lines, and what
// is not the whole of the list.
func TestPkgVulnerabilitiesList(t *testing.T) {
	got, findings := says(t, PkgVulnerabilities, "x", pkgsrcText("- -x<1 t https://a.example/1\nb<1 t https://a.example/1\nphp53-[0-9]* eol https://a.example/eol\n"))
	want := map[string]string{
		"NETBSD-" + pkgsrcID("https://a.example/1"):   "NetBSD:pkgsrc -x [0,1); NetBSD:pkgsrc b [0,1)",
		"NETBSD-" + pkgsrcID("https://a.example/eol"): "NetBSD:pkgsrc php53 end_of_life",
	}
	if d := cmp.Diff(want, got); d != "" || len(findings) > 0 {
		t.Error(d, findings)
	}
	whole := pkgsrcText("a<1 t https://a.example/1\n")
	for name, text := range map[string]string{
		"cut": whole[:len(whole)-10], "no checksum": "#FORMAT 1.1.0\na<1 t u:x\n", "no format": "a<1 t u:x\n", "only comments": "# x\n",
		"format 2": strings.Replace(whole, "1.1.0", "2.0.0", 1), "page": "<html>",
	} {
		if got, _, err := parseAll(t, PkgVulnerabilities, "x", text); err == nil {
			t.Errorf("%s: no error, %v", name, got)
		}
	}
	got, findings = says(t, PkgVulnerabilities, "x", sharedText(t, "corpus", "netbsd", "fixtures", "vdu", "netbsd", "pkg-vulnerabilities"))
	if len(got) != 2 || len(findings) > 0 {
		t.Errorf("%v, %v", got, findings)
	}
}

func FuzzEcho(f *testing.F)       { fuzzDocuments(f, Echo, "data.json", echoText) }
func FuzzRoot(f *testing.F)       { fuzzDocuments(f, Root, "cve_feed.json", rootText) }
func FuzzEndOfLife(f *testing.F)  { fuzzDocuments(f, EndOfLifeDates, "full.json", eolText) }
func FuzzCleanStart(f *testing.F) { fuzzDocuments(f, CleanStart, "x.json", osvSeed) }
func FuzzBodhi(f *testing.F) {
	fuzzDocuments(f, Bodhi, "x.json", bodhiText("stable", "FEDORA", "38", `{"nvr":"a-1-2","type":"rpm","epoch":1}`))
}
func FuzzPkgVulnerabilities(f *testing.F) {
	fuzzDocuments(f, PkgVulnerabilities, "x", pkgsrcText("{a,b}>1<2nb1 t https://a.example/\na-[0-9]* eol x:y\n"))
}

// Feeds of the systems are read in bounded memory.
func TestSystemsStream(t *testing.T) {
	comma := func(i int) string { return map[bool]string{true: "", false: ","}[i == 1] }
	tests := []struct {
		doc    string
		parser Parser
		body   *generator
	}{
		{"all.json", ArchAVG, &generator{head: "[", tail: "]", n: 200_000, item: func(i int) string {
			return fmt.Sprintf(`%s{"name":"AVG-%d","packages":["p"],"status":"Fixed","fixed":"1-%d","issues":["CVE-2024-%d"]}`, comma(i), i, i, 10000+i)
		}}},
		{"data.json", Echo, &generator{head: "{", tail: "}", n: 200_000, item: func(i int) string {
			return fmt.Sprintf(`%s"p%d":{"CVE-2024-%d":{}}`, comma(i), i, 10000+i)
		}}},
		{"pkg-vulnerabilities", PkgVulnerabilities, &generator{head: "#FORMAT 1.1.0\n", tail: "#CHECKSUM SHA1 x\n", n: 200_000, item: func(i int) string {
			return fmt.Sprintf("p%d<1.%d t https://a.example/%d\n", i, i, i)
		}}},
		{"vuln.xml", VuXML, &generator{head: "<vuxml>", tail: "</vuxml>", n: 200_000, item: func(i int) string {
			return fmt.Sprintf(`<vuln vid="%08x-bfc2-11f0-bb2b-ecf4bbefc954"><topic>t</topic></vuln>`, i)
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.doc, func(t *testing.T) {
			n, before := 0, uint64(0)
			err := tt.parser(Doc{Name: tt.doc, Body: tt.body}, func(*Record) error {
				switch n++; n {
				case 1000:
					before = liveHeap()
				case 199_000:
					if after := liveHeap(); after > before+1<<20 {
						t.Errorf("the heap grew by %d KiB", (after-before)>>10)
					}
				}
				return nil
			})
			if err != nil || n != 200_000 {
				t.Errorf("%d records, error %v", n, err)
			}
		})
	}
}

// parseFirst returns the first record of a document.
func parseFirst(t *testing.T, p Parser, name, text string) (first *Record) {
	t.Helper()
	err := p(Doc{Name: name, Body: strings.NewReader(text)}, func(r *Record) error {
		if first == nil {
			first = r
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return first
}
