package versioncmp

import (
	"fmt"
	"strings"
)

// readMaven reads the version ranges of Maven ("Dependency Version
// Requirement Specification"): sets in brackets, commas between the ends and
// between the sets, in any order. A version without brackets is that version:
// Maven's "soft" requirement says nothing about others.
func readMaven(text string) ([]clause, error) {
	return parseBrackets(text, func(v string) []Span {
		at := Bound{Version: v, Inclusive: true}
		return []Span{{at, at}}
	})
}

// readNuGet reads the version ranges of NuGet ("Package versioning"): as
// Maven's, but a version without brackets is the least one allowed.
func readNuGet(text string) ([]clause, error) {
	return parseBrackets(text, func(v string) []Span { return from(v, "") })
}

func parseBrackets(text string, bare func(string) []Span) ([]clause, error) {
	var list []clause
	rest := text
	for {
		rest = strings.TrimLeft(rest, " \t\r\n,|")
		if rest == "" {
			break
		}
		var spans []Span
		if rest[0] == '[' || rest[0] == '(' {
			end := strings.IndexAny(rest, ")]")
			if end < 0 {
				return nil, fmt.Errorf("offset %d: bracket without end", len(text)-len(rest))
			}
			span, err := bracketSpan(rest[0], rest[1:end], rest[end])
			if err != nil {
				return nil, fmt.Errorf("offset %d: %w", len(text)-len(rest), err)
			}
			spans, rest = []Span{span}, rest[end+1:]
		} else {
			end := strings.IndexAny(rest, " \t\r\n,|[]()")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("offset %d: bracket without start", len(text)-len(rest))
			}
			spans, rest = bare(rest[:end]), rest[end:]
		}
		list = append(list, clause{spans})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no version")
	}
	return list, nil
}

// bracketSpan reads what stands between two brackets.
func bracketSpan(start byte, inner string, end byte) (Span, error) {
	lo, hi, pair := strings.Cut(inner, ",")
	lo, hi = strings.TrimSpace(lo), strings.TrimSpace(hi)
	if !pair {
		if start != '[' || end != ']' || lo == "" {
			return Span{}, fmt.Errorf("%c%s%c is no set of versions", start, inner, end)
		}
		hi = lo
	}
	if strings.Contains(hi, ",") {
		return Span{}, fmt.Errorf("%c%s%c has more than two ends", start, inner, end)
	}
	span := Span{
		Lo: Bound{Version: lo, Inclusive: start == '['},
		Hi: Bound{Version: hi, Inclusive: end == ']'},
	}
	if lo == "" || pair && lo == "0" && start == '[' {
		span.Lo = Bound{Unbounded: true}
	}
	if hi == "" {
		span.Hi = Bound{Unbounded: true}
	}
	return span, nil
}
