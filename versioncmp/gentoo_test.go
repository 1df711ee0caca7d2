package versioncmp

import "testing"

func TestGentoo(t *testing.T) {
	checkVerdicts(t, gentooScheme,
		// PMS 3.3, algorithms 3.2 to 3.7.
		"1 < 1.0 < 1.0.0 < 1.0.1 < 1.1 < 1.2 < 1.10 < 2 < 10",
		"1.0 = 1.00", "1.1 = 01.1", "1.01 < 1.010.0 < 1.011 < 1.02 < 1.1", "1.010 = 1.01", "1.09 < 1.1 < 1.9 < 1.10",
		"1.2 < 1.2a < 1.2b < 1.2z < 1.2.1",
		"1_alpha < 1_alpha1 < 1_beta < 1_pre < 1_rc < 1 < 1_p < 1_p1 < 1a",
		"1_alpha = 1_alpha0 = 1_alpha00 = 1_alpha0-r0", "1_rc1_alpha1 < 1_rc1 < 1_rc1_p < 1_rc1_p1_alpha > 1_rc1_p",
		"1 = 1-r0 < 1-r1 = 1-r01 < 1-r2 < 1-r10",
		"1.18446744073709551615 < 1.18446744073709551616", "1_p18446744073709551615 < 1_p18446744073709551616",
	)
	checkRefused(t, gentooScheme, "", "a", "1.", "1..2", "1ab", "1a.2", "1_", "1_foo", "1_alphax", "1-r", "1-r1_p", "1-rb", "1-r1-r2", "1.A", "v1", " 1", "1.2*", "cvs.1")
}

func FuzzGentoo(f *testing.F) {
	fuzzPromises(f, gentooScheme, "1.0", "1.010", "1.2b_alpha_p2-r3", "1_rc1", "1.0-r0", "1_px", "999_p")
}
