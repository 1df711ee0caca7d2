package query

import (
	"cmp"
	"slices"
	"strings"
)

// preferred is whose word is taken first where several records of one
// vulnerability speak of one package: the databases of an ecosystem by the
// prefix of their IDs, the best first. Those that are not named come behind, in
// the order of IDs.
//
// For a distribution that is its tracker by CVE, whose ranges are current,
// before its announcements, which say what was fixed on one day. For a
// language it is the database that its own community reviews by hand, before
// GHSA where that one has the exact ranges (Go's and Rust's, which name
// symbols and patched branches), behind it where it is imported from others.
var preferred = map[string][]string{
	"":          {"CVE", "GHSA"},
	"Debian":    {"DEBIAN-CVE", "DSA", "DLA"},
	"Ubuntu":    {"UBUNTU-CVE", "USN", "LSN"},
	"Red Hat":   {"RHSA", "RHBA", "RHEA", "REDHAT-CVE"},
	"SUSE":      {"SUSE-SU", "SUSE-CVE"},
	"openSUSE":  {"openSUSE-SU", "SUSE-SU", "SUSE-CVE"},
	"Go":        {"GO", "GHSA"},
	"crates.io": {"RUSTSEC", "GHSA"},
	"npm":       {"GHSA", "NODE"},
	"PyPI":      {"GHSA", "PYSEC", "PSF"},
	"RubyGems":  {"GHSA", "RUBYSEC"},
	"Packagist": {"GHSA", "DRUPAL", "FOP"},
	"Hex":       {"EEF-CVE", "GHSA"},
	"Julia":     {"JLSEC"},
	"Hackage":   {"HSEC"},
	"opam":      {"OSEC"},
}

// lastNamed holds databases whose word is taken last everywhere: copies.
var lastNamed = map[string]bool{"GLAD": true, "GMS": true, "SNYK": true}

// preference is the place of an ID in the table, smaller is better.
func preference(ecosystem, id string) int {
	base, _, _ := strings.Cut(ecosystem, ":")
	list, ok := preferred[base]
	if !ok {
		list = preferred[""]
	}
	for i, prefix := range list {
		if rest, ok := strings.CutPrefix(id, prefix); ok && strings.HasPrefix(rest, "-") {
			return i
		}
	}
	if lastNamed[database(id)] {
		return len(list) + 1
	}
	return len(list)
}

// comparePreferred orders IDs of one vulnerability, the one whose word is
// taken first before others.
func comparePreferred(ecosystem, a, b string) int {
	return cmp.Or(preference(ecosystem, a)-preference(ecosystem, b), strings.Compare(a, b))
}

// SortPreferred sorts IDs of one vulnerability, the one whose word is taken
// first in the ecosystem at the head; without an ecosystem that is the CVE.
func SortPreferred(ecosystem string, ids []string) {
	slices.SortFunc(ids, func(a, b string) int { return comparePreferred(ecosystem, a, b) })
}
