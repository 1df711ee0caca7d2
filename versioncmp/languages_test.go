package versioncmp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// verdicts are the signs of a verdict line, "A < B".
var verdicts = map[string]int{"<": -1, "=": 0, ">": 1}

// checkVerdicts checks lines of the form "A < B" and, for longer ones,
// "A < B = C", in which each neighbours are compared.
func checkVerdicts(t *testing.T, s *Scheme, lines ...string) {
	t.Helper()
	for _, line := range lines {
		f := strings.Fields(line)
		for i := 0; i+2 < len(f); i += 2 {
			if got, err := verdict(s, f[i], f[i+2]); err != nil || got != verdicts[f[i+1]] {
				t.Errorf("%s: %s ? %s: got %d, %v; want %s", s.Name, f[i], f[i+2], got, err, f[i+1])
			}
			if got, err := verdict(s, f[i+2], f[i]); err != nil || got != -verdicts[f[i+1]] {
				t.Errorf("%s: %s ? %s: got %d, %v; want the opposite of %s", s.Name, f[i+2], f[i], got, err, f[i+1])
			}
		}
	}
}

func verdict(s *Scheme, a, b string) (int, error) {
	v, err := s.Parse(a)
	if err != nil {
		return 0, err
	}
	w, err := s.Parse(b)
	if err != nil {
		return 0, err
	}
	return v.Compare(w), nil
}

// checkRefused checks that each version is refused with ErrInvalid, and that
// the error names it.
func checkRefused(t *testing.T, s *Scheme, versions ...string) {
	t.Helper()
	for _, v := range versions {
		if k, err := s.AppendKey(nil, v); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q: got key %x, error %v; want ErrInvalid", s.Name, v, k, err)
		}
	}
}

// fuzzPromises fuzzes checkLaws, with the seeds in all pairs.
func fuzzPromises(f *testing.F, s *Scheme, seeds ...string) {
	for _, a := range seeds {
		for _, b := range seeds {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) { checkLaws(t, s, a, b) })
}

// languageAlphabets hold, for each scheme, what its versions are made of.
var languageAlphabets = []struct {
	scheme *Scheme
	words  string // between spaces
}{
	{pypiScheme, "1 0 00 12 2 . . - _ a b rc post dev ! + v c alpha x final * 18446744073709551616"},
	{rubyGemsScheme, "1 0 00 12 2 . . . - a rc A Z pre b 18446744073709551616"},
	{mavenScheme, "1 0 00 12 2 . . - - a rc alpha SNAPSHOT ga Final sp x _ m 18446744073709551616"},
	{packagistScheme, "1 0 00 12 2 . . - _ a rc BETA dev stable p x-dev + v dev- 2010 01 18446744073709551616"},
	{freeBSDScheme, "1 0 00 12 2 . . - _ , + * a rc pl Beta dev snap 9223372036854775808"},
	{gentooScheme, "1 0 00 01 10 2 . . . -r _alpha _p _rc a z 18446744073709551616"},
	{conanScheme, "1 0 00 12 2 . . - + a rc 1_0 * cci 18446744073709551616"},
	{archScheme, "1 0 00 12 2 . . - _ : a rc 1: .. 18446744073709551616"},
	{cpanScheme, "1 0 00 12 2 . . _ v 005 18446744073709551616"},
	{rootSchemes["debian"], "1 0 2 . . - ~ : a .root.io. +root.io. 18446744073709551616"},
	{rootSchemes["maven"], "1 0 2 . . - a ga .root.io. +root.io. 18446744073709551616"},
	{echoNPMScheme, "1 0 2 . . - + a +echo. +echo.1 1.2.3 18446744073709551616"},
}

func randomVersions(r *rand.Rand, words string, n int) []string {
	alphabet := strings.Fields(words)
	versions := make([]string, n)
	for i := range versions {
		var b strings.Builder
		for range 1 + r.IntN(7) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		versions[i] = b.String()
	}
	return versions
}

func TestRandomVersionsKeepPromises(t *testing.T) {
	for _, a := range languageAlphabets {
		r := rand.New(rand.NewPCG(1, 2))
		versions := randomVersions(r, a.words, 20_000)
		valid := 0
		for i := 1; i < len(versions); i++ {
			checkLaws(t, a.scheme, versions[i-1], versions[i])
			if _, err := a.scheme.Parse(versions[i]); err == nil {
				valid++
			}
			if t.Failed() {
				return
			}
		}
		if valid < 500 {
			t.Errorf("%s: only %d of the random versions are valid", a.scheme.Name, valid)
		}
	}
}

// TestKeysArePrefixFree checks all pairs at once: a key that begins with
// another follows it in sorted order.
func TestKeysArePrefixFree(t *testing.T) {
	for _, a := range languageAlphabets {
		r := rand.New(rand.NewPCG(3, 4))
		var keys [][]byte
		for _, v := range randomVersions(r, a.words, 20_000) {
			if k, err := a.scheme.AppendKey(nil, v); err == nil {
				keys = append(keys, k)
			}
		}
		slices.SortFunc(keys, bytes.Compare)
		keys = slices.CompactFunc(keys, bytes.Equal)
		for i := 1; i < len(keys); i++ {
			if bytes.HasPrefix(keys[i], keys[i-1]) {
				t.Errorf("%s: key %x begins with key %x", a.scheme.Name, keys[i], keys[i-1])
			}
		}
	}
}

// TestCoarseOrdersHaveCycles shows why three schemes have a comparator: their
// tools put three versions in a ring.
func TestCoarseOrdersHaveCycles(t *testing.T) {
	for _, c := range []struct {
		scheme *Scheme
		ring   string
	}{
		{mavenScheme, "1-alpha < 1 < 1.x.1 < 1-alpha"},
		{archScheme, "1.5 < 1..a < 1. < 1.5"},
		{conanScheme, "9 < 10 < 10a < 9"},
	} {
		if c.scheme.Exact() {
			t.Errorf("%s is exact, but has the ring %s", c.scheme.Name, c.ring)
		}
		checkVerdicts(t, c.scheme, c.ring)
	}
}

// TestLongVersions checks that time and key stay proportional to a version of
// any length.
func TestLongVersions(t *testing.T) {
	for _, part := range []string{"1", "9", "0", "0.", "1.", "a", "a.", "1a", "-", "-1", "--", "+", "+*", "1-", "_p1", ".0-a", "\x80", "é"} {
		long := "1." + strings.Repeat(part, 10_000)
		for _, a := range languageAlphabets {
			checkLaws(t, a.scheme, long, long+"1")
		}
	}
}

func TestParseDoesNotAllocateButForTheKey(t *testing.T) {
	for _, v := range benchVersions {
		buf := make([]byte, 0, 128)
		if v.scheme == cpanScheme {
			continue // an underscore is cut out of a copy
		}
		if n := testing.AllocsPerRun(100, func() { buf, _ = v.scheme.AppendKey(buf[:0], v.a) }); n != 0 {
			t.Errorf("%s: AppendKey(%q) allocates %v times", v.scheme.Name, v.a, n)
		}
		x, y := mustParse(t, v.scheme, v.a), mustParse(t, v.scheme, v.b)
		if n := testing.AllocsPerRun(100, func() { x.Compare(y) }); n != 0 {
			t.Errorf("%s: Compare allocates %v times", v.scheme.Name, n)
		}
	}
}
