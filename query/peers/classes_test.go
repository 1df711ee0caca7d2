package peers

import (
	"regexp"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
)

// A class is a known way in which the findings of a peer differ.
type class struct {
	what      string // what the peer does
	authority string // says that it should not
	fits      func(d difference) bool
	most      int // how many findings of all SBOMs fit, at most
}

// A difference is a finding that only one of the two has.
type difference struct {
	finding
	ours   bool // the peer lacks it
	record *normalize.Record
}

// Authorities that are named more than once.
const (
	pseudoVersions = "Go modules reference, pseudo-versions: it is a version like others, below v0.0.1"
	purlNames      = "purl specification, golang: namespace and name must be lowercased"
)

var osvScannerClasses = []class{
	{"orders versions of Packagist as version_compare of PHP does: 2.0 before 2.0.0", "composer/semver, VersionParser::normalize: 2.0 is 2.0.0.0", shortened, 12},
	{"reads no range of an entry whose first range is of commits", "OSV schema 1.7, evaluation: a version in any range is affected", behindCommits, 12},
	{"compares paths of Go modules as purls write them, in lower case, with records that do not", purlNames, lowered, 12},
}

func shortened(d difference) bool {
	return d.base() == "Packagist" && (strings.Count(d.version, ".") < 2 || strings.Contains(d.version, "-"))
}

func lowered(d difference) bool {
	return d.ours && d.base() == "Go" && strings.ToLower(d.name) != d.name
}

// behindCommits fits where a range of versions stands behind one of commits and
// the version is not listed too.
func behindCommits(d difference) bool {
	return d.ours && slices.ContainsFunc(d.record.Affected, func(a normalize.Affected) bool {
		return a.Package.Name == d.name && len(a.Ranges) > 1 && a.Ranges[0].Type == normalize.Git && !slices.Contains(a.Versions, d.version)
	})
}

var grypeClasses = []class{
	{"matches no Go module at a pseudo-version without a release before it (v0.0.0-…)", pseudoVersions, unreleased, 220},
}

var trivyClasses = []class{
	{"matches no Go module at a pseudo-version without a release before it (v0.0.0-…)", pseudoVersions, unreleased, 220},
	{"compares paths of Go modules as purls write them, in lower case, with records that do not", purlNames, lowered, 12},
	{"drops an advisory whole where one of the versions that it lists is not of PEP 440 or in upper case (0.3.2.RC1)", "PEP 440, normalization: letters of any case; else none: the ranges beside the list are read all the same", legacyListed, 40},
}

func unreleased(d difference) bool {
	return d.ours && d.base() == "Go" && strings.HasPrefix(strings.TrimPrefix(d.version, "v"), "0.0.0-")
}

// legacyListed fits where an entry for the package lists a version that does not
// fit pep440.
func legacyListed(d difference) bool {
	return d.ours && d.base() == "PyPI" && slices.ContainsFunc(d.record.Affected, func(a normalize.Affected) bool {
		return a.Package.Name == d.name && slices.ContainsFunc(a.Versions, func(v string) bool { return !pep440.MatchString(v) })
	})
}

// pep440 is the grammar of PEP 440, appendix B, without white space around and in
// lower case alone, as trivy reads it.
var pep440 = regexp.MustCompile(`^v?([0-9]+!)?[0-9]+(\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?` +
	`(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?$`)
