package peers

import (
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

var osvScannerClasses = []class{
	{"orders versions of Packagist as version_compare of PHP does: 2.0 before 2.0.0", "composer/semver, VersionParser::normalize: 2.0 is 2.0.0.0", shortened, 12},
	{"reads no range of an entry whose first range is of commits", "OSV schema 1.7, evaluation: a version in any range is affected", behindCommits, 12},
	{"compares paths of Go modules as purls write them, in lower case, with records that do not", "purl specification, golang-definition: the name must be lowercased", lowered, 12},
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

var trivyClasses = []class{}
