package versioncmp

import (
	"slices"
	"strings"
)

// freeBSDScheme is the order of FreeBSD ports, and of base and kernel release
// numbers (14.3_2): pkg_version_cmp of pkg (libpkg/pkg_version.c, whose
// comments are the rule; Porter's Handbook 5.2.4). A version is
// PORTVERSION[_PORTREVISION][,PORTEPOCH]. PORTVERSION is blocks between "+",
// blocks are components, a component is a number, a letter and a patch level.
// Missing components are 0, missing blocks are empty, and every string but the
// empty one is a version. What comes before the last dash is taken for the
// package's name, as pkg does.
//
// Numbers saturate as pkg's do: 2^63-1 in a component, 2^64-1 in a revision or
// an epoch.
var freeBSDScheme = &Scheme{Name: "freebsd", key: appendFreeBSDKey}

// The number of a component that has none.
const (
	freeBSDStar     = 0 // "*", below all
	freeBSDNoNumber = 1 // 10.a is below 10
	freeBSDNumber   = 2

	freeBSDNoPatch = 1 // 1b is below 1b0
	freeBSDPatch   = 2
)

func appendFreeBSDKey(dst []byte, version string) ([]byte, error) {
	if version == "" {
		return nil, invalid("FreeBSD", version)
	}
	body, revision, epoch := splitFreeBSD(version)
	dst = appendNumber(dst, epoch)
	empty := 0
	for more := true; more; {
		var block string
		block, body, more = strings.Cut(body, "+")
		start := len(dst)
		dst = appendFreeBSDBlock(dst, block)
		if dst[start] == zerosThenEnd {
			dst = dst[:start]
			empty++
			continue
		}
		dst = insertEmptyBlocks(dst, start, empty)
		empty = 0
	}
	return appendNumber(append(dst, zerosThenEnd), revision), nil
}

// insertEmptyBlocks puts before the block that begins at start how many empty
// ones precede it, as the components of a block do with zeros.
func insertEmptyBlocks(dst []byte, start, empty int) []byte {
	var buf [4]byte
	prefix := buf[:0]
	if dst[start] == zerosThenBelow {
		prefix = appendZerosBelow(prefix, empty)
	} else {
		prefix = appendZerosAbove(prefix, empty)
	}
	return slices.Insert(dst, start, prefix...)
}

// splitFreeBSD cuts a version into PORTVERSION and the digits of its revision
// and its epoch. An epoch is looked for only behind the revision, if there is
// one: 1,2_3 has none.
func splitFreeBSD(version string) (body, revision, epoch string) {
	body = version[strings.LastIndexByte(version, '-')+1:]
	tail := body
	if i := strings.LastIndexByte(body, '_'); i >= 0 {
		body, tail = body[:i], body[i+1:]
		revision = freeBSDInteger(tail)
		if j := strings.LastIndexByte(tail, ','); j >= 0 {
			epoch = freeBSDInteger(tail[j+1:])
		}
	} else if j := strings.LastIndexByte(tail, ','); j >= 0 {
		body, epoch = body[:j], freeBSDInteger(tail[j+1:])
	}
	return body, revision, epoch
}

// The greatest numbers of C that pkg uses.
const (
	maxFreeBSDLong     = "9223372036854775807"
	maxFreeBSDUnsigned = "18446744073709551615"
)

// freeBSDInteger returns the digits that strtoul would read, which takes a
// plus before them. None is 0.
func freeBSDInteger(s string) string {
	return saturate(digitsFrom(strings.TrimPrefix(s, "+"), 0), maxFreeBSDUnsigned)
}

// saturate returns limit for a number above it.
func saturate(digits, limit string) string {
	if len(digits) >= len(limit) && compareDigits(digits, limit) > 0 {
		return limit
	}
	return digits
}

// appendFreeBSDBlock appends the components of a block that are not zero, with
// the zeros between them counted, and an end. Its first byte says whether the
// block is below, equal to or above an empty one.
func appendFreeBSDBlock(dst []byte, s string) []byte {
	zeros := 0
	for s != "" {
		var c freeBSDComponent
		c, s = nextFreeBSDComponent(s)
		switch {
		case c.kind != freeBSDNumber:
			dst = c.appendKey(appendZerosBelow(dst, zeros))
		case isZeros(c.number) && c.letter == 0:
			zeros++
			continue
		default:
			dst = c.appendKey(appendZerosAbove(dst, zeros))
		}
		zeros = 0
	}
	return append(dst, zerosThenEnd)
}

type freeBSDComponent struct {
	kind   byte   // freeBSDStar, freeBSDNoNumber or freeBSDNumber
	number string // digits
	letter byte   // 1 to 26, 0 for none and for "pl"
	level  bool   // whether it has a letter, and so a patch level
	patch  string // digits, may be empty
}

func (c *freeBSDComponent) appendKey(dst []byte) []byte {
	dst = append(dst, c.kind)
	if c.kind == freeBSDNumber {
		dst = appendNumber(dst, saturate(c.number, maxFreeBSDLong))
	}
	dst = append(dst, c.letter)
	if c.level && c.patch == "" {
		return append(dst, freeBSDNoPatch)
	}
	return appendNumber(append(dst, freeBSDPatch), saturate(c.patch, maxFreeBSDLong))
}

// freeBSDStages are the words that begin a component of their own, so that
// 10alpha is 10.alpha, and below 10.
var freeBSDStages = [...]struct {
	name   string
	letter byte
}{{"pl", 0}, {"alpha", 1}, {"beta", 2}, {"pre", 16}, {"rc", 18}, {"snap", 19}}

// nextFreeBSDComponent reads a component and the separators after it from s,
// which is not empty, and returns what is left.
func nextFreeBSDComponent(s string) (c freeBSDComponent, rest string) {
	i := 0
	switch {
	case isDigit(s[0]):
		c.kind, c.number = freeBSDNumber, digitsFrom(s, 0)
		i = len(c.number)
	case s[0] == '*':
		return freeBSDComponent{kind: freeBSDStar}, ""
	default:
		c.kind = freeBSDNoNumber
	}
	if word := lettersFrom(s, i); word != "" {
		letter, stage := freeBSDStage(word)
		if !stage || c.kind == freeBSDNoNumber {
			i += len(word)
			c.letter, c.level, c.patch = letter, true, digitsFrom(s, i)
			i += len(c.patch)
		}
	}
	for i < len(s) && !isDigit(s[i]) && !isAlpha(s[i]) && s[i] != '*' {
		i++
	}
	return c, s[i:]
}

// freeBSDStage returns the letter that stands for a word, and whether the word
// is a stage.
func freeBSDStage(word string) (letter byte, stage bool) {
	for _, s := range freeBSDStages {
		if len(word) == len(s.name) && hasFold(word, 0, s.name) {
			return s.letter, true
		}
	}
	return toLower(word[0]) - 'a' + 1, false
}
