package versioncmp

import "testing"

func TestConan(t *testing.T) {
	checkVerdicts(t, conanScheme,
		"1 = 1.0 = 1.0.0.0 < 1.0.0.1 < 1.1.a < 1.2", "1.1 < 1.a", "a.b.c < b.c",
		"1.0.0- < 1.0.0-alpha1 < 1.0.0-alpha2 < 1.0.0 < 1.0.0+1 < 1.0.0+b", "1-pre.3 < 1-pre.22 < 1-pre.x",
		"1-pre1 = 1.0-pre1 = 1.0.0-pre1.0", "1-pre+b1 < 1-pre+b2 < 1",
		"0.0.1-3 < 0.0.1-3-1 < 0.0.1-4",
		"1.1.1 < 1.1.1a < 1.1.1w < 1.1.2", "8 < 9d < 9e",
		"2024 < cci.20230101 < cci.20240101 < system",
		// Python's int: leading zeros, signs, underscores between digits.
		"1.01 = 1.1", "1.1_0 = 1.10", "1.1__0 > 1.1", "1-0 < 1--5 < 1--4 < 1-1 < 1",
		"1.18446744073709551615 < 1.18446744073709551616",
	)
	checkRefused(t, conanScheme, "")
}

func FuzzConan(f *testing.F) {
	fuzzPromises(f, conanScheme, "1.2.3", "cci.20230101", "1.0-pre.1+b.2", "9e", "1.1.*", "-", "1--5", "1_0", " 1", "0+0-0")
}
