package versioncmp

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// A rangeCase is a line of node-semver's range fixtures: [range, version,
// options], where options is true for loose, or an object.
type rangeCase struct {
	text, version string
	prereleases   bool
}

func rangeCases(t *testing.T, name string) []rangeCase {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, "versions", "corpora", "npm", name))
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]any
	if err := json.Unmarshal(data, &lines); err != nil {
		t.Fatal(err)
	}
	var cases []rangeCase
	for _, line := range lines {
		c := rangeCase{text: line[0].(string)}
		c.version, _ = line[1].(string)
		if len(line) > 2 {
			options, _ := line[2].(map[string]any)
			c.prereleases, _ = options["includePrerelease"].(bool)
		}
		cases = append(cases, c)
	}
	return cases
}

// satisfies answers as node-semver does: by the order, and without
// includePrerelease only those pre-releases of whose numbers some comparator
// names a pre-release too.
func (c rangeCase) satisfies(t *testing.T) bool {
	t.Helper()
	g := grammar{"npm", npmRules{prereleases: c.prereleases}.parse}
	spans, err := g.spans(npmScheme, c.text)
	if err != nil {
		return false
	}
	p, err := parsePartial(c.version)
	if err != nil || len(p.numbers) != 3 {
		return false
	}
	if !inSpans(t, npmScheme, spans, p.String()) {
		return false
	}
	if p.pre == "" || c.prereleases {
		return true
	}
	return strings.Contains(strings.ReplaceAll(c.text, "v", ""), strings.Join(p.numbers, ".")+"-")
}

// inSpans decides by the events of spans, the way that a record would.
func inSpans(t *testing.T, s *Scheme, spans []Span, version string) bool {
	t.Helper()
	ranges, _ := Events(s, spans)
	switch v := Compile(s, ranges, nil).AffectedText(version); v.Verdict {
	case Affected:
		return true
	case NotAffected:
		return false
	default:
		t.Fatalf("%s: %+v", version, v)
		return false
	}
}

func TestNodeSemverRangesInclude(t *testing.T) {
	for _, c := range rangeCases(t, "node-semver-range-include.json") {
		if !c.satisfies(t) {
			t.Errorf("%q does not include %s (pre-releases %v)", c.text, c.version, c.prereleases)
		}
	}
}

func TestNodeSemverRangesExclude(t *testing.T) {
	for _, c := range rangeCases(t, "node-semver-range-exclude.json") {
		if c.satisfies(t) {
			t.Errorf("%q includes %s (pre-releases %v)", c.text, c.version, c.prereleases)
		}
	}
}
