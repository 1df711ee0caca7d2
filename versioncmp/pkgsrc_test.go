package versioncmp

import "testing"

func TestPkgsrc(t *testing.T) {
	checkVerdicts(t, pkgsrcScheme,
		// pkgsrc guide: alpha < beta < rc = pre < release = pl.
		"1.0alpha1 < 1.0alpha2 < 1.0beta1 < 1.0pre1 = 1.0rc1 < 1.0rc2 < 1.0 = 1.0pl < 1.0pl1",
		"1 = 1.0 = 1.0.0 = 1_0", "1.2 < 1.10", "1.0.1 > 1.0",
		// A letter is a further number.
		"1.0 < 1.0a < 1.0b < 1.1", "1.0a = 1.0.1", "1.0A = 1.0a", "4.3p1 < 4.3p2",
		// The revision compares last.
		"1.2 = 1.2nb0 < 1.2nb1 < 1.2nb9 < 1.2nb10 < 1.2.1", "1.5.3nb2 < 1.5.3nb3", "1.0alpha1nb5 < 1.0",
		// What is no part of the grammar is read over.
		"1.2 < 1-2 < 12", "1.0+git = 1.0git",
		"1.99999999999999999998 < 1.99999999999999999999",
	)
	checkRefused(t, pkgsrcScheme, "")
	if For("NetBSD:pkgsrc") != pkgsrcScheme {
		t.Error("NetBSD:pkgsrc has another order")
	}
}

func FuzzPkgsrc(f *testing.F) {
	fuzzPromises(f, pkgsrcScheme, "1.0nb1", "1.0alpha1", "4.3p1", "1_0pl", "nbnb", "a.b")
}
