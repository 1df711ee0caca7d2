package versioncmp

import "strings"

// mavenScheme is the order of Maven artifacts: ComparableVersion of Maven 4
// (compat/maven-artifact, 2026-08; POM Reference, "Version Order
// Specification"), with the rules since MNG-7559 and MNG-7644 of 3.9: a letter
// and the number behind it are one item, and ".x" before a qualifier at the end
// is "-x". Maven 3.8, OSV and maven-resolver differ in about one of a hundred
// pairs. Every string but the empty one is a version, of any length (Maven 4
// stops at 256 characters).
//
// The order is not transitive (1-0.ga.1 and the like), so that the key is
// coarse: the numbers that a version begins with. Text beyond ASCII compares
// by code point, Java's by UTF-16.
var mavenScheme = &Scheme{Name: "maven", key: appendMavenKey, compare: compareMaven}

const (
	mavenEnd         = 1
	mavenNumberFirst = 2
)

func appendMavenKey(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("Maven", version)
	}
	var buf [mavenItems]mavenItem
	keep := len(dst)
	for _, it := range parseMaven(buf[:0], version) {
		if it.kind != mavenNumber {
			break
		}
		dst = appendNumber(append(dst, mavenNumberFirst), it.number)
		if it.number != "" {
			keep = len(dst)
		}
	}
	return append(dst[:keep], mavenEnd), nil
}

func compareMaven(a, b string) int {
	if a == b {
		return 0
	}
	a, b = cutMavenPrefix(a, b)
	var bufA, bufB [mavenItems]mavenItem
	return compareMavenLists(parseMaven(bufA[:0], a), parseMaven(bufB[:0], b))
}

// cutMavenPrefix drops what both versions begin with, up to a dash between a
// digit and a letter: on both sides a list with a qualifier begins behind it,
// before which the same zeros are dropped.
func cutMavenPrefix(a, b string) (restA, restB string) {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	dash := strings.LastIndexByte(a[:i], '-')
	if dash <= 0 || dash+1 >= n || !isDigit(a[dash-1]) || !isAlpha(a[dash+1]) || !isAlpha(b[dash+1]) {
		return a, b
	}
	return a[dash+1:], b[dash+1:]
}

// compareMavenLists compares two lists item by item, of which missing ones are
// null. A nested list is the last item of the one that it is in, so that there
// is no recursion.
func compareMavenLists(a, b []mavenItem) int {
	for i := 0; ; i++ {
		switch {
		case i == len(a):
			return -compareMavenNull(b[i:])
		case i == len(b):
			return compareMavenNull(a[i:])
		case a[i].kind == mavenList && b[i].kind == mavenList:
			a, b = a[i+1:], b[i+1:]
			i = -1
		case a[i].kind == mavenList:
			return compareMavenList(&b[i])
		case b[i].kind == mavenList:
			return -compareMavenList(&a[i])
		default:
			if c := a[i].compare(&b[i]); c != 0 {
				return c
			}
		}
	}
}

// compareMavenList compares a nested list with an item that is none: 1-1 is
// below 1.1 and above 1.sp.
func compareMavenList(it *mavenItem) int {
	if it.kind == mavenNumber {
		return -1
	}
	return 1
}

// compareMavenNull compares a list, and those nested in it, with null: the
// first item that differs from it decides.
func compareMavenNull(list []mavenItem) int {
	for i := range list {
		if c := list[i].compareNull(); c != 0 {
			return c
		}
	}
	return 0
}
