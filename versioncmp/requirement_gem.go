package versioncmp

import (
	"fmt"
	"strings"
)

// readGem reads requirements of RubyGems (Gem::Requirement): commas or spaces
// between those that must all hold, "||" between alternatives (GitLab's).
func readGem(text string) ([]clause, error) {
	return alternatives(text, "||", func(part string) (clause, error) {
		return conjunction(part, "<>=!~", " \t\r\n,", expandGem)
	})
}

func expandGem(c comparator) ([]Span, error) {
	if c.op != "~>" {
		return c.spans()
	}
	numbers := gemRelease(c.version)
	if len(numbers) == 0 {
		return nil, fmt.Errorf("%q: %w: no number to raise", c.version, ErrInvalid)
	}
	if len(numbers) > 1 {
		numbers = numbers[:len(numbers)-1]
	}
	last := len(numbers) - 1
	numbers[last] = increment(numbers[last])
	return from(c.version, strings.Join(numbers, ".")+".A"), nil
}

// gemRelease returns the numbers before the first letter, those that
// Gem::Version#bump works on. "~> 1.2.3" asks for v.release < 1.3, so no
// pre-release of 1.3 meets it: the bound is 1.3.A, below the pre-releases
// that exist (1.3.RC1, 1.3.a).
func gemRelease(version string) []string {
	var numbers []string
	for part := range strings.FieldsFuncSeq(version, func(r rune) bool { return r == '.' || r == '-' }) {
		n := 0
		for n < len(part) && isDigit(part[n]) {
			n++
		}
		if n > 0 {
			numbers = append(numbers, part[:n])
		}
		if n < len(part) {
			break
		}
	}
	return numbers
}
