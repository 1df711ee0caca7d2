package versioncmp

import (
	"fmt"
	"strings"
)

// A partial is a SemVer version of which trailing numbers may be missing or
// wildcards: "1", "1.2.x", "*", "1.2.3-rc.1".
type partial struct {
	numbers []string // those before the first that is missing, three at most
	pre     string
}

// parsePartial reads a version as node-semver's loose mode does: a "v" or "="
// before it, no "-" before the pre-release, build metadata left out.
func parsePartial(text string) (partial, error) {
	var p partial
	rest := strings.TrimLeft(text, "v= \t")
	rest, _, _ = strings.Cut(rest, "+")
	wild := false
	for i := range 3 {
		if i > 0 {
			if !strings.HasPrefix(rest, ".") {
				break
			}
			rest = rest[1:]
		}
		if rest != "" && strings.ContainsRune("xX*", rune(rest[0])) {
			rest, wild = rest[1:], true
			continue
		}
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 0 {
			return p, fmt.Errorf("%q: %w: a number or wildcard is missing", text, ErrInvalid)
		}
		if !wild {
			p.numbers = append(p.numbers, rest[:n])
		}
		rest = rest[n:]
	}
	if rest == "" {
		return p, nil
	}
	p.pre = strings.TrimPrefix(rest, "-")
	if p.pre == "" || strings.Trim(p.pre, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.") != "" {
		return p, fmt.Errorf("%q: %w: odd pre-release", text, ErrInvalid)
	}
	if len(p.numbers) < 3 {
		p.pre = ""
	}
	return p, nil
}

// String fills missing numbers with zeros.
func (p partial) String() string {
	text := strings.Join(append(append([]string{}, p.numbers...), "0", "0", "0")[:3], ".")
	if p.pre != "" {
		text += "-" + p.pre
	}
	return text
}

// bump returns what lies just below the next version at number i, and all its
// pre-releases: bump(1) of 1.2.3 is 1.3.0-0.
func (p partial) bump(i int) string {
	up := partial{numbers: append([]string{}, p.numbers[:i+1]...), pre: "0"}
	up.numbers[i] = increment(up.numbers[i])
	return up.String()
}

func (p partial) whole() bool { return len(p.numbers) == 3 }

// caretLevel is the number that a caret range must not change: the first that
// is not zero, else the last that is given.
func (p partial) caretLevel() int {
	for i, n := range p.numbers {
		if strings.Trim(n, "0") != "" {
			return i
		}
	}
	return len(p.numbers) - 1
}

var (
	everything = []Span{{Bound{Unbounded: true}, Bound{Unbounded: true}}}
	nothing    = []Span{}
)

// from returns [lo, hi); an empty hi is no end.
func from(lo, hi string) []Span {
	span := Span{Bound{Version: lo, Inclusive: true}, Bound{Version: hi}}
	if hi == "" {
		span.Hi = Bound{Unbounded: true}
	}
	return []Span{span}
}

// below returns all versions under hi.
func below(hi string) []Span {
	return []Span{{Bound{Unbounded: true}, Bound{Version: hi}}}
}

// npmRules are the ranges of node-semver 7 ("Advanced Range Syntax").
type npmRules struct {
	// prereleases is node-semver's includePrerelease: a partial version then
	// begins with its pre-releases.
	prereleases bool
}

func readNPM(text string) ([]clause, error) { return npmRules{}.parse(text) }

func (r npmRules) parse(text string) ([]clause, error) {
	return alternatives(text, "||", r.alternative)
}

func (r npmRules) alternative(text string) (clause, error) {
	if text == "" {
		return clause{everything}, nil
	}
	fields := strings.Fields(text)
	if len(fields) == 3 && fields[1] == "-" {
		return r.hyphen(fields[0], fields[2])
	}
	return conjunction(text, "<>=~^", " \t\r\n,", r.expand)
}

func (r npmRules) hyphen(from, to string) (clause, error) {
	lower, err := r.expand(comparator{">=", from})
	if err != nil {
		return nil, err
	}
	upper, err := r.expand(comparator{"<=", to})
	if err != nil {
		return nil, err
	}
	return clause{lower, upper}, nil
}

func (r npmRules) expand(c comparator) ([]Span, error) {
	p, err := parsePartial(c.version)
	if err != nil {
		return nil, err
	}
	n := len(p.numbers)
	switch c.op {
	case "~", "~>", "^":
		switch {
		case n == 0:
			return everything, nil
		case c.op == "^":
			return from(r.lowest(p), p.bump(p.caretLevel())), nil
		}
		return from(r.lowest(p), p.bump(min(n, 2)-1)), nil
	case "=", "==", "===":
		c.op = ""
	}
	switch {
	case n == 0:
		return wildcard(c.op)
	case n < 3:
		return r.incomplete(c.op, p)
	}
	return sentinel(comparator{c.op, p.String()}, p)
}

// wildcard takes an operator before "*".
func wildcard(op string) ([]Span, error) {
	switch op {
	case "<", ">":
		return nothing, nil
	case "", "<=", ">=":
		return everything, nil
	}
	return nil, fmt.Errorf("unknown operator %q", op)
}

// incomplete takes a version with missing numbers, which stands for all the
// versions that have those.
func (r npmRules) incomplete(op string, p partial) ([]Span, error) {
	last := len(p.numbers) - 1
	switch op {
	case "":
		return from(r.lowest(p), p.bump(last)), nil
	case ">=":
		if strings.Join(p.numbers, "") == "0" {
			return everything, nil
		}
		return from(r.lowest(p), ""), nil
	case ">":
		next := p.bump(last)
		if !r.prereleases {
			next = strings.TrimSuffix(next, "-0")
		}
		return from(next, ""), nil
	case "<":
		if p.caretLevel() == last && strings.Trim(p.numbers[last], "0") == "" {
			return nothing, nil
		}
		return below(p.String() + "-0"), nil
	case "<=":
		return below(p.bump(last)), nil
	}
	return nil, fmt.Errorf("unknown operator %q", op)
}

func (r npmRules) lowest(p partial) string {
	if r.prereleases && !p.whole() {
		return p.String() + "-0"
	}
	return p.String()
}

// sentinel takes the two whole versions that advisories use for "none" and
// "all": below 0.0.0, and up to a version of nines such as 99.999.99999. The
// other comparisons are as usual.
func sentinel(c comparator, p partial) ([]Span, error) {
	switch {
	case c.op == "<" && strings.Trim(strings.Join(p.numbers, ""), "0") == "" && (p.pre == "" || p.pre == "0"):
		return nothing, nil
	case (c.op == "<" || c.op == "<=") && p.nines():
		return everything, nil
	}
	return c.spans()
}

func (p partial) nines() bool {
	for _, n := range p.numbers {
		if len(n) < 2 || strings.Trim(n, "9") != "" {
			return false
		}
	}
	return p.pre == ""
}
