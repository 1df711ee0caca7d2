package versioncmp

import (
	"cmp"
	"strings"
)

// digitsFrom returns the run of decimal digits at the beginning of s[i:].
func digitsFrom(s string, i int) string {
	j := i
	for j < len(s) && isDigit(s[j]) {
		j++
	}
	return s[i:j]
}

// lettersFrom returns the run of ASCII letters at the beginning of s[i:].
func lettersFrom(s string, i int) string {
	j := i
	for j < len(s) && isAlpha(s[j]) {
		j++
	}
	return s[i:j]
}

// compareDigits compares two numbers of any length, given as decimal digits.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// isZeros reports whether digits, a number in decimal, is 0.
func isZeros(digits string) bool {
	for i := range len(digits) {
		if digits[i] != '0' {
			return false
		}
	}
	return true
}

// hasFold reports whether s[i:] begins with prefix, which is in lower case,
// whatever the case of its ASCII letters.
func hasFold(s string, i int, prefix string) bool {
	if len(s)-i < len(prefix) {
		return false
	}
	for j := range len(prefix) {
		if toLower(s[i+j]) != prefix[j] {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if isUpper(c) {
		return c + ('a' - 'A')
	}
	return c
}

// Tags of a list in which the end equals any run of zeros (nulls), so that
// 1 = 1.0 = 1.0.0 whatever follows: what comes next is a run of zeros and
// then something below zero, the end, or a run of zeros and then something
// above zero.
const (
	zerosThenBelow = 1
	zerosThenEnd   = 2
	zerosThenAbove = 3
)

// appendZerosBelow appends the tag and length of a run of zeros that
// something below zero ends: the longer run is the greater.
func appendZerosBelow(dst []byte, n int) []byte {
	dst = append(dst, zerosThenBelow)
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}

// appendZerosAbove appends the tag and length of a run of zeros that
// something above zero ends: the longer run is the lesser.
func appendZerosAbove(dst []byte, n int) []byte {
	dst = append(dst, zerosThenAbove)
	for ; n >= 255; n -= 255 {
		dst = append(dst, 0)
	}
	return append(dst, byte(255-n))
}

// isSpaceASCII reports whether c is what C calls white space.
func isSpaceASCII(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// hasSpaceASCII reports whether white space is anywhere in s.
func hasSpaceASCII(s string) bool {
	for i := range len(s) {
		if isSpaceASCII(s[i]) {
			return true
		}
	}
	return false
}

// trimSpaceASCII removes what C calls white space from both ends.
func trimSpaceASCII(s string) string { return strings.Trim(s, " \t\n\v\f\r") }
