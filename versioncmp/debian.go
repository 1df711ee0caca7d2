package versioncmp

import (
	"math"
	"strconv"
	"strings"
)

// debianScheme is the order of Debian Policy 5.6.12, deb-version(7) and dpkg
// --compare-versions (1.21): epoch, upstream version, revision.
//
// It refuses an empty version, an epoch that is no number up to 2^31-1 and
// white space inside. What dpkg only warns of (a version that starts with a
// letter, a character outside its set, an empty revision) is compared, as
// dpkg does after its warning.
var debianScheme = &Scheme{Name: "debian", key: appendDebian}

// opamScheme is the order of opam (src/core/opamVersionCompare.ml): Debian's,
// but a colon is an ordinary character and every string is valid. The empty
// one is refused here.
var opamScheme = &Scheme{Name: "opam", key: appendOpam}

func appendDebian(dst []byte, version string) ([]byte, error) {
	s := strings.TrimSpace(version)
	epoch, rest, ok := strings.Cut(s, ":")
	if !ok {
		epoch, rest = "", s
	}
	upstream, revision := cutRevision(rest)
	if ok && !isDebianEpoch(epoch) || upstream == "" || hasSpaceASCII(s) {
		return nil, invalid("debian", version)
	}
	dst = appendNumber(dst, epoch)
	dst = appendDebianPart(dst, upstream)
	return appendDebianPart(dst, revision), nil
}

func appendOpam(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("opam", version)
	}
	upstream, revision := cutRevision(version)
	dst = appendDebianPart(dst, upstream)
	return appendDebianPart(dst, revision), nil
}

// cutRevision cuts s at its last hyphen. No revision is the same as an empty
// one, and that the same as "0".
func cutRevision(s string) (upstream, revision string) {
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// isDebianEpoch reports whether s is an epoch to dpkg: an int without a sign.
// Of the sign dpkg itself takes a plus, which Policy does not allow.
func isDebianEpoch(s string) bool {
	if !isNumber(s) {
		return false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n <= math.MaxInt32
}

// What may come at each position of a run of non-digits, least first: a tilde
// sorts below the end, letters above it, all else above letters. Bytes that
// are not ASCII take two bytes.
const (
	debianTilde   = 1
	debianEnd     = 2 // of the run: a number or the end of the part follows
	debianLetter  = 3
	debianOther   = 100
	debianNoASCII = 255
)

// appendDebianPart appends an upstream version or a revision: runs of
// non-digits and numbers by turns, the first a run of non-digits, the last a
// number.
func appendDebianPart(dst []byte, s string) []byte {
	for i := 0; ; {
		for ; i < len(s) && !isDigit(s[i]); i++ {
			dst = appendDebianChar(dst, s[i])
		}
		start := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		dst = appendNumber(append(dst, debianEnd), s[start:i])
		if i == len(s) {
			return append(dst, debianEnd)
		}
	}
}

func appendDebianChar(dst []byte, c byte) []byte {
	switch {
	case c == '~':
		return append(dst, debianTilde)
	case isUpper(c):
		return append(dst, debianLetter+c-'A')
	case isLower(c):
		return append(dst, debianLetter+26+c-'a')
	case c < 0x80:
		return append(dst, debianOther+c)
	}
	return append(dst, debianNoASCII, c)
}
