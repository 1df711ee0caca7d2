package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// updateText is an updateinfo of one update.
func updateText(id, title, typ, rest, collection string) string {
	return `<?xml version="1.0"?><updates><update type="` + typ + `"><id>` + id + `</id><title>` + title + `</title>` + rest +
		`<references><reference href="https://cve.example/CVE-2024-1000" id="CVE-2024-1000" type="cve"/></references>` +
		`<pkglist>` + collection + `</pkglist></update></updates>`
}

func updatePkg(name, epoch, version, release, arch string) string {
	return fmt.Sprintf(`<package name=%q epoch=%q version=%q release=%q arch=%q><filename>x.rpm</filename></package>`, name, epoch, version, release, arch)
}

// ranges returns "ecosystem name [arch] introduced fixed" of each entry.
func rangeLines(tb testing.TB, records []*Record) []string {
	tb.Helper()
	var out []string
	for _, r := range records {
		for _, a := range r.Affected {
			line := r.ID + " " + a.Package.Ecosystem + " " + a.Package.Name + " " + string(a.EcosystemSpecific)
			for _, rg := range a.Ranges {
				for _, e := range rg.Events {
					line += " " + e.version()
				}
			}
			out = append(out, line)
		}
	}
	return out
}

// parseWhole returns what a parser emits, and the rules of its findings.
func parseWhole(tb testing.TB, p Parser, name, body string) (records []*Record, rules []string) {
	tb.Helper()
	err := p(Doc{Name: name, Body: strings.NewReader(body), Report: func(f Finding) { rules = append(rules, f.Rule) }}, func(r *Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return records, rules
}

func TestUpdateinfo(t *testing.T) {
	tests := []struct {
		name   string
		parser Parser
		doc    string
		text   string
		want   []string
		rules  []string
	}{
		{"epoch is written out, source packages are left out", AmazonUpdateinfo, "2/core.xml",
			updateText("ALAS2-2024-1", "x", "security", "", `<collection short="c">`+updatePkg("p", "", "1", "2", "x86_64")+updatePkg("p", "0", "1", "2", "src")+`</collection>`),
			[]string{`ALAS2-2024-1 Amazon Linux:2 p {"arch":["x86_64"]} 0 0:1-2`}, nil},
		{"only sources", AmazonUpdateinfo, "2/core.xml",
			updateText("ALAS2-2024-1", "x", "security", "", `<collection short="c">`+updatePkg("p", "3", "1", "2", "src")+`</collection>`),
			[]string{`ALAS2-2024-1 Amazon Linux:2 p {"arch":["src"]} 0 3:1-2`}, nil},
		{"an extras stream begins where its topic does", AmazonUpdateinfo, "2/extras/php8.0.xml",
			updateText("ALAS2PHP8.0-2024-1", "x", "security", "", `<collection short="c">`+updatePkg("php", "0", "8.0.30", "1", "x86_64")+updatePkg("php-pear", "1", "1.10", "1", "noarch")+`</collection>`),
			[]string{
				`ALAS2PHP8.0-2024-1 Amazon Linux:2 php {"arch":["x86_64"],"repository":"extras/php8.0"} 0:8.0 0:8.0.30-1`,
				`ALAS2PHP8.0-2024-1 Amazon Linux:2 php-pear {"arch":["noarch"],"repository":"extras/php8.0"} 0 1:1.10-1`,
			}, nil},
		{"6.1 is no stream of 6.12", AmazonUpdateinfo, "2023/core.xml",
			updateText("ALAS2023-2025-877", "x: important priority package update for kernel6.1", "security", "", `<collection short="c">`+updatePkg("bpftool", "1", "6.12.22", "1", "x86_64")+`</collection>`),
			[]string{`ALAS2023-2025-877 Amazon Linux:2023 bpftool {"arch":["x86_64"]} 0 1:6.12.22-1`}, nil},
		{"module streams", RockyUpdateinfo, "x.xml",
			updateText("RLSA-2024:1", "x", "security", "", `<collection short="rocky-linux-8-x86-64-appstream-rpms"><module name="nodejs" stream="18" version="8" context="c" arch="x86_64"/>`+updatePkg("nodejs", "1", "18.1", "1.module+el8", "x86_64")+`</collection>`+
				`<collection short="rocky-linux-8-aarch64-appstream-rpms"><module name="nodejs" stream="18" version="8" context="c" arch="aarch64"/>`+updatePkg("nodejs", "1", "18.1", "1.module+el8", "aarch64")+`</collection>`),
			[]string{`RLSA-2024:1 Rocky Linux:8 nodejs {"arch":["aarch64","x86_64"],"module":"nodejs:18"} 0 1:18.1-1.module+el8`}, nil},
		{"no release", AlmaLinuxUpdateinfo, "x.xml",
			updateText("ALSA-2024:1", "x", "security", "", `<collection short="other">`+updatePkg("p", "0", "1", "1", "x86_64")+`</collection>`),
			nil, []string{"no-release", "no-packages"}},
		{"a bug fix with a CVE counts", BottlerocketUpdateinfo, "updateinfo.xml",
			updateText("BRSA-abc", "x", "bugfix", "", `<collection short="b">`+updatePkg("p", "0", "1", "1", "x86_64")+`</collection>`),
			[]string{`BRSA-abc Bottlerocket p {"arch":["x86_64"]} 0 0:1-1`}, nil},
		{"a package without a version", BottlerocketUpdateinfo, "updateinfo.xml",
			updateText("BRSA-abc", "x", "security", `<issued date="tomorrow"/>`, `<collection short="b">`+updatePkg("p", "0", "", "1", "x86_64")+`</collection>`),
			nil, []string{"bad-time", "bad-package", "no-packages"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, rules := parseWhole(t, tt.parser, tt.doc, tt.text)
			if d := cmp.Diff(tt.want, rangeLines(t, records)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if d := cmp.Diff(tt.rules, rules); d != "" {
				t.Errorf("findings (-want +got):\n%s", d)
			}
			for _, r := range records {
				for _, f := range Lint(r) {
					if f.Rule != "modified" {
						t.Errorf("lint: %v", f)
					}
				}
			}
		})
	}
}

// Times of updateinfo have no zone, and seconds only at times.
func TestUpdateinfoTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2018-01-11 21:05":     "2018-01-11T21:05:00Z",
		"2023-04-13 17:56:00":  "2023-04-13T17:56:00Z",
		"2025-06-11T19:52:52Z": "2025-06-11T19:52:52Z",
		"2022-11-08":           "2022-11-08T00:00:00Z",
	} {
		records, _ := parseWhole(t, BottlerocketUpdateinfo, "x", updateText("BRSA-a", "x", "security", `<issued date="`+in+`"/>`, `<collection>`+updatePkg("p", "0", "1", "1", "x")+`</collection>`))
		if got := records[0].Published; got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestAmazonPage(t *testing.T) {
	for id, want := range map[string]string{
		"ALAS-2011-1":                "https://alas.aws.amazon.com/ALAS-2011-1.html",
		"ALAS2-2018-939":             "https://alas.aws.amazon.com/AL2/ALAS-2018-939.html",
		"ALAS2KERNEL-5.15-2022-001":  "https://alas.aws.amazon.com/AL2/ALASKERNEL-5.15-2022-001.html",
		"ALAS2023-2023-126":          "https://alas.aws.amazon.com/AL2023/ALAS-2023-126.html",
		"ALAS2023LIVEPATCH-2023-001": "https://alas.aws.amazon.com/AL2023/ALASLIVEPATCH-2023-001.html",
		"BRSA-x":                     "",
	} {
		if got := amazonPage(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// Real excerpts of all of Amazon's repositories and of those who publish in
// the same form: each update becomes a record with packages, without findings.
func TestUpdateinfoShared(t *testing.T) {
	const vdu = "amazon/fixtures/vdu/amazon/"
	for path, want := range map[string]struct {
		parser Parser
		doc    string
		ids    string
	}{
		vdu + "updateinfo_1.xml.gz":                     {AmazonUpdateinfo, "1/updates.xml", "ALAS-2011-1"},
		vdu + "updateinfo_2.xml.gz":                     {AmazonUpdateinfo, "2/core.xml", "ALAS2-2018-939"},
		vdu + "updateinfo_2_kernel-5.15.xml.gz":         {AmazonUpdateinfo, "2/extras/kernel-5.15.xml", "ALAS2KERNEL-5.15-2022-001"},
		vdu + "updateinfo_2023.xml.gz":                  {AmazonUpdateinfo, "2023/core.xml", "ALAS2023-2023-001"},
		vdu + "updateinfo_2023_kernel-livepatch.xml.gz": {AmazonUpdateinfo, "2023/kernel-livepatch.xml", "ALAS2023LIVEPATCH-2023-001"},
		vdu + "updateinfo_2023_nvidia.xml.gz":           {AmazonUpdateinfo, "2023/nvidia.xml", "ALAS2023NVIDIA-2025-001"},
		"bottlerocket/updateinfo/updateinfo.xml.gz":     {BottlerocketUpdateinfo, "updateinfo.xml", "BRSA-1bwujdrkn6nc BRSA-kdg8bd1th2gb"},
	} {
		t.Run(path, func(t *testing.T) {
			records, rules := parseWhole(t, want.parser, want.doc, sharedText(t, "corpus", path))
			var ids []string
			for _, r := range records {
				ids = append(ids, r.ID)
				if len(r.Affected) == 0 || len(r.Upstream) == 0 || r.Modified == "" {
					t.Errorf("%s: %d packages, upstream %v, modified %q", r.ID, len(r.Affected), r.Upstream, r.Modified)
				}
				if f := Lint(r); len(f) > 0 {
					t.Errorf("lint: %v", f)
				}
			}
			if got := strings.Join(ids, " "); got != want.ids || len(rules) > 0 {
				t.Errorf("%s, findings %v; want %s", got, rules, want.ids)
			}
		})
	}
	if err := AmazonUpdateinfo(Doc{Name: "2/core.xml", Body: strings.NewReader(sharedText(t, "corpus", vdu+"updateinfo_invalid_xml.xml.gz"))},
		func(*Record) error { return nil }); err == nil {
		t.Error("broken XML: no error")
	}
}

func TestUpdateinfoStreams(t *testing.T) {
	body := &generator{head: "<updates>", tail: "</updates>", n: 50_000, item: func(i int) string {
		return fmt.Sprintf(`<update type="security"><id>ALAS-2024-%d</id><description>%s</description><pkglist><collection>%s</collection></pkglist></update>`,
			i, strings.Repeat("x", 100), updatePkg("p", "0", "1", "1", "x86_64"))
	}}
	n, before := 0, uint64(0)
	err := AmazonUpdateinfo(Doc{Name: "1/updates.xml", Body: body}, func(*Record) error {
		switch n++; n {
		case 1000:
			before = liveHeap()
		case 49_000:
			if after := liveHeap(); after > before+1<<20 {
				t.Errorf("the heap grew by %d KiB", (after-before)>>10)
			}
		}
		return nil
	})
	if err != nil || n != 50_000 {
		t.Errorf("%d records, error %v", n, err)
	}
}

func FuzzUpdateinfo(f *testing.F) {
	fuzzDocuments(f, AmazonUpdateinfo, "2/extras/php8.0.xml",
		updateText("ALAS2-2024-1", "x package update for php8.0", "security", `<issued date="2018-01-11 21:05"/>`, `<collection short="c"><module name="a" stream="b"/>`+updatePkg("p", "(none)", "8.0.1", "2", "x86_64")+`</collection>`),
		"<updates/>", "<html>", "")
}

func BenchmarkUpdateinfo(b *testing.B) {
	one := strings.TrimSuffix(strings.TrimPrefix(updateText("ALAS2-2024-1", "x package update for php8.0", "security", `<issued date="2018-01-11 21:05"/><description>`+strings.Repeat("prose ", 100)+`</description>`,
		`<collection short="c">`+strings.Repeat(updatePkg("p", "0", "8.0.1", "2", "x86_64"), 20)+`</collection>`), `<?xml version="1.0"?><updates>`), "</updates>")
	text := "<updates>" + strings.Repeat(one, 500) + "</updates>"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := AmazonUpdateinfo(Doc{Name: "2/core.xml", Body: strings.NewReader(text)}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
