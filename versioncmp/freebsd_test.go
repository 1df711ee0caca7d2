package versioncmp

import "testing"

func TestFreeBSD(t *testing.T) {
	checkVerdicts(t, freeBSDScheme,
		// The comment before get_component in pkg's libpkg/pkg_version.c.
		"1.0:2003.09.16 = 1.0.2003.09.16", "1.0.1:2003.09.16 < 1.0:2003.09.16",
		"10..1 = 10.1", "10a1b2 = 10a1.b2", "10 = 10.0 = 10.0.0", "10 < 10a < 10b",
		"a < 0", "10.a < 10", "10alpha = 10.a < 10 < 10a",
		"pl11 < alpha3 < 0.1beta2 = 0.1.b2 < 0.1",
		"1.d2 = 1.dev2 = 1.Development2",
		"2.* < 2pl1 < 2alpha3 < 2.9f7 < 3.*",
		// Epoch above version above revision, and the revision before the epoch.
		"1.0_9 < 1.0.1 < 0.1,1 < 0.1_1,1 < 0.1,2", "1.0 = 1.0_0 = 1.0,0 = 1.0_0,0",
		"1,2_3 = 1.2_3", "9.18.24_1,1 < 9.18.25,1",
		// Stages: snap as well since 2.0.
		"1.pl1 < 1.alpha1 < 1.beta1 < 1.pre1 < 1.rc1 < 1.snap1 < 1 < 1snapx",
		"1.0.b1 = 1.0.B1 < 1.0 < 1.0B1",
		// Blocks between plusses.
		"1+0 = 1 = 1+ < 1+1 < 1+1.1 < 1.1+0", "1++1 < 1+0.1 < 1+1", "1+a < 1++a < 1 < 1++1",
		// The name of a package is cut off.
		"nginx-devel-1.25.2_3 = 1.25.2_3",
		// Releases of the base system.
		"14.3 < 14.3_1 < 14.3_2 < 14.3_10 < 14.4",
		// Numbers saturate.
		"1.9223372036854775807 = 1.9223372036854775808 > 1.9223372036854775806",
		"1_18446744073709551615 = 1_18446744073709551616", "1_+3 = 1_3",
	)
	checkRefused(t, freeBSDScheme, "")
}

func FuzzFreeBSD(f *testing.F) {
	fuzzPromises(f, freeBSDScheme, "1.0_1,2", "1+0.a", "2.*", "10alpha", "pl11", "a-1", "++.+", "1,2_+3", "*+*_x")
}
