package versioncmp

import "strings"

// cpanScheme is the order of Perl modules and distributions: version.pm
// 0.9929 (perldoc version, "Decimal Versions" and "Dotted-Decimal Versions";
// version::Internals, "Regular Expressions for Version Parsing": lax). With a
// leading v, or with more than one dot, a version is a list of integers: v1.2 =
// 1.2.0. Otherwise it is a decimal number, of which each three digits after the
// point are an integer: 1.2 = v1.200, so that 1.10 < 1.9. Missing integers are
// 0. An underscore, the mark of an alpha version, does not count: 1.02_03 =
// 1.0203. What version.pm refuses (1.5-TRIAL, 2.0b1) is refused, and so is
// "undef".
var cpanScheme = &Scheme{Name: "cpan", key: appendCPANKey}

const (
	cpanEnd     = 1
	cpanInteger = 2
)

func appendCPANKey(dst []byte, version string) ([]byte, error) {
	s := trimSpaceASCII(version)
	dotted := strings.HasPrefix(s, "v")
	if dotted {
		s = s[1:]
	}
	dots, ok := checkCPAN(s, dotted)
	if !ok {
		return nil, invalid("version.pm", version)
	}
	if strings.IndexByte(s, '_') >= 0 {
		s = strings.Replace(s, "_", "", 1)
	}
	if dotted || dots > 1 {
		return appendCPANDotted(dst, s), nil
	}
	return appendCPANDecimal(dst, s), nil
}

// checkCPAN reports whether s, without its v, has the form of a version, and
// how many dots it has: integers between dots, with one underscore at most, in
// the last of them and between digits. The first may be missing from ".5", and
// the last from "1.".
func checkCPAN(s string, dotted bool) (dots int, ok bool) {
	underscore := false
	for i := range len(s) {
		inside := i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1])
		switch c := s[i]; {
		case isDigit(c):
		case c == '_' && !underscore && dots > 0 && inside:
			underscore = true
		case c == '.' && !underscore && (inside || cpanOpenDot(s, i, dots, dotted)):
			dots++
		default:
			return 0, false
		}
	}
	return dots, s != "" && s != "."
}

// cpanOpenDot reports whether the dot at s[i] may stand at an end: of a version
// with digits on its other side only.
func cpanOpenDot(s string, i, dots int, dotted bool) bool {
	if i == 0 {
		return !dotted && len(s) > 1 && isDigit(s[1])
	}
	return dots == 0 && i == len(s)-1
}

func appendCPANDotted(dst []byte, s string) []byte {
	keep := len(dst)
	for more := true; more; {
		var n string
		n, s, more = strings.Cut(s, ".")
		dst = appendNumber(append(dst, cpanInteger), n)
		if !isZeros(n) {
			keep = len(dst)
		}
	}
	return append(dst[:keep], cpanEnd)
}

func appendCPANDecimal(dst []byte, s string) []byte {
	integer, fraction, _ := strings.Cut(s, ".")
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" && isZeros(integer) {
		return append(dst, cpanEnd)
	}
	dst = appendNumber(append(dst, cpanInteger), integer)
	for fraction != "" {
		n := min(3, len(fraction))
		padded := [3]byte{'0', '0', '0'}
		copy(padded[:], fraction[:n])
		dst = appendNumber(append(dst, cpanInteger), string(padded[:]))
		fraction = fraction[n:]
	}
	return append(dst, cpanEnd)
}
