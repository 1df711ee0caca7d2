package normalize

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// uniteAffected makes one entry of all that name one package and say nothing
// different of it but versions. Entries come out sorted by their encoding
// without ranges and versions.
func uniteAffected(in []Affected) ([]Affected, error) {
	if len(in) == 0 {
		return nil, nil
	}
	groups := map[string][]Affected{}
	for i := range in {
		key, err := in[i].identity()
		if err != nil {
			return nil, err
		}
		groups[key] = append(groups[key], in[i])
	}
	out := make([]Affected, 0, len(groups))
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		a, err := joinAffected(groups[key])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// identity returns what an affected entry says besides versions: the package
// first, so that entries sort by ecosystem and name.
func (a *Affected) identity() (string, error) {
	c := *a
	c.Ranges, c.Versions = nil, nil
	c.Severity = setFunc(slices.Clone(a.Severity), compareSeverities)
	rest, err := json.Marshal(&c, encodeOptions)
	if err != nil {
		return "", err
	}
	if c.hasExtra() {
		if rest, err = canonical(rest); err != nil {
			return "", err
		}
	}
	return strings.Join([]string{a.Package.Ecosystem, a.Package.Name, string(rest)}, "\x00"), nil
}

// joinAffected unites entries of one identity.
func joinAffected(in []Affected) (Affected, error) {
	out := in[0]
	out.Severity = setFunc(slices.Clone(out.Severity), compareSeverities)
	var ranges []Range
	var versions []string
	for i := range in {
		ranges = append(ranges, in[i].Ranges...)
		versions = append(versions, in[i].Versions...)
	}
	out.Versions = set(versions)
	var err error
	out.Ranges, err = uniteRanges(out.Package.Ecosystem, ranges)
	return out, err
}

// uniteRanges unites the ranges of one package. Those that are not plain
// intervals (see [Range.intervals]) are kept as they are, each once.
func uniteRanges(ecosystem string, in []Range) ([]Range, error) {
	plain := map[string][]Interval{}
	var opaque []encodedRange
	for i := range in {
		if iv, ok := in[i].intervals(ecosystem); ok {
			plain[in[i].Type] = append(plain[in[i].Type], iv...)
			continue
		}
		b, err := json.Marshal(&in[i], encodeOptions)
		if err != nil {
			return nil, err
		}
		opaque = append(opaque, encodedRange{b, in[i]})
	}
	var out []Range
	for _, typ := range slices.Sorted(maps.Keys(plain)) {
		out = append(out, Ranges(typ, ecosystem, plain[typ])...)
	}
	opaque = setFunc(opaque, func(a, b encodedRange) int { return bytes.Compare(a.json, b.json) })
	for _, e := range opaque {
		out = append(out, e.r)
	}
	return out, nil
}

type encodedRange struct {
	json []byte
	r    Range
}
