package versioncmp

import "strings"

// composerNumbers is how many numbers a classical version has; missing ones
// are 0.
const composerNumbers = 4

// appendComposerClassical appends 1, 1.2, 1.2.3 or 1.2.3.4, of which the first
// has at most five digits, with its modifiers.
func appendComposerClassical(dst []byte, s string) ([]byte, bool) {
	i := composerV(s)
	n := digitsFrom(s, i)
	if n == "" || len(n) > 5 {
		return dst, false
	}
	dst = appendNumber(append(dst, packagistNumber), n)
	i += len(n)
	count := 1
	for ; count < composerNumbers && i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]); count++ {
		n = digitsFrom(s, i+1)
		dst = appendNumber(append(dst, packagistNumber), n)
		i += 1 + len(n)
	}
	for ; count < composerNumbers; count++ {
		dst = appendNumber(append(dst, packagistNumber), "")
	}
	return appendComposerModifiers(dst, s[i:])
}

// appendComposerDate appends a date or time, such as 2010-01-02.5 or
// 20100102203040, with its modifiers. Its numbers are not padded.
func appendComposerDate(dst []byte, s string) ([]byte, bool) {
	s = s[composerV(s):]
	end := 0
	for i := 0; i < len(s) && (isDigit(s[i]) || isComposerDateSeparator(s[i])); i++ {
		if isDigit(s[i]) {
			end = i + 1
		}
	}
	if !isComposerDate(s[:end]) {
		return dst, false
	}
	for i := 0; i < end; {
		n := digitsFrom(s, i)
		dst = appendNumber(append(dst, packagistNumber), n)
		i += len(n) + 1
	}
	return appendComposerModifiers(dst, s[end:])
}

// isComposerDate reports whether s has the form of a date: four digits, one to
// six groups of two, none to two groups of one to three, and before each group
// perhaps a separator.
func isComposerDate(s string) bool {
	if len(digitsFrom(s, 0)) < 4 {
		return false
	}
	s = s[4:]
	for range 6 {
		group := s[composerDateSeparator(s):]
		if len(group) < 2 || !isDigit(group[0]) || !isDigit(group[1]) {
			return false
		}
		s = group[2:]
		if isComposerDateTail(s) {
			return true
		}
	}
	return false
}

// isComposerDateTail reports whether s is none to two groups of one to three
// digits.
func isComposerDateTail(s string) bool {
	if s == "" {
		return true
	}
	s = s[composerDateSeparator(s):]
	n := len(digitsFrom(s, 0))
	if n == len(s) {
		return 1 <= n && n <= 6
	}
	last := s[n:]
	last = last[composerDateSeparator(last):]
	m := len(digitsFrom(last, 0))
	return 1 <= n && n <= 3 && 1 <= m && m <= 3 && m == len(last)
}

func composerDateSeparator(s string) int {
	if s != "" && isComposerDateSeparator(s[0]) {
		return 1
	}
	return 0
}

func isComposerDateSeparator(c byte) bool { return c == '.' || c == ':' || c == '-' }

// appendComposerNumericBranch appends a branch such as 1.x-dev, whose missing
// numbers are 9999999.
func appendComposerNumericBranch(dst []byte, s string) ([]byte, bool) {
	name := len(s) - len("dev")
	if name < 0 || !hasFold(s, name, "dev") {
		return dst, false
	}
	if name > 0 && (s[name-1] == '.' || s[name-1] == '-') {
		name--
	}
	s = trimSpaceASCII(s[:name])
	i := composerV(s)
	count := 0
	for ; count < composerNumbers && i < len(s); count++ {
		if count > 0 {
			if s[i] != '.' {
				return dst, false
			}
			i++
		}
		n := digitsFrom(s, i)
		i += len(n)
		if n == "" {
			if count == 0 || i == len(s) || !isComposerWildcard(s[i]) {
				return dst, false
			}
			n = "9999999"
			i++
		}
		dst = appendNumber(append(dst, packagistNumber), n)
	}
	if count == 0 || i < len(s) {
		return dst, false
	}
	for ; count < composerNumbers; count++ {
		dst = appendNumber(append(dst, packagistNumber), "9999999")
	}
	return append(dst, packagistDev, packagistEnd), true
}

func isComposerWildcard(c byte) bool { return c == 'x' || c == 'X' || c == '*' }

func composerV(s string) int {
	if s != "" && toLower(s[0]) == 'v' {
		return 1
	}
	return 0
}

// composerStabilities are the words that may follow the numbers. Longer words
// come before those that they begin with.
var composerStabilities = [...]struct {
	word string
	tag  byte
}{
	{"stable", packagistWord}, {"beta", packagistBeta}, {"b", packagistBeta}, {"rc", packagistRC},
	{"alpha", packagistAlpha}, {"a", packagistAlpha},
	{"patch", packagistPatch}, {"pl", packagistPatch}, {"p", packagistPatch},
}

// appendComposerModifiers appends what follows the numbers, and the end:
// [separator] [stability [numbers]] [-dev]. All of s must be of that form.
// "stable", in lower case only, ends the version there.
func appendComposerModifiers(dst []byte, s string) ([]byte, bool) {
	i := 0
	if s != "" && (s[0] == '.' || s[0] == '_' || s[0] == '-') {
		i = 1
	}
	start, stable := len(dst), strings.HasPrefix(s[i:], "stable")
	for _, st := range composerStabilities {
		if hasFold(s, i, st.word) {
			i += len(st.word)
			dst, i = appendComposerStabilityNumbers(append(dst, st.tag), s, i)
			break
		}
	}
	dev := i
	if dev < len(s) && (s[dev] == '.' || s[dev] == '-') {
		dev++
	}
	switch isDev := strings.EqualFold(s[dev:], "dev"); {
	case !isDev && i < len(s):
		return dst, false
	case stable:
		dst = dst[:start]
	case isDev:
		dst = append(dst, packagistDev)
	}
	return append(dst, packagistEnd), true
}

// appendComposerStabilityNumbers appends the numbers of a stability, such as
// the .2-1 of beta.2-1, from s[i:].
func appendComposerStabilityNumbers(dst []byte, s string, i int) ([]byte, int) {
	for {
		j := i
		if j < len(s) && (s[j] == '.' || s[j] == '-') {
			j++
		}
		n := digitsFrom(s, j)
		if n == "" {
			return dst, i
		}
		dst = appendNumber(append(dst, packagistNumber), n)
		i = j + len(n)
	}
}
