package sources

import (
	"slices"
	"strings"
)

// All are the sources that advdb knows, in the order of their names.
var All = slices.SortedFunc(slices.Values(slices.Concat(distributions, apkDebDistributions, rpmDistributions, languages, cves, exploitation, systems, buckets)),
	func(a, b Source) int { return strings.Compare(a.Name, b.Name) })

// ByName returns the source of that name.
func ByName(name string) (Source, bool) {
	for _, s := range All {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}
