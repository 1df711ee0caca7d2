package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/versioncmp"
)

func glsaText(affected string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE glsa SYSTEM "http://www.gentoo.org/dtd/glsa.dtd">
<glsa id="202401-01"><title>t</title><announced>2024-01-02</announced><revised count="2">2024-02-03</revised><affected>` +
		affected + `</affected></glsa>`
}

// Atoms, slots and revisions: what is affected is what a vulnerable atom
// matches and no unaffected one.
func TestGLSARanges(t *testing.T) {
	pkg := func(atoms string) string { return `<package name="a/b" auto="yes" arch="*">` + atoms + `</package>` }
	tests := []struct{ name, affected, want string }{
		{"lt", pkg(`<unaffected range="ge">1.33</unaffected><vulnerable range="lt">1.33</vulnerable>`), "[0,1.33)"},
		{"le", pkg(`<vulnerable range="le">1.33-r2</vulnerable>`), "[0,1.33-r2]"},
		{"all", pkg(`<vulnerable range="ge">0</vulnerable>`), "[0,)"},
		{"gt begins at the next revision", pkg(`<vulnerable range="gt">1.2-r9</vulnerable><unaffected range="ge">2</unaffected>`), "[1.2-r10,2)"},
		{"several unaffected", pkg(`<unaffected range="ge">2.0</unaffected><unaffected range="rge">1.5-r3</unaffected><vulnerable range="lt">2.0</vulnerable>`),
			"[0,1.5-r3)[1.5_p0,2.0)"},
		{"rgt", pkg(`<unaffected range="ge">1.9.7</unaffected><unaffected range="rgt">1.8.18</unaffected><vulnerable range="lt">1.9.7</vulnerable><vulnerable range="eq">0.1.1</vulnerable>`),
			"[1.8.18_p0,1.9.7)[0,1.8.18]"},
		{"rle", pkg(`<vulnerable range="rle">1.5-r3</vulnerable>`), "[1.5,1.5-r3]"},
		{"rlt", pkg(`<vulnerable range="rlt">1.5-r3</vulnerable>`), "[1.5,1.5-r3)"},
		{"rge", pkg(`<vulnerable range="rge">1.5-r3</vulnerable>`), "[1.5-r3,1.5_p0)"},
		{"eq wildcard", pkg(`<vulnerable range="lt">3</vulnerable><unaffected range="eq">2.9*</unaffected>`), "[0,2.9_alpha0)[2.10_alpha0,3)"},
		{"nothing is left", pkg(`<vulnerable range="lt">1</vulnerable><unaffected range="lt">2</unaffected>`), ""},
		{"slots", pkg(`<unaffected range="ge" slot="7.4">7.4.30</unaffected><unaffected range="ge" slot="8.0">8.0.23</unaffected>
			<vulnerable range="lt" slot="7.4">7.4.30</vulnerable><vulnerable range="lt" slot="8.0">8.0.23</vulnerable>`),
			`[0,7.4.30){"slot":"7.4"} [0,8.0.23){"slot":"8.0"}`},
		{"slot star is no slot", pkg(`<vulnerable range="lt" slot="*">2</vulnerable>`), "[0,2)"},
		{"a slot beside none", pkg(`<unaffected range="ge" slot="1">1.4</unaffected><unaffected range="ge">2</unaffected><vulnerable range="lt">2</vulnerable>`),
			`[0,1.4){"slot":"1"} [0,2){"not_slots":["1"]}`},
		{"arch", `<package name="a/b" arch="x86 amd64"><vulnerable range="lt">2</vulnerable></package>`, `[0,2){"arch":["amd64","x86"]}`},
		{"service", `<service type="infrastructure">x</service>`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := GLSA(Doc{Body: strings.NewReader(glsaText(tt.affected)), Report: func(f Finding) { t.Error(f) }}, func(r *Record) error {
				for _, a := range r.Affected {
					got = append(got, encodeRanges(a.Ranges)+string(a.EcosystemSpecific))
				}
				if f := Lint(r); len(f) > 0 {
					t.Errorf("%v", f)
				}
				return nil
			})
			if g := strings.Join(got, " "); err != nil || g != tt.want {
				t.Errorf("%s, %v, want %s", g, err, tt.want)
			}
		})
	}
}

// Both forms of <revised>, the dates of old advisories, candidates, entities.
func TestGLSAMetadata(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"new", `<announced>2022-09-28</announced><revised count="2">2022-09-29</revised>`,
			`{"database_specific":{"revision":2},"id":"GLSA-1","modified":"2022-09-29T00:00:00Z","published":"2022-09-28T00:00:00Z"`},
		{"old", `<announced>2014-01-05</announced><revised>2014-01-06: 1</revised>`,
			`{"id":"GLSA-1","modified":"2014-01-06T00:00:00Z","published":"2014-01-05T00:00:00Z"`},
		{"oldest", `<announced>January 08, 2004</announced><revised>May 22, 2006: 02</revised>`,
			`{"database_specific":{"revision":2},"id":"GLSA-1","modified":"2006-05-22T00:00:00Z","published":"2004-01-08T00:00:00Z"`},
		{"candidate", `<references><uri link="https://cve.mitre.org/x?name=CAN-2004-0001">CAN-2004-0001</uri></references>`,
			`{"id":"GLSA-1","references":[{"type":"WEB","url":"https://cve.mitre.org/x?name=CAN-2004-0001"},`},
		{"text", "<synopsis>Two\n  lines &amp; a\u00a0blank &nbsp; <i>in</i> one.</synopsis><description><p>A</p><p>B</p></description>",
			`{"details":"Two lines & a` + "\u00a0blank \u00a0 in one.\\n\\nA\\nB\",\"id\":\"GLSA-1\""},
	}
	for _, tt := range tests {
		got, findings, err := parseAll(t, GLSA, "x.xml", `<glsa id="1">`+tt.text+`</glsa>`)
		if err != nil || len(findings) > 0 || !strings.HasPrefix(got["GLSA-1"], tt.want) {
			t.Errorf("%s: %s, %v, %v\nwant %s…", tt.name, got["GLSA-1"], findings, err, tt.want)
		}
	}
}

func TestGLSAErrors(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "page": "<html></html>", "other": "<x/>", "cut": `<glsa id="1"><title>`, "no id": "<glsa></glsa>",
		"second root":     `<glsa id="1"></glsa><glsa id="2"></glsa>`,
		"declared entity": `<!DOCTYPE glsa [<!ENTITY x SYSTEM "file:///etc/hostname">]><glsa id="1"><title>&x;</title></glsa>`,
	} {
		if got, _, err := parseAll(t, GLSA, "x.xml", text); err == nil {
			t.Errorf("%s: no error, %v", name, got)
		}
	}
	_, findings, err := parseAll(t, GLSA, "x.xml", glsaText(`<package name="a/b" arch="*"><vulnerable range="xx">1</vulnerable><vulnerable range="lt">1.x</vulnerable><vulnerable range="eq">1.a*</vulnerable></package>`))
	if d := cmp.Diff([]string{"GLSA-202401-01: bad-range", "GLSA-202401-01: bad-range", "GLSA-202401-01: bad-range"}, findings); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}

// The six real advisories at hand: counts and the versions that decide.
func TestGLSAShared(t *testing.T) {
	affected := func(r *Record, pkg, slot, version string) bool {
		v, err := versioncmp.For(gentoo).Parse(version)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Affected {
			if a.Package.Name != pkg || slot != "" && !strings.Contains(string(a.EcosystemSpecific), fmt.Sprintf("%q", slot)) {
				continue
			}
			for _, rg := range a.Ranges {
				iv, ok := rg.intervals(gentoo)
				if !ok {
					t.Fatalf("%s: %v", r.ID, rg)
				}
				for _, i := range iv {
					s, err := parseSpan(versioncmp.For(gentoo), i)
					if err != nil {
						t.Fatal(err)
					}
					at := bound{version: v}
					end := at.compare(s.hi)
					if at.compare(s.lo) >= 0 && (end < 0 || end == 0 && i.LastAffected != "") {
						return true
					}
				}
			}
		}
		return false
	}
	got := map[string]*Record{}
	walkArchive(t, sharedtest.Path(t, "upstream", "day1", "anongit.gentoo.org", "git", "data", "glsa.git", "snapshot", "glsa-master.tar.gz"), func(d sharedDoc) {
		err := GLSA(Doc{Name: d.name, Body: strings.NewReader(string(d.data)), Report: func(f Finding) { t.Error(f) }}, func(r *Record) error {
			got[r.ID] = r
			for _, f := range Lint(r) {
				t.Error(f)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
	})
	if len(got) != 6 {
		t.Fatalf("%d records", len(got))
	}
	for _, tt := range []struct {
		id, pkg, slot, version string
		want                   bool
	}{
		{"GLSA-202209-20", "dev-lang/php", "8.0", "8.0.22-r1", true},
		{"GLSA-202209-20", "dev-lang/php", "8.0", "8.0.23", false},
		{"GLSA-202209-20", "dev-lang/php", "7.4", "7.4.30", false},
		{"GLSA-201709-09", "dev-vcs/subversion", "", "1.9.6", true},
		{"GLSA-201709-09", "dev-vcs/subversion", "", "1.8.18", true},
		{"GLSA-201709-09", "dev-vcs/subversion", "", "1.8.18-r1", false},
		{"GLSA-201709-09", "dev-vcs/subversion", "", "1.8.19", true},
		{"GLSA-201709-09", "dev-vcs/subversion", "", "1.9.7", false},
	} {
		if g := affected(got[tt.id], tt.pkg, tt.slot, tt.version); g != tt.want {
			t.Errorf("%s %s:%s %s: affected is %v", tt.id, tt.pkg, tt.slot, tt.version, g)
		}
	}
}

func FuzzGLSA(f *testing.F) {
	fuzzDocuments(f, GLSA, "x.xml", glsaText(`<package name="a/b" arch="*"><unaffected range="rge" slot="1">1.5-r3</unaffected><vulnerable range="lt">2*</vulnerable></package>`))
}
