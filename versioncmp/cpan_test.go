package versioncmp

import "testing"

// TestCPAN checks what version.pm 0.9929 said of these.
func TestCPAN(t *testing.T) {
	checkVerdicts(t, cpanScheme,
		// Decimal: three digits are one integer.
		"1.2 = v1.200 = 1.200.0", "1.002003 = v1.2.3 = 1.2.3", "1.10 < 1.9 < 1.91", "1.5 = 1.50 = 1.500", "1.0005 = v1.0.500",
		".5 = 0.5 = 00.50", "1. = 1 = 1.0 = v1 = v1.0.0", "1.9999999999 > 1.999999999",
		// Dotted: each is an integer.
		"1.9.0 < 1.10.0", "v1.9 < v1.10 < v1.10.1", "v1.2 < 1.2", ".1.2 = v0.1.2", "1.02.3 = v1.2.3",
		// An underscore does not count.
		"1.02_03 = 1.0203 < 1.0204", "v1.2_3 = v1.23", "1.2.3_4 = v1.2.34", "1.002_003 = v1.2.3",
		"18446744073709551615 < 18446744073709551616",
		"1.716 > 1.7", "0 = 0.000 = v0.0.0",
	)
	checkRefused(t, cpanScheme, "", ".", "v", "undef", "1.5-TRIAL", "2.0b1", "1,5", "1e3", "V1.2", "1_000", "1._2", "1__2", "1.2_",
		"1.2_3.4", "1.2_3_4", "1..2", "1.2.", "v.1", "v1..2", "v1_2", "_1", "1.2.3 4")
	if got := Relation("CPAN", " 1.5\n", "1.5"); got != "=" {
		t.Errorf("white space around a version: %s", got)
	}
}

func FuzzCPAN(f *testing.F) {
	fuzzPromises(f, cpanScheme, "1.002003", "v1.2.3", "1.02_03", ".5", "1.", "1.2.3_4", "v1", "0.000")
}
