package normalize

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestOSV(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"byte order mark", "\ufeff" + `{"id":"X"}`, `{"id":"X"}`},
		{"invalid UTF-8", "{\"id\":\"X\",\"summary\":\"a\xffb\"}", "{\"id\":\"X\",\"summary\":\"a\ufffdb\"}"},
		{"unknown ecosystem and members stay", `{"id":"X","affected":[{"package":{"ecosystem":"Plan 9","name":"p"},"n":1}],"z":{}}`,
			`{"affected":[{"n":1,"package":{"ecosystem":"Plan 9","name":"p"}}],"id":"X","z":{}}`},
		{"events are sorted", `{"id":"X","affected":[{"package":{"ecosystem":"Go","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.10.0"},{"fixed":"1.10.1"},{"introduced":"0"},{"fixed":"1.9.5"}]}]}]}`,
			`{"affected":[{"package":{"ecosystem":"Go","name":"p"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.9.5"},{"introduced":"1.10.0"},{"fixed":"1.10.1"}],"type":"SEMVER"}]}],"id":"X"}`},
		{"withdrawn without affected", `{"id":"X","withdrawn":"2024-01-01T00:00:00Z"}`, `{"id":"X","withdrawn":"2024-01-01T00:00:00Z"}`},
		{"neither ranges nor versions", `{"id":"X","affected":[{"package":{"ecosystem":"OSS-Fuzz","name":"p"}}]}`,
			`{"affected":[{"package":{"ecosystem":"OSS-Fuzz","name":"p"}}],"id":"X"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, OSV, "x.json", tt.in)
			if err != nil || len(findings) > 0 {
				t.Fatal(err, findings)
			}
			if diff := cmp.Diff([]string{tt.want}, encodings(t, records)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOSVErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "offset 0: empty document"},
		{"blank", "\ufeff \r\n", "offset 0: empty document"},
		{"web page", "\n<!DOCTYPE html>", "offset 0: a web page, not data"},
		{"prose", "403 Forbidden", "offset 0: number where object is expected"},
		{"truncated", `{"id":"X","aff`, "offset 14: unexpected EOF"},
		{"trailing data", `{"id":"X"}]`, "offset 10: invalid character ']' after top-level value"},
		{"no id", `{"summary":"x"}`, "no id"},
		{"null", `null`, "no id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, _, err := parseDoc(t, OSV, "x.json", tt.in)
			if err == nil || err.Error() != tt.want || len(records) > 0 {
				t.Errorf("%d records, error %v, want %s", len(records), err, tt.want)
			}
		})
	}
}

// What emit returns stops the parse and is handed on.
func TestEmitError(t *testing.T) {
	stop := errors.New("stop")
	docs := []struct {
		name   string
		parser Parser
		text   string
	}{
		{"x.json", OSV, `{"id":"X"}`},
		{"x.yaml", OSVYAML, `id: X`},
		{"main.json", SecDB("Wolfi"), `{"packages":[{"pkg":{"name":"p","secfixes":{"1-r0":["CVE-2024-1234","CVE-2024-1235"]}}}]}`},
		{"tracker.json", Debian, `{"p":{"CVE-2024-1234":{"releases":{}},"CVE-2024-1235":{"releases":{}}}}`},
		{"DSA/list", Debian, "[29 Mar 2023] DSA-1-1 p - x\n[29 Mar 2023] DSA-2-1 p - x\n"},
		{"x.yml", GLAD, "identifier: GMS-1\npackage_slug: npm/p\naffected_range: '>=0'\n"},
	}
	for _, tt := range docs {
		n := 0
		err := tt.parser(Doc{Name: tt.name, Body: strings.NewReader(tt.text)}, func(*Record) error {
			n++
			return stop
		})
		if err != stop || n != 1 {
			t.Errorf("%s: error %v after %d records", tt.name, err, n)
		}
	}
}

func TestOSVYAML(t *testing.T) {
	const in = `
id: PYSEC-2024-1
modified: 2024-01-02T03:04:05.123456+02:00
published: 2021-07-15 02:22:07.7
withdrawn: 2024-02-03
details: |
  two
  lines
aliases: [CVE-2024-1, ~]
affected:
- package: {ecosystem: PyPI, name: 1e3}
  ranges:
  - type: ECOSYSTEM
    events:
    - introduced: 0
    - fixed: 1.10
  versions:
  - 1.0
  - 0x10
  - 2020-01-01
  - yes
  - 1_000
  database_specific:
    n: 3
    f: 1.5
    b: true
    s: "3"
    o: 0o7
    t: 2020-01-01
`
	const want = `{"affected":[{"database_specific":{"b":true,"f":1.5,"n":3,"o":"0o7","s":"3","t":"2020-01-01"},` +
		`"package":{"ecosystem":"PyPI","name":"1e3"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.10"}],"type":"ECOSYSTEM"}],` +
		`"versions":["1.0","0x10","2020-01-01","yes","1_000"]}],"aliases":["CVE-2024-1",""],"details":"two\nlines\n",` +
		`"id":"PYSEC-2024-1","modified":"2024-01-02T01:04:05.123456Z","published":"2021-07-15T02:22:07.7Z","withdrawn":"2024-02-03T00:00:00Z"}`
	records, _, err := parseDoc(t, OSVYAML, "x.yaml", in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{want}, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
}

func TestOSVYAMLErrors(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'h'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n"
	}
	tests := []struct{ name, in, want string }{
		{"empty", "", "empty document"},
		{"web page", "<html>", "a web page"},
		{"list", "- a", "no mapping"},
		{"two documents", "id: X\n---\nid: Y", "a second document"},
		{"unfinished", "a: b\nid: [X", "line 3: did not find expected"},
		{"bomb", bomb, ""},
		{"list for string", "id: X\nsummary: [a]", "summary: array where string is expected"},
		{"merge key", "a: &a {id: X}\n<<: *a", "a key that is no plain name"},
		{"no id", "summary: x", "no id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, _, err := parseDoc(t, OSVYAML, "x.yaml", tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(records) > 0 {
				t.Errorf("%d records, error %v, want %s", len(records), err, tt.want)
			}
		})
	}
}

func TestGHSA(t *testing.T) {
	const frame = `{"id":"GHSA-1","affected":[{"package":{"ecosystem":"%e","name":"p"},%a}]}`
	fill := func(ecosystem, members string) string {
		return strings.NewReplacer("%e", ecosystem, "%a", members).Replace(frame)
	}
	ranges := func(typ, events string) string { return `"ranges":[{"events":[` + events + `],"type":"` + typ + `"}]` }
	known := func(r string) string {
		return `"database_specific":{"last_known_affected_version_range":"` + r + `"},`
	}
	tests := []struct {
		name, ecosystem, in, want string
		rules                     []string
	}{
		{"last known", "PyPI", known("<= 1.2.3") + ranges("ECOSYSTEM", `{"introduced":"0"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"last_affected":"1.2.3"}`), nil},
		{"last known, exclusive", "Packagist", known("< 15.5.1") + ranges("ECOSYSTEM", `{"introduced":"0"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"15.5.1"}`), nil},
		{"there is a fix", "PyPI", known("<= 1.2.3") + ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.2.4"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.2.4"}`), nil},
		{"there is a last", "PyPI", known("< 9") + ranges("ECOSYSTEM", `{"introduced":"0"},{"last_affected":"1.2.4"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"last_affected":"1.2.4"}`), nil},
		{"below the introduction", "PyPI", known("< 1.0") + ranges("ECOSYSTEM", `{"introduced":"2.0"}`),
			ranges("ECOSYSTEM", `{"introduced":"2.0"}`), []string{"last-known-range"}},
		{"no bound", "PyPI", known("= 1.0") + ranges("ECOSYSTEM", `{"introduced":"0"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"}`), []string{"last-known-range"}},
		{"semver", "npm", ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0.0-rc.1+b.01"}`),
			ranges("SEMVER", `{"introduced":"0"},{"fixed":"1.0.0-rc.1+b.01"}`), nil},
		{"bounded, then semver", "Go", known("<= 1.2.3") + ranges("ECOSYSTEM", `{"introduced":"0"}`),
			ranges("SEMVER", `{"introduced":"0"},{"last_affected":"1.2.3"}`), nil},
		{"not strict", "npm", ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0"}`), nil},
		{"leading zero", "npm", ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0.0-01"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0.0-01"}`), nil},
		{"another order", "PyPI", ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0.0"}`),
			ranges("ECOSYSTEM", `{"introduced":"0"},{"fixed":"1.0.0"}`), nil},
		{"versions and no ranges", "npm", `"versions":["1.2.3"]`, `"versions":["1.2.3"]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, GHSA, "x.json", fill(tt.ecosystem, tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.rules, findingRules(findings)); diff != "" {
				t.Error(diff)
			}
			want := fill(tt.ecosystem, tt.want)
			if i := strings.Index(tt.in, `"ranges"`); i > 0 {
				want = fill(tt.ecosystem, tt.in[:i]+tt.want)
			}
			if diff := cmp.Diff(encodeString(t, decodeOne(t, want)), encodings(t, records)[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A package that stands several times stays so; vectors lose their slash.
func TestGHSARepeated(t *testing.T) {
	const in = `{"id":"GHSA-1","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/"}],"affected":[
		{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0.0"},{"fixed":"1.2.0"}]}]},
		{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.0.0"},{"fixed":"2.2.0"}]}]}]}`
	records, _, err := parseDoc(t, GHSA, "x.json", in)
	if err != nil {
		t.Fatal(err)
	}
	r := records[0]
	if len(r.Affected) != 2 || r.Affected[1].Ranges[0].Events[0].Introduced != "2.0.0" {
		t.Errorf("affected %+v", r.Affected)
	}
	if got := r.Severity[0].Score; strings.HasSuffix(got, "/") || !isScore("CVSS_V3", got) {
		t.Errorf("score %s", got)
	}
}

func TestAlmaLinux(t *testing.T) {
	const in = `{"id":"ALSA-2023:6938","related":["CVE-2023-25809","RHSA-2023:6938"],"affected":[
		{"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.15-3.module_el8.6.0+3137+d33c3efb"}]}]},
		{"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.15-3.module_el8.6.0+2877+8e437bf5"}]}]},
		{"package":{"ecosystem":"AlmaLinux:8","name":"bash"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"5.1-2.el8"}]}]}]}`
	const want = `{"affected":[` +
		`{"ecosystem_specific":{"module_build":"module_el8.6.0+3137+d33c3efb"},"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"3.15-3.module_el8.6.0+3137+d33c3efb"}],"type":"ECOSYSTEM"}]},` +
		`{"ecosystem_specific":{"module_build":"module_el8.6.0+2877+8e437bf5"},"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"3.15-3.module_el8.6.0+2877+8e437bf5"}],"type":"ECOSYSTEM"}]},` +
		`{"package":{"ecosystem":"AlmaLinux:8","name":"bash"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"5.1-2.el8"}],"type":"ECOSYSTEM"}]}],` +
		`"id":"ALSA-2023:6938","related":["CVE-2023-25809","RHSA-2023:6938"],"upstream":["CVE-2023-25809"]}`
	records, _, err := parseDoc(t, AlmaLinux, "x.json", in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{want}, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
	if err := Unite(records[0], decodeOne(t, `{"id":"ALSA-2023:6938"}`)); err != nil || len(records[0].Affected) != 3 {
		t.Errorf("united: %d entries, error %v: the streams collide", len(records[0].Affected), err)
	}
}

func TestModuleBuild(t *testing.T) {
	for version, want := range map[string]string{
		"3.15-3.module_el8.6.0+3137+d33c3efb": "module_el8.6.0+3137+d33c3efb",
		"1:2.4-7.module+el8.10.0+1+2a.1":      "module+el8.10.0+1+2a",
		"0.11.1-10.el9_0.2":                   "",
		"":                                    "",
		"1-1.module_el8":                      "module_el8",
	} {
		if got := moduleBuild(version); got != want {
			t.Errorf("moduleBuild(%q) = %q, want %q", version, got, want)
		}
	}
}

// Every document of the whole feeds can be read, and what breaks a rule is
// what is known to.
func TestOSVFeeds(t *testing.T) {
	tests := []struct {
		path    string
		parser  Parser
		step    int
		want    func(string) bool
		records int
		broken  map[string]int // by rule, the most that is allowed
	}{
		{"github.com/pypa/advisory-database/archive/refs/heads/main.tar.gz", OSVYAML, 5, under("vulns/"), 500, map[string]int{"git-commit": 5, "version": 5}},
		{"github.com/google/oss-fuzz-vulns/archive/refs/heads/main.tar.gz", OSVYAML, 20, under("vulns/"), 190, nil},
		{"github.com/RConsortium/r-advisory-database/archive/refs/heads/main.tar.gz", OSVYAML, 1, under("vulns/"), 14, nil},
		{"github.com/github/advisory-database/archive/refs/heads/main.tar.gz", GHSA, 1, under("advisories/"), 95, map[string]int{"severity-score": 1, "reference-url": 3}},
		{"github.com/AlmaLinux/osv-database/archive/refs/heads/master.tar.gz", AlmaLinux, 10, under("advisories/"), 550, nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			n, seen := 0, 0
			broken := map[string]int{}
			walkArchive(t, sharedtest.Path(t, "upstream", "day1", tt.path), func(d sharedDoc) {
				if !tt.want(d.name) || !strings.HasSuffix(d.name, ".json") && !strings.HasSuffix(d.name, ".yaml") {
					return
				}
				if seen++; seen%tt.step != 0 {
					return
				}
				records, _, err := parseDoc(t, tt.parser, d.name, string(d.data))
				if err != nil {
					t.Errorf("%s: %v", d.name, err)
				}
				for _, r := range records {
					n++
					for _, f := range Lint(r) {
						if broken[f.Rule]++; broken[f.Rule] > tt.broken[f.Rule] {
							t.Errorf("%+v", f)
						}
					}
				}
			})
			if n < tt.records {
				t.Errorf("%d records, want %d and more", n, tt.records)
			}
		})
	}
}
