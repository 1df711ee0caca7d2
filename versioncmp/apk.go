package versioncmp

import "strings"

// apkScheme is the order of apk-tools 3 (apk version --test) and of Alpine's
// package policy: digits{.digits}[letter]{_suffix[number]}[~hash][-r#].
//
// A part after a dot that starts with 0, or is compared with one that does,
// is compared as text, as a decimal fraction would be. Where a string leaves
// the grammar, what follows is not read, and it sorts just below the string
// that ends there, as apk has it. Only a number after the letter, and a
// revision after that, are still read: Alpine's secdb has such fixed versions
// (observed: opensmtpd 6.6.4p1-r1 and 6.6.4p1-r2, sudo 1.9.5p2-r0), and to
// apk 3 all that begin with 6.6.4p are equal. A string that does not even start
// with a digit has no place in the order and is refused.
var apkScheme = &Scheme{Name: "apk", key: appendAPK}

// What may come at each position, least first.
const (
	apkAlpha = iota + 1
	apkBeta
	apkPre
	apkRC
	apkInvalid
	apkEnd
	apkRevision
	apkHash
	apkSuffixNumber
	apkCVS
	apkSVN
	apkGit
	apkHg
	apkP
	apkLetter
	apkDigits
)

// What comes after apkInvalid.
const (
	apkStop = iota
	apkLetterNumber
)

// apkFraction and apkInteger lead the part after a dot: text if it starts
// with 0, else a number.
const (
	apkFraction = iota
	apkInteger
)

func appendAPK(dst []byte, version string) ([]byte, error) {
	digits, s := cutDigits(version)
	if digits == "" {
		return nil, invalid("apk", version)
	}
	dst, s = appendAPKDigits(appendNumber(dst, digits), s)
	if s != "" && isLower(s[0]) {
		dst, s = append(dst, apkLetter, s[0]), s[1:]
		if digits, rest := cutDigits(s); digits != "" {
			dst, s = appendNumber(append(dst, apkInvalid, apkLetterNumber), digits), rest
			dst, s = appendAPKRevision(dst, s)
			return appendAPKEnd(dst, s), nil
		}
	}
	dst, s = appendAPKSuffixes(dst, s)
	dst, s = appendAPKHash(dst, s)
	dst, s = appendAPKRevision(dst, s)
	return appendAPKEnd(dst, s), nil
}

func appendAPKEnd(dst []byte, rest string) []byte {
	if rest != "" {
		return append(dst, apkInvalid, apkStop)
	}
	return append(dst, apkEnd)
}

// appendAPKDigits appends the parts after the first, each ".digits".
func appendAPKDigits(dst []byte, s string) ([]byte, string) {
	for len(s) > 1 && s[0] == '.' && isDigit(s[1]) {
		var digits string
		digits, s = cutDigits(s[1:])
		if digits[0] == '0' {
			dst = appendText(append(dst, apkDigits, apkFraction), digits)
		} else {
			dst = appendNumber(append(dst, apkDigits, apkInteger), digits)
		}
	}
	return dst, s
}

// appendAPKSuffixes appends "_alpha", "_p1" and the like.
func appendAPKSuffixes(dst []byte, s string) ([]byte, string) {
	for len(s) > 1 && s[0] == '_' {
		word, rest := cutLower(s[1:])
		tag := apkSuffix(word)
		if tag == 0 {
			break
		}
		dst, s = append(dst, tag), rest
		if digits, rest := cutDigits(s); digits != "" {
			dst, s = appendNumber(append(dst, apkSuffixNumber), digits), rest
		}
	}
	return dst, s
}

// cutLower cuts s after its leading lower-case letters.
func cutLower(s string) (letters, rest string) {
	i := 0
	for i < len(s) && isLower(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// apkSuffix returns the tag of a suffix, 0 if apk does not know it.
func apkSuffix(word string) byte {
	switch word {
	case "alpha":
		return apkAlpha
	case "beta":
		return apkBeta
	case "pre":
		return apkPre
	case "rc":
		return apkRC
	case "cvs":
		return apkCVS
	case "svn":
		return apkSVN
	case "git":
		return apkGit
	case "hg":
		return apkHg
	case "p":
		return apkP
	}
	return 0
}

// appendAPKHash appends "~" and lower-case hexadecimal digits.
func appendAPKHash(dst []byte, s string) ([]byte, string) {
	if !strings.HasPrefix(s, "~") {
		return dst, s
	}
	i := 1
	for i < len(s) && (isDigit(s[i]) || 'a' <= s[i] && s[i] <= 'f') {
		i++
	}
	if i == 1 {
		return dst, s
	}
	return appendText(append(dst, apkHash), s[1:i]), s[i:]
}

// appendAPKRevision appends "-r" and digits.
func appendAPKRevision(dst []byte, s string) ([]byte, string) {
	if !strings.HasPrefix(s, "-r") {
		return dst, s
	}
	digits, rest := cutDigits(s[2:])
	if digits == "" {
		return dst, s
	}
	return appendNumber(append(dst, apkRevision), digits), rest
}
