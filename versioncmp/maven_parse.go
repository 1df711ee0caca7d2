package versioncmp

import (
	"strings"
	"unicode/utf8"
)

// parseMaven appends the items of a version, normalized, to dst, which is
// empty. Those of the outermost list come first.
func parseMaven(dst []mavenItem, version string) []mavenItem {
	for i := range len(version) {
		if version[i] >= utf8.RuneSelf {
			version = strings.ToLower(version)
			break
		}
	}
	p := mavenParser{text: version}
	for i := range len(version) {
		switch c := version[i]; {
		case c == '.':
			dst = p.separator(dst, i)
		case c == '-':
			dst = p.dash(dst, i)
		case isDigit(c):
			if !p.digits && i > p.start {
				p.combination = true
				p.nest(dst)
			}
			p.digits = true
		default:
			if p.digits && i > p.start {
				dst = p.item(dst, i)
				p.start = i
				p.nest(dst)
			}
			p.digits = false
		}
	}
	if p.start < len(version) {
		if !p.digits {
			p.nest(dst)
		}
		dst = p.item(dst, len(version))
	}
	return normalizeMaven(dst)
}

// A mavenParser is the state between two characters of a version.
type mavenParser struct {
	text        string
	start       int  // of the item that is being read
	digits      bool // the last character that is no separator is a digit
	combination bool // the item has letters and then digits
	nested      bool // the next item is the first of a list of its own
}

// separator ends the item before text[i]: nothing before a separator is 0.
func (p *mavenParser) separator(dst []mavenItem, i int) []mavenItem {
	if i == p.start {
		dst = append(p.open(dst), mavenItem{kind: mavenNumber})
	} else {
		dst = p.item(dst, i)
	}
	p.start = i + 1
	return dst
}

// dash ends the item before text[i] and opens a list, unless the dash is
// between letters and a digit: x-1 is x1.
func (p *mavenParser) dash(dst []mavenItem, i int) []mavenItem {
	if i > p.start && !p.digits && i+1 < len(p.text) && isDigit(p.text[i+1]) {
		p.combination = true
		return dst
	}
	dst = p.separator(dst, i)
	p.nest(dst)
	return dst
}

// nest makes the next item the first of a list inside the one being filled,
// unless that is empty.
func (p *mavenParser) nest(dst []mavenItem) { p.nested = len(dst) > 0 }

// open appends the list that the next item opens, if it opens one.
func (p *mavenParser) open(dst []mavenItem) []mavenItem {
	if p.nested {
		dst = append(dst, mavenItem{kind: mavenList})
	}
	p.nested = false
	return dst
}

// item appends the item that ends before text[i].
func (p *mavenParser) item(dst []mavenItem, i int) []mavenItem {
	s := p.text[p.start:i]
	dst = p.open(dst)
	switch {
	case p.combination:
		p.combination = false
		letters := 0
		for !isDigit(s[letters]) {
			letters++
		}
		number := strings.TrimLeft(s[letters:], "0")
		return append(dst, mavenQualifier(mavenCombination, strings.TrimSuffix(s[:letters], "-"), number))
	case p.digits:
		return append(dst, mavenItem{kind: mavenNumber, number: strings.TrimLeft(s, "0")})
	}
	return append(dst, mavenQualifier(mavenString, s, ""))
}

// normalizeMaven removes, in each list from the innermost on, the zeros at its
// end, and those before a qualifier or a list that begins with one. A list
// without items vanishes. It works from the end, so that items[keep:] is always
// normalized.
func normalizeMaven(items []mavenItem) []mavenItem {
	keep := len(items)
	for i := len(items) - 1; i >= 0; i-- {
		if isMavenNull(&items[i], items[keep:]) {
			continue
		}
		keep--
		items[keep] = items[i]
	}
	return items[keep:]
}

// isMavenNull reports whether an item before next, which is normalized, counts
// for nothing.
func isMavenNull(it *mavenItem, next []mavenItem) bool {
	switch {
	case it.kind == mavenList:
		return len(next) == 0
	case it.kind != mavenNumber || it.number != "":
		return false
	case len(next) == 0 || next[0].kind == mavenString:
		return true
	}
	return next[0].kind == mavenList && next[1].kind.qualifies()
}

// qualifies reports whether items of the kind have a qualifier.
func (k mavenKind) qualifies() bool { return k == mavenString || k == mavenCombination }
