package versioncmp

import "strings"

// pypiScheme is the order of Python distributions: PEP 440, "Version scheme"
// and "Summary of permitted suffixes and relative ordering", as pypa/packaging
// implements it, local versions included. Case, a leading v, surrounding white
// space and the spellings of "Normalization" do not count.
//
// What PEP 440 refuses is a legacy version: below every valid one, among
// themselves in the order that setuptools had before it. Only the empty string
// and one with a NUL are refused.
var pypiScheme = &Scheme{Name: "pep440", key: appendPyPIKey}

// The first byte of a key.
const (
	pypiLegacy = 0
	pypiValid  = 1
)

// Tags of each position, least first.
const (
	pypiReleaseEnd    = 1
	pypiReleaseNumber = 2

	pypiDevOnly = 1 // 1.0.dev1 is below 1.0a1
	pypiAlpha   = 2
	pypiBeta    = 3
	pypiRC      = 4
	pypiNoPre   = 6

	pypiNoPost = 1
	pypiPost   = 2

	pypiDev   = 1
	pypiNoDev = 2

	pypiLocalEnd    = 0
	pypiLocalText   = 1
	pypiLocalNumber = 2
)

func appendPyPIKey(dst []byte, version string) ([]byte, error) {
	if version == "" || strings.IndexByte(version, 0) >= 0 {
		return nil, invalid("PEP 440", version)
	}
	v, ok := parsePEP440(strings.TrimSpace(version))
	if !ok {
		return appendLegacyPyPI(append(dst, pypiLegacy), version), nil
	}
	return v.appendKey(append(dst, pypiValid)), nil
}

// A pep440 is a valid version, cut into its segments. Numbers are digits as
// written, empty for an implicit 0.
type pep440 struct {
	epoch   string
	release string // digits and dots
	pre     byte   // pypiAlpha, pypiBeta, pypiRC or 0
	preNum  string
	post    bool
	postNum string
	dev     bool
	devNum  string
	local   string
}

func (v *pep440) appendKey(dst []byte) []byte {
	dst = appendNumber(dst, v.epoch)
	dst = appendPyPIRelease(dst, v.release)
	switch {
	case v.pre != 0:
		dst = appendNumber(append(dst, v.pre), v.preNum)
	case v.dev && !v.post:
		dst = append(dst, pypiDevOnly)
	default:
		dst = append(dst, pypiNoPre)
	}
	if v.post {
		dst = appendNumber(append(dst, pypiPost), v.postNum)
	} else {
		dst = append(dst, pypiNoPost)
	}
	if v.dev {
		dst = appendNumber(append(dst, pypiDev), v.devNum)
	} else {
		dst = append(dst, pypiNoDev)
	}
	return appendPyPILocal(dst, v.local)
}

// appendPyPIRelease appends a release segment without its trailing zeros.
func appendPyPIRelease(dst []byte, release string) []byte {
	keep := len(dst)
	for i := 0; i < len(release); {
		n := digitsFrom(release, i)
		dst = appendNumber(append(dst, pypiReleaseNumber), n)
		if !isZeros(n) {
			keep = len(dst)
		}
		i += len(n) + 1
	}
	return append(dst[:keep], pypiReleaseEnd)
}

// appendPyPILocal appends a local version label, in which numbers are above
// text and text is without case.
func appendPyPILocal(dst []byte, local string) []byte {
	for i := 0; i < len(local); {
		j := i
		for j < len(local) && !isPyPISeparator(local[j]) {
			j++
		}
		if part := local[i:j]; len(digitsFrom(part, 0)) == len(part) {
			dst = appendNumber(append(dst, pypiLocalNumber), part)
		} else {
			dst = append(dst, pypiLocalText)
			for k := range len(part) {
				dst = append(dst, toLower(part[k]))
			}
			dst = append(dst, 0)
		}
		i = j + 1
	}
	return append(dst, pypiLocalEnd)
}

func isPyPISeparator(c byte) bool { return c == '.' || c == '-' || c == '_' }

// parsePEP440 reads a version by the grammar of PEP 440's appendix B. No part
// of it needs a look back: each takes what it can, as the possessive pattern
// of pypa/packaging does.
func parsePEP440(s string) (v pep440, ok bool) {
	p := pep440Scanner{s: s}
	if p.i < len(s) && toLower(s[p.i]) == 'v' {
		p.i++
	}
	if n := digitsFrom(s, p.i); n != "" && p.i+len(n) < len(s) && s[p.i+len(n)] == '!' {
		v.epoch = n
		p.i += len(n) + 1
	}
	v.release = p.release()
	if v.release == "" {
		return v, false
	}
	v.pre, v.preNum, _ = p.letter(pypiPreWords)
	if n := p.implicitPost(); n != "" {
		v.post, v.postNum = true, n
	} else {
		_, v.postNum, v.post = p.letter(pypiPostWords)
	}
	_, v.devNum, v.dev = p.letter(pypiDevWords)
	if v.local, ok = p.local(); !ok {
		return v, false
	}
	return v, p.i == len(s)
}

// A pypiWord is a spelling of a letter segment. Longer spellings come before
// those that they begin with.
type pypiWord struct {
	text string
	tag  byte
}

var (
	pypiPreWords = []pypiWord{
		{"alpha", pypiAlpha}, {"a", pypiAlpha}, {"beta", pypiBeta}, {"b", pypiBeta},
		{"preview", pypiRC}, {"pre", pypiRC}, {"c", pypiRC}, {"rc", pypiRC},
	}
	pypiPostWords = []pypiWord{{"post", pypiPost}, {"rev", pypiPost}, {"r", pypiPost}}
	pypiDevWords  = []pypiWord{{"dev", pypiDev}}
)

type pep440Scanner struct {
	s string
	i int
}

func (p *pep440Scanner) release() string {
	start := p.i
	p.i += len(digitsFrom(p.s, p.i))
	for p.i > start && p.i+1 < len(p.s) && p.s[p.i] == '.' && isDigit(p.s[p.i+1]) {
		p.i += 1 + len(digitsFrom(p.s, p.i+1))
	}
	return p.s[start:p.i]
}

// letter reads [separator] word [separator] [number], or nothing.
func (p *pep440Scanner) letter(words []pypiWord) (tag byte, number string, ok bool) {
	i := p.separator(p.i)
	if i == len(p.s) || !isAlpha(p.s[i]) {
		return 0, "", false
	}
	for _, w := range words {
		if hasFold(p.s, i, w.text) {
			i = p.separator(i + len(w.text))
			number = digitsFrom(p.s, i)
			p.i = i + len(number)
			return w.tag, number, true
		}
	}
	return 0, "", false
}

// implicitPost reads the -1 of 1.0-1.
func (p *pep440Scanner) implicitPost() string {
	if p.i == len(p.s) || p.s[p.i] != '-' {
		return ""
	}
	n := digitsFrom(p.s, p.i+1)
	if n != "" {
		p.i += 1 + len(n)
	}
	return n
}

// local reads a local version label, if there is one: it is not ok where one
// begins and is malformed.
func (p *pep440Scanner) local() (label string, ok bool) {
	if p.i == len(p.s) || p.s[p.i] != '+' {
		return "", true
	}
	label = p.s[p.i+1:]
	p.i = len(p.s)
	empty := true
	for i := range len(label) {
		switch c := label[i]; {
		case isAlpha(c), isDigit(c):
			empty = false
		case isPyPISeparator(c) && !empty:
			empty = true
		default:
			return "", false
		}
	}
	return label, !empty
}

func (p *pep440Scanner) separator(i int) int {
	if i < len(p.s) && isPyPISeparator(p.s[i]) {
		i++
	}
	return i
}
