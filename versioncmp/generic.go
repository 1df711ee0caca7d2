package versioncmp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	version "github.com/knqyf263/go-version"
)

// Generic compares two versions of which no ecosystem is known, as
// github.com/knqyf263/go-version does: dotted numbers, then a SemVer
// pre-release after a hyphen. It returns -1, 0 or +1. Its error wraps
// ErrInvalid for a version that go-version refuses.
//
// That library is no order on all that it takes: "alpha" < "alpha.1" <
// "alpha.beta" < "alpha" is a cycle, "-5" is a number, a number with leading
// zeros or over 63 bits depends on the side it stands on, and four numbers
// with a pre-release equal three without. So only such pairs are answered
// whose verdict agrees with SemVer's total order: numbers that differ, one
// release against one pre-release, or two pre-releases with as many
// identifiers each, none of them in doubt. For all others the error wraps
// ErrNoOrder.
func Generic(a, b string) (int, error) {
	v, err := version.NewSemver(a)
	if err != nil {
		return 0, invalid("generic", a)
	}
	w, err := version.NewSemver(b)
	if err != nil {
		return 0, invalid("generic", b)
	}
	if !reliable(v, w) {
		return 0, fmt.Errorf("%q, %q: %w", a, b, ErrNoOrder)
	}
	return v.Compare(w), nil
}

func reliable(v, w *version.Version) bool {
	x, y := v.Segments64(), w.Segments64()
	if !slices.Equal(trimZeros(x), trimZeros(y)) {
		return true
	}
	p, q := v.Prerelease(), w.Prerelease()
	switch {
	case p == "" && q == "":
		return true
	case len(x) != len(y):
		return false
	case p == "" || q == "":
		return true
	}
	return strings.Count(p, ".") == strings.Count(q, ".") && plainIdentifiers(p) && plainIdentifiers(q)
}

func trimZeros(segments []int64) []int64 {
	for len(segments) > 0 && segments[len(segments)-1] == 0 {
		segments = segments[:len(segments)-1]
	}
	return segments
}

// plainIdentifiers reports whether go-version and SemVer read every
// identifier alike: text, or a number below 2^63 without leading zeros or
// sign. Text that begins with more digits than that counts as a number there,
// even where it ends otherwise: strconv.ParseInt stops at the overflow.
func plainIdentifiers(pre string) bool {
	for id := range strings.SplitSeq(pre, ".") {
		n, err := strconv.ParseInt(id, 10, 64)
		switch {
		case isNumber(id) && (err != nil || hasLeadingZero(id)):
			return false
		case !isNumber(id) && (err == nil || n != 0):
			return false
		}
	}
	return true
}
