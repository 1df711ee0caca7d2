package versioncmp

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// toolPairs are the pairs that an ecosystem's own tool has decided; each must
// come out as the tool says.
var toolPairs = []struct{ file, ecosystem string }{
	{"alpine.txt", "Alpine:v3.20"},
	{"cran.txt", "CRAN"},
	{"debian.txt", "Debian:12"},
	{"go.txt", "Go"},
	{"hex.txt", "Hex"},
	{"npm.txt", "npm"},
	{"nuget.txt", "NuGet"},
	{"rpm.txt", "Rocky Linux:9"},
}

func TestToolPairs(t *testing.T) {
	for _, c := range toolPairs {
		t.Run(c.file, func(t *testing.T) {
			if n := checkFile(t, c.ecosystem, nil, "truth", c.file); n < 13000 {
				t.Errorf("only %d pairs", n)
			}
		})
	}
}

// A contradiction is a line of a public corpus that the ecosystem's own tool
// decides otherwise.
type contradiction struct {
	got       string
	authority string
}

const (
	apkEmptyPart  = "apk-tools test/unit/version.data: !0.1a.1, !.1: a dot takes digits; both strings are invalid at one place"
	apkRevisionNo = "apk-tools test/unit/version.data: !0.1-r: a revision takes a number"
	apkRevisions  = "apk-tools test/unit/version.data: !0.1-r2-r3: the left one is invalid later than the right one, whose -r has no number"
	apkNoVersion  = "apk-tools test/unit/version.data: !.1, !a: no version at all, and no place in the order"
	semverZeros   = "SemVer 2.0 section 9: a numeric identifier has no leading zeros; cargo, npm and x/mod refuse it"
	semverCore    = "SemVer 2.0 section 2: a number of the core has no leading zeros; node-semver refuses it"
	semverFour    = "SemVer 2.0 section 2: three numbers, not five"
	nugetZeros    = "NuGet.Versioning VersionComparer: a label that int.TryParse takes is a number, 011 is 11"
)

// publicCorpora are the corpora that other projects publish.
var publicCorpora = []struct {
	folder, file, ecosystem string
	except                  map[string]contradiction
}{
	{"alpine", "osv-scalibr-alpine-versions.txt", "Alpine", map[string]contradiction{
		"1-r = 1-r0":                  {"<", apkRevisionNo},
		"1-r0-1 = 1-r-2":              {">", apkRevisions},
		"0..1..0 < 0..1..1":           {"=", apkEmptyPart},
		"0...1...0 < 0...1...1":       {"=", apkEmptyPart},
		"0...1...0.r1 < 0...1...0.r2": {"=", apkEmptyPart},
		"0...1...0r1 < 0...1...0r2":   {"=", apkEmptyPart},
		"0..8 > 0...8":                {"=", apkEmptyPart},
		"0.8.21.r2 > 0.8.21.r1":       {"=", apkEmptyPart},
		".1 < 1":                      {"?", apkNoVersion},
		"1 > .1":                      {"?", apkNoVersion},
		".2 > .1":                     {"?", apkNoVersion},
		"a < b":                       {"?", apkNoVersion},
		"c > b":                       {"?", apkNoVersion},
		"c = c":                       {"?", apkNoVersion},
	}},
	{"alpine", "osv-scalibr-alpine-versions-generated.txt", "Alpine", nil},
	{"cargo", "deps.dev-compare.txt", "crates.io", map[string]contradiction{
		"1.0.0-rc.12 < 1.0.0-rc.011":      {"?", semverZeros},
		"0.0.1-alpha.006 > 0.0.1-alpha.6": {"?", semverZeros},
	}},
	{"cran", "osv-scalibr-cran-versions.txt", "CRAN", nil},
	{"cran", "osv-scalibr-cran-versions-generated.txt", "CRAN", nil},
	{"debian", "dpkg-Dpkg_Version.txt", "Debian", nil},
	{"debian", "osv-scalibr-debian-versions.txt", "Debian", nil},
	{"debian", "osv-scalibr-debian-versions-generated.txt", "Ubuntu:24.04:LTS", nil},
	{"go", "deps.dev-compare.txt", "Go", map[string]contradiction{
		"v1.0.0-rc.12 < v1.0.0-rc.011":      {"?", semverZeros},
		"v0.0.1-alpha.006 > v0.0.1-alpha.6": {"?", semverZeros},
	}},
	{"hackage", "osv-scalibr-hackage-versions.txt", "Hackage", nil},
	{"hex", "elixir-version_test.txt", "Hex", nil},
	{"npm", "node-semver-comparisons.txt", "npm", nil},
	{"npm", "node-semver-equality.txt", "npm", nil},
	{"npm", "deps.dev-compare.txt", "npm", map[string]contradiction{
		"1.0.0-rc.12 > 1.0.0-rc.011":                                 {"?", semverZeros},
		"0.0.1-alpha.006 = 0.0.1-alpha.6":                            {"?", semverZeros},
		"2001.1001.0000-dev-harmony-fb = 2001.1001.0-dev-harmony-fb": {"?", semverCore},
	}},
	{"nuget", "nuget-client-tests.txt", "NuGet", nil},
	{"nuget", "osv-scalibr-nuget-versions.txt", "NuGet", nil},
	{"nuget", "deps.dev-compare.txt", "NuGet", map[string]contradiction{
		"1.0.0-rc.12 < 1.0.0-rc.011":      {">", nugetZeros},
		"0.0.1-alpha.006 > 0.0.1-alpha.6": {"=", nugetZeros},
	}},
	{"pub", "pub_semver-version_test.txt", "Pub", nil},
	{"pub", "osv-scalibr-pub-versions.txt", "Pub", map[string]contradiction{
		"1.1.3.4.5 = 1.1.3.4.5": {"?", semverFour},
	}},
	{"rpm", "rpm-rpmvercmp.txt", "Fedora", nil},
	{"rpm", "osv-scalibr-redhat-versions.txt", "Red Hat", nil},
	{"semver", "osv-scalibr-semver-versions.txt", "SwiftURL", map[string]contradiction{
		"1.1.3.4.5 = 1.1.3.4.5": {"?", semverFour},
	}},
}

func TestPublicCorpora(t *testing.T) {
	for _, c := range publicCorpora {
		t.Run(c.folder+"/"+c.file, func(t *testing.T) {
			if n := checkFile(t, c.ecosystem, c.except, "corpora", c.folder, c.file); n < 10 {
				t.Errorf("only %d pairs", n)
			}
		})
	}
}

// checkFile checks a file of pairs, of which those in except must come out as
// it says. It returns how many passed.
func checkFile(t *testing.T, ecosystem string, except map[string]contradiction, elem ...string) int {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, append([]string{"versions"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, got := map[string]string{}, map[string]string{}
	for line, c := range except {
		want[line] = c.got
	}
	passed, failed, err := Check(f, ecosystem, func(_ int, text, relation string) { got[text] = relation })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%d passed, %d failed; lines that come out otherwise (-want +got):\n%s", passed, failed, diff)
	}
	return passed
}

// TestAPKData checks apk's own test data: pairs, valid versions, one a line,
// and invalid ones after "!". Lines with a tilde are about matching, not
// order.
func TestAPKData(t *testing.T) {
	seen := map[string]int{}
	for line := range fileLines(t, "corpora", "alpine", "apk-tools-version.data") {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		switch {
		case len(f) == 3 && strings.Contains("<=>", f[1]):
			seen["pair"]++
			if got := Relation("Alpine", f[0], f[2]); got != f[1] {
				t.Errorf("%s: got %s", line, got)
			}
		case len(f) == 1 && f[0][0] == '!':
			seen["invalid"]++
			if isAPK.MatchString(f[0][1:]) {
				t.Errorf("%s: is valid to the test's own grammar", f[0])
			}
		case len(f) == 1:
			seen["valid"]++
			if !isAPK.MatchString(f[0]) || Relation("Alpine", f[0], f[0]) != "=" {
				t.Errorf("%s: is not valid", f[0])
			}
		}
	}
	if seen["pair"] < 700 || seen["invalid"] < 20 || seen["valid"] < 5 {
		t.Errorf("read too little: %v", seen)
	}
}

// TestAptPairs checks apt's test data: two versions and -1, 0 or 1.
func TestAptPairs(t *testing.T) {
	n := 0
	for line := range fileLines(t, "corpora", "debian", "apt-versions.lst") {
		f := strings.Fields(line)
		if len(f) < 3 || f[0][0] == '#' {
			continue
		}
		n++
		want := map[string]string{"-1": "<", "0": "=", "1": ">"}[f[2]]
		if got := Relation("Debian", f[0], f[1]); got != want {
			t.Errorf("%s: got %s", line, got)
		}
	}
	if n < 60 {
		t.Errorf("only %d pairs", n)
	}
}

// A versSpecCase is a case of the package-url vers test suite.
type versSpecCase struct {
	Type  string `json:"test_type"`
	Input struct {
		Versions []string `json:"versions"`
	} `json:"input"`
	Output json.RawMessage `json:"expected_output"`
}

func (c versSpecCase) want(t *testing.T) (a, relation, b string) {
	t.Helper()
	a, b = c.Input.Versions[0], c.Input.Versions[1]
	if c.Type == "equality" {
		return a, map[string]string{"true": "=", "false": "!"}[string(c.Output)], b
	}
	var sorted []string
	if err := json.Unmarshal(c.Output, &sorted); err != nil {
		t.Fatal(err)
	}
	if strings.EqualFold(sorted[0], a) { // the suite writes NuGet's labels in lower case there
		return a, "<", b
	}
	return a, ">", b
}

func TestVersSpec(t *testing.T) {
	for _, c := range []struct {
		folder, file, ecosystem string
		least                   int
	}{
		{"alpine", "vers-spec-alpine_version_cmp_test.json", "Alpine", 700},
		{"nuget", "vers-spec-nuget_version_cmp_test.json", "NuGet", 30},
		{"debian", "univers-deb_version_python_pkg_test.json", "Debian", 10},
	} {
		t.Run(c.file, func(t *testing.T) {
			cases := versSpecCases(t, c.folder, c.file)
			if len(cases) < c.least {
				t.Errorf("only %d cases", len(cases))
			}
			for _, tc := range cases {
				a, want, b := tc.want(t)
				if got := Relation(c.ecosystem, a, b); got != want && (want != "!" || got == "=" || got == "?") {
					t.Errorf("%s %s %s: got %s", a, want, b, got)
				}
			}
		})
	}
}

// versSpecCases reads a suite, which is either the list of cases or an object
// that holds it.
func versSpecCases(t *testing.T, folder, file string) []versSpecCase {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, "versions", "corpora", folder, file))
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests []versSpecCase `json:"tests"`
	}
	if b[0] == '[' {
		err = json.Unmarshal(b, &suite.Tests)
	} else {
		err = json.Unmarshal(b, &suite)
	}
	if err != nil {
		t.Fatal(err)
	}
	return suite.Tests
}

// fileLines yields the lines of a file of the shared version data that are
// not empty.
func fileLines(t testing.TB, elem ...string) func(yield func(string) bool) {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, append([]string{"versions"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func(yield func(string) bool) {
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, maxPairLine)
		for lines.Scan() {
			if lines.Text() != "" && !yield(lines.Text()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
	}
}
