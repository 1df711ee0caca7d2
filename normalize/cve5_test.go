package normalize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// product decodes an element of affected and returns what is known of it, as
// one line.
func product(t *testing.T, text string) string {
	t.Helper()
	doc := fmt.Sprintf(`{"cveMetadata":{"cveId":"CVE-2024-1234","state":"PUBLISHED","assignerShortName":"x"},
		"containers":{"cna":{"providerMetadata":{"shortName":"x"},"affected":[%s]}}}`, text)
	var out []string
	err := CVEList(Doc{Name: "CVE-2024-1234.json", Body: strings.NewReader(doc)}, func(r *Record) error {
		var say cveSpecific
		if _, err := r.Specific("cve", &say); err != nil {
			return err
		}
		for i := range r.Affected {
			a := &r.Affected[i]
			out = append(out, strings.TrimSpace(a.Package.Ecosystem+" "+a.Package.Name+events(a.Ranges)+plain("v", a.Versions)))
		}
		for _, s := range say.Affected {
			line := events(s.Ranges) + plain("v", s.Versions) + plain("text", s.Text) + plain("unknown", s.Unknown)
			if s.Inexact {
				line += " inexact"
			}
			out = append(out, strings.TrimSpace(s.Product+line))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " + ")
}

func events(ranges []Range) string {
	var b strings.Builder
	for i := range ranges {
		b.WriteString(" " + ranges[i].Type[:1] + "(")
		for j, e := range ranges[i].Events {
			if j > 0 {
				b.WriteString(" ")
			}
			b.WriteString(map[int]string{0: "+", 1: "=", 2: "-"}[e.rank()] + e.version())
		}
		b.WriteString(")")
	}
	return b.String()
}

func plain(name string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s%q", name, list)
}

// The rows of a product, trap by trap: + introduced, - fixed, = last affected.
func TestCVEStatus(t *testing.T) {
	sha := func(c string) string { return strings.Repeat(c, 40) }
	tests := []struct{ name, product, want string }{
		{"changes within a range", `{"product":"p","versions":[{"version":"2.0-beta9","status":"affected","lessThan":"log4j-core*",
			"changes":[{"at":"2.3.1","status":"unaffected"},{"at":"2.4","status":"affected"},{"at":"2.15.0","status":"unaffected"}]}]}`,
			"p E(+2.0-beta9 -2.3.1 +2.4 -2.15.0)"},
		{"changes in no order", `{"product":"p","versions":[{"version":"1","status":"affected","lessThan":"*",
			"changes":[{"at":"4","status":"unaffected"},{"at":"2","status":"unaffected"},{"at":"3","status":"affected"}]}]}`,
			"p E(+1 -2 +3 -4)"},
		{"default affected, rows are holes", `{"product":"p","defaultStatus":"affected","versions":[{"version":"2.0.0","status":"unaffected","lessThan":"2.4.0","versionType":"semver"}]}`,
			"p E(+0 -2.0.0 +2.4.0)"},
		{"a hole up to and with", `{"product":"p","defaultStatus":"affected","versions":[{"version":"2.0.0","status":"unaffected","lessThanOrEqual":"2.4.0","versionType":"semver"}]}`,
			"p E(+0 -2.0.0 +2.4.1-0)"},
		{"default affected and no rows", `{"product":"p","defaultStatus":"affected"}`, "p E(+0)"},
		{"default missing is unknown", `{"product":"p","versions":[{"version":"2.0","status":"unaffected"}]}`, "p"},
		{"lessThan star", `{"product":"p","versions":[{"version":"3","status":"affected","lessThan":"*"}]}`, "p E(+3)"},
		{"lessThan unspecified is the >= of old", `{"product":"p","versions":[{"version":"3","status":"affected","lessThan":"unspecified"}]}`, "p E(+3)"},
		{"lessThan its own version", `{"product":"p","versions":[{"version":"3.1","status":"affected","lessThan":"3.1"}]}`, `p v["3.1"]`},
		{"lessThanOrEqual with a star", `{"product":"p","versions":[{"version":"5.15","status":"affected","lessThanOrEqual":"5.15.*","versionType":"semver"}]}`,
			"p E(+5.15 -5.16.0-0)"},
		{"an end before the start", `{"product":"p","versions":[{"version":"8.2","status":"affected","lessThanOrEqual":"0"}]}`, `p text["affected: 8.2 <= 0"]`},
		{"filler for a start", `{"product":"p","versions":[{"version":"unspecified","status":"affected","lessThan":"1.2"},{"version":"n/a","status":"affected"}]}`, "p E(+0 -1.2)"},
		{"only fillers", `{"vendor":"n/a","product":"n/a","versions":[{"version":"n/a","status":"affected"}]}`, ""},
		{"all", `{"product":"p","versions":[{"version":"*","status":"affected"}]}`, "p E(+0)"},
		{"operators", `{"product":"p","versions":[{"version":"< 1.5.3","status":"affected"},{"version":">= 2.0, < 2.4","status":"affected"},{"version":"= 3.0","status":"affected"}]}`,
			`p E(+0 -1.5.3 +2.0 -2.4) v["3.0"]`},
		{"an operator with spaces and an end", `{"product":"p","versions":[{"version":">2.0 <=2.4","status":"affected"}]}`, `p E(+2.0 =2.4) inexact`},
		{"a sentence", `{"product":"p","versions":[{"version":"before 1.4.7","status":"affected"},{"version":"7.0 and earlier","status":"affected"}]}`,
			`p text["affected: before 1.4.7" "affected: 7.0 and earlier"]`},
		{"a list of versions", `{"product":"p","versions":[{"version":"2.0.9-6,2.1.2-3","status":"affected"},{"version":"SVP Ver. 1, Ver. 2","status":"affected"}]}`,
			`p v["2.0.9-6" "2.1.2-3"] text["affected: SVP Ver. 1, Ver. 2"]`},
		{"spaces in a version", `{"product":"p","versions":[{"version":" 1.0 SP1 ","status":"affected"}]}`, `p v["1.0 SP1"]`},
		{"one version of a CNA that may mean more", `{"product":"p","versions":[{"version":"1.2","status":"affected"}]}`, `p v["1.2"]`},
		{"unknown", `{"product":"p","versions":[{"version":"1.0","status":"affected","lessThan":"2.0"},{"version":"2.0","status":"unknown","lessThan":"3.0"}]}`,
			`p E(+1.0 -2.0) unknown["[2.0, 3.0)"]`},
		{"the first row decides", `{"product":"p","versions":[{"version":"1.5","status":"unaffected"},{"version":"1","status":"affected","lessThan":"2"}]}`,
			`p E(+1 -1.5 +1.5 -2) inexact`},
		{"a type that is junk", `{"product":"p","versions":[{"version":"2024.1","status":"affected","lessThan":"2024.3","versionType":"2024.3"}]}`, "p E(+2024.1 -2024.3)"},
		{"semver that is none", `{"product":"p","versions":[{"version":"1.2.3.4","status":"affected","lessThan":"1.2.3.10","versionType":"semver"}]}`, "p E(+1.2.3.4 -1.2.3.10)"},
		{"commits", `{"product":"p","repo":"https://r/","versions":[{"version":"` + sha("a") + `","status":"affected","lessThan":"` + sha("b") + `","versionType":"git"},
			{"version":"0","status":"affected","lessThanOrEqual":"` + sha("c") + `","versionType":"git"}]}`,
			"G(+" + sha("a") + " +0 -" + sha("b") + ") G(+" + sha("a") + " +0 =" + sha("c") + ")"},
		{"one commit", `{"product":"p","repo":"https://r/","versions":[{"version":"` + sha("a") + `","status":"affected","versionType":"git"}]}`, "G(+" + sha("a") + " =" + sha("a") + ")"},
		{"a commit in a URL", `{"product":"p","repo":"https://r/","versions":[{"version":"0","status":"affected","lessThan":"https://r/commit/` + sha("b") + `","versionType":"git"}]}`, "G(+0 -" + sha("b") + ")"},
		{"commits without a repository", `{"product":"p","versions":[{"version":"` + sha("a") + `","status":"affected","lessThan":"` + sha("b") + `","versionType":"git"}]}`,
			`p text["affected: ` + sha("a") + ` < ` + sha("b") + `"]`},
		{"the kernel: a branch without its fix", `{"vendor":"Linux","product":"Linux","repo":"https://r/","versions":[{"version":"` + sha("a") + `","status":"affected","versionType":"git"},
			{"version":"1da177e4c3f4","status":"affected","lessThan":"417b8a91f4e8","versionType":"git"}]}`,
			"G(+" + sha("a") + `) + Linux text["affected: 1da177e4c3f4 < 417b8a91f4e8"]`},
		{"the kernel's versions", `{"vendor":"Linux","product":"Linux","defaultStatus":"affected","versions":[{"version":"6.12","status":"affected"},{"version":"0","lessThan":"6.12","status":"unaffected"},
			{"version":"6.12.10","lessThanOrEqual":"6.12.*","status":"unaffected"},{"version":"6.13","lessThanOrEqual":"*","status":"unaffected","versionType":"original_commit_for_fix"}]}`,
			"Linux Kernel E(+6.12 -6.12.10 +6.13-rc1 -6.13)"},
		{"package URL", `{"product":"p","packageURL":"pkg:npm/%40a/b","defaultStatus":"unaffected","versions":[{"version":"1.0.0","status":"affected","lessThan":"1.2.0","versionType":"semver"}]}`,
			"npm @a/b S(+1.0.0 -1.2.0)"},
		{"package URL of a type that names no ecosystem", `{"product":"p","packageURL":"pkg:github/erlang/otp","versions":[{"version":"1","status":"affected","lessThan":"2"}]}`, "p E(+1 -2)"},
		{"registry", `{"product":"p","collectionURL":"https://repo.maven.apache.org/maven2/","packageName":"g:a","versions":[{"version":"1.0","status":"affected","lessThan":"1.2","versionType":"maven"}]}`,
			"Maven g:a E(+1.0 -1.2)"},
		{"registry that is none", `{"product":"p","collectionURL":"https://wordpress.org/plugins","packageName":"x","versions":[{"version":"1.0","status":"affected"}]}`, `p v["1.0"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := product(t, tt.product); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// CVSS is that of the CNA before that of an ADP, version 4 before 3.1 before
// 3.0, and 2 only alone.
func TestCVESeverity(t *testing.T) {
	const v2, v30, v31, v4 = `"cvssV2_0":{"vectorString":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}`, `"cvssV3_0":{"vectorString":"CVSS:3.0/AV:N/"}`,
		`"cvssV3_1":{"vectorString":"CVSS:3.1/AV:N"}`, `"cvssV4_0":{"vectorString":"CVSS:4.0/AV:N"}`
	tests := []struct {
		cna, adp string
		want     []Severity
	}{
		{v2, "", []Severity{{Type: "CVSS_V2", Score: "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}},
		{v2 + "," + v30, v31, []Severity{{Type: "CVSS_V3", Score: "CVSS:3.0/AV:N"}}},
		{v30 + "," + v31 + "," + v4, "", []Severity{{Type: "CVSS_V4", Score: "CVSS:4.0/AV:N"}, {Type: "CVSS_V3", Score: "CVSS:3.1/AV:N"}}},
		{`"other":{"type":"ssvc","content":{}}`, v31, []Severity{{Type: "CVSS_V3", Score: "CVSS:3.1/AV:N"}}},
	}
	for _, tt := range tests {
		doc := fmt.Sprintf(`{"cveMetadata":{"cveId":"CVE-2024-1234"},"containers":{"cna":{"metrics":[{%s}]},"adp":[{"providerMetadata":{"shortName":"CISA-ADP"},"metrics":[{%s}]}]}}`, tt.cna, tt.adp)
		err := CVEList(Doc{Body: strings.NewReader(doc)}, func(r *Record) error {
			if d := cmp.Diff(tt.want, r.Severity); d != "" {
				t.Errorf("%s: %s", tt.cna, d)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

const cveSeed = `{"cveMetadata":{"cveId":"CVE-2024-1234","state":"PUBLISHED","dateUpdated":"2024-01-01T00:00:00"},"containers":{"cna":{"title":"t","descriptions":[{"lang":"en","value":"d"}],
	"affected":[{"product":"p","defaultStatus":"affected","versions":[{"version":">= 1, < 2","status":"unaffected"},{"version":"3","status":"affected","lessThan":"*","changes":[{"at":"4","status":"unaffected"}]}]},
	{"vendor":"Linux","product":"Linux","repo":"https://r/","versions":[{"version":"0","lessThanOrEqual":"6.12.*","status":"affected"},{"version":"0","versionType":"git","status":"affected"}]}]},
	"adp":[{"providerMetadata":{"shortName":"CISA-ADP"},"metrics":[{"other":{"type":"ssvc","content":{"options":[{"Exploitation":"none"}]}}}]}]}}`

func FuzzCVEList(f *testing.F) { fuzzDocuments(f, CVEList, "CVE-2024-1234.json", cveSeed) }

func FuzzSSVC(f *testing.F) { fuzzDocuments(f, SSVC, "CVE-2024-1234.json", cveSeed) }

func FuzzNVDOverride(f *testing.F) {
	fuzzDocuments(f, NVDOverride, "x.json", `{"_annotation":{"cve_id":"CVE-2024-1234","modified":"2024-01-01T00:00:00+00:00"},"cve":{"configurations":[{"nodes":[]}]}}`)
}
