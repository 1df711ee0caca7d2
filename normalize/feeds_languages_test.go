package normalize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// languageFeeds are the feeds in YAML and JSON that are no OSV: how many
// records they have.
var languageFeeds = []struct {
	archive string
	parser  Parser
	want    func(name string) bool
	records int
}{
	{"rubysec/ruby-advisory-db/archive/refs/heads/master.tar.gz", RubySec, ruby, 1376},
	{"FriendsOfPHP/security-advisories/archive/refs/heads/master.tar.gz", FriendsOfPHP, php, 1592},
	{"briandfoy/cpan-security-advisory/archive/refs/heads/master.tar.gz", CPANSA, under("/cpansa/"), 722},
	{"nodejs/security-wg/archive/refs/heads/main.tar.gz", NodeWG, numbered, 644},
	{"anchore/nvd-data-overrides/archive/refs/heads/main.tar.gz", NVDOverride, under("/data/"), 32184},
}

func ruby(name string) bool {
	return strings.HasSuffix(name, ".yml") && (strings.Contains(name, "/gems/") || strings.Contains(name, "/rubies/"))
}

func php(name string) bool { return strings.HasSuffix(name, ".yaml") && !strings.Contains(name, "/.") }

func numbered(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".json") && base != "index.json" && strings.Contains(name, "/vuln/")
}

// Each document of the feeds can be read, nothing of it is left out, and what
// comes of it is in order but for a time of modification, which these feeds
// do not have, and one score that no calculator makes.
func TestLanguageFeeds(t *testing.T) {
	for _, feed := range languageFeeds {
		t.Run(strings.Split(feed.archive, "/")[0], func(t *testing.T) {
			records := 0
			path := append([]string{"upstream", "day1", "github.com"}, strings.Split(feed.archive, "/")...)
			walkArchive(t, sharedtest.Path(t, path...), func(d sharedDoc) {
				if !feed.want(d.name) {
					return
				}
				doc := Doc{Name: d.name, Body: strings.NewReader(string(d.data)), Report: func(f Finding) { t.Errorf("%s: %v", d.name, f) }}
				err := feed.parser(doc, func(r *Record) error {
					records++
					for _, f := range Lint(r) {
						if f.Rule != "modified" && f.Place != "NODE-NPM-504/severity/0" {
							t.Errorf("%s: %v", d.name, f)
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("%s: %v", d.name, err)
				}
			})
			if records != feed.records {
				t.Errorf("%d records", records)
			}
		})
	}
}

// The lists of exploits in the corpus: which CVEs they name.
func TestExploitLists(t *testing.T) {
	const vuls = "MaineK00n+vuls-data-update/pkg/fetch/"
	tests := []struct {
		file   string
		parser Parser
		want   []string
	}{
		{"exploitdb/" + vuls + "exploit/exploitdb/testdata/fixtures/files_exploits.csv", ExploitDB, []string{"CVE-1999-1015", "CVE-2009-3699"}},
		{"msf/aboutcode-org+vulnerablecode/vulnerabilities/tests/test_data/metasploit_improver/modules_metadata_base.json", Metasploit, []string{"CVE-2007-4387"}},
		{"euvd/" + vuls + "enisa/euvd/list/testdata/fixtures/happy/0_100.json", EUVD, []string{"CVE-2024-0562", "CVE-2025-7195"}},
		{"euvd/" + vuls + "enisa/kev/testdata/fixtures/happy/eukev.json", EUKEV, []string{"CVE-2024-9380"}},
	}
	for _, tt := range tests {
		data, err := os.ReadFile(sharedtest.Path(t, append([]string{"corpus"}, strings.Split(tt.file, "/")...)...))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		d := Doc{Name: filepath.Base(tt.file), Body: strings.NewReader(string(data)), Report: func(f Finding) { t.Errorf("%s: %v", tt.file, f) }}
		if err := tt.parser(d, func(r *Record) error { got = append(got, r.ID); return nil }); err != nil {
			t.Errorf("%s: %v", tt.file, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.file, diff)
		}
	}
}

// Both shapes of the EU's list are read alike.
func TestEUKEVShapes(t *testing.T) {
	for path, want := range map[string]int{"advisories/eukev/eukev.json": 39, "eukev/eukev.json": 43} {
		data, err := os.ReadFile(sharedtest.Path(t, append([]string{"corpus", "euvd", "eukev"}, strings.Split(path, "/")...)...))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		d := Doc{Body: strings.NewReader(string(data)), Report: func(f Finding) { t.Errorf("%s: %v", path, f) }}
		err = EUKEV(d, func(r *Record) error {
			n++
			if !strings.Contains(string(r.DatabaseSpecific), `"date_reported":"20`) {
				t.Errorf("%s: %s has no date", path, r.ID)
			}
			return nil
		})
		if err != nil || n != want {
			t.Errorf("%s: %d entries, error %v", path, n, err)
		}
	}
}

func FuzzRubySec(f *testing.F) {
	fuzzDocuments(f, RubySec, "gems/a/CVE-2024-1234.yml", "gem: a\ncve: 2024-1234\ncvss_v3: 7.5\npatched_versions:\n- '~> 1.2, >= 1.2.3'\nunaffected_versions: ['> 3']\nrelated:\n  url: [a]\n")
}

func FuzzFriendsOfPHP(f *testing.F) {
	fuzzDocuments(f, FriendsOfPHP, "a/b/2019-12-18-1.yaml", "title: t\nreference: composer://a/b\ncomposer-repository: false\nbranches:\n  x:\n    time: 2019-12-18\n    versions: ['>=1', '<2']\n")
}

func FuzzCPANSA(f *testing.F) {
	fuzzDocuments(f, CPANSA, "cpansa/a.yml", "distribution: a\nadvisories:\n- id: CPANSA-a-1\n  affected_versions: ['>0,<1.2', 1.716]\n  cves: CVE-2024-1234\n  embedded_vulnerability: {a: 1}\n")
}

func FuzzNodeWG(f *testing.F) {
	fuzzDocuments(f, NodeWG, "vuln/npm/1.json", `{"module_name":"a","vulnerable_versions":"<=99.999.99999","patched_versions":"<0.0.0","cves":["CVE-2024-1234"],"cvss_score":"4.8 (Medium)","references":null}`)
}

func FuzzOSVArray(f *testing.F) { fuzzDocuments(f, OSVArray, "vuln.json", "["+osvSeed+"]", "[{}]") }

func FuzzEUKEV(f *testing.F) {
	fuzzDocuments(f, EUKEV, "eukev.json", `[{"cveID":"CVE-2024-1234","cwes":["CWE-1"],"notes":"a","dateReported":"2026/08/17"}]`)
}

func FuzzEUVD(f *testing.F) {
	fuzzDocuments(f, EUVD, "page/000000.json", `{"items":[{"id":"EUVD-1","aliases":"CVE-2024-1234\n","dateUpdated":"Aug 7, 2025, 7:05:08 PM"}],"total":1}`)
}

func FuzzExploitDB(f *testing.F) {
	fuzzDocuments(f, ExploitDB, "files_exploits.csv", "id,codes,verified\n1,CVE-2024-1234;OSVDB-1,1\n2,\"a\"\"\",\n")
}

func FuzzMetasploit(f *testing.F) {
	fuzzDocuments(f, Metasploit, "modules_metadata_base.json", `{"a":{"references":["CVE-2024-1234"],"rank":300,"disclosure_date":null,"mod_time":"2025-05-21 08:32:40 +0000"}}`)
}

func FuzzNuclei(f *testing.F) {
	fuzzDocuments(f, Nuclei, "cves.jsonl", `{"ID":"CVE-2024-1234","Info":{"Classification":{"CVSSScore":"N/A"}}}`+"\n")
}
