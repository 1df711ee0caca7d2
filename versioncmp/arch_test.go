package versioncmp

import "testing"

func TestArch(t *testing.T) {
	checkVerdicts(t, archScheme,
		// vercmp(8).
		"1.0a < 1.0b < 1.0beta < 1.0p < 1.0pre < 1.0rc < 1.0 < 1.0.a < 1.0.1",
		"1 < 1.0 < 1.1 < 1.1.1 < 1.2 < 2.0 < 3.0.0",
		// A release counts only where both have one.
		"1.0-1 < 1.0-2", "1.0 = 1.0-1", "1.0 = 1.0-2",
		"2.0 < 1:1.0 < 1:1.0.1", "0:1 = 1 = :1", "a:1 > a:",
		// No tilde, no caret: separators like others, of which the longer is the greater.
		"1.0~rc1 > 1.0 < 1.0^1", "1.0~1 = 1.0.1 < 1.0..1", "1..0 > 1.0",
		"1.2.r3.gabc-1 < 1.2.r10.gabc-1", "007 = 7", "1.18446744073709551615 < 1.18446744073709551616",
		// Trailing separators.
		"1. > 1", "1. = 1..", "1. < 1.1", "1.a < 1.", ". < 5", ".a > 5", ". > .a",
	)
	checkRefused(t, archScheme, "")
}

func FuzzArch(f *testing.F) {
	fuzzPromises(f, archScheme, "1:1.0-1", "1.0", "1.", ".", ".a", "5", "a:", "1.0~rc1-2", "é", "-", ":-")
}
