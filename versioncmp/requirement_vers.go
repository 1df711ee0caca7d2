package versioncmp

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// versEcosystems maps the versioning schemes of VERS to ecosystems.
var versEcosystems = map[string]string{
	"alpine": "Alpine", "apk": "Alpine", "cargo": "crates.io", "composer": "Packagist", "conan": "ConanCenter",
	"cran": "CRAN", "deb": "Debian", "gem": "RubyGems", "golang": "Go", "hackage": "Hackage", "hex": "Hex",
	"maven": "Maven", "npm": "npm", "nuget": "NuGet", "pub": "Pub", "pypi": "PyPI", "rpm": "Red Hat",
	"semver": "npm", "swift": "SwiftURL",
}

// versGrammar returns the grammar of a version range specifier of package
// URLs, "vers:SCHEME/CONSTRAINT|CONSTRAINT…" (VERS specification).
func versGrammar(text string) (grammar, error) {
	rest, ok := strings.CutPrefix(text, "vers:")
	if !ok {
		return grammar{}, errors.New("no \"vers:\" before it")
	}
	name, _, ok := strings.Cut(rest, "/")
	if !ok {
		return grammar{}, errors.New("no slash behind the scheme")
	}
	ecosystem, ok := versEcosystems[name]
	if !ok {
		return grammar{}, fmt.Errorf("versioning scheme %q: %w", name, ErrNoOrder)
	}
	return grammar{ecosystem, func(text string) ([]clause, error) {
		return readVers(For(ecosystem), text)
	}}, nil
}

// readVers reads the constraints, which are no alternatives: sorted by
// version, each lower bound pairs with the upper bound that follows it, "="
// adds a version and "!=" takes one away.
func readVers(s *Scheme, text string) ([]clause, error) {
	_, constraints, _ := strings.Cut(text, "/")
	var singles, holes, bounds []comparator
	for part := range strings.SplitSeq(constraints, "|") {
		part = strings.TrimSpace(part)
		if part == "*" {
			return []clause{{everything}}, nil
		}
		op := part[:len(part)-len(strings.TrimLeft(part, "<>=!"))]
		version, err := url.PathUnescape(strings.TrimSpace(part[len(op):]))
		if err != nil || version == "" {
			return nil, fmt.Errorf("constraint %q has no version", part)
		}
		c := comparator{op, version}
		switch op {
		case "", "=":
			singles = append(singles, c)
		case "!=":
			holes = append(holes, c)
		default:
			bounds = append(bounds, c)
		}
	}
	return versClauses(s, singles, holes, bounds)
}

func versClauses(s *Scheme, singles, holes, bounds []comparator) ([]clause, error) {
	if err := sortComparators(s, bounds); err != nil {
		return nil, err
	}
	var list []clause
	var pending clause
	for i, c := range bounds {
		spans, err := c.spans()
		if err != nil {
			return nil, err
		}
		lower := strings.HasPrefix(c.op, ">")
		if lower && i > 0 && strings.HasPrefix(bounds[i-1].op, ">") {
			continue
		}
		if lower {
			pending = clause{spans}
			continue
		}
		if i+1 < len(bounds) && strings.HasPrefix(bounds[i+1].op, "<") {
			continue
		}
		list, pending = append(list, append(pending, spans)), nil
	}
	if pending != nil {
		list = append(list, pending)
	}
	if len(bounds)+len(singles) == 0 {
		list = append(list, clause{everything})
	}
	for i := range list {
		for _, c := range holes {
			spans, _ := c.spans()
			list[i] = append(list[i], spans)
		}
	}
	for _, c := range singles {
		spans, _ := c.spans()
		list = append(list, clause{spans})
	}
	return list, nil
}

// sortComparators sorts by version.
func sortComparators(s *Scheme, list []comparator) error {
	if s == nil {
		return ErrNoOrder
	}
	parsed := map[string]Version{}
	for _, c := range list {
		v, err := s.Parse(c.version)
		if err != nil {
			return err
		}
		parsed[c.version] = v
	}
	slices.SortStableFunc(list, func(a, b comparator) int {
		return parsed[a.version].Compare(parsed[b.version])
	})
	return nil
}
