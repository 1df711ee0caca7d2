package versioncmp

import (
	"encoding/csv"
	"errors"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestLanguageToolPairs(t *testing.T) {
	for _, c := range []struct{ file, ecosystem string }{
		{"arch.txt", "Arch Linux"},
		{"freebsd.txt", "FreeBSD:ports"},
		{"gentoo.txt", "Gentoo"},
		{"maven.txt", "Maven:https://repo.example/maven"},
		{"packagist.txt", "Packagist:https://packages.drupal.org/8"},
		{"pypi.txt", "PyPI"},
		{"rubygems.txt", "RubyGems"},
	} {
		t.Run(c.file, func(t *testing.T) {
			if n := checkFile(t, c.ecosystem, nil, "truth", c.file); n < 14_000 {
				t.Errorf("only %d pairs", n)
			}
		})
	}
}

// TestLanguageOtherTools counts what differs from tools whose rule is not the
// one followed: Maven before 3.9, the resolver's GenericVersion, and the
// saturated or rounded numbers of a tool.
func TestLanguageOtherTools(t *testing.T) {
	for _, c := range []struct {
		file, ecosystem string
		differ          int
	}{
		{"maven-3.8.7.txt", "Maven", 95},
		{"maven-resolver.txt", "Maven", 265},
		{"packagist-quirks.txt", "Packagist", 5},
		{"freebsd-quirks.txt", "FreeBSD", 0},
	} {
		f, err := os.Open(sharedtest.Path(t, "versions", "truth", c.file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, differ, err := Check(f, c.ecosystem, nil)
		if err != nil || differ != c.differ {
			t.Errorf("%s: %d pairs differ, %v; want %d", c.file, differ, err, c.differ)
		}
	}
}

// TestPackagistQuirksAreSaturation shows that exact numbers are all that
// differs from PHP in its quirks: the tool's verdict is "=", and both sides
// hold a number above 2^63-1 at one place.
func TestPackagistQuirksAreSaturation(t *testing.T) {
	big := regexp.MustCompile(`[0-9]{19,}`)
	for line := range fileLines(t, "truth", "packagist-quirks.txt") {
		f := strings.Fields(line)
		if Relation("Packagist", f[0], f[2]) == f[1] {
			continue
		}
		if f[1] != "=" || !big.MatchString(f[0]) || !big.MatchString(f[2]) {
			t.Errorf("%s: differs for another reason", line)
		}
	}
}

// newComposerDate has what composer/semver takes for a date since 3.4, with a
// second group behind the two-digit ones; the refused strings are 3.3.2's.
var newComposerDate = regexp.MustCompile(`^[vV]?[0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){2}(?:[^0-9]|$)`)

func TestLanguageInvalid(t *testing.T) {
	for _, c := range []struct {
		folder, file, ecosystem string
		lax                     func(v string) bool
		accepted                int
	}{
		{"truth", "gentoo-invalid.txt", "Gentoo", nil, 0},
		{"truth", "rubygems-invalid.txt", "RubyGems", nil, 0},
		{"truth", "packagist-invalid.txt", "Packagist", newComposerDate.MatchString, 21},
		{"truth", "pypi-invalid.txt", "PyPI", isLegacyPyPI, 2000},
		{"corpora/pypi", "packaging-invalid.txt", "PyPI", isLegacyPyPI, 20},
	} {
		accepted := 0
		for v := range fileLines(t, append(strings.Split(c.folder, "/"), c.file)...) {
			switch _, err := Parse(c.ecosystem, v); {
			case err == nil && (c.lax == nil || !c.lax(v)):
				t.Errorf("%s: %q: accepted", c.file, v)
			case err == nil:
				accepted++
			case !errors.Is(err, ErrInvalid):
				t.Errorf("%s: %q: %v", c.file, v, err)
			}
		}
		if accepted != c.accepted {
			t.Errorf("%s: %d accepted, want %d", c.file, accepted, c.accepted)
		}
	}
}

// isLegacyPyPI reports whether v is below the least version that is valid.
func isLegacyPyPI(v string) bool { return Relation("PyPI", v, "0.dev0") == "<" }

const (
	mavenCombined = "ComparableVersion of Maven 4 (MNG-7644): letters and the number behind them are one item, above or below others as a whole; the corpus has Maven 3.8's rule"
	mavenTrailing = "ComparableVersion of Maven 4 (MNG-7559): .qualifier at the end is -qualifier; the corpus has Maven 3.8's rule, or the POM reference's of that time"
	mavenGA       = "ComparableVersion of Maven 4: ga with a number is a qualifier that counts for nothing, not a number; the corpus has Maven 3.8's rule"
	mavenKeptGA   = "ComparableVersion of Maven 4: a ga before other items stays as an item, and a list is above it; the corpus has Maven 3.8's rule"

	composerNormal  = "VersionParser::normalize: v is dropped, missing numbers are 0, words are known in any case, stable is nothing; the corpus has version_compare of the raw strings"
	composerRefuses = "VersionParser::normalize throws on one of the two; the corpus has version_compare of the raw strings"
	gemRefuses      = "Gem::Version.correct?: letters need a dot or a dash before them, 1beta is refused"
	tableHeading    = "no pair: the heading of the table"
)

var languageCorpora = []struct {
	folder, file, ecosystem string
	except                  []map[string]contradiction
}{
	{"arch", "pacman-vercmptest.txt", "Arch", nil},
	{"conan", "conan-test_version_comparison.txt", "ConanCenter", nil},
	{"freebsd", "pkg-version.txt", "FreeBSD", nil},
	{"gentoo", "portage-test_vercmp.txt", "Gentoo", nil},
	{"maven", "maven-ComparableVersionTest.txt", "Maven", nil},
	{"maven", "deps.dev-compare.txt", "Maven", []map[string]contradiction{
		contradicted("=", mavenTrailing, "1.foo < 1-foo"),
		contradicted("=", mavenCombined, "a-1 > alpha-1"),
		contradicted(">", mavenGA, "1-sp-1 < 1-ga-1"),
		contradicted("<", mavenGA, "1-ga-1 = 1-1"),
	}},
	{"maven", "osv-scalibr-maven-versions.txt", "Maven", []map[string]contradiction{
		contradicted(">", mavenCombined, "1-1.foo-bar-1-baz-0.1 = 1-1.foo-bar1baz-.1"),
		contradicted(">", mavenGA, "1-1 = 1-ga-1"),
	}},
	{"maven", "osv-scalibr-maven-versions-generated.txt", "Maven", []map[string]contradiction{
		contradicted("=", mavenGA, "7.4.3.20 < 7.4.3.20-ga20", "7.4.3.21 < 7.4.3.21-ga21"),
		contradicted(">", mavenKeptGA, "4.0.16.Final < 4.0.16.Final-jason1", "4.0.17.Final < 4.0.17.Final-wildfly-1",
			"1.1.3.RELEASE < 1.1.3.RELEASE-A"),
		contradicted(">", mavenTrailing, "2.9.0-1 < 2.9.0.RC1", "6.1.12.rc5 < 6.1.12rc1", "1.5.9.RC1 < 1.5.9-RC0",
			"1.1.0-01-glassfish < 1.1.0.Beta1", "1.0.0rc0 < 1.0.beta8", "1.0.0-RC16 < 1.0.0.RC8-beta",
			"1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3",
			"1.1.31.sec10 < 1.1.31_noneautotype", "1.1.34.sec10 < 1.1.34_noneautotype", "1.1.46.sec10 < 1.1.46_noneautotype",
			"1.2.8.sec10_noneautotype < 1.2.8_noneautotype", "1.2.31.sec10 < 1.2.31_noneautotype",
			"1.2.48.sec10 < 1.2.48_noneautotype", "1.2.50.sec10 < 1.2.50_noneautotype", "1.2.54.sec10 < 1.2.54_noneautotype",
			"1.2.57.sec10 < 1.2.57_noneautotype", "1.2.60.sec10 < 1.2.60_noneautotype", "1.2.67.sec10 < 1.2.67_noneautotype"),
		contradicted(">", mavenCombined, "3.2.0rc2 < 3.2.0-rc.1", "1.0.0-beta11 < 1.0.0-beta.6",
			"3.5.0-CR-2 < 3.5.0.Beta-1", "v3.7.0rc2 < v3.7.0-rc.3"),
	}},
	{"packagist", "composer-ComparatorTest.txt", "Packagist", nil},
	{"packagist", "php-version_compare.txt", "Packagist", []map[string]contradiction{
		contradicted("?", composerRefuses, "1.2(message) = 1.2(message)"),
	}},
	{"packagist", "osv-scalibr-packagist-versions.txt", "Packagist", []map[string]contradiction{
		contradicted("=", composerNormal, "1.0.0 > 1.0"),
		contradicted("?", composerRefuses, "4.3-2RC1 < 4.3-2RC2", "4.3-2RC2 > 4.3-2beta5", "4.3-2 > 4.3-2beta1",
			"1.2.3.# = 1.2.3", "1.2.3.# = 1.2.3.#", "1.2.3.# = 1.2.3.1", "1.2.3.#.1 > 1.2.3", "1.2.3.#.p3 > 1.2.3",
			"1.2.3.#.beta < 1.2.3", "999999999999999999999999999991 < 999999999999999999999999999999",
			"999999999999999999999999999991.999999999999999999999999999991.999999999999999999999999999991 < "+
				"999999999999999999999999999999.999999999999999999999999999991.999999999999999999999999999991"),
	}},
	{"packagist", "osv-scalibr-packagist-versions-generated.txt", "Packagist", []map[string]contradiction{
		contradicted(">", composerNormal, "v3.0 < v3.0.0-beta", "v3.4 < v3.4.0-alpha", "v4-beta4 < v4.0-alpha",
			"v1.9.0-BETA.1 < v1.9.0-ALPHA.2", "5.1.0-stable < 5.1.0-beta2", "v4.4 < v4.4.0-beta",
			"v6.5 < v6.5.0-beta-0", "v6.6 < v6.6.0-beta"),
		contradicted("<", composerNormal, "v1.9.0-ALPHA.1 = v1.9.0-BETA.1", "v1.9.0-ALPHA.2 = v1.9.0-BETA.2"),
		contradicted("?", composerRefuses, "0.0.1-test1 < 3.0.0-alpha4", "3.0.0b1 < 3.0.0b1.post1",
			"3.0.0b1.post1 < 3.0.0b1.post2", "3.0.0b1.post2 < 3.0.0b2", "3.0.0b2 < 3.0.0b2.post1",
			"3.0.0b2.post1 < 3.0.0b2.post2", "3.0.0b2.post2 < 3.0.0b3", "3.1.0 < 3.1.0.post1",
			"3.1.0.post1 < 3.2.0rc1", "3.2.0rc1 < 3.2.0rc1.post1", "3.2.0rc1.post1 < 3.2.0rc2",
			"3.4.0 < 3.5.0.post1", "3.5.0.post1 < 3.5.1", "3.5.2 < 3.5.2.post1", "3.5.2.post1 < 3.6.0",
			"1.5 < 1.5.1.dev100", "1.5.1.dev100 < 1.5.1.dev101", "1.5.1.dev101 < 1.5.1a1"),
	}},
	{"pypi", "packaging-test_version.txt", "PyPI", nil},
	{"pypi", "packaging-normalized.txt", "PyPI", []map[string]contradiction{
		contradicted(">", tableHeading, "version = normalized"),
	}},
	{"pypi", "osv-scalibr-pypi-versions.txt", "PyPI", nil},
	{"pypi", "osv-scalibr-pypi-versions-generated.txt", "PyPI", nil},
	{"pypi", "deps.dev-compare.txt", "PyPI", nil},
	{"rubygems", "rubygems-test_gem_version.txt", "RubyGems", nil},
	{"rubygems", "osv-scalibr-rubygems-versions.txt", "RubyGems", []map[string]contradiction{
		contradicted("?", gemRefuses, "1 > 1beta", "1 > 1gamma"),
	}},
	{"rubygems", "osv-scalibr-rubygems-versions-generated.txt", "RubyGems", nil},
	{"rubygems", "deps.dev-compare.txt", "RubyGems", nil},
}

// contradicted makes the table of the lines that one authority decides so.
func contradicted(got, authority string, lines ...string) map[string]contradiction {
	table := map[string]contradiction{}
	for _, line := range lines {
		table[line] = contradiction{got, authority}
	}
	return table
}

func TestLanguageCorpora(t *testing.T) {
	for _, c := range languageCorpora {
		t.Run(c.folder+"/"+c.file, func(t *testing.T) {
			except := map[string]contradiction{}
			for _, table := range c.except {
				maps.Copy(except, table)
			}
			if n := checkFile(t, c.ecosystem, except, "corpora", c.folder, c.file); n < 10 {
				t.Errorf("only %d pairs", n)
			}
		})
	}
}

func TestLanguageVersSpec(t *testing.T) {
	for _, c := range []struct {
		folder, file, ecosystem string
		least                   int
		except                  map[string]contradiction
	}{
		{"arch", "vers-spec-alpm_version_cmp_test.json", "Arch", 42, nil},
		{"conan", "vers-spec-conan_version_cmp_test.json", "ConanCenter", 47, nil},
		{"gentoo", "vers-spec-gentoo_version_cmp_test.json", "Gentoo", 48, nil},
		{"maven", "vers-spec-maven_version_cmp_test.json", "Maven", 977, map[string]contradiction{
			"2-1 < 2.0.a":     {">", mavenTrailing},
			"2-1 < 2.0.0.a":   {">", mavenTrailing},
			"2.0.0.a > 2.0.a": {"=", mavenTrailing},
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			cases := versSpecCases(t, c.folder, c.file)
			if len(cases) < c.least {
				t.Errorf("only %d cases", len(cases))
			}
			for _, tc := range cases {
				a, want, b := tc.want(t)
				got := Relation(c.ecosystem, a, b)
				if other, ok := c.except[a+" "+want+" "+b]; ok {
					want = other.got
				}
				if got != want && (want != "!" || got == "=" || got == "?") {
					t.Errorf("%s %s %s: got %s", a, want, b, got)
				}
			}
		})
	}
}

// notSupported are the cases of Composer's table that are commented out there
// with "not supported for BC".
var notSupported = map[string]bool{"1.0.0-0.3.7": true, "1.0.0-x.7.z.92": true}

// TestComposerNormalize checks Composer's table of versions and their normal
// forms, which are equal to them.
func TestComposerNormalize(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "versions", "corpora", "packagist", "composer-normalize.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 70 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		want := "="
		switch {
		case notSupported[row[0]]:
			want = "?"
		case row[0] == "2010-01-02":
			want = "<" // its normal form is read as three numbers, and padded
		}
		if got := Relation("Packagist", row[0], row[1]); got != want {
			t.Errorf("%q: normal form %q is %s, want %s", row[0], row[1], got, want)
		}
	}
}
