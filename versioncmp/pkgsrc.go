package versioncmp

// pkgsrcScheme is the order of pkgsrc's packages: dewey comparison of
// pkg_install (lib/dewey.c; pkgsrc guide, "Dewey numbers"). A version is a
// list of numbers: digits, ".", "_" and "pl" are 0, "alpha" is -3, "beta" -2,
// "pre" and "rc" -1, any other letter 0 and its place in the alphabet. The
// missing are 0; what else there is is read over. "nb" and digits are the
// package's revision, which compares last. Case does not count, and every
// string but the empty one is a version.
var pkgsrcScheme = &Scheme{Name: "pkgsrc", key: appendPkgsrcKey}

// pkgsrcWords are the words with a value of their own, and how far that is
// below zero.
var pkgsrcWords = [...]struct {
	word  string
	below byte
}{{"alpha", 3}, {"beta", 2}, {"pre", 1}, {"rc", 1}, {"pl", 0}}

func appendPkgsrcKey(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("pkgsrc", version)
	}
	revision, zeros := "", 0
	for i := 0; i < len(version); {
		if digits := digitsFrom(version, i); digits != "" {
			i += len(digits)
			if isZeros(digits) {
				zeros++
				continue
			}
			dst = appendNumber(appendZerosAbove(dst, zeros), digits)
			zeros = 0
			continue
		}
		if word, below, ok := pkgsrcWord(version, i); ok {
			i += len(word)
			if below == 0 {
				zeros++
				continue
			}
			dst = append(appendZerosBelow(dst, zeros), 4-below)
			zeros = 0
			continue
		}
		switch c := toLower(version[i]); {
		case c == 'n' && hasFold(version, i, "nb"):
			revision = digitsFrom(version, i+2)
			i += 2 + len(revision)
			continue
		case c == '.' || c == '_':
			zeros++
		case isLower(c):
			dst = appendNumber(appendZerosAbove(dst, zeros+1), letterNumber(c))
			zeros = 0
		}
		i++
	}
	return appendNumber(append(dst, zerosThenEnd), revision), nil
}

// pkgsrcWord returns the word with a value that version[i:] begins with.
func pkgsrcWord(version string, i int) (word string, below byte, ok bool) {
	for _, w := range pkgsrcWords {
		if hasFold(version, i, w.word) {
			return w.word, w.below, true
		}
	}
	return "", 0, false
}

// letterNumber returns the place of a lower-case letter in the alphabet, from
// 1, in digits.
func letterNumber(c byte) string {
	n := c - 'a' + 1
	return string([]byte{'0' + n/10, '0' + n%10})
}
