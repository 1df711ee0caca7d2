package versioncmp

import (
	"cmp"
	"strings"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isAlpha(c byte) bool { return isLower(c | 0x20) }

// isNumber reports whether s is decimal digits, one at least.
func isNumber(s string) bool {
	_, rest := cutDigits(s)
	return s != "" && rest == ""
}

// cutDigits cuts s after its leading digits.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// cutAlpha cuts s after its leading ASCII letters.
func cutAlpha(s string) (letters, rest string) {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// digitsFrom returns the run of decimal digits at the beginning of s[i:].
func digitsFrom(s string, i int) string {
	digits, _ := cutDigits(s[i:])
	return digits
}

// lettersFrom returns the run of ASCII letters at the beginning of s[i:].
func lettersFrom(s string, i int) string {
	letters, _ := cutAlpha(s[i:])
	return letters
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
