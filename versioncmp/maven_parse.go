package versioncmp

import (
	"slices"
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
	p := mavenParser{items: dst, text: version, empty: true}
	for i := range len(version) {
		switch c := version[i]; {
		case c == '.':
			p.separate(i)
		case c == '-':
			p.dash(i)
		case isDigit(c):
			if !p.digits && i > p.start {
				p.combination = true
				p.nest()
			}
			p.digits = true
		default:
			if p.digits && i > p.start {
				p.add(i)
				p.start = i
				p.nest()
				p.combination = false
			}
			p.digits = false
		}
	}
	if p.start < len(version) {
		if !p.digits {
			p.nest()
		}
		p.add(len(version))
	}
	return normalizeMaven(p.items)
}

// A mavenParser is the state between two characters of a version.
type mavenParser struct {
	items       []mavenItem
	text        string
	start       int  // of the item that is being read
	digits      bool // the last character that is no separator is a digit
	combination bool // the item has letters and then digits
	empty       bool // the list being filled has no item
}

// separate ends the item before text[i]: nothing before a separator is 0.
func (p *mavenParser) separate(i int) {
	if i == p.start {
		p.items = append(p.items, mavenItem{kind: mavenNumber})
		p.empty = false
	} else {
		p.add(i)
	}
	p.combination = false
	p.start = i + 1
}

// dash ends the item before text[i] and opens a list, unless the dash is
// between letters and a digit: x-1 is x1.
func (p *mavenParser) dash(i int) {
	if i > p.start && !p.digits && i+1 < len(p.text) && isDigit(p.text[i+1]) {
		p.combination = true
		return
	}
	p.separate(i)
	p.nest()
}

// nest opens a list inside the one being filled, unless that is empty.
func (p *mavenParser) nest() {
	if !p.empty {
		p.items = append(p.items, mavenItem{kind: mavenList})
		p.empty = true
	}
}

// add appends the item that ends before text[i].
func (p *mavenParser) add(i int) {
	s := p.text[p.start:i]
	p.empty = false
	switch {
	case p.combination:
		letters := 0
		for !isDigit(s[letters]) {
			letters++
		}
		number := strings.TrimLeft(s[letters:], "0")
		p.items = append(p.items, mavenQualifier(mavenCombination, strings.TrimSuffix(s[:letters], "-"), number))
	case p.digits:
		p.items = append(p.items, mavenItem{kind: mavenNumber, number: strings.TrimLeft(s, "0")})
	default:
		p.items = append(p.items, mavenQualifier(mavenString, s, ""))
	}
}

// normalizeMaven removes, in each list from the innermost on, the zeros at its
// end, and those before a qualifier or a list that begins with one. A list
// without items vanishes, and one that holds only a list is that list. It works
// from the end, so that items[keep:] is always normalized.
func normalizeMaven(items []mavenItem) []mavenItem {
	keep := len(items)
	for i := len(items) - 1; i >= 0; i-- {
		if isMavenNull(items[i], items[keep:]) {
			continue
		}
		keep--
		items[keep] = items[i]
	}
	items = items[keep:]
	if len(items) > 0 && items[0].kind == mavenList {
		items = items[1:]
	}
	return slices.Clip(items)
}

// isMavenNull reports whether an item before next, which is normalized, counts
// for nothing.
func isMavenNull(it mavenItem, next []mavenItem) bool {
	switch {
	case it.kind == mavenList:
		return len(next) == 0 || next[0].kind == mavenList
	case it.kind != mavenNumber || it.number != "":
		return false
	case len(next) == 0 || next[0].kind == mavenString:
		return true
	}
	return next[0].kind == mavenList && next[1].kind != mavenNumber
}
