package versioncmp

import (
	"fmt"
	"strings"
)

// readComposer reads constraints of Composer (composer/semver): commas or
// spaces between those that must all hold, "||" or "|" between alternatives.
//
// Comparisons follow the order alone, as OSV exports of the same advisories
// do, where Composer itself puts ">=" and "<" before the pre-releases of
// their version. Ranges made by ^, ~, wildcards and hyphens do begin and end
// there.
func readComposer(text string) ([]clause, error) {
	return alternatives(strings.ReplaceAll(text, "||", "|"), "|", composerAlternative)
}

func composerAlternative(text string) (clause, error) {
	fields := strings.Fields(text)
	if len(fields) == 3 && fields[1] == "-" {
		return composerHyphen(fields[0], fields[2])
	}
	return conjunction(text, "<>=!~^", " \t\r\n,", expandComposer)
}

func expandComposer(c comparator) ([]Span, error) {
	c.version, _, _ = strings.Cut(c.version, "@")
	numbers, rest := composerPrefix(c.version)
	switch {
	case rest == "*" && len(numbers) == 0:
		return wildcard(c.op)
	case rest == "*" && (c.op == "" || c.op == "=" || c.op == "=="):
		return from(devOf(numbers), raised(numbers, len(numbers)-1)), nil
	case rest == "*":
		return nil, fmt.Errorf("%q: %w: a wildcard behind %q", c.version, ErrInvalid, c.op)
	case c.op == "~" || c.op == "^":
		if len(numbers) == 0 {
			return nil, fmt.Errorf("%q: %w: no number to raise", c.version, ErrInvalid)
		}
		level := max(len(numbers)-2, 0)
		if c.op == "^" {
			level = partial{numbers: numbers}.caretLevel()
		}
		lo := c.version
		if rest == "" {
			lo = devOf(numbers)
		}
		return from(lo, raised(numbers, level)), nil
	}
	return c.spans()
}

func composerHyphen(lo, hi string) (clause, error) {
	lower, err := expandComposer(comparator{">=", lo})
	if err != nil {
		return nil, err
	}
	if numbers, rest := composerPrefix(hi); rest == "" && 0 < len(numbers) && len(numbers) < 3 {
		return clause{lower, below(raised(numbers, len(numbers)-1))}, nil
	}
	upper, err := expandComposer(comparator{"<=", hi})
	if err != nil {
		return nil, err
	}
	return clause{lower, upper}, nil
}

// composerPrefix splits a version into its leading numbers and what follows
// them, which is "*" for wildcards.
func composerPrefix(version string) (numbers []string, rest string) {
	rest = strings.TrimPrefix(version, "v")
	for {
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 0 {
			break
		}
		numbers = append(numbers, rest[:n])
		rest = rest[n:]
		if !strings.HasPrefix(rest, ".") {
			break
		}
		rest = rest[1:]
	}
	if rest != "" && strings.Trim(rest, ".xX*") == "" {
		rest = "*"
	}
	return numbers, rest
}

// devOf is the least version that has the numbers.
func devOf(numbers []string) string { return strings.Join(numbers, ".") + "-dev" }

// raised is the least version that has the number at i raised.
func raised(numbers []string, i int) string {
	up := append([]string{}, numbers[:i+1]...)
	up[i] = increment(up[i])
	return devOf(up)
}
