package versioncmp

import "strings"

// rpmScheme is the order of rpm 4.15 and later, rpm-version(7): epoch,
// version, release, each of the last two by rpmvercmp. A tilde sorts below
// the end, a caret above the end and below all else.
//
// The epoch is what stands before the first colon, if that is all digits; the
// release what follows the last hyphen. A version without a release is below
// the same one with any release, even an empty one. Every string but the
// empty one is valid.
var rpmScheme = &Scheme{Name: "rpm", key: appendRPM}

// What may come at each position, least first.
const (
	rpmTilde  = 1
	rpmEnd    = 2
	rpmCaret  = 3
	rpmText   = 4
	rpmNumber = 5
)

func appendRPM(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("rpm", version)
	}
	epoch, rest := cutDigits(version)
	rest, ok := strings.CutPrefix(rest, ":")
	if !ok {
		epoch, rest = "", version
	}
	dst = appendNumber(dst, epoch)
	i := strings.LastIndexByte(rest, '-')
	if i < 0 {
		return append(appendRPMPart(dst, rest), 0), nil
	}
	dst = append(appendRPMPart(dst, rest[:i]), 1)
	return appendRPMPart(dst, rest[i+1:]), nil
}

// appendRPMPart appends a version or a release: its numbers, words, tildes
// and carets; whatever else stands between them only separates.
func appendRPMPart(dst []byte, s string) []byte {
	for s != "" {
		switch c := s[0]; {
		case c == '~':
			dst, s = append(dst, rpmTilde), s[1:]
		case c == '^':
			dst, s = append(dst, rpmCaret), s[1:]
		case isDigit(c):
			var digits string
			digits, s = cutDigits(s)
			dst = appendNumber(append(dst, rpmNumber), digits)
		case isAlpha(c):
			var word string
			word, s = cutAlpha(s)
			dst = appendText(append(dst, rpmText), word)
		default:
			s = s[1:]
		}
	}
	return append(dst, rpmEnd)
}
