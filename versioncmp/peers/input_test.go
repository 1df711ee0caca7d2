package peers

import (
	"bufio"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// mutants is how many pairs are made of an ecosystem's versions by mutation.
const mutants = 5000

// inputs are the files of pairs, below the shared versions, that an
// ecosystem's rules are compared on.
var inputs = map[string][]string{
	"Alpine":       {"truth/alpine.txt", "corpora/alpine/osv-scalibr-alpine-versions.txt", "corpora/alpine/osv-scalibr-alpine-versions-generated.txt"},
	"Bioconductor": {"corpora/cran/osv-scalibr-cran-versions.txt"},
	"CRAN":         {"truth/cran.txt", "corpora/cran/osv-scalibr-cran-versions.txt"},
	"ConanCenter":  {"corpora/conan/conan-test_version_comparison.txt"},
	"Debian":       {"truth/debian.txt", "corpora/debian/dpkg-Dpkg_Version.txt", "corpora/debian/osv-scalibr-debian-versions.txt", "corpora/debian/osv-scalibr-debian-versions-generated.txt"},
	"GHC":          {"corpora/hackage/osv-scalibr-hackage-versions.txt"},
	"Go":           {"truth/go.txt", "corpora/go/deps.dev-compare.txt"},
	"Hackage":      {"corpora/hackage/osv-scalibr-hackage-versions.txt"},
	"Julia":        {"truth/hex.txt"},
	"Maven":        {"truth/maven.txt", "corpora/maven/deps.dev-compare.txt", "corpora/maven/maven-ComparableVersionTest.txt", "corpora/maven/osv-scalibr-maven-versions.txt", "corpora/maven/osv-scalibr-maven-versions-generated.txt"},
	"NuGet":        {"truth/nuget.txt", "corpora/nuget/deps.dev-compare.txt", "corpora/nuget/nuget-client-tests.txt", "corpora/nuget/osv-scalibr-nuget-versions.txt"},
	"Packagist":    {"truth/packagist.txt", "corpora/packagist/composer-ComparatorTest.txt", "corpora/packagist/osv-scalibr-packagist-versions.txt", "corpora/packagist/osv-scalibr-packagist-versions-generated.txt"},
	"Pub":          {"truth/hex.txt", "corpora/pub/osv-scalibr-pub-versions.txt", "corpora/pub/pub_semver-version_test.txt"},
	"PyPI":         {"truth/pypi.txt", "corpora/pypi/deps.dev-compare.txt", "corpora/pypi/osv-scalibr-pypi-versions.txt", "corpora/pypi/osv-scalibr-pypi-versions-generated.txt", "corpora/pypi/packaging-test_version.txt"},
	"Red Hat":      {"truth/rpm.txt", "corpora/rpm/osv-scalibr-redhat-versions.txt", "corpora/rpm/rpm-rpmvercmp.txt"},
	"RubyGems":     {"truth/rubygems.txt", "corpora/rubygems/deps.dev-compare.txt", "corpora/rubygems/osv-scalibr-rubygems-versions.txt", "corpora/rubygems/osv-scalibr-rubygems-versions-generated.txt", "corpora/rubygems/rubygems-test_gem_version.txt"},
	"crates.io":    {"truth/hex.txt", "corpora/cargo/deps.dev-compare.txt", "corpora/semver/osv-scalibr-semver-versions.txt"},
	"npm":          {"truth/npm.txt", "corpora/npm/deps.dev-compare.txt", "corpora/npm/node-semver-comparisons.txt"},
}

// pairsOf returns the pairs of an ecosystem's files, and behind them as many
// mutants of their versions, which are the same ones each time.
func pairsOf(t *testing.T, ecosystem string) []pair {
	t.Helper()
	var pairs []pair
	for _, file := range inputs[ecosystem] {
		pairs = append(pairs, readPairs(t, file)...)
	}
	r := rand.New(rand.NewPCG(2026, uint64(len(pairs))))
	for m := (mutator{r, pairs}); len(m.pool) > 0 && len(pairs) < len(m.pool)+mutants; {
		pairs = append(pairs, m.pair())
	}
	return pairs
}

// readPairs reads lines "A < B"; what the file says of them is not needed.
func readPairs(t *testing.T, file string) []pair {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "versions", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var pairs []pair
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) >= 3 && len(w[1]) == 1 && strings.Contains("<=>", w[1]) {
			pairs = append(pairs, pair{w[0], w[2]})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(pairs) == 0 {
		t.Fatalf("%s: no pairs", file)
	}
	return pairs
}

// A mutator makes pairs of versions that are near to those of its pool.
type mutator struct {
	*rand.Rand
	pool []pair
}

// pair makes a version and a mutant of it.
func (m mutator) pair() pair {
	p := m.pool[m.IntN(len(m.pool))]
	mutant := m.mutate(p.a)
	if m.IntN(2) == 0 {
		return pair{mutant, p.a}
	}
	return pair{p.a, mutant}
}

// mutate puts a token of another version into s, in the place of one of its
// own or between two.
func (m mutator) mutate(s string) string {
	own, foreign := tokens(s), tokens(m.pool[m.IntN(len(m.pool))].b)
	i, token := m.IntN(len(own)), foreign[m.IntN(len(foreign))]
	if m.IntN(2) == 0 {
		own[i] = token
	} else {
		own[i] += token
	}
	return strings.Join(own, "")
}

// tokens cuts s into runs of digits, runs of letters, and other characters.
func tokens(s string) []string {
	var cut []string
	for start, i := 0, 1; i <= len(s); i++ {
		if i == len(s) || runOf(s[i]) != runOf(s[start]) || runOf(s[i]) == other {
			cut = append(cut, s[start:i])
			start = i
		}
	}
	return cut
}

// The runs of characters that are one token; any other character is one itself.
const (
	other = iota
	digits
	letters
)

func runOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return digits
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return letters
	}
	return other
}
