package versioncmp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// goVersion makes a version that is near to what x/mod takes.
func goVersion(r *rand.Rand) string {
	number := func() string {
		return []string{"0", "1", "9", "10", "20240101000000", "18446744073709551617", "01"}[r.IntN(7)]
	}
	var b strings.Builder
	b.WriteByte('v')
	b.WriteString(number())
	for range r.IntN(4) {
		b.WriteString("." + number())
	}
	if r.IntN(2) == 0 {
		b.WriteByte('-')
		for i := range 1 + r.IntN(4) {
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString([]string{"0", "1", "10", "pre", "rc", "rc1", "RC", "-5", "0a", "20240101000000-abcdefabcdef", "", "01"}[r.IntN(12)])
		}
	}
	if r.IntN(3) == 0 {
		b.WriteString([]string{"+incompatible", "+meta.01", "+", "+a..b"}[r.IntN(4)])
	}
	return b.String()
}

// TestGoAgreesWithXMod compares with golang.org/x/mod/semver, both what it
// takes and how it orders. What it refuses is refused here, but for a
// pre-release or metadata behind missing numbers.
func TestGoAgreesWithXMod(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	valid := 0
	for range 50_000 {
		a, b := goVersion(r), goVersion(r)
		if r.IntN(3) == 0 {
			b = a + goVersion(r)[2:]
		}
		if r.IntN(2) == 0 && semver.IsValid(b) {
			a = semver.Canonical(b) + "+x"
		}
		if got := Relation("Go", a, a) == "="; got != semver.IsValid("v"+padCore(a[1:])) {
			t.Fatalf("%s: valid %v here", a, got)
		}
		if !semver.IsValid(a) || !semver.IsValid(b) {
			continue
		}
		valid++
		want := map[int]string{-1: "<", 0: "=", 1: ">"}[semver.Compare(a, b)]
		if got := Relation("Go", a, b); got != want {
			t.Fatalf("%s %s %s: got %s", a, want, b, got)
		}
		if got := Relation("Kubernetes", a[1:], b); got != want {
			t.Fatalf("%s %s %s: got %s", a[1:], want, b, got)
		}
	}
	if valid < 5000 {
		t.Errorf("only %d valid pairs", valid)
	}
}

// plainVersion makes x.y.z or x.y.z-pre, the identifiers of pre words or
// numbers, the first a word.
func plainVersion(r *rand.Rand) string {
	number := func() string { return []string{"0", "1", "2", "9", "10", "2024"}[r.IntN(6)] }
	word := func() string {
		return []string{"alpha", "beta", "rc", "preview", "dev", "snapshot", "foo", "nightly", "x"}[r.IntN(9)]
	}
	v := number() + "." + number() + "." + number()
	if r.IntN(2) == 0 {
		return v
	}
	v += "-" + word()
	for range r.IntN(3) {
		if r.IntN(2) == 0 {
			v += "." + word()
		} else {
			v += "." + number()
		}
	}
	return v
}

// TestCPEAgreesWithGeneric compares with go-version where Generic vouches for
// it, and with SemVer everywhere.
func TestCPEAgreesWithGeneric(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	answered := 0
	for range 50_000 {
		a, b := plainVersion(r), plainVersion(r)
		if r.IntN(2) == 0 {
			x, _, _ := strings.Cut(a, "-")
			_, pre, ok := strings.Cut(b, "-")
			if b = x; ok {
				b += "-" + pre
			}
		}
		got := ForCPE().relation(a, b)
		if want := semverScheme.relation(a, b); got != want {
			t.Fatalf("%s %s %s by SemVer: got %s", a, want, b, got)
		}
		c, err := Generic(a, b)
		if errors.Is(err, ErrNoOrder) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		answered++
		if want := map[int]string{-1: "<", 0: "=", 1: ">"}[c]; got != want {
			t.Fatalf("%s %s %s by go-version: got %s", a, want, b, got)
		}
	}
	if answered < 40_000 {
		t.Errorf("Generic answered only %d pairs", answered)
	}
}

// TestGenericIsAnOrder tries triples of what go-version trips over: where
// Generic answers all three pairs, the answers fit together.
func TestGenericIsAnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	version := func() string {
		ids := []string{"alpha", "beta", "1", "01", "2", "-5", "9223372036854775808", "a~b", "-"}
		v := []string{"1.0", "1.0.0", "1.0.0.0", "1", "01.0.0", "1.0.1"}[r.IntN(6)]
		for i := range r.IntN(3) {
			v += string("-."[min(i, 1)]) + ids[r.IntN(len(ids))]
		}
		return v
	}
	answered := 0
	for range 30_000 {
		a, b, c := version(), version(), version()
		ab, err := Generic(a, b)
		ba, err2 := Generic(b, a)
		if (err == nil) != (err2 == nil) || ab != -ba {
			t.Fatalf("%s, %s: %d %v, the other way round %d %v", a, b, ab, err, ba, err2)
		}
		bc, err2 := Generic(b, c)
		ac, err3 := Generic(a, c)
		if errors.Join(err, err2, err3) != nil {
			continue
		}
		answered++
		if ab <= 0 && bc <= 0 && ac > 0 || ab <= 0 && bc <= 0 && ab+bc < 0 && ac == 0 {
			t.Fatalf("%s %s %s: %d %d %d", a, b, c, ab, bc, ac)
		}
	}
	if answered < 3_000 {
		t.Errorf("only %d triples answered", answered)
	}
}

func TestGeneric(t *testing.T) {
	for _, c := range []struct{ a, want, b string }{
		{"1.2", "<", "1.10"},
		{"1.0", "=", "1.0.0"},
		{"1.0.0-rc.1", "<", "1.0.0"},
		{"1.0.0-alpha", "<", "1.0.0-beta"},
		{"1.0.0-rc.2", "<", "1.0.0-rc.10"},
		{"2.0.0-1", "<", "2.0.0-alpha"},
		// What go-version gets wrong, and so what is not answered.
		{"1.0.0-alpha", "no order", "1.0.0-alpha.beta"},
		{"1.0.0-01", "no order", "1.0.0-1"},
		{"1.0.0--5", "no order", "1.0.0-4"},
		{"1.0.0-9223372036854775808", "no order", "1.0.0-a"},
		{"1.0.0.0-beta", "no order", "1.0.0"},
		{"1.0.1a", "invalid", "1.0.1"},
		{"1:2-3", "invalid", "1"},
		{"1", "invalid", "99999999999999999999"},
	} {
		got, err := Generic(c.a, c.b)
		text := fmt.Sprint(map[int]string{-1: "<", 0: "=", 1: ">"}[got])
		switch {
		case errors.Is(err, ErrNoOrder):
			text = "no order"
		case errors.Is(err, ErrInvalid):
			text = "invalid"
		}
		if text != c.want {
			t.Errorf("Generic(%q, %q): got %s, want %s", c.a, c.b, text, c.want)
		}
	}
}
