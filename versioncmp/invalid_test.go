package versioncmp

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// The grammars of the tools, against which laxity is measured.
var (
	isAPK     = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(~[0-9a-f]+)?(-r[0-9]+)?$`)
	apkPrefix = regexp.MustCompile(strings.TrimSuffix(isAPK.String(), "$"))
	apkWord   = regexp.MustCompile(`_[a-z]+$`)
	isSemver  = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)` +
		`(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?` +
		`(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	isPolicyDeb = regexp.MustCompile(`^([0-9]+:[0-9][0-9A-Za-z.+:~-]*|[0-9][0-9A-Za-z.+~-]*)(-[0-9A-Za-z.+~]+)?$`)
	coreNumbers = regexp.MustCompile(`^[0-9]+(\.[0-9]+){0,2}`)
)

// padCore fills the missing numbers of a version up to three.
func padCore(v string) string {
	core := coreNumbers.FindString(v)
	return core + strings.Repeat(".0", max(0, 2-strings.Count(core, "."))) + v[len(core):]
}

// TestInvalid runs over what the tools refuse: all of it is refused here too,
// but for what the scheme's doc comment says is lax.
func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		folder, file, ecosystem string
		lax                     func(v string) bool
	}{
		{"truth", "alpine-invalid.txt", "Alpine", func(v string) bool { return isDigit(v[0]) }},
		{"truth", "cran-invalid.txt", "CRAN", laxCRAN},
		{"truth", "debian-invalid.txt", "Debian", laxDebian},
		{"corpora/debian", "dpkg-t-version-invalid.txt", "Debian", laxDebian},
		{"truth", "go-invalid.txt", "Go", func(v string) bool {
			return semver.IsValid("v" + padCore(strings.TrimLeft(v, "v")))
		}},
		{"truth", "hex-invalid.txt", "Hex", func(v string) bool { return isSemver.MatchString(padCore(strings.TrimLeft(v, "vV"))) }},
		{"truth", "npm-invalid.txt", "npm", func(v string) bool { return isSemver.MatchString(padCore(strings.TrimLeft(v, "v="))) }},
		{"corpora/npm", "node-semver-invalid.txt", "npm", isSemver.MatchString},
		{"truth", "nuget-invalid.txt", "NuGet", laxNuGet},
	} {
		t.Run(c.file, func(t *testing.T) {
			refused, accepted := 0, 0
			for v := range fileLines(t, append(strings.Split(c.folder, "/"), c.file)...) {
				_, err := Parse(c.ecosystem, v)
				switch {
				case errors.Is(err, ErrInvalid):
					refused++
				case err != nil:
					t.Errorf("%q: %v", v, err)
				case !c.lax(v):
					t.Errorf("%q: accepted", v)
				default:
					accepted++
				}
			}
			if refused == 0 {
				t.Errorf("nothing refused of %d", accepted)
			}
			t.Logf("%d refused, %d lax", refused, accepted)
		})
	}
}

// laxDebian reports whether v breaks Policy in one of the ways that dpkg only
// warns of, or that are an empty revision.
func laxDebian(v string) bool {
	return !isPolicyDeb.MatchString(v) || strings.HasSuffix(v, "-") || strings.Contains(v[strings.LastIndexByte(v, '-')+1:], ":")
}

// laxCRAN reports whether v is one number or holds a number over 32 bits.
func laxCRAN(v string) bool {
	return isNumber(v) || slices.ContainsFunc(strings.FieldsFunc(v, func(r rune) bool { return r == '.' || r == '-' }), over32)
}

// over32 reports whether a number does not fit into a signed 32-bit integer.
func over32(digits string) bool { return isNumber(digits) && compareDigits(digits, "2147483647") > 0 }

var isNuGet = regexp.MustCompile(`^[vV]?[0-9]+(\.[0-9]+){0,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// laxNuGet reports whether v is NuGet's grammar with a v, a number over 32
// bits or a label of digits with a leading zero.
func laxNuGet(v string) bool {
	if !isNuGet.MatchString(v) {
		return false
	}
	v, _ = cutBuild(v)
	core, labels, _ := strings.Cut(v, "-")
	return v[0] == 'v' || v[0] == 'V' || slices.ContainsFunc(strings.Split(core, "."), over32) ||
		slices.ContainsFunc(strings.Split(labels, "."), func(l string) bool { return isNumber(l) && hasLeadingZero(l) })
}

// TestInvalidAPK holds every string that apk calls invalid to be just below
// the longest valid beginning of it, and above what is below that.
func TestInvalidAPK(t *testing.T) {
	n := 0
	for v := range fileLines(t, "truth", "alpine-invalid.txt") {
		prefix := apkPrefix.FindString(v)
		if rest := v[len(prefix):]; rest != "" && isLower(rest[0]) && apkWord.MatchString(prefix) {
			prefix = prefix[:strings.LastIndexByte(prefix, '_')] // a longer word, which is no suffix
		}
		if isAPK.MatchString(v) {
			t.Errorf("%q is valid to the test's own grammar", v)
		}
		if prefix == "" {
			continue
		}
		n++
		if got := Relation("Alpine", v, prefix); got != "<" {
			t.Errorf("%q %s %q, want <", v, got, prefix)
		}
		if strings.Contains(prefix, "-r") || strings.Contains(prefix, "~") {
			continue
		}
		if got := Relation("Alpine", v, prefix+"_rc9"); got != ">" {
			t.Errorf("%q %s %q, want >", v, got, prefix+"_rc9")
		}
	}
	if n < 100 {
		t.Errorf("only %d strings", n)
	}
}

// TestQuirks compares the verdicts that rest on overflow or rounding in a
// tool. Those that come out otherwise must hold a number out of the tool's
// range.
func TestQuirks(t *testing.T) {
	for _, c := range []struct {
		file, ecosystem string
		atLeast         int            // pairs that come out as the tool says
		outOfRange      *regexp.Regexp // what excuses the rest
	}{
		{"alpine-quirks.txt", "Alpine", 1500, regexp.MustCompile(`[1-9][0-9]{19}`)},
		{"npm-quirks.txt", "npm", 310, regexp.MustCompile(`[1-9][0-9]{15}`)},
		{"debian-quirks.txt", "Debian", 0, regexp.MustCompile(`\+[0-9]+:`)},
	} {
		t.Run(c.file, func(t *testing.T) {
			passed := 0
			for line := range fileLines(t, "truth", c.file) {
				p, ok := parsePair(line)
				if !ok {
					t.Fatalf("%q", line)
				}
				if got := Relation(c.ecosystem, p.a, p.b); got == p.want {
					passed++
				} else if !c.outOfRange.MatchString(line) {
					t.Errorf("%s: got %s", line, got)
				}
			}
			if passed < c.atLeast {
				t.Errorf("only %d as the tool says", passed)
			}
		})
	}
}
