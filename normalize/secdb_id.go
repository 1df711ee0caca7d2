package normalize

import (
	"slices"
	"strings"
)

// A secfix is one line of secdb's free text, read: what was fixed.
type secfix struct {
	cves   []string // in the order of the text
	others []string // IDs of other schemes, as written: XSA-313, GHSA-…, wnpa-sec-2017-21
	bad    []string // words that begin like a CVE ID and are none, such as CVE-46838
}

// parseSecfix reads secdb's identifiers, which people write by hand:
// "CVE-2020-11740 CVE-2020-11741 XSA-313", "CVE_2019-2426", "CVE-2018-16300
// (BGP)", "CVE-2021-35940.patch", "CVE-2017-17434-1" (a part of a CVE),
// "CVE-????-????? XSA-312", "CVE N/A ZBX-11023".
func parseSecfix(text string) secfix {
	var s secfix
	if isCVE(text) {
		s.cves = []string{text}
		return s
	}
	for _, word := range strings.FieldsFunc(dropComments(text), isSecfixSpace) {
		s.add(word)
	}
	return s
}

func isSecfixSpace(r rune) bool {
	return r == ' ' || r == ',' || r == ';' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0'
}

// dropComments takes what stands in parentheses away.
func dropComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
			b.WriteByte(' ')
		case r == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (s *secfix) add(word string) {
	if n := cveAt(word, true); n > 0 && !continuesCVE(word[n:]) {
		s.cves = addOnce(s.cves, strings.ReplaceAll(strings.ToUpper(word[:n]), "_", "-"))
		return
	}
	switch {
	case len(word) >= 3 && strings.EqualFold(word[:3], "CVE"):
		if strings.ContainsAny(word, "0123456789") && !strings.Contains(word, "?") {
			s.bad = append(s.bad, word)
		}
	case isAdvisoryID(word):
		s.others = addOnce(s.others, word)
	}
}

// continuesCVE reports whether what follows the digits makes them another
// word: "i67" of CVE-2026-291i67, but not "-1" or ".patch".
func continuesCVE(rest string) bool {
	return rest != "" && isAlphanumeric(rest[0])
}

// addOnce appends v unless it is there.
func addOnce(s []string, v string) []string {
	if slices.Contains(s, v) {
		return s
	}
	return append(s, v)
}

// isAdvisoryID reports whether a word looks like an ID of an advisory:
// letters first, then letters, digits and single separators, a digit among
// them (random IDs such as GHSA-cfmr-vrgj-vqwv may lack one), no shorter than
// "XSA-1".
func isAdvisoryID(word string) bool {
	if len(word) < 5 || isDigitByte(word[0]) {
		return false
	}
	digit := strings.HasPrefix(word, "GHSA-") || strings.HasPrefix(word, "CGA-")
	last := byte('-')
	for i := range len(word) {
		c := word[i]
		sep := c == '-' || c == ':' || c == '_' || c == '.'
		if sep && !isAlphanumeric(last) || !sep && !isAlphanumeric(c) {
			return false
		}
		digit = digit || isDigitByte(c)
		last = c
	}
	return digit && isAlphanumeric(last)
}
