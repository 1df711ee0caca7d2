package versioncmp

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// show writes spans as intervals, "∅" for none.
func show(spans []Span) string {
	if len(spans) == 0 {
		return "∅"
	}
	var parts []string
	for _, s := range spans {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, " ")
}

func TestParseRequirement(t *testing.T) {
	for _, test := range []struct{ name, grammar, text, want string }{
		// Cargo, with RustSec's reading of missing numbers.
		{"bare is caret", "cargo", "0.13.10", "[0.13.10, 0.14.0-0)"},
		{"caret of a major", "cargo", "^1.2.3", "[1.2.3, 2.0.0-0)"},
		{"caret with a space", "cargo", "^ 0.24.3", "[0.24.3, 0.25.0-0)"},
		{"caret below 0.1", "cargo", "^0.0.3", "[0.0.3, 0.0.4-0)"},
		{"caret of 0.0", "cargo", "0.0", "[0.0.0, 0.1.0-0)"},
		{"tilde", "cargo", "~1.2.3", "[1.2.3, 1.3.0-0)"},
		{"equal of two numbers", "cargo", "=1.2", "[1.2.0, 1.3.0-0)"},
		{"order inside a requirement", "cargo", "< 0.5.0, >= 0.4.3", "[0.4.3, 0.5.0)"},
		{"trailing blank", "cargo", ">= 0.0.8 ", "[0.0.8, )"},
		{"no space behind the operator", "cargo", ">=0.20.0", "[0.20.0, )"},
		{"missing numbers are zeros", "cargo", ">= 111.25, < 300.0", "[111.25.0, 300.0.0)"},
		{"above 0 leaves out 0.0.0", "cargo", "> 0", "(0.0.0, )"},
		{"from 0 is everything", "cargo", ">= 0", "(, )"},
		{"star", "cargo", "*", "(, )"},
		{"build metadata", "cargo", "= 1.0.0+meta", "[1.0.0, 1.0.0]"},

		// RubyGems.
		{"pessimistic", "gem", "~> 1.2.3", "[1.2.3, 1.3.A)"},
		{"pessimistic of two numbers", "gem", "~> 2.47", "[2.47, 3.A)"},
		{"pessimistic of one number", "gem", "~> 2", "[2, 3.A)"},
		{"pessimistic of four numbers", "gem", "~> 1.9.1.129", "[1.9.1.129, 1.9.2.A)"},
		{"pessimistic pre-release", "gem", "~> 3.2.0.rc5", "[3.2.0.rc5, 3.3.A)"},
		{"pessimistic with hyphen", "gem", "~> 3.2.0-rc", "[3.2.0-rc, 3.3.A)"},
		{"pessimistic patch level", "gem", "~> 1.8.6.p114", "[1.8.6.p114, 1.9.A)"},
		{"both must hold", "gem", "~> 7.0.8, >= 7.0.8.5", "[7.0.8.5, 7.1.A)"},
		{"spaces between members", "gem", ">=3.0.0 <3.2.15", "[3.0.0, 3.2.15)"},
		{"alternatives", "gem", ">=3.0 <3.2||<2.3", "(, 2.3) [3.0, 3.2)"},
		{"not equal", "gem", "!= 1.0", "(, 1.0) (1.0, )"},

		// npm.
		{"inner space", "npm", ">= 3.0.0", "[3.0.0, )"},
		{"or without spaces", "npm", ">=3.4.6 < 4.0.0|| >=4.0.5", "[3.4.6, 4.0.0) [4.0.5, )"},
		{"equal versions", "npm", "=1 || =2", "[1.0.0, 2.0.0-0) [2.0.0, 3.0.0-0)"},
		{"below 0.0.0 is none", "npm", "<0.0.0", "∅"},
		{"below nines is everything", "npm", "<=99.999.99999", "(, )"},
		{"leading blank", "npm", " 10.x || 12.x", "[10.0.0, 11.0.0-0) [12.0.0, 13.0.0-0)"},
		{"v before the version", "npm", "<=v2.0.0-alpha7", "(, 2.0.0-alpha7]"},
		{"redundant member", "npm", "<5.0.3 >=5.0.0 || < 4.2.1", "(, 4.2.1) [5.0.0, 5.0.3)"},
		{"alternatives overlap", "npm", "<2.0.1 || <1.1.7", "(, 2.0.1)"},
		{"alternatives touch", "npm", ">=1.0.0 <2.0.0 || >=2.0.0 <3.0.0", "[1.0.0, 3.0.0)"},
		{"unordered alternatives", "npm", ">=4.3.6 || >=3.8.39 <4.0.0", "[3.8.39, 4.0.0) [4.3.6, )"},
		{"number beyond 64 bits", "npm", "^99999999999999999999.0.0", "[99999999999999999999.0.0, 100000000000000000000.0.0-0)"},

		// Composer.
		{"comma", "composer", ">=8.0.0,<8.5.14", "[8.0.0, 8.5.14)"},
		{"space", "composer", ">=8.0.0 <8.5.14", "[8.0.0, 8.5.14)"},
		{"single bar", "composer", "<1.2|>=2.0,<2.1", "(, 1.2) [2.0, 2.1)"},
		{"tilde of two numbers", "composer", "~1.2", "[1.2-dev, 2-dev)"},
		{"tilde of three numbers", "composer", "~1.2.3", "[1.2.3-dev, 1.3-dev)"},
		{"caret below 1", "composer", "^0.3.2", "[0.3.2-dev, 0.4-dev)"},
		{"wildcard", "composer", "1.2.*", "[1.2-dev, 1.3-dev)"},
		{"hyphen", "composer", "1.0 - 2.0", "[1.0, 2.1-dev)"},
		{"stability flag", "composer", "<2.0@beta", "(, 2.0)"},
		{"patch level", "composer", "<2.3.2-p2", "(, 2.3.2-p2)"},

		// PEP 440.
		{"comma is and", "pep440", ">=1.0,<2.0", "[1.0, 2.0)"},
		{"double equal", "pep440", "==0.1.0", "[0.1.0, 0.1.0]"},
		{"single equal", "pep440", "=2.4.6", "[2.4.6, 2.4.6]"},
		{"alternatives of single versions", "pep440", "==1.0||==1.2", "[1.0, 1.0] [1.2, 1.2]"},
		{"compatible", "pep440", "~=1.4.5", "[1.4.5, 1.5.dev0)"},
		{"compatible post-release", "pep440", "~=2.2.post3", "[2.2.post3, 3.dev0)"},
		{"prefix", "pep440", "==1.4.*", "[1.4.dev0, 1.5.dev0)"},
		{"prefix with epoch", "pep440", "==1!1.9.*", "[1!1.9.dev0, 1!1.10.dev0)"},
		{"excluded prefix", "pep440", "!=1.4.*", "(, 1.4.dev0) [1.5.dev0, )"},
		{"excluded version", "pep440", ">=1,!=1.5,<2", "[1, 1.5) (1.5, 2)"},
		{"equal versions touch", "pep440", "<1.0||==1.0.0", "(, 1.0.0]"},

		// Brackets.
		{"closed end", "maven", "[1.0,2.0]", "[1.0, 2.0]"},
		{"single version", "maven", "[3.0.1]", "[3.0.1, 3.0.1]"},
		{"no lower end", "maven", "(,0.0.7]", "(, 0.0.7]"},
		{"square bracket without end", "maven", "[,2)", "(, 2)"},
		{"unordered sets", "maven", "[1.4.0,1.5.19),[,1.3.16)", "(, 1.3.16) [1.4.0, 1.5.19)"},
		{"sets that overlap", "maven", "[1.0,2.0),[1.5,3.0)", "[1.0, 3.0)"},
		{"spaces", "maven", " [ 1.0 , 2.0 ) , [3.0] ", "[1.0, 2.0) [3.0, 3.0]"},
		{"bars between sets", "maven", "(,1.0]||[2.0,)", "(, 1.0] [2.0, )"},
		{"bare Maven version", "maven", "1.0", "[1.0, 1.0]"},
		{"everything", "nuget", "(,)", "(, )"},
		{"from 0", "nuget", "[0,1.0)", "(, 1.0)"},
		{"bare NuGet version", "nuget", "1.0", "[1.0, )"},
		{"exclusive lower end", "nuget", "(1.0,2.0]", "(1.0, 2.0]"},

		// GitLab, by type.
		{"npm", "glad:npm", ">=0", "(, )"},
		{"gem", "glad:gem", ">=3.0.0 <3.2.15", "[3.0.0, 3.2.15)"},
		{"pypi", "glad:pypi", "==0.1.0", "[0.1.0, 0.1.0]"},
		{"packagist comma", "glad:packagist", ">=1.0,<1.2", "[1.0, 1.2)"},
		{"packagist space", "glad:packagist", ">=1.0 <1.2", "[1.0, 1.2)"},
		{"maven", "glad:maven", "(,0.0.7]", "(, 0.0.7]"},
		{"nuget", "glad:nuget", "[2.3.1]", "[2.3.1, 2.3.1]"},
		{"conan", "glad:conan", ">=5.1.0 <=5.1.1", "[5.1.0, 5.1.1]"},
		{"cargo is not caret", "glad:cargo", "=1.2.0||>=1.3.0 <1.3.5", "[1.2.0, 1.2.0] [1.3.0, 1.3.5)"},
		{"go v prefix", "glad:go", "=v1.4.3", "[1.4.3, 1.4.3]"},
		{"go pseudo-version", "glad:go", "<0.0.0-20180523222229-09b5706aa936", "(, 0.0.0-20180523222229-09b5706aa936)"},
		{"redundant members", "glad:go", ">=v1.28.0 <v1.28.1||=v1.28.0", "[1.28.0, 1.28.1)"},
		{"swift", "glad:swift", ">=v1.0.0 <1.2.0", "[1.0.0, 1.2.0)"},
		{"pub", "glad:pub", "<0.13.3", "(, 0.13.3)"},
		{"below 0 is none", "glad:conan", "<0", "∅"},

		// Prose.
		{"GHSA", "prose:npm", ">= 1.0.0, < 2.0.0", "[1.0.0, 2.0.0)"},
		{"bare version", "prose:Maven", "1.2.3", "[1.2.3, 1.2.3]"},
		{"and, or", "prose:Maven", ">= 1.0 and < 1.5 or >= 2.0 and < 2.1", "[1.0, 1.5) [2.0, 2.1)"},
		{"signs", "prose:PyPI", "≥ 1.0, ≤ 1.4", "[1.0, 1.4]"},
		{"above 0 is everything", "prose:CPAN", ">0", "(, )"},
		{"tilde belongs to the version", "prose:Debian", "< 1.0~rc1-2", "(, 1.0~rc1-2)"},
		{"no order: a pair of bounds", "prose:Android", ">= 11, < 13", "[11, 13)"},

		// VERS.
		{"VERS pair and single", "vers", "vers:pypi/<=1.3.0|3.0.0", "(, 1.3.0] [3.0.0, 3.0.0]"},
		{"VERS unsorted", "vers", "vers:pypi/0.0.2|0.0.6|>=3.0.0|0.0.1", "[0.0.1, 0.0.1] [0.0.2, 0.0.2] [0.0.6, 0.0.6] [3.0.0, )"},
		{"VERS hole", "vers", "vers:npm/>=1.0.0|!=1.5.0|<2.0.0", "[1.0.0, 1.5.0) (1.5.0, 2.0.0)"},
		{"VERS two pairs", "vers", "vers:golang/>=1.0.0|<1.2.0|>=2.0.0|<2.1.0", "[1.0.0, 1.2.0) [2.0.0, 2.1.0)"},
		{"VERS percent escape", "vers", "vers:deb/<1%3A2.0-1", "(, 1:2.0-1)"},
	} {
		t.Run(test.grammar+"/"+test.name, func(t *testing.T) {
			spans, err := ParseRequirement(test.grammar, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(test.want, show(spans)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestParseRequirementRefuses(t *testing.T) {
	for _, test := range []struct {
		grammar, text string
		is            error  // wrapped, unless nil
		want          string // the end of the message
	}{
		{"npm", ">=2.0.0 <1.0.0", ErrEmpty, "no version lies in it"},
		{"maven", "[2.0,1.0]", ErrEmpty, "no version lies in it"},
		{"cargo", "", nil, "no version"},
		{"cargo", ">=", nil, `no version behind ">="`},
		{"cargo", "1.2.3 || 1.4.0", ErrInvalid, `"||": invalid version: a number or wildcard is missing`},
		{"gem", "~> x", ErrInvalid, `"x": invalid version: no number to raise`},
		{"gem", "~ 1.0", nil, `unknown operator "~"`},
		{"pep440", "~=1", ErrInvalid, `"1": invalid version behind "~="`},
		{"pep440", ">=1.*", ErrInvalid, `"1.*": invalid version behind ">="`},
		{"maven", "[1.0,2.0", nil, "offset 0: bracket without end"},
		{"maven", "[1.0],(2.0)", nil, "offset 6: (2.0) is no set of versions"},
		{"maven", "[1,2,3]", nil, "offset 0: [1,2,3] has more than two ends"},
		{"nuget", "1.0]", nil, "offset 3: bracket without start"},
		{"glad:rpm", "1", nil, `unknown type of package "rpm"`},
		{"yarn", "1", nil, "unknown grammar"},
		{"prose:Android", "!= 11", ErrNoOrder, "ecosystem has no version order"},
		{"vers", "npm/1", nil, `no "vers:" before it`},
		{"vers", "vers:foo/1", ErrNoOrder, `versioning scheme "foo": ecosystem has no version order`},
		{"vers", "vers:npm/>=", nil, `constraint ">=" has no version`},
		{"composer", ">=1.*", ErrInvalid, `"1.*": invalid version: a wildcard behind ">="`},
	} {
		spans, err := ParseRequirement(test.grammar, test.text)
		if err == nil {
			t.Errorf("%s %q: %s, want an error", test.grammar, test.text, show(spans))
			continue
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s %q: %v is not %v", test.grammar, test.text, err, test.is)
		}
		want := test.grammar + " requirement " + `"` + test.text + `": ` + test.want
		if err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
}

// TestVersContainment runs the containment tests of the VERS specification.
func TestVersContainment(t *testing.T) {
	for _, name := range []string{"vers-spec-npm_range_containment_test.json", "vers-spec-pypi_range_containment_test.json"} {
		data, err := os.ReadFile(sharedtest.Path(t, "versions", "corpora", "ranges", name))
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct {
				Input  struct{ Vers, Version string }
				Expect bool `json:"expected_output"`
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Tests) == 0 {
			t.Errorf("%s has no tests", name)
		}
		for _, test := range file.Tests {
			g, err := grammarOf("vers", test.Input.Vers)
			if err != nil {
				t.Fatal(err)
			}
			spans, err := ParseRequirement("vers", test.Input.Vers)
			if err != nil {
				t.Fatal(err)
			}
			if got := inSpans(t, For(g.ecosystem), spans, test.Input.Version); got != test.Expect {
				t.Errorf("%s contains %s: %v, want %v", test.Input.Vers, test.Input.Version, got, test.Expect)
			}
		}
	}
}

func FuzzParseRequirement(f *testing.F) {
	for _, seed := range [][2]string{
		{"npm", "^1.2 || ~2.0.0 <2.0.5 || 3 - 4.x"}, {"cargo", "< 0.5.0, >= 0.4.3"}, {"gem", "~> 7.0.8, >= 7.0.8.5"},
		{"composer", "^1.0|~2.1@beta"}, {"pep440", "~=1.4.5,!=1.4.*"}, {"maven", "[1.4.0,1.5.19),[,1.3.16)"},
		{"nuget", "(1.0,2.0]"}, {"glad:go", ">=v1.28.0 <v1.28.1||=v1.28.0"}, {"prose:Debian", "< 1.0~rc1-2"},
		{"vers", "vers:pypi/<=1.3.0|3.0.0"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		spans, err := ParseRequirement(name, text)
		if err != nil {
			return
		}
		g, err := grammarOf(name, text)
		if err != nil {
			t.Fatal(err)
		}
		s := For(g.ecosystem)
		if s == nil || !s.Exact() {
			return
		}
		rest, err := Complement(s, spans)
		if err != nil {
			t.Fatal(err)
		}
		if both, err := Intersect(s, spans, rest); err != nil || len(both) > 0 {
			t.Errorf("%v and its complement %v share %v, %v", spans, rest, both, err)
		}
		if all, err := Union(s, append(rest, spans...)); err != nil || show(all) != "(, )" {
			t.Errorf("%v and its complement %v leave out some: %v, %v", spans, rest, all, err)
		}
		if ranges, _ := Events(s, spans); len(Compile(s, ranges, nil).Unparsed()) > 0 {
			t.Errorf("%v become events that do not parse: %v", spans, ranges)
		}
	})
}

func BenchmarkParseRequirement(b *testing.B) {
	for _, bench := range [][2]string{
		{"npm", "^16.20.2 || ^18.17.1 || ^20.5.1"}, {"cargo", ">= 0.5.2, < 1.0.0"}, {"glad:maven", "[1.4.0,1.5.19),[,1.3.16)"},
	} {
		b.Run(bench[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseRequirement(bench[0], bench[1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
