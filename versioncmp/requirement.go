package versioncmp

import (
	"errors"
	"fmt"
	"strings"
)

// ErrEmpty says that a requirement contradicts itself: no version meets it.
var ErrEmpty = errors.New("no version lies in it")

// A Bound is one end of a Span. Its zero value is the exclusive bound of a
// version without a name; an end that is open has Unbounded.
type Bound struct {
	Version   string
	Inclusive bool
	Unbounded bool
}

// A Span is the versions from Lo to Hi.
type Span struct{ Lo, Hi Bound }

// Single returns the version of a span that holds only this one.
func (s Span) Single() (version string, ok bool) {
	ok = s.Lo.Inclusive && s.Hi.Inclusive && s.Lo.Version == s.Hi.Version
	return s.Lo.Version, ok
}

// String writes the span as an interval, "[1.0, 2.0)".
func (s Span) String() string {
	lo, hi := "("+s.Lo.Version, s.Hi.Version+")"
	if s.Lo.Inclusive {
		lo = "[" + s.Lo.Version
	}
	if s.Hi.Inclusive {
		hi = s.Hi.Version + "]"
	}
	return lo + ", " + hi
}

// A clause is what one alternative of a requirement asks: a version must lie
// in each of its members, and a member is a union of spans.
type clause [][]Span

// A grammar reads a requirement as alternatives.
type grammar struct {
	ecosystem string // whose order sorts the versions
	parse     func(text string) ([]clause, error)
}

// grammars are those that packaging tools define.
var grammars = map[string]grammar{
	"npm":      {"npm", readNPM},
	"cargo":    {"crates.io", readCargo},
	"gem":      {"RubyGems", readGem},
	"composer": {"Packagist", readComposer},
	"pep440":   {"PyPI", readPEP440},
	"maven":    {"Maven", readMaven},
	"nuget":    {"NuGet", readNuGet},
}

// ParseRequirement reads a requirement on versions and returns the versions
// that meet it, sorted by the ecosystem's order, without overlap. The grammar
// is one of
//
//	npm, cargo, gem, composer, pep440, maven, nuget
//	             the requirements of the packaging tool of that name
//	glad:TYPE    the ranges of GitLab's advisories, by type of package
//	prose:ECOSYSTEM
//	             comparisons with one operator each, ">= 1.0, < 2.0"
//	vers         the version range specifiers of package URLs, "vers:npm/>=1"
//
// The result speaks of order alone: a pre-release between two bounds lies in
// the span although a tool may refuse to install it unasked, as in OSV. A
// bound that the tool itself puts below all pre-releases of a version is such
// here too: "^1.2" in Cargo ends before 2.0.0-0. ">= 0" means every version.
//
// A requirement that no version can meet by its own words, like npm's
// "<0.0.0", is no span; one that contradicts itself is ErrEmpty. Other errors
// wrap ErrInvalid where a version is refused, or say what was expected.
func ParseRequirement(grammar, text string) ([]Span, error) {
	g, err := grammarOf(grammar, text)
	if err == nil {
		var spans []Span
		spans, err = g.spans(For(g.ecosystem), text)
		if err == nil {
			return spans, nil
		}
	}
	return nil, fmt.Errorf("%s requirement %q: %w", grammar, text, err)
}

func grammarOf(name, text string) (grammar, error) {
	kind, operand, _ := strings.Cut(name, ":")
	switch kind {
	case "glad":
		if g, ok := gladTypes[operand]; ok {
			return g, nil
		}
		return grammar{}, fmt.Errorf("unknown type of package %q", operand)
	case "prose":
		return grammar{operand, readProse}, nil
	case "vers":
		return versGrammar(text)
	}
	if g, ok := grammars[name]; ok {
		return g, nil
	}
	return grammar{}, errors.New("unknown grammar")
}

// spans reads text and sorts the result by s.
func (g grammar) spans(s *Scheme, text string) ([]Span, error) {
	clauses, err := g.parse(text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return unorderedSpans(clauses)
	}
	var all []Span
	contradiction := false
	for _, c := range clauses {
		meet := []Span{{Lo: Bound{Unbounded: true}, Hi: Bound{Unbounded: true}}}
		none := false
		for _, member := range c {
			none = none || len(member) == 0
			if meet, err = Intersect(s, meet, member); err != nil {
				return nil, err
			}
		}
		contradiction = contradiction || len(meet) == 0 && !none
		all = append(all, meet...)
	}
	if len(all) == 0 && contradiction {
		return nil, ErrEmpty
	}
	return Union(s, all)
}

// unorderedSpans takes clauses in an ecosystem without order: one lower and
// one upper bound can be paired, but nothing can be sorted.
func unorderedSpans(clauses []clause) ([]Span, error) {
	var all []Span
	for _, c := range clauses {
		pair := Span{Bound{Unbounded: true}, Bound{Unbounded: true}}
		for _, member := range c {
			if len(member) != 1 ||
				!member[0].Lo.Unbounded && !pair.Lo.Unbounded || !member[0].Hi.Unbounded && !pair.Hi.Unbounded {
				return nil, ErrNoOrder
			}
			if !member[0].Lo.Unbounded {
				pair.Lo = member[0].Lo
			}
			if !member[0].Hi.Unbounded {
				pair.Hi = member[0].Hi
			}
		}
		all = append(all, pair)
	}
	return all, nil
}

// A comparator is an operator, which may be empty, and a version.
type comparator struct{ op, version string }

// comparators splits text into comparators. Between them stand characters of
// seps; an operator is made of characters of ops and may have spaces behind
// it, and a version ends where a separator or one of "<>=" or "!=" comes.
func comparators(text, ops, seps string) ([]comparator, error) {
	var list []comparator
	for {
		text = strings.TrimLeft(text, seps)
		if text == "" {
			return list, nil
		}
		rest := strings.TrimLeft(text, ops)
		op := text[:len(text)-len(rest)]
		rest = strings.TrimLeft(rest, " \t")
		end := strings.IndexAny(rest, seps+"<>=")
		if end < 0 {
			end = len(rest)
		}
		if end > 0 && end < len(rest) && rest[end-1] == '!' {
			end--
		}
		if end == 0 {
			return nil, fmt.Errorf("no version behind %q", op)
		}
		list = append(list, comparator{op, rest[:end]})
		text = rest[end:]
	}
}

// spans returns the versions that an operator known to every grammar means.
func (c comparator) spans() ([]Span, error) {
	open := Bound{Unbounded: true}
	at := Bound{Version: c.version, Inclusive: true}
	beside := Bound{Version: c.version}
	switch c.op {
	case "", "=", "==", "===":
		return []Span{{at, at}}, nil
	case "!=", "<>":
		return []Span{{open, beside}, {beside, open}}, nil
	case ">":
		return []Span{{beside, open}}, nil
	case ">=", "=>":
		if c.version == "0" {
			at = open
		}
		return []Span{{at, open}}, nil
	case "<":
		return []Span{{open, beside}}, nil
	case "<=", "=<":
		return []Span{{open, at}}, nil
	}
	return nil, fmt.Errorf("unknown operator %q", c.op)
}

// alternatives splits text at each sep and reads the parts.
func alternatives(text, sep string, parse func(string) (clause, error)) ([]clause, error) {
	var list []clause
	for part := range strings.SplitSeq(text, sep) {
		c, err := parse(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// conjunction reads comparators that must all hold, with one function for
// each. There must be one at least.
func conjunction(text, ops, seps string, expand func(comparator) ([]Span, error)) (clause, error) {
	list, err := comparators(text, ops, seps)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("no version")
	}
	var c clause
	for _, each := range list {
		spans, err := expand(each)
		if err != nil {
			return nil, err
		}
		c = append(c, spans)
	}
	return c, nil
}

// increment adds one to a decimal number of any length.
func increment(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}
