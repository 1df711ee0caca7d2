package peers

import (
	"regexp"
	"strings"
)

// A class is a known way in which a library differs from versioncmp.
type class struct {
	what      string // what the library does
	authority string // says that it should not
	fits      func(d difference) bool
	most      int // how many differences on the pairs at hand fit
}

// refuses fits where the library takes a version of the pair for invalid and
// versioncmp takes neither, takes the other way round, orders where both
// answer.
func refuses(d difference) bool { return d.theirs == "?" }
func takes(d difference) bool   { return d.ours == "?" }
func orders(d difference) bool  { return !refuses(d) && !takes(d) }

// either returns what fits where both answer and a version matches pattern.
func either(pattern string) func(d difference) bool {
	fits := seen(pattern)
	return func(d difference) bool { return orders(d) && fits(d) }
}

// refusing returns what fits where the library refuses the pair and a version
// matches pattern.
func refusing(pattern string) func(d difference) bool {
	fits := seen(pattern)
	return func(d difference) bool { return refuses(d) && fits(d) }
}

func seen(pattern string) func(d difference) bool {
	re := regexp.MustCompile(pattern)
	return func(d difference) bool { return re.MatchString(d.a) || re.MatchString(d.b) }
}

// The greatest numbers of 63 and of 64 bits.
const (
	max63 = "9223372036854775807"
	max64 = "18446744073709551615"
)

// past returns what fits where a number of the pair is limit or more, however
// the library answers.
func past(limit string) func(d difference) bool {
	reaches := func(version string) bool {
		for _, run := range tokens(version) {
			run = strings.TrimLeft(run, "0")
			if runOf((run + "x")[0]) == digits && (len(run) > len(limit) || len(run) == len(limit) && run >= limit) {
				return true
			}
		}
		return false
	}
	return func(d difference) bool { return !takes(d) && (reaches(d.a) || reaches(d.b)) }
}

// lengthens fits where both answer and the versions begin with different
// counts of numbers.
func lengthens(d difference) bool { return orders(d) && numbers(d.a) != numbers(d.b) }

// numbers returns how many numbers with dots between them begin a version.
func numbers(version string) int {
	n := 0
	for _, t := range tokens(strings.TrimPrefix(version, "v")) {
		switch {
		case runOf(t[0]) == digits:
			n++
		case t != ".":
			return n
		}
	}
	return n
}

// longer fits where both answer and the pre-releases are of different lengths.
func longer(d difference) bool {
	labels := func(version string) int {
		_, pre, _ := strings.Cut(strings.SplitN(version, "+", 2)[0], "-")
		return strings.Count(pre, ".")
	}
	return orders(d) && labels(d.a) != labels(d.b)
}

// Authorities.
const (
	apkTools   = "apk-tools 3, src/version.c"
	composer   = "composer/semver, VersionParser::normalize, and php version_compare"
	conan      = "Conan 2, conan/internal/model/version.py"
	dpkg       = "Debian Policy 5.6.12; dpkg lib/dpkg/{version,parsehelp}.c"
	gems       = "rubygems lib/rubygems/version.rb"
	julia      = "Julia base/version.jl"
	lists      = "Data.Version and R's compareVersion: lists of numbers, the longer greater"
	maven      = "Maven 4, ComparableVersion; POM Reference, Version Order Specification"
	nodeSemver = "node-semver 7, compare"
	nuget      = "NuGet.Versioning, VersionComparer and NuGetVersion.Parse"
	pep        = "PEP 440; pypa/packaging"
	pubSemver  = "pub_semver, Version.compareTo"
	rpmEVR     = "rpm-version(7): an epoch is digits, the release is behind the last dash"
	rpmLib     = "rpmio/rpmvercmp.cc and rpmio/rpmver.c"
	semver2    = "SemVer 2.0, sections 2, 9 and 11"
	ours       = "none: advisories have such strings, and the answer is the one that they mean"
	legacy     = "setuptools before PEP 440, parse_version"
)

// signedLabel is the mistake that many libraries make: an identifier with a
// hyphen is text (SemVer 2.0 section 11.4.2).
func signedLabel(most int) class {
	return class{"a label -5 is the number -5", semver2, either(`[-.]-`), most}
}

var classes = map[string][]class{
	"Alpine, go-apk-version": {
		{"numbers wrap around at 2^63", apkTools, past(max63), 237},
		{"a ~hash is refused", apkTools, refusing(`~`), 629},
		{"a chain of suffixes, and what is invalid behind a valid beginning, is refused", apkTools, refuses, 1193},
		{"a dot without a number is read over", apkTools, either(`\.(\D|$)`), 241},
		{"any character behind a dash makes a revision", apkTools, either(`-[^r]|-r\D|-r$`), 245},
		{"leading zeros count by how many they are", apkTools, either(`\.0\d`), 30},
		{"a pre-release without a number is above its release", apkTools, either(`_(alpha|beta|pre|rc)($|\D)`), 1},
		{"a number behind the letter is below its end", apkTools, either(`[a-z]\d`), 10},
		{"a version need not begin with a digit", apkTools, takes, 108},
	},
	"Alpine, osv-scalibr": {
		{"no revision equals every revision", apkTools, func(d difference) bool {
			return orders(d) && d.theirs == "=" && strings.Contains(d.a, "-r") != strings.Contains(d.b, "-r")
		}, 10},
		{"a ~hash is not compared", apkTools, either(`~[0-9a-f]`), 36},
		{"a dot without a number is read over", apkTools, either(`\.(\D|$)`), 178},
		{"missing numbers are 0", apkTools, lengthens, 28},
		{"a suffix without a number is one with 0, and one behind an invalid suffix counts", apkTools, either(`_`), 21},
		{"a -r without a number is -r0", apkTools, either(`-r($|\D)`), 3},
		{"what is behind the letter decides by being there", ours, either(`[a-z]\d`), 1},
		{"a version need not begin with a digit", apkTools, takes, 185},
	},
	"Bioconductor, osv-scalibr": {
		{"missing numbers are 0, and those after the third are text", lists, orders, 111},
		{"every string is a version", lists, takes, 1627},
	},
	"ConanCenter, osv-scalibr": {
		{"the order is SemVer's", conan, orders, 1606},
	},
	"Debian, go-deb-version": {
		{"numbers over 2^63-1 are equal", dpkg, past(max63), 117},
		{"an upstream version that does not begin with a digit is refused, where dpkg warns", dpkg, refuses, 146},
	},
	"Debian, osv-scalibr": {
		{"an empty upstream version, and an epoch over 2^31-1, is taken", dpkg, takes, 11},
	},
	"GHC, osv-scalibr": {
		{"missing numbers are 0, and those after the third are text", lists, orders, 74},
		{"every string is a version", lists, takes, 1297},
	},
	"Go, deps.dev": {
		{"numbers of 2^63-1 and over are refused, or text in a pre-release", semver2, past(max63), 1800},
		{"a second v, and a pre-release behind missing numbers, is refused", ours, refuses, 272},
		signedLabel(7),
		{"leading zeros in a pre-release are taken", semver2, takes, 21},
	},
	"Go, osv-scalibr": {
		{"vv1.0 is a pre-release", ours, either(`^vv`), 54},
		signedLabel(8),
		{"every string is a version", semver2, takes, 2234},
	},
	"Go, x/mod": {
		{"a second v, and a pre-release behind missing numbers, is refused", ours, refuses, 159},
	},
	"Hackage, osv-scalibr": {
		{"empty numbers are taken", lists, takes, 1297},
	},
	"Julia, osv-scalibr": {
		{"the build does not count", julia, either(`\+`), 418},
		signedLabel(17),
		{"a dash at the end does not count", julia, either(`-$`), 10},
		{"every string is a version", julia, takes, 1663},
	},
	"Maven, deps.dev": {
		{"numbers of 2^63-1 and over are refused", maven, past(max63), 1822},
		{"letters and the number behind them are two items, as before Maven 3.9", maven, either(`[^0-9.-]-?\d`), 519},
		{"a dot before a qualifier is no dash, as before Maven 3.9", maven, either(`\.[^0-9.-]`), 141},
		{"an empty item is not 0", maven, either(`^[.-]|[.-][.-]|[.-]$`), 228},
		{"a number with leading zeros is text", maven, either(`(^|\D)0\d`), 46},
		{"a qualifier at the beginning is below 0", maven, either(`^[^0-9.-]`), 5},
		{"a 0 before a qualifier is dropped also behind a dash", maven, either(`-0`), 2},
	},
	"Maven, go-mvn-version": {
		{"numbers over 2^63-1 are equal", maven, past(max63), 111},
		{"letters and the number behind them are two items, as before Maven 3.9", maven, either(`[^0-9.-]-?\d`), 350},
		{"a dot before a qualifier is no dash, as before Maven 3.9", maven, either(`\.[^0-9.-]`), 109},
		{"a separator at the end counts, and a list of nothing", maven, either(`[.-][.-]|[.-]$`), 16},
		{"a word for release counts before a dash", maven, either(`(?i)(release|final|ga)-`), 1},
	},
	"Maven, osv-scalibr": {
		{"letters and the number behind them are two items, as before Maven 3.9", maven, either(`[^0-9.-]-?\d`), 353},
		{"a dot before a qualifier is no dash, as before Maven 3.9", maven, either(`\.[^0-9.-]`), 115},
		{"an empty item is not 0", maven, either(`^[.-]|[.-][.-]|[.-]$`), 16},
		{"a qualifier at the beginning is below 0", maven, either(`^[^0-9.-]`), 6},
		{"a 0 before a qualifier is dropped also behind a dash", maven, either(`-0`), 2},
	},
	"NuGet, deps.dev": {
		{"numbers of 2^63-1 and over are refused", ours, past(max63), 11},
		{"a label with leading zeros is text", nuget, either(`[-.]0\d`), 18},
	},
	"NuGet, osv-scalibr": {
		{"a label over 2^31-1 is a number", nuget, either(`\d{10}`), 19},
		{"every string is a version", nuget, takes, 1911},
	},
	"Packagist, deps.dev": {
		{"four numbers are refused", composer, refusing(`\d+\.\d+\.\d+\.\d`), 1029},
		{"a stability without a dash is refused", composer, refusing(`\d[._]?[A-Za-z]`), 2618},
		{"a separator at the end, and a date, is refused", composer, refuses, 515},
		{"letters are compared with case", composer, either(`[A-Z]`), 162},
		{"a patch is a pre-release", composer, either(`-p`), 22},
		{"a stability and its number are one text", composer, either(`-[a-z]`), 63},
		{"a date has other parts", composer, either(`^v?\d{4}[.-]|^\d{8}`), 4},
		{"any text behind a dash is taken", composer, takes, 140},
	},
	"Packagist, osv-scalibr": {
		{"build metadata is compared", composer, either(`\+`), 362},
		{"a stability in capitals is an unknown word", composer, either(`[A-Z]`), 103},
		{"stable is an unknown word", composer, either(`stable`), 14},
		{"missing numbers are not 0", composer, lengthens, 149},
		{"a separator at the end counts", composer, either(`[-._]$`), 127},
		{"a branch has a place in the order", composer, either(`^(dev-|master$|trunk$|default$)`), 3},
		{"a date is a version, and two separators are one", composer, either(`^\d{4}-|-\.`), 2},
		{"every string is a version", composer, takes, 1800},
	},
	"Pub, osv-scalibr": {
		{"build metadata is text", pubSemver, either(`\+`), 30},
		signedLabel(17),
		{"every string is a version", pubSemver, takes, 1931},
	},
	"PyPI, deps.dev": {
		{"numbers of 2^63-1 and over are refused, or text in a local version", pep, past(max63), 1692},
		{"a version that PEP 440 refuses is refused", ours, refuses, 1622},
		{"a local version is not compared behind a post- or development release", pep, either(`\+`), 135},
		{"a post-release of a pre-release is none", pep, either(`(?i)([abc]|pre|preview)\d*[-._]?(post|rev|r|-)`), 17},
		{"of two separators one does not count", legacy, either(`\.[-._]`), 44},
	},
	"PyPI, go-pep440-version": {
		{"numbers over 2^64-1 are refused, or text in a local version", pep, past(max64), 1432},
		{"a version that PEP 440 refuses is refused", ours, refuses, 1680},
		{"of two local versions the shorter is the greater, and a word is above a number", pep, either(`\+`), 40},
	},
	"PyPI, osv-scalibr": {
		{"an epoch mark in a legacy version is no part of it", legacy, either(`!`), 1},
	},
	"Red Hat, go-rpm-version": {
		{"an epoch that is no number is 0", rpmEVR, either(`^[^:]*[^0-9:][^:]*:|^:`), 206},
		{"the release is cut at the first dash", rpmEVR, either(`-.*-`), 241},
		{"an empty release is none", rpmLib, either(`-$`), 11},
		{"an epoch over 2^63-1 is 0", rpmEVR, past(max63), 7},
	},
	"Red Hat, osv-scalibr": {
		{"the release is cut at the first dash", rpmEVR, either(`-.*-`), 253},
		{"an empty version is below one of separators only", rpmLib, either(`^[^A-Za-z0-9]`), 6},
	},
	"RubyGems, deps.dev": {
		{"numbers of 2^63-1 and over are refused, or text in a pre-release", gems, past(max63), 2169},
		{"words are compared without case", gems, either(`[A-Z]`), 164},
		{"what follows a 0 in a pre-release is not compared", gems, either(`[a-z-].*0`), 136},
		{"a dash behind a dot, and a letter in the first number, is taken", gems, takes, 49},
	},
	"RubyGems, go-gem-version": {
		{"numbers over 2^64-1 are text", gems, past(max64), 613},
		{"a word is cut into letters", gems, either(`[A-Za-z]{2}`), 123},
		{"zeros before a word count", gems, either(`0\.?[A-Za-z]`), 8},
	},
	"RubyGems, osv-scalibr": {
		{"a dash is no .pre.", gems, either(`-`), 86},
		{"00 is not 0", gems, either(`00`), 30},
		{"zeros before a second word count", gems, either(`[A-Za-z].*0\.?[A-Za-z]`), 2},
		{"every string is a version", gems, takes, 1578},
	},
	"crates.io, Masterminds": {
		{"numbers over 2^64-1 are refused, or text in a pre-release", semver2, past(max64), 1481},
		{"missing numbers are refused", ours, refuses, 442},
	},
	"crates.io, deps.dev": {
		{"numbers of 2^63-1 and over are refused, or text in a pre-release", semver2, past(max63), 2102},
		{"a pre-release behind missing numbers is refused", ours, refuses, 31},
		signedLabel(22),
		{"leading zeros in a pre-release, and 1.x, are taken", semver2, takes, 23},
	},
	"crates.io, osv-scalibr": {
		signedLabel(26),
		{"every string is a version", semver2, takes, 2105},
	},
	"crates.io, x/mod": {
		{"a pre-release behind missing numbers is refused", ours, refuses, 173},
	},
	"npm, deps.dev": {
		signedLabel(28),
		{"leading zeros are taken", semver2, takes, 281},
	},
	"npm, go-npm-version": {
		{"a leading v, and a pre-release behind missing numbers, is refused", nodeSemver, refuses, 385},
		{"a label that begins with x ends the comparison", nodeSemver, either(`[-.][xX]`), 19},
	},
	"npm, hashicorp":           hashicorpClasses,
	"npm, knqyf263/go-version": hashicorpClasses,
	"npm, osv-scalibr": {
		signedLabel(28),
		{"every string is a version", semver2, takes, 2087},
	},
}

// knqyf263/go-version is hashicorp/go-version as of 2019; their orders have
// not changed since.
var hashicorpClasses = []class{
	signedLabel(27),
	{"of two pre-releases, one the beginning of the other, the shorter is the greater if a word follows", semver2, longer, 96},
	{"leading zeros and more than three numbers are taken", semver2, takes, 286},
}
