package normalize

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestGLAD(t *testing.T) {
	const in = `---
identifier: "CVE-2022-34187"
identifiers:
- "GHSA-x95w-qf3m-pqpx"
- "CVE-2022-34187"
package_slug: "maven/org.example/some-plugin"
title: "Cross-site scripting"
description: "A page shows what it was given."
date: "2022-07-05"
pubdate: 2022-06-24
affected_range: "(,0.0.7],[1.10,1.11),[2.0]"
fixed_versions: [1.10, "2.1"]
affected_versions: "All versions up to 0.0.7"
not_impacted: ""
solution: "Upgrade."
urls:
- "https://nvd.nist.gov/vuln/detail/CVE-2022-34187"
cvss_v2: "AV:N/AC:M/Au:S/C:N/I:P/A:N"
cvss_v3: "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N"
uuid: "u"
cwe_ids: ["CWE-79", "CWE-1035", "CWE-79"]
links: [a]
`
	const want = `{"affected":[{"database_specific":{"affected_range":"(,0.0.7],[1.10,1.11),[2.0]","affected_versions":"All versions up to 0.0.7",` +
		`"fixed_versions":["1.10","2.1"],"links":["a"],"package_slug":"maven/org.example/some-plugin","solution":"Upgrade.","uuid":"u"},` +
		`"package":{"ecosystem":"Maven","name":"org.example:some-plugin"},` +
		`"ranges":[{"events":[{"introduced":"1.10"},{"fixed":"1.11"}],"type":"ECOSYSTEM"},{"events":[{"introduced":"0"},{"last_affected":"0.0.7"}],"type":"ECOSYSTEM"}],` +
		`"versions":["2.0"]}],"aliases":["CVE-2022-34187","GHSA-x95w-qf3m-pqpx"],"database_specific":{"cwe_ids":["CWE-1035","CWE-79"]},` +
		`"details":"A page shows what it was given.","id":"GLAD-CVE-2022-34187","modified":"2022-07-05T00:00:00Z","published":"2022-06-24T00:00:00Z",` +
		`"references":[{"type":"WEB","url":"https://nvd.nist.gov/vuln/detail/CVE-2022-34187"}],` +
		`"severity":[{"score":"AV:N/AC:M/Au:S/C:N/I:P/A:N","type":"CVSS_V2"},{"score":"CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N","type":"CVSS_V3"}],` +
		`"summary":"Cross-site scripting"}`
	records, findings, err := parseDoc(t, GLAD, "x.yml", in)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	if diff := cmp.Diff([]string{want}, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
	if got := Lint(records[0]); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestGLADIDs(t *testing.T) {
	tests := []struct {
		name, identifier, identifiers, id string
		aliases, related                  []string
	}{
		{"own", "GMS-2020-15", "GHSA-p33q-w45h-2hcj, GMS-2020-15", "GMS-2020-15", []string{"GHSA-p33q-w45h-2hcj"}, nil},
		{"a CVE's", "CVE-2020-1234", "CVE-2020-1234", "GLAD-CVE-2020-1234", []string{"CVE-2020-1234"}, nil},
		{"two CVEs", "CVE-2020-1234", "CVE-2020-1234, CVE-2020-1235", "GLAD-CVE-2020-1234", nil, []string{"CVE-2020-1234", "CVE-2020-1235"}},
		{"two GHSAs", "CVE-2020-1234", "GHSA-1, GHSA-2", "GLAD-CVE-2020-1234", nil, []string{"CVE-2020-1234", "GHSA-1", "GHSA-2"}},
		{"a date", "2017-05-15", "", "GLAD-npm:@a:b:2017-05-15", nil, nil},
		{"none in the list", "MAL-2024-1", `""`, "GLAD-MAL-2024-1", []string{"MAL-2024-1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, _, err := parseDoc(t, GLAD, "x.yml", "identifier: \""+tt.identifier+"\"\nidentifiers: ["+tt.identifiers+"]\npackage_slug: npm/@a/b\naffected_range: '>=0'\n")
			if err != nil {
				t.Fatal(err)
			}
			r := records[0]
			if r.ID != tt.id || !cmp.Equal(r.Aliases, tt.aliases) || !cmp.Equal(r.Related, tt.related) {
				t.Errorf("%s, aliases %q, related %q", r.ID, r.Aliases, r.Related)
			}
		})
	}
}

func TestGLADPackages(t *testing.T) {
	for slug, want := range map[string]string{
		"go/github.com/a/b":                           "Go github.com/a/b",
		"go/github.com/a/b/c/d":                       "Go github.com/a/b",
		"go/github.com/a/b/v2/c":                      "Go github.com/a/b/v2",
		"go/github.com/a/b/v1/c":                      "Go github.com/a/b",
		"go/k8s.io/client-go/discovery/cached/disk":   "Go k8s.io/client-go",
		"go/code.cloudfoundry.org/archiver/extractor": "Go code.cloudfoundry.org/archiver",
		"go/gopkg.in/yaml.v2":                         "Go gopkg.in/yaml.v2",
		"go/gopkg.in/a/b.v1/c":                        "Go gopkg.in/a/b.v1",
		"go/golang.org/x/net/http2":                   "Go golang.org/x/net",
		"go/example.org/a/b/c":                        "Go example.org/a/b/c",
		"maven/group.id/artifact":                     "Maven group.id:artifact",
		"pypi/aamiles":                                "PyPI aamiles",
		"gem/rails":                                   "RubyGems rails",
		"packagist/3f/pygmentize":                     "Packagist 3f/pygmentize",
		"swift/github.com/a/b":                        "SwiftURL github.com/a/b",
		"conan/zlib":                                  "ConanCenter zlib",
		"cargo/x":                                     "crates.io x",
		"pub/x":                                       "Pub x",
		"nuget/X.Y":                                   "NuGet X.Y",
		"npm/@a/b":                                    "npm @a/b",
	} {
		typ, name, _ := strings.Cut(slug, "/")
		p := gladPackage(typ, name)
		if got := p.Ecosystem + " " + p.Name; got != want {
			t.Errorf("%s: %s, want %s", slug, got, want)
		}
	}
}

func TestGLADErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "empty document",
		"- a":                                 "no mapping",
		"title: x":                            "no id",
		"identifier: X\npackage_slug: what/x": `package_slug: unknown type of package "what/x"`,
		"identifier: X\nurls: x":              "urls: string where array is expected",
	} {
		if _, _, err := parseDoc(t, GLAD, "x.yml", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	records, findings, err := parseDoc(t, GLAD, "x.yml", "identifier: CVE-2024-1234\npackage_slug: npm/x\naffected_range: 'oh >> no'\n")
	if err != nil || len(findings) != 1 || findings[0].Rule != "bad-range" {
		t.Fatalf("findings %+v, error %v", findings, err)
	}
	const want = `{"affected":[{"database_specific":{"affected_range":"oh >> no","package_slug":"npm/x"},"package":{"ecosystem":"npm","name":"x"}}],` +
		`"aliases":["CVE-2024-1234"],"id":"GLAD-CVE-2024-1234"}`
	if diff := cmp.Diff([]string{want}, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
}

func TestGLADShared(t *testing.T) {
	n := 0
	walkArchive(t, sharedtest.Path(t, "upstream", "day1", "gitlab.com", "gitlab-org", "advisories-community", "-", "archive", "main",
		"advisories-community-main.tar.gz"), func(d sharedDoc) {
		if !strings.HasSuffix(d.name, ".yml") {
			return
		}
		records, findings, err := parseDoc(t, GLAD, d.name, string(d.data))
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %+v, error %v", d.name, findings, err)
		}
		for _, r := range records {
			n++
			for _, f := range Lint(r) {
				t.Errorf("%+v", f)
			}
			if a := r.Affected[0]; len(a.Ranges)+len(a.Versions) == 0 {
				t.Errorf("%s: affects nothing", r.ID)
			}
		}
	})
	if n < 10 {
		t.Errorf("%d records", n)
	}
}
