package versioncmp

import (
	"cmp"
	"strings"
)

// archScheme is the order of Arch Linux packages: vercmp(8), "Description",
// that is [epoch:]pkgver[-pkgrel] with the segments of rpmvercmp as they were
// in 2008: no "~" or "^", and of two separators the longer is the greater.
// Every string but the empty one is a version.
//
// The order is not transitive, so that the key is coarse. A release counts only
// if both sides have one: 1-1 < 1-2 and both = 1. And a trailing separator is
// below any number and above any letter, whatever the separators before those:
// 1.5 < 1..a < 1. < 1.5.
var archScheme = &Scheme{Name: "alpm", key: appendArchKey, compare: compareArch}

// Classes of a pkgver in the key. More of it cannot be there: "." is above
// ".a", which is above 5, which is above ".".
const (
	archLetters = 1
	archOther   = 2
)

func appendArchKey(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("alpm", version)
	}
	v := splitArch(version)
	dst = appendNumber(dst, v.epoch)
	if v.version != "" && isAlpha(v.version[0]) {
		return appendText(append(dst, archLetters), lettersFrom(v.version, 0)), nil
	}
	return append(dst, archOther), nil
}

func compareArch(a, b string) int {
	v, w := splitArch(a), splitArch(b)
	if c := compareDigits(v.epoch, w.epoch); c != 0 {
		return c
	}
	if c := compareArchSegments(v.version, w.version); c != 0 || !v.released || !w.released {
		return c
	}
	return compareArchSegments(v.release, w.release)
}

// An archVersion is a version cut into its parts.
type archVersion struct {
	epoch    string // digits; none is 0
	version  string
	release  string
	released bool
}

// splitArch cuts a version: the epoch is digits before a colon, or nothing
// before one, and the release is what follows the last dash.
func splitArch(s string) (v archVersion) {
	if n := digitsFrom(s, 0); len(n) < len(s) && s[len(n)] == ':' {
		v.epoch, s = n, s[len(n)+1:]
	}
	v.version = s
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		v.version, v.release, v.released = s[:i], s[i+1:], true
	}
	return v
}

// compareArchSegments compares two pkgvers or pkgrels by their segments, runs
// of digits or of letters, and by the lengths of the separators between them.
func compareArchSegments(a, b string) int {
	for a != "" && b != "" {
		sa, sb := archSeparators(a), archSeparators(b)
		a, b = a[sa:], b[sb:]
		if a == "" || b == "" {
			break
		}
		if c := cmp.Compare(sa, sb); c != 0 {
			return c
		}
		segA, segB := archSegment(a), archSegment(b)
		if c := compareArchSegment(segA, segB); c != 0 {
			return c
		}
		a, b = a[len(segA):], b[len(segB):]
	}
	switch {
	case a == "" && b == "":
		return 0
	case a == "":
		return -archRest(b)
	}
	return archRest(a)
}

// archRest compares what one side has more than the other with nothing:
// letters are below it, all else above.
func archRest(s string) int {
	if isAlpha(s[0]) {
		return -1
	}
	return 1
}

// compareArchSegment compares two segments: digits are above letters.
func compareArchSegment(a, b string) int {
	na, nb := isDigit(a[0]), isDigit(b[0])
	switch {
	case na && nb:
		return compareDigits(a, b)
	case na:
		return 1
	case nb:
		return -1
	}
	return strings.Compare(a, b)
}

func archSegment(s string) string {
	if isDigit(s[0]) {
		return digitsFrom(s, 0)
	}
	return lettersFrom(s, 0)
}

func archSeparators(s string) int {
	i := 0
	for i < len(s) && !isDigit(s[i]) && !isAlpha(s[i]) {
		i++
	}
	return i
}
