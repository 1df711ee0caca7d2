package versioncmp

import (
	"math/rand/v2"
	"testing"
)

func TestMaven(t *testing.T) {
	checkVerdicts(t, mavenScheme,
		// ComparableVersion's documentation.
		"1-alpha < 1-beta < 1-milestone < 1-rc = 1-cr < 1-snapshot < 1 = 1-ga = 1-final = 1-release < 1-sp < 1-abc < 1-xyz < 1-1 < 1.1",
		"1.0.RC2 < 1.0-RC3 < 1.0.1", "1.0.x2 < 1.0-x3 < 1.0.1",
		"1 = 1.0 = 1.0.0 = 1-0 = 1.0-0 = 1.ga = 1.0.0-final",
		// Letters before a number: a1 is alpha1 and x-1 is x1, but a alone is a word.
		"1-a1 = 1-alpha-1 = 1-alpha1 < 1-b1 = 1-beta-1 < 1-m1 = 1-milestone-1 < 1-rc1 = 1-cr1",
		"1-x1 = 1-x-1 < 1-x2 < 1-x10", "1-x < 1-x1",
		"1-alpha < 1 < 1-a < 1-b",
		"1-SNAPSHOT = 1-snapshot = 1-Snapshot < 1",
		"2.0.0.a = 2.0.a = 2-a", // MNG-7559
		"4.3.0.Final = 4.3.0 = 4.3.0.RELEASE", "1.2.3.SNAPSHOT < 1.2.3",
		// Numbers of any length, of which Java's int and long are two kinds.
		"1.999999999 < 1.1000000000 < 1.999999999999999999 < 1.1000000000000000000",
		"1.0-1 > 1-1 > 1", "1-0.1 = 1-0.1.0 < 1-1",
		"1.É = 1.é > 1.e",
		"... = 0 = -", "x > 0", "0 > alpha", "2024 > 11.0.2",
	)
	checkRefused(t, mavenScheme, "")
}

// TestMavenKeyIsTheNumbers shows what the coarse key can and cannot tell.
func TestMavenKeyIsTheNumbers(t *testing.T) {
	key := func(v string) string { return string(mustParse(t, mavenScheme, v).Key()) }
	for _, same := range []string{"1.2.0", "1.2-SNAPSHOT", "1.2.Final", "1.2-1", "1.2.x.3"} {
		if key(same) != key("1.2") {
			t.Errorf("%s has another key than 1.2", same)
		}
	}
	for _, above := range []string{"1.2.1-alpha", "1.2.0.1", "1.10", "2"} {
		if key(above) <= key("1.2") {
			t.Errorf("key of %s is not above that of 1.2", above)
		}
	}
}

// TestMavenPrefix shows that what two versions begin with may be dropped.
func TestMavenPrefix(t *testing.T) {
	cut := 0
	r := rand.New(rand.NewPCG(3, 9))
	for line := range fileLines(t, "truth", "maven.txt") {
		p, _ := parsePair(line)
		for _, b := range []string{p.b, p.a + "-x", mutate(r, p.a), mutate(r, mutate(r, p.a)), p.a + "-" + p.b} {
			if short, _ := cutMavenPrefix(p.a, b); len(short) < len(p.a) {
				cut++
			}
			if got, want := compareMaven(p.a, b), compareMavenLists(parseMaven(nil, p.a), parseMaven(nil, b)); got != want {
				t.Fatalf("%s, %s: %d, whole %d", p.a, b, got, want)
			}
		}
	}
	if cut < 1000 {
		t.Errorf("cut only %d versions", cut)
	}
}

func FuzzMaven(f *testing.F) {
	fuzzPromises(f, mavenScheme, "1.0-SNAPSHOT", "1-alpha", "1.x.1", "2.0.0.a", "1--0.-x-1", "x-1a1", "1.é-", ".-.", "1.ga1")
}
