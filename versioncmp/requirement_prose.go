package versioncmp

import "strings"

// proseSigns writes the words and signs that some advisories use for
// operators as the operators.
var proseSigns = strings.NewReplacer(
	" and ", ", ", " AND ", ", ", "&&", ",", " or ", "||", " OR ", "||",
	"≤", "<=", "≥", ">=", "≠", "!=")

// readProse reads comparisons as advisories write them for people, in any
// ecosystem: "< 1.4", ">= 1.0, < 2.0", "= 1.2.3", "1.2.3"; a comma, a space
// or "and" joins those that must all hold, "||" or "or" stands between
// alternatives. "> 0", like ">= 0", is every version.
func readProse(text string) ([]clause, error) {
	return alternatives(proseSigns.Replace(text), "||", func(part string) (clause, error) {
		if part == "*" {
			return clause{everything}, nil
		}
		return conjunction(part, "<>=!", " \t\r\n,", func(c comparator) ([]Span, error) {
			if c.op == ">" && c.version == "0" {
				c.op = ">="
			}
			return c.spans()
		})
	})
}
