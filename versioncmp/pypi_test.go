package versioncmp

import "testing"

func TestPyPI(t *testing.T) {
	checkVerdicts(t, pypiScheme,
		// PEP 440, "Summary of permitted suffixes and relative ordering".
		"1.dev0 < 1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2",
		"1.0b2 < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5",
		"1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 < 1.0.15 < 1.1.dev1",
		// "Normalization".
		"1.0 = v1.0 = V1 = 1.0.0 = 0!1 = 01.00",
		"1.0a1 = 1.0-A.1 = 1.0_alpha1 = 1.0ALPHA-1 < 1.0beta1 = 1.0.b1 < 1.0c1 = 1.0rc1 = 1.0pre1 = 1.0-preview_1",
		"1.0a = 1.0a0 < 1.0a.post1 = 1.0a0.post1 < 1.0.post = 1.0-0 = 1.0.r0 = 1.0-rev < 1.0-1 = 1.0.post1",
		"1.0dev = 1.0.dev0 = 1.0_DEV-0",
		"1.0+ubuntu-1 = 1.0+Ubuntu.01 = 1.0+UBUNTU_1",
		// A local version is compared behind every suffix, numbers above text.
		"1.0.dev1 < 1.0.dev1+a < 1.0.dev1+1 < 1.0.dev2",
		"1.0.post1 < 1.0.post1+a < 1.0.post1+a.b < 1.0.post1+b",
		"1.0 < 1.0+local < 1.0.1",
		"1.0a0 < 1.0a0.post0 < 1.0",
		// Epochs and numbers of any length.
		"2024.1 < 1!0.1 < 10!0",
		"1.18446744073709551615 < 1.18446744073709551616 < 1.18446744073709551617",
		"1.dev18446744073709551616 < 1",
	)
	checkRefused(t, pypiScheme, "", "1.0\x00")
}

// TestPyPILegacy checks versions that PEP 440 refuses, against what
// pypa/packaging 21.3 said of them.
func TestPyPILegacy(t *testing.T) {
	checkVerdicts(t, pypiScheme,
		"french-toast < 0.dev0",
		"99999 > 99999.final < 99999.x1",
		"1.0.x < 0.0.dev0",
		"1.0.-final < 1.0.-x = 1.-x < 1.0.-y",
		"1-final-1 < 1-final-2 < 1-final-10",
		"1.a..b < 1.pre..b = 1.rc..b = 1.c..b",
		"1.dev..b < 1.a..b",
		"1..0 < 1..0.1 < 1..2 < 1..10",
	)
}

func FuzzPyPI(f *testing.F) {
	fuzzPromises(f, pypiScheme, "1.0", "1!2.3rc4.post5.dev6+local.7", "v1.0-1", "french-toast", "1..0", "1.0a-", "1.0+", "é-٣")
}
