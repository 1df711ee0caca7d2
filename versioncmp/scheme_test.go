package versioncmp

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// allSchemes returns every scheme once, by name.
func allSchemes() []*Scheme {
	byName := map[string]*Scheme{cpeScheme.Name: cpeScheme}
	for _, s := range schemes {
		byName[s.Name] = s
	}
	for _, f := range bySuffix {
		for _, suffix := range []string{"", "Alpine:v3.20", "Debian:12", "PyPI", "npm", "Maven"} {
			if s := f(suffix); s != nil {
				byName[s.Name] = s
			}
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b *Scheme) int { return strings.Compare(a.Name, b.Name) })
}

// checkLaws holds the two versions to the laws that every scheme keeps. It
// reports whether both have a key.
func checkLaws(t *testing.T, s *Scheme, a, b string) bool {
	t.Helper()
	v, ok := checkVersion(t, s, a)
	w, okay := checkVersion(t, s, b)
	if !ok || !okay {
		return false
	}
	c, keys := v.Compare(w), bytes.Compare(v.Key(), w.Key())
	if c != -w.Compare(v) {
		t.Errorf("%s: compare(%q, %q) = %d, the other way round %d", s.Name, a, b, c, w.Compare(v))
	}
	if a == b && c != 0 {
		t.Errorf("%s: %q is not equal to itself", s.Name, a)
	}
	order := keys
	if !s.Exact() {
		order = s.compare(a, b)
	}
	if c != order || keys != 0 && c != keys {
		t.Errorf("%s: compare(%q, %q) = %d, keys %d: %x %x", s.Name, a, b, c, keys, v.Key(), w.Key())
	}
	if keys != 0 && (bytes.HasPrefix(v.Key(), w.Key()) || bytes.HasPrefix(w.Key(), v.Key())) {
		t.Errorf("%s: one key begins the other: %q %x, %q %x", s.Name, a, v.Key(), b, w.Key())
	}
	return true
}

// checkVersion parses text and checks its key alone.
func checkVersion(t *testing.T, s *Scheme, text string) (Version, bool) {
	t.Helper()
	v, err := s.Parse(text)
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q: the error does not wrap ErrInvalid: %v", s.Name, text, err)
		}
		return v, false
	}
	if v.String() != text {
		t.Errorf("%s: %q prints as %q", s.Name, text, v)
	}
	if n := len(v.Key()); n == 0 || n > keyBound(s)*len(text)+32 {
		t.Errorf("%s: %q: key of %d bytes", s.Name, text, n)
	}
	if k, err := s.AppendKey([]byte("x"), text); err != nil || string(k) != "x"+string(v.Key()) {
		t.Errorf("%s: %q: AppendKey gives %x, %v, Parse %x", s.Name, text, k, err, v.Key())
	}
	return v, true
}

// keyBound is how many bytes of key a byte of version may take: six where a
// dash stands for the segment "pre" (RubyGems), and for Python's legacy versions, which are
// not PEP 440, more, since each number is padded to eight digits.
func keyBound(s *Scheme) int {
	if strings.HasSuffix(s.Name, pypiScheme.Name) {
		return 12
	}
	return 6
}

// fragments make versions that lean on every rule at once.
var fragments = strings.Fields("0 00 1 01 9 10 2024 2147483648 18446744073709551616 " +
	strings.Repeat("9", 300) + " . . . . - - _ ~ ^ + : , ! = " +
	"a b Z v rc rc1 RC alpha beta pre dev post p r final SNAPSHOT ga x dev-master 5-dev cci .0 .00 -r1 _p1 _pre ~ab α \\ ( \x00")

func randomVersion(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(8) > 0 {
		b.WriteString([]string{"0", "1", "10", "2"}[r.IntN(4)])
	}
	for range r.IntN(7) {
		b.WriteString(fragments[r.IntN(len(fragments))])
	}
	return b.String()
}

// mutate changes a byte, drops one or doubles one, so that pairs are near
// each other.
func mutate(r *rand.Rand, s string) string {
	if s == "" {
		return fragments[r.IntN(len(fragments))]
	}
	i := r.IntN(len(s))
	switch r.IntN(4) {
	case 0:
		return s[:i] + s[i+1:]
	case 1:
		return s[:i] + s[i:i+1] + s[i:]
	case 2:
		return s + fragments[r.IntN(len(fragments))]
	}
	return s[:i] + fragments[r.IntN(len(fragments))] + s[i:]
}

func TestSchemeLaws(t *testing.T) {
	for _, s := range allSchemes() {
		t.Run(s.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			compared := 0
			for range 20_000 {
				a := randomVersion(r)
				b := randomVersion(r)
				if r.IntN(2) == 0 {
					b = mutate(r, a)
				}
				if checkLaws(t, s, a, b) {
					compared++
				}
				if t.Failed() {
					return
				}
			}
			if compared < 200 {
				t.Errorf("only %d of 20000 pairs are valid", compared)
			}
		})
	}
}

// TestKeysOfRealVersions makes the keys of all versions of the tools' pairs:
// no key may begin another, and their size stays in proportion.
func TestKeysOfRealVersions(t *testing.T) {
	for _, c := range toolPairs {
		t.Run(c.file, func(t *testing.T) {
			s := For(c.ecosystem)
			var keys [][]byte
			var bytesIn, bytesOut int
			for line := range fileLines(t, "truth", c.file) {
				p, _ := parsePair(line)
				for _, text := range []string{p.a, p.b} {
					v, ok := checkVersion(t, s, text)
					if !ok {
						t.Fatalf("%q has no key", text)
					}
					keys = append(keys, v.Key())
					bytesIn, bytesOut = bytesIn+len(text), bytesOut+len(v.Key())
				}
			}
			slices.SortFunc(keys, bytes.Compare)
			for i := 1; i < len(keys); i++ {
				if len(keys[i]) > len(keys[i-1]) && bytes.HasPrefix(keys[i], keys[i-1]) {
					t.Fatalf("%x begins %x", keys[i-1], keys[i])
				}
			}
			if ratio := float64(bytesOut) / float64(bytesIn); ratio > 1.6 {
				t.Errorf("%.2f bytes of key a byte of version", ratio)
			}
		})
	}
}

// fuzzedScheme narrows FuzzScheme to one scheme, so that each can be given a
// time of its own: go test -fuzz FuzzScheme -args -scheme debian.
var fuzzedScheme = flag.String("scheme", "", "the scheme that FuzzScheme tries (default: all)")

func FuzzScheme(f *testing.F) {
	for _, seed := range []string{
		"1.0", "1:2.0~rc1-3+deb12u1", "0:1.0^git1-2.el9", "1.2.3_rc1_p2~ab12-r4", "v1.2.3-rc.1+build.5", "=1.2.3",
		"0.0.0-20240101000000-abcdefabcdef", "1.2.3.4-Beta.011", "1.0-12", "6.7-rc10", "1.0.0-", "1.0rc1+",
		"15.2\\(7\\)e3", "8.1.23-h1", "1!2.0.post1.dev2+local.1", "1.0.a.2", "1.0-alpha-1", "dev-master", "cci.20230101", "1.2.3_4,5",
	} {
		f.Add(seed, "1.0")
		f.Add(seed, seed+".1")
	}
	for _, seed := range typical {
		f.Add(seed, mutate(rand.New(rand.NewPCG(3, 4)), seed))
	}
	all := allSchemes()
	if *fuzzedScheme != "" {
		all = []*Scheme{schemeNamed(f, *fuzzedScheme)}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, s := range all {
			checkLaws(t, s, a, b)
			checkLaws(t, s, a, a)
		}
		if c, err := Generic(a, b); err == nil {
			if d, err := Generic(b, a); err != nil || d != -c {
				t.Errorf("Generic(%q, %q) = %d, the other way round %d, %v", a, b, c, d, err)
			}
		}
	})
}

func TestZeroVersion(t *testing.T) {
	v, err := Parse("npm", "0.0.0-0")
	if err != nil {
		t.Fatal(err)
	}
	if c := (Version{}).Compare(v); c != -1 {
		t.Errorf("the zero Version against 0.0.0-0: %d", c)
	}
	if c := (Version{}).Compare(Version{}); c != 0 {
		t.Errorf("the zero Version against itself: %d", c)
	}
}

func TestEmptyVersionIsInvalid(t *testing.T) {
	for _, s := range allSchemes() {
		if v, err := s.Parse(""); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %x, %v", s.Name, v.Key(), err)
		}
	}
}

func TestForCutsSuffixes(t *testing.T) {
	for _, c := range []struct {
		ecosystem string
		want      *Scheme
	}{
		{"Alpine:v3.20", apkScheme},
		{"Debian:12", debianScheme},
		{"Ubuntu:Pro:22.04:LTS", debianScheme},
		{"Red Hat:enterprise_linux:9::baseos", rpmScheme},
		{"VSCode:https://open-vsx.org", tagScheme},
		{"Amazon Linux:2023", rpmScheme},
		{"Go", goScheme},
		{"Kubernetes", goScheme},
		{"GHC", hackageScheme},
		{"Bioconductor", cranScheme},
		{"Android", nil},
		{"OSS-Fuzz", nil},
		{"GIT", nil},
		{"debian", nil},
		{"", nil},
	} {
		if got := For(c.ecosystem); got != c.want {
			t.Errorf("For(%q) = %v, want %v", c.ecosystem, got, c.want)
		}
	}
	if _, err := Parse("Android:13", "12L"); !errors.Is(err, ErrNoOrder) {
		t.Errorf("Android: %v", err)
	}
}

// TestAllocations holds that comparing allocates nothing, parsing the key and
// no more, and that a key fits into what Parse sets aside for it.
func TestAllocations(t *testing.T) {
	for name, text := range typical {
		s := schemeNamed(t, name)
		if !s.Exact() {
			continue
		}
		v, err := s.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { v.Compare(v) }); n != 0 {
			t.Errorf("%s: Compare makes %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = s.Parse(text) }); n > 1 {
			t.Errorf("%s: Parse makes %v allocations", name, n)
		}
	}
}

func schemeNamed(t testing.TB, name string) *Scheme {
	t.Helper()
	for _, s := range allSchemes() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no scheme %q", name)
	return nil
}

// typical has a version of the usual size for each scheme that is measured.
var typical = map[string]string{
	"apk":     "1.36.1_git20240101-r29",
	"cpe":     "9.1.16-h3",
	"cran":    "1.12.8-1",
	"debian":  "1:2.36.1-8+deb11u2",
	"go":      "v0.0.0-20240102150405-abcdef123456",
	"hackage": "2.2.3.1",
	"julia":   "2.13.6+1",
	"kernel":  "6.7-rc10",
	"npm":     "18.3.0-canary.12",
	"nuget":   "8.0.1-preview.4",
	"opam":    "4.14.1+options",
	"pub":     "1.2.3-dev.4+1",
	"rpm":     "0:3.10.0-1160.49.1.el7",
	"semver":  "1.28.0-alpha.1",
	"tag":     "v2023.03.20",
}

func BenchmarkParse(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(typical)) {
		s, text := schemeNamed(b, name), typical[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := s.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendKey(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(typical)) {
		s, text := schemeNamed(b, name), typical[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var key []byte
			for b.Loop() {
				var err error
				if key, err = s.AppendKey(key[:0], text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(typical)) {
		s := schemeNamed(b, name)
		v, err := s.Parse(typical[name])
		w, err2 := s.Parse(typical[name] + "1")
		if err := errors.Join(err, err2); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v.Compare(w) == 0 {
					b.Fatal("equal")
				}
			}
		})
	}
}
