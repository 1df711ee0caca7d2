package versioncmp

import "testing"

func TestRubyGems(t *testing.T) {
	checkVerdicts(t, rubyGemsScheme,
		// Gem::Version's own documentation.
		"0.9 < 1.0.a.2 < 1.0.a9 < 1.0.a10 = 1.0.a.10 < 1.0.b1 < 1.0",
		"1 = 1.0 = 1.0.0 < 1.0.0.1 < 1.0.1 < 1.1",
		"1.a < 1.0.1", "1.a < 1", "1.a.0.b < 1.a < 1.a.0.1 < 1.a.1",
		// A dash is .pre., and zeros before a word do not count.
		"1.0-1 = 1.0.pre.1 = 1.0.00.pre.1 = 1.pre1 < 1.0",
		"2-0 > 2-0-1 < 2-0",
		"1.2.0-rc1 < 1.2",
		// Words compare as words, case and all; numbers in them as numbers.
		"1.7.1.r1 < 1.7.1.rc1", "5.1.7.r1 < 5.1.7.rc1", "5.1.7.rc9 < 5.1.7.rc10",
		"3.1.0.alph0a.36 < 3.1.0.alpha.36",
		"1.RC1 < 1.rc1",
		// Only the first zeros that loosely precede a word vanish.
		"1.a0.0.0.b < 1.a0.00.bz", "2.a-0a > 2.a.0a = 2.a.a",
		"1.18446744073709551615 < 1.18446744073709551616",
		"v1.2 = 1.2",
	)
	checkRefused(t, rubyGemsScheme, "", "junk", "1.0-", "1..2", "1.2 3.4", "1beta", "1.0a-", ".1", "1.", "1.0_1", "1.2.é", "v", "1+x", "-1")
}

func FuzzRubyGems(f *testing.F) {
	fuzzPromises(f, rubyGemsScheme, "1.0", "1.0.0.rc1", "1-a--0b", "2.a0.0.0.b", "1.0-x-.0a", "v1.00.pre", "1..2")
}
