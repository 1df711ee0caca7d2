package versioncmp

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tags of a legacy key: a list of texts, of which a shorter one is the lesser.
const (
	pypiLegacyEnd  = 1
	pypiLegacyPart = 2
)

// appendLegacyPyPI appends the key of a version that PEP 440 refuses, by the
// rule of setuptools' parse_version before PEP 440, which pypa/packaging kept
// as LegacyVersion until its release 22: runs of digits (eight wide), of
// letters, dots, dashes and of anything else are parts; dots vanish; pre,
// preview and rc are c, dev is @, a dash is "final-"; letters come with a star
// before them, and drop zeros, and before a pre-release dashes, that they
// follow.
func appendLegacyPyPI(dst []byte, version string) []byte {
	base := len(dst)
	s := strings.ToLower(version)
	for s != "" {
		part := s[:legacyPartLen(s)]
		s = s[len(part):]
		switch part {
		case ".":
			continue
		case "pre", "preview", "rc":
			part = "c"
		case "dev":
			part = "@"
		case "-":
			part = "final-"
		}
		dst = appendLegacyPart(dst, base, part)
	}
	return append(appendLegacyPart(dst, base, "final"), pypiLegacyEnd)
}

// appendLegacyPart appends one part to the key that begins at base.
func appendLegacyPart(dst []byte, base int, part string) []byte {
	const (
		dash = "\x02*final-\x00"
		zero = "\x0200000000\x00"
	)
	if isDigit(part[0]) {
		dst = append(dst, pypiLegacyPart)
		for range 8 - utf8.RuneCountInString(part) {
			dst = append(dst, '0')
		}
		return appendText(dst, part)
	}
	for part < "final" && bytes.HasSuffix(dst[base:], []byte(dash)) {
		dst = dst[:len(dst)-len(dash)]
	}
	for bytes.HasSuffix(dst[base:], []byte(zero)) {
		dst = dst[:len(dst)-len(zero)]
	}
	return appendText(append(dst, pypiLegacyPart, '*'), part)
}

// legacyPartLen returns the length in bytes of the first part of s.
func legacyPartLen(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	first := legacyClass(r)
	if first == '.' || first == '-' {
		return n
	}
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if legacyClass(r) != first {
			break
		}
		n += size
	}
	return n
}

// legacyClass maps a rune to the kind of part that it belongs to.
func legacyClass(r rune) rune {
	switch {
	case unicode.IsDigit(r):
		return '0'
	case 'a' <= r && r <= 'z':
		return 'a'
	case r == '.', r == '-':
		return r
	}
	return 0
}
