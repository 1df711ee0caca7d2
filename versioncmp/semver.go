package versioncmp

import "strings"

// semverScheme is SemVer 2.0 section 11, as Cargo, Elixir's Version and
// SwiftPM order. Build metadata does not count; numbers are of any length.
//
// Lax, because advisories are: a leading v, and parts that are missing are 0
// ("v1.2"). Refused: leading zeros, more than three numbers, empty
// identifiers.
var semverScheme = &Scheme{Name: "semver", key: semverForm{rule: "semver", prefix: "vV"}.append}

// npmScheme is the order of node-semver 7 ("compare"): SemVer 2.0, and before
// the version any of v, = and white space, as its loose mode allows. Numbers
// above 2^53-1, which node-semver refuses or rounds, are compared exactly.
var npmScheme = &Scheme{Name: "npm", key: semverForm{rule: "npm", prefix: "v= \t"}.append}

// tagScheme is SemVer for versions that are tags rather than published
// versions (GitHub Actions, Bitnami, VSCode): besides what semverScheme
// allows, numbers may have leading zeros, as in Bitnami's "2023.03.20".
var tagScheme = &Scheme{Name: "tag", key: semverForm{rule: "tag", prefix: "vV", zeros: true}.append}

// pubScheme is the order of pub_semver's Version.compareTo: SemVer, then the
// build metadata, none first, its identifiers compared like those of a
// pre-release. Identifiers of digits are numbers, leading zeros or not.
var pubScheme = &Scheme{Name: "pub", key: semverForm{rule: "pub", prefix: "v", zeros: true, build: true}.append}

// A semverForm says how far a version may stray from SemVer's grammar, and
// whether the build counts.
type semverForm struct {
	rule   string // names the rule in errors
	prefix string // bytes that may lead, any number of them
	zeros  bool   // numbers may have leading zeros
	build  bool   // build metadata is compared
}

// What may come in the place of a pre-release, least first: a list of
// identifiers, or none, which is above every list.
const (
	idEnd     = 1
	idNumber  = 2
	idText    = 3
	idRelease = 0x7f
)

func (f semverForm) append(dst []byte, version string) ([]byte, error) {
	v, rest := cutSemver(trimSemver(version, f.prefix))
	ok := v.major != "" && (f.zeros || !v.hasZeros())
	dst = v.appendNumbers(dst)
	if strings.HasPrefix(rest, "-") && ok {
		var pre string
		pre, rest = cutBuild(rest[1:])
		dst, ok = appendIdentifiers(dst, pre, f.zeros)
	} else {
		dst = append(dst, idRelease)
	}
	build, plus := strings.CutPrefix(rest, "+")
	switch {
	case !ok || !plus && rest != "" || plus && !isIdentifiers(build):
		return nil, invalid(f.rule, version)
	case f.build && plus:
		dst, _ = appendIdentifiers(dst, build, true)
	case f.build:
		dst = append(dst, idEnd)
	}
	return dst, nil
}

func trimSemver(s, prefix string) string {
	for s != "" && strings.IndexByte(prefix, s[0]) >= 0 {
		s = s[1:]
	}
	if strings.IndexByte(prefix, ' ') >= 0 {
		s = strings.TrimRight(s, " \t")
	}
	return s
}

// cutBuild cuts s before its first plus sign.
func cutBuild(s string) (before, rest string) {
	if i := strings.IndexByte(s, '+'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// semverNumbers are the three numbers as digits, empty where missing.
type semverNumbers struct{ major, minor, patch string }

// cutSemver cuts s after its numbers, three at most. A dot that no number
// follows stays in rest.
func cutSemver(s string) (v semverNumbers, rest string) {
	v.major, s = cutDigits(s)
	if v.major == "" {
		return v, s
	}
	if v.minor, s = cutDotDigits(s); v.minor != "" {
		v.patch, s = cutDotDigits(s)
	}
	return v, s
}

// cutDotDigits cuts s after a dot and digits, or not at all.
func cutDotDigits(s string) (digits, rest string) {
	if s == "" || s[0] != '.' {
		return "", s
	}
	digits, rest = cutDigits(s[1:])
	if digits == "" {
		return "", s
	}
	return digits, rest
}

func (v semverNumbers) hasZeros() bool {
	return hasLeadingZero(v.major) || hasLeadingZero(v.minor) || hasLeadingZero(v.patch)
}

func (v semverNumbers) appendNumbers(dst []byte) []byte {
	dst = appendNumber(dst, v.major)
	dst = appendNumber(dst, v.minor)
	return appendNumber(dst, v.patch)
}

func hasLeadingZero(digits string) bool { return len(digits) > 1 && digits[0] == '0' }

// appendIdentifiers appends dot-separated identifiers: numbers below text,
// the shorter list below the longer. It reports whether s is such a list; the
// zeros are whether a number may have leading ones.
func appendIdentifiers(dst []byte, s string, zeros bool) ([]byte, bool) {
	for more := true; more; {
		var id string
		var number, ok bool
		if id, s, number, more, ok = cutIdentifier(s); !ok {
			return dst, false
		}
		switch {
		case !number:
			dst = appendText(append(dst, idText), id)
		case hasLeadingZero(id) && !zeros:
			return dst, false
		default:
			dst = appendNumber(append(dst, idNumber), id)
		}
	}
	return append(dst, idEnd), true
}

// isIdentifiers reports whether s is dot-separated identifiers.
func isIdentifiers(s string) bool {
	for more, ok := true, false; more; {
		if _, s, _, more, ok = cutIdentifier(s); !ok {
			return false
		}
	}
	return true
}

// cutIdentifier cuts the first of dot-separated identifiers off s, and says
// whether it is digits only and whether more follow. It is ok if it is
// [0-9A-Za-z-]+ (SemVer 2.0 sections 9, 10).
func cutIdentifier(s string) (id, rest string, number, more, ok bool) {
	number = true
	i := 0
	for ; i < len(s) && s[i] != '.'; i++ {
		c := s[i]
		if isDigit(c) {
			continue
		}
		if !isAlpha(c) && c != '-' {
			return s, "", false, false, false
		}
		number = false
	}
	if i < len(s) {
		return s[:i], s[i+1:], number, true, i > 0
	}
	return s, "", number, false, i > 0
}
