package versioncmp

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestSafeListsBecomeAffectedRanges(t *testing.T) {
	for _, test := range []struct {
		name, grammar string
		safe          []string // patched and unaffected
		want          string
	}{
		{"patched above a version is last_affected, not fixed", "gem", []string{"> 0.16.0"}, "introduced 0, last_affected 0.16.0"},
		{"patched above, Cargo", "cargo", []string{"> 0.22.0"}, "introduced 0, last_affected 0.22.0"},
		{"union of patched and unaffected", "gem", []string{"~> 3.1.12", ">= 3.2.13", "< 2.0"},
			"introduced 2.0, fixed 3.1.12, introduced 3.2.A, fixed 3.2.13"},
		{"unaffected above", "gem", []string{"< 1.0", ">= 5.0.0"}, "introduced 1.0, fixed 5.0.0"},
		{"unaffected hole", "gem", []string{">= 1.6.0, < 1.6.2", ">= 2.0"}, "introduced 0, fixed 1.6.0, introduced 1.6.2, fixed 2.0"},
		{"safe below", "cargo", []string{">= 41.0.1", ">= 40.0.3, < 41.0.0", "< 29.0.0"},
			"introduced 29.0.0, fixed 40.0.3, introduced 41.0.0, fixed 41.0.1"},
		{"next series begins with its pre-releases", "cargo", []string{">= 0.14.3", "0.13.10", "0.12.36", "< 0.12.0"},
			"introduced 0.12.0, fixed 0.12.36, introduced 0.13.0-0, fixed 0.13.10, introduced 0.14.0-0, fixed 0.14.3"},
		{"one affected version", "cargo", []string{"< 1.4.1", "> 1.4.1"}, "introduced 1.4.1, last_affected 1.4.1"},
		{"unaffected up to a version", "cargo", []string{"<= 0.3.0", ">= 0.6.1"}, "introduced 0.3.1-0, fixed 0.6.1"},
		{"nothing is safe", "gem", nil, "introduced 0"},
		{"no patch in npm's words", "npm", []string{"<0.0.0"}, "introduced 0"},
		{"all is safe", "cargo", []string{">= 0"}, ""},
		{"adjacent series join", "npm", []string{"^5.10.0 || 4.4.2"},
			"introduced 0, fixed 4.4.2, introduced 4.4.3-0, fixed 5.10.0, introduced 6.0.0-0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := For(grammars[test.grammar].ecosystem)
			ranges, exact := Events(s, affectedBy(t, s, test.grammar, test.safe))
			if !exact {
				t.Error("not exact")
			}
			if diff := gocmp.Diff(test.want, showEvents(ranges)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// affectedBy returns what the safe requirements leave.
func affectedBy(t *testing.T, s *Scheme, grammar string, safe []string) []Span {
	t.Helper()
	var all []Span
	for _, text := range safe {
		spans, err := ParseRequirement(grammar, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, spans...)
	}
	affected, err := Complement(s, all)
	if err != nil {
		t.Fatal(err)
	}
	return affected
}

func showEvents(ranges [][]Event) string {
	var lines []string
	for _, list := range ranges {
		var parts []string
		for _, e := range list {
			parts = append(parts, e.Kind.String()+" "+e.Version)
		}
		lines = append(lines, strings.Join(parts, ", "))
	}
	return strings.Join(lines, "; ")
}

func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name, grammar, text, want string
		exact                     bool
	}{
		{"closed end is last_affected", "maven", "[1.0,2.0]", "introduced 1.0, last_affected 2.0", true},
		{"single version", "maven", "[3.0.1]", "introduced 3.0.1, last_affected 3.0.1", true},
		{"unordered sets", "maven", "[1.4.0,1.5.19),[,1.3.16)", "introduced 0, fixed 1.3.16, introduced 1.4.0, fixed 1.5.19", true},
		{"two kinds of end are two ranges", "maven", "(,1.0],[2.0,2.5),[3.0,)", "introduced 2.0, fixed 2.5, introduced 3.0; introduced 0, last_affected 1.0", true},
		{"open end joins the last_affected", "maven", "(,1.0],[3.0,)", "introduced 0, last_affected 1.0, introduced 3.0", true},
		{"exclusive start, SemVer", "npm", ">1.0.0 <2.0.0", "introduced 1.0.1-0, fixed 2.0.0", true},
		{"exclusive start at a pre-release", "npm", ">1.0.0-rc.1", "introduced 1.0.0-rc.1.0", true},
		{"exclusive start, Go", "glad:go", ">v1.9.9", "introduced 1.9.10-0", true},
		{"exclusive start, NuGet", "nuget", "(1.0,2.0]", "introduced 1.0.0.1-0, last_affected 2.0", false},
		{"exclusive start, NuGet label", "nuget", "(1.0-rc,2.0]", "introduced 1.0-rc.0, last_affected 2.0", false},
		{"exclusive start, RubyGems", "gem", "> 1.6.0, < 1.8.0", "introduced 1.6.0.0.0.1.A, fixed 1.8.0", false},
		{"exclusive start, Maven", "maven", "(1.0,)", "introduced 1.0-sp", false},
		{"exclusive start, Packagist", "composer", ">8.7.3", "introduced 8.7.3-p", false},
		{"exclusive start, PyPI", "pep440", ">1.0", "introduced 1.0.post0.dev0", false},
		{"exclusive start, PyPI post-release", "pep440", ">1.0.post1", "introduced 1.0.post1", false},
		{"exclusive start of a Debian version", "prose:Debian", "> 1.0", "introduced 1.0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			spans, err := ParseRequirement(test.grammar, test.text)
			if err != nil {
				t.Fatal(err)
			}
			g, _ := grammarOf(test.grammar, test.text)
			ranges, exact := Events(For(g.ecosystem), spans)
			if got := showEvents(ranges); got != test.want || exact != test.exact {
				t.Errorf("%s (exact %v), want %s (exact %v)", got, exact, test.want, test.exact)
			}
		})
	}
}

func TestSingleVersionsCanBeListed(t *testing.T) {
	spans, err := ParseRequirement("glad:nuget", "[2.3.1]")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := spans[0].Single(); v != "2.3.1" || !ok {
		t.Errorf("Single() = %q, %v", v, ok)
	}
	for _, text := range []string{"[1,2]", "(1,)", "(,)", "(,1]"} {
		spans, err := ParseRequirement("maven", text)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := spans[0].Single(); ok {
			t.Errorf("%s is the single version %q", text, v)
		}
	}
}
