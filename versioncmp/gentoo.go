package versioncmp

import "strings"

// gentooScheme is the order of Gentoo ebuilds: Package Manager Specification,
// section 3.2 "Version specifications" and 3.3 "Version comparison". Numbers
// after the first one that begin with 0 are decimal fractions: they compare as
// text without their trailing zeros, and are below all others. What the
// specification does not allow is refused.
var gentooScheme = &Scheme{Name: "gentoo", key: appendGentooKey}

// Tags of each position, least first.
const (
	gentooNoLetter = 7
	gentooLetter   = 8
	gentooFraction = 9
	gentooNumber   = 10

	gentooAlpha    = 1
	gentooBeta     = 2
	gentooPre      = 3
	gentooRC       = 4
	gentooNoSuffix = 5
	gentooPatch    = 6
)

func appendGentooKey(dst []byte, version string) ([]byte, error) {
	n := digitsFrom(version, 0)
	if n == "" {
		return nil, invalid("Gentoo", version)
	}
	dst = appendNumber(dst, n)
	dst, i := appendGentooNumbers(dst, version, len(n))
	if i < len(version) && isLower(version[i]) {
		dst = append(dst, gentooLetter, version[i])
		i++
	} else {
		dst = append(dst, gentooNoLetter)
	}
	dst, i = appendGentooSuffixes(dst, version, i)
	if i == len(version) {
		return appendNumber(dst, ""), nil
	}
	revision, ok := strings.CutPrefix(version[i:], "-r")
	if !ok || revision == "" || len(digitsFrom(revision, 0)) != len(revision) {
		return nil, invalid("Gentoo", version)
	}
	return appendNumber(dst, revision), nil
}

// appendGentooNumbers appends the numbers after the first one, from version[i:].
func appendGentooNumbers(dst []byte, version string, i int) ([]byte, int) {
	for i+1 < len(version) && version[i] == '.' && isDigit(version[i+1]) {
		n := digitsFrom(version, i+1)
		i += 1 + len(n)
		if n[0] == '0' {
			dst = appendText(append(dst, gentooFraction), strings.TrimRight(n, "0"))
		} else {
			dst = appendNumber(append(dst, gentooNumber), n)
		}
	}
	return dst, i
}

// appendGentooSuffixes appends _alpha1 and the like from version[i:]. One that
// it does not know is left, and so refused by its caller.
func appendGentooSuffixes(dst []byte, version string, i int) ([]byte, int) {
	for i < len(version) && version[i] == '_' {
		tag, size := gentooSuffix(version[i+1:])
		if tag == 0 {
			break
		}
		i += 1 + size
		n := digitsFrom(version, i)
		i += len(n)
		dst = appendNumber(append(dst, tag), n)
	}
	return append(dst, gentooNoSuffix), i
}

func gentooSuffix(s string) (tag byte, size int) {
	switch {
	case strings.HasPrefix(s, "alpha"):
		return gentooAlpha, 5
	case strings.HasPrefix(s, "beta"):
		return gentooBeta, 4
	case strings.HasPrefix(s, "pre"):
		return gentooPre, 3
	case strings.HasPrefix(s, "rc"):
		return gentooRC, 2
	case strings.HasPrefix(s, "p"):
		return gentooPatch, 1
	}
	return 0, 0
}
