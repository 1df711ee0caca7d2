package versioncmp

import "testing"

func TestPackagist(t *testing.T) {
	checkVerdicts(t, packagistScheme,
		"v1.0 = 1 = 1.0.0 = V1.0.0.0 = 01.00 = 1.0+build.7 = 1.0@stable = 1.0@RC = 1.0-stable",
		"1.0-dev < 1.0-alpha = 1.0a < 1.0-alpha1 = 1.0A.1 = 1.0_alpha-1 < 1.0-beta = 1.0b < 1.0-RC = 1.0rc < 1.0",
		"1.0 < 1.0.0.1 < 1.0.1", "1.0 < 1.0-p1 = 1.0-pl1 = 1.0-patch.1 < 1.0-p2 < 1.0.1",
		"1.0-beta1 < 1.0-beta1.1 < 1.0-beta1-2 < 1.0-beta2 < 1.0-beta10", "1.0-beta1-dev < 1.0-beta1",
		"v3.0 > v3.0.0-beta", "2.0.0-RC1 > 2.0.0-alpha3", "v1.9.0-ALPHA.1 < v1.9.0-BETA.1",
		// The word in another case is not the one that version_compare never sees.
		"1.0-STABLE < 1.0-dev < 1.0-stable",
		"1.0 = 1.0-stable17-dev", "1.0.0-RC1dev < 1.0.0RC1",
		// Branches with numbers.
		"1.99.99 < 1.x-dev = 1.*-dev = v1.X.dev < 2.0-dev", "1.2.x-dev < 1.x-dev", "100000.x-dev > 99999",
		// Dates are not padded, and a classical version has five digits at most.
		"20100102 = v20100102 < 20100102.0 < 20100102.0.3 < 20100102-203040 = 20100102.203040",
		"2010-01-02 < 2010.01.02 = 2010.1.2", "20100102-203040-p1 > 20100102-203040", "99999 < 100000",
		"202301310000.0.0 > 20230131.0.0", "2010-01-02-10-20-30.0.3 < 2010-01-02-10-20-30.5",
		"1.18446744073709551615 < 1.18446744073709551616",
		// Aliases and white space.
		"1.0.0+foo@dev = 1.0.0", "1.0+a = 1.0+b",
		"master = dev-master = DEV-master = dev-master@dev", "trunk = dev-trunk", "default = dev-default",
	)
	for _, pair := range [][2]string{{" 1.0 ", "1"}, {"1.0 as 2.0", "1"}, {"dev-master as 1.0.0", "master"}, {"dev-a as b c", "dev-a as b c"}} {
		if got := Relation("Packagist", pair[0], pair[1]); got != "=" {
			t.Errorf("%q %s %q, want =", pair[0], got, pair[1])
		}
	}
	checkRefused(t, packagistScheme, "", "a", "1.0.0-meh", "1.0.0.0.0", "feature-foo", "1.0.0+foo bar", "20100102.1.2.3", "1.0-stable-",
		"1.0--beta", "x-dev", "dev", "1.dev.13", "1..2", "1.0+", "v", "1.x", "1.2.3.4.x-dev", "12345678901234567890123", "1000.0.0.0.0", "1.0-beta2_1", "dev-\x00a")
}

// TestPackagistBranchesAreNotOrdered checks the one thing that branches have:
// equality. Composer keeps them out of every range.
func TestPackagistBranchesAreNotOrdered(t *testing.T) {
	for v, ordered := range map[string]bool{
		"dev-master": false, "master": false, "dev-1.0": false, "DEV-x": false,
		"1.0": true, "1.x-dev": true, "1.0-dev": true, "20100102": true,
	} {
		if got := mustParse(t, packagistScheme, v).Ordered(); got != ordered {
			t.Errorf("%s: Ordered is %v", v, got)
		}
	}
	if !mustParse(t, pypiScheme, "1").Ordered() || !(Version{}).Ordered() {
		t.Error("a version of another scheme is not ordered")
	}
	checkVerdicts(t, packagistScheme, "dev-foo < 0.0.0.0-dev", "dev-Foo < dev-foo")
}

func FuzzPackagist(f *testing.F) {
	fuzzPromises(f, packagistScheme, "v1.0.0-beta.2", "dev-master", "1.x-dev", "20100102-203040-p1", "1.0+foo@dev", "1.0 as 2", "2010:01:02", "1.0-stable1dev")
}
