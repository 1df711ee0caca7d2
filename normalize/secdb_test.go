package normalize

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestParseSecfix(t *testing.T) {
	tests := []struct {
		text string
		want secfix
	}{
		{"CVE-2021-30473", secfix{cves: []string{"CVE-2021-30473"}}},
		{"CVE-2018-7540 XSA-252", secfix{cves: []string{"CVE-2018-7540"}, others: []string{"XSA-252"}}},
		{"CVE-2020-11740 CVE-2020-11741 XSA-313", secfix{cves: []string{"CVE-2020-11740", "CVE-2020-11741"}, others: []string{"XSA-313"}}},
		{"CVE-2018-8897  XSA-260", secfix{cves: []string{"CVE-2018-8897"}, others: []string{"XSA-260"}}},
		{"CVE_2019-2426", secfix{cves: []string{"CVE-2019-2426"}}},
		{"CVE-2017-17434-1", secfix{cves: []string{"CVE-2017-17434"}}},
		{"CVE-2021-35940.patch", secfix{cves: []string{"CVE-2021-35940"}}},
		{"CVE-46838", secfix{bad: []string{"CVE-46838"}}},
		{"CVE-2026-291i67", secfix{bad: []string{"CVE-2026-291i67"}}},
		{"CVE-2026-2910i67", secfix{bad: []string{"CVE-2026-2910i67"}}},
		{"CVE-????-????? XSA-312", secfix{others: []string{"XSA-312"}}},
		{"CVE-2022-????? XSA-398", secfix{others: []string{"XSA-398"}}},
		{"CVE N/A ZBX-11023", secfix{others: []string{"ZBX-11023"}}},
		{"GNUTLS-SA-2020-06-03 CVE-2020-13777", secfix{cves: []string{"CVE-2020-13777"}, others: []string{"GNUTLS-SA-2020-06-03"}}},
		{"CVE-2020-11501 GNUTLS-SA-2020-03-31 CVE-2020-11501", secfix{cves: []string{"CVE-2020-11501"}, others: []string{"GNUTLS-SA-2020-03-31"}}},
		{"CVE-2020-14342 (not actually applicable)", secfix{cves: []string{"CVE-2020-14342"}}},
		{"CVE-2018-10103 (SMB - partially fixed, but SMB1 printing disabled)", secfix{cves: []string{"CVE-2018-10103"}}},
		{"CVE-2017-5753 CVE-2017-5715 XSA-254 XPTI", secfix{cves: []string{"CVE-2017-5753", "CVE-2017-5715"}, others: []string{"XSA-254"}}},
		{"wnpa-sec-2017-21", secfix{others: []string{"wnpa-sec-2017-21"}}},
		{"VSV00011", secfix{others: []string{"VSV00011"}}},
		{"DW202403-001", secfix{others: []string{"DW202403-001"}}},
		{"GHSA-cfmr-vrgj-vqwv", secfix{others: []string{"GHSA-cfmr-vrgj-vqwv"}}},
		{"ZDI-CAN-23896", secfix{others: []string{"ZDI-CAN-23896"}}},
		{"", secfix{}},
		{"none yet", secfix{}},
		{"(((", secfix{}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseSecfix(tt.text), cmp.AllowUnexported(secfix{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// secdbText makes a document of one package.
func secdbText(release, name, secfixes string) string {
	return fmt.Sprintf(`{"distroversion":%q,"reponame":"main","packages":[{"pkg":{"name":%q,"secfixes":%s}}]}`, release, name, secfixes)
}

func TestSecDB(t *testing.T) {
	const affected = `{"affected":[{"package":{"ecosystem":"Alpine:v3.19","name":"p"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"%s"}],"type":"ECOSYSTEM"}]}],%s}`
	const statement = `{"database_specific":{"statements":[{"ecosystem":"Alpine:v3.19","package":"p","status":"not_affected"}]},%s}`
	tests := []struct {
		name, secfixes string
		want           []string
		findings       []string // rules
	}{
		{"one", `{"1.0-r0":["CVE-2024-1234"]}`,
			[]string{fmt.Sprintf(affected, "1.0-r0", `"id":"ALPINE-CVE-2024-1234","upstream":["CVE-2024-1234"]`)}, nil},
		{"two CVEs and an advisory", `{"4.13.0-r3":["CVE-2020-11740 CVE-2020-11741 XSA-313"]}`,
			[]string{
				fmt.Sprintf(affected, "4.13.0-r3", `"id":"ALPINE-CVE-2020-11740","related":["XSA-313"],"upstream":["CVE-2020-11740"]`),
				fmt.Sprintf(affected, "4.13.0-r3", `"id":"ALPINE-CVE-2020-11741","related":["XSA-313"],"upstream":["CVE-2020-11741"]`),
			}, nil},
		{"no CVE", `{"4.13.1-r0":["XSA-312"],"1.33.1-r7":["ALPINE-13661"]}`,
			[]string{
				fmt.Sprintf(affected, "4.13.1-r0", `"id":"ALPINE-XSA-312","upstream":["XSA-312"]`),
				fmt.Sprintf(affected, "1.33.1-r7", `"id":"ALPINE-13661"`),
			}, nil},
		{"one ID under two versions: the highest", `{"1.10-r0":["CVE-2024-1234"],"1.9-r0":["CVE-2024-1234"]}`,
			[]string{fmt.Sprintf(affected, "1.10-r0", `"id":"ALPINE-CVE-2024-1234","upstream":["CVE-2024-1234"]`)}, nil},
		{"never affected", `{"0":["CVE-2024-1234"]}`,
			[]string{fmt.Sprintf(statement, `"id":"ALPINE-CVE-2024-1234","upstream":["CVE-2024-1234"]`)}, nil},
		{"bad version", `{"4.8.0.-r1":["CVE-2024-1234"]}`,
			[]string{`{"affected":[{"database_specific":{"fixed":["4.8.0.-r1"]},"package":{"ecosystem":"Alpine:v3.19","name":"p"}}],"id":"ALPINE-CVE-2024-1234","upstream":["CVE-2024-1234"]}`},
			[]string{"bad-version"}},
		{"a version that only apk 2 built", `{"6.6.4p1-r1":["CVE-2020-8794"]}`,
			[]string{fmt.Sprintf(affected, "6.6.4p1-r1", `"id":"ALPINE-CVE-2020-8794","upstream":["CVE-2020-8794"]`)}, nil},
		{"comment kept", `{"6.13-r0":["CVE-2020-14342 (not actually applicable)"]}`,
			[]string{`{"affected":[{"database_specific":{"secfix":["CVE-2020-14342 (not actually applicable)"]},"package":{"ecosystem":"Alpine:v3.19","name":"p"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"6.13-r0"}],"type":"ECOSYSTEM"}]}],"id":"ALPINE-CVE-2020-14342","upstream":["CVE-2020-14342"]}`}, nil},
		{"unusable", `{"1.0-r0":["CVE-46838"],"2.0-r0":["later"]}`, nil, []string{"unusable-id", "unusable-id"}},
		{"never and fixed", `{"0":["CVE-2024-1234"],"1.0-r0":["CVE-2024-1234"]}`,
			[]string{`{"affected":[{"package":{"ecosystem":"Alpine:v3.19","name":"p"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0-r0"}],"type":"ECOSYSTEM"}]}],"database_specific":{"statements":[{"ecosystem":"Alpine:v3.19","package":"p","status":"not_affected"}]},"id":"ALPINE-CVE-2024-1234","upstream":["CVE-2024-1234"]}`},
			[]string{"contradiction"}},
		{"null", `null`, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, SecDB("Alpine"), "v3.19/main.json", secdbText("v3.19", "p", tt.secfixes))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, encodings(t, records)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.findings, findingRules(findings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func findingRules(findings []Finding) (rules []string) {
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

func TestSecDBEcosystem(t *testing.T) {
	const pkgs = `"packages":[{"pkg":{"name":"p","secfixes":{"1-r0":["CVE-2024-1234","GHSA-cfmr-vrgj-vqwv"]}}}]`
	tests := []struct{ name, ecosystem, doc, text, wantEcosystem, wantIDs string }{
		{"edge", "Alpine", "edge/main.json", `{"distroversion":"edge",` + pkgs + `}`, "Alpine:edge", "ALPINE-CVE-2024-1234 ALPINE-GHSA-cfmr-vrgj-vqwv"},
		{"packages first", "Alpine", "x", `{` + pkgs + `,"distroversion":"v3.4"}`, "Alpine:v3.4", "ALPINE-CVE-2024-1234 ALPINE-GHSA-cfmr-vrgj-vqwv"},
		{"by name", "Alpine", "v3.2/main.json", `{` + pkgs + `}`, "Alpine:v3.2", "ALPINE-CVE-2024-1234 ALPINE-GHSA-cfmr-vrgj-vqwv"},
		{"bare", "Wolfi", "security.json", `{` + pkgs + `}`, "Wolfi", "WOLFI-CVE-2024-1234 WOLFI-GHSA-cfmr-vrgj-vqwv"},
		{"new", "Some Linux", "security.json", `{` + pkgs + `}`, "Some Linux", "SOME-LINUX-CVE-2024-1234 SOME-LINUX-GHSA-cfmr-vrgj-vqwv"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, _, err := parseDoc(t, SecDB(tt.ecosystem), tt.doc, "\ufeff"+tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range records {
				ids = append(ids, r.ID)
				if e := r.Affected[0].Package.Ecosystem; e != tt.wantEcosystem {
					t.Errorf("ecosystem %q, want %q", e, tt.wantEcosystem)
				}
			}
			if got := strings.Join(ids, " "); got != tt.wantIDs {
				t.Errorf("IDs %s, want %s", got, tt.wantIDs)
			}
		})
	}
}

func TestSecDBErrors(t *testing.T) {
	whole := secdbText("v3.19", "p", `{"1-r0":["CVE-2024-1234"]}`)
	tests := []struct{ name, text, want string }{
		{"empty", " \n", "offset 0: empty document"},
		{"web page", "<html>503</html>", "offset 0: a web page, not data"},
		{"truncated", whole[:len(whole)-10], "unexpected EOF"},
		{"something behind", whole + "{}", "after the document's end"},
		{"array", "[]", "array where object is expected"},
		{"no packages", `{"distroversion":"v3.19"}`, "packages: missing"},
		{"no release", `{"packages":[]}`, "distroversion: missing"},
		{"packages of another shape", `{"distroversion":"v3.19","packages":{}}`, "packages: object where array is expected"},
		{"secfixes as a list", secdbText("edge", "aom", `[{"Version":"3.1.1-r0","Fixes":[{"Identifiers":["CVE-2021-30473"]}]}]`),
			"packages/aom: secfixes: offset 54: array where object is expected"},
		{"IDs of another shape", secdbText("edge", "aom", `{"1-r0":"CVE-2021-30473"}`), "packages/aom: secfixes: offset 8: 1-r0: string where array is expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseDoc(t, SecDB("Alpine"), "main.json", tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// The shape that Alpine served for two days in 2023 is an error of the whole
// document, which names the package.
func TestSecDBShapeBreak(t *testing.T) {
	text, err := os.ReadFile(sharedtest.Path(t, "corpus", "alpine", "schema-break-2023-04-07", "edge", "main.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = parseDoc(t, SecDB("Alpine"), "edge/main.json", string(text))
	if err == nil || !strings.HasPrefix(err.Error(), "packages/aom: secfixes: offset ") {
		t.Errorf("error %v", err)
	}
}

// TestSecDBShared reads whole feeds: no text of an ID is lost without a
// finding, and every record keeps the rules but for modified, which the feed
// does not have.
func TestSecDBShared(t *testing.T) {
	for _, tt := range []struct {
		ecosystem string
		path      []string
		records   int
	}{
		{"Alpine", []string{"secdb.alpinelinux.org", "v3.17", "main.json"}, 2000},
		{"Alpine", []string{"secdb.alpinelinux.org", "edge", "community.json"}, 4000},
		{"Wolfi", []string{"packages.wolfi.dev", "os", "security.json"}, 40000},
	} {
		t.Run(strings.Join(tt.path, "/"), func(t *testing.T) {
			text, err := os.ReadFile(sharedtest.Path(t, append([]string{"upstream", "day1"}, tt.path...)...))
			if err != nil {
				t.Fatal(err)
			}
			records, findings, err := parseDoc(t, SecDB(tt.ecosystem), "main.json", string(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(records) < tt.records {
				t.Errorf("%d records, want %d and more", len(records), tt.records)
			}
			for _, r := range records {
				r.Modified = "2024-01-01T00:00:00Z"
				for _, f := range Lint(r) {
					t.Errorf("%+v", f)
				}
			}
			for _, f := range findings {
				if f.Rule != "bad-version" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
