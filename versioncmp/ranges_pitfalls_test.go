package versioncmp

import "testing"

// TestPitfalls holds what other evaluators of ranges got wrong, in the
// ecosystems where they did.
func TestPitfalls(t *testing.T) {
	type verdicts map[string]Verdict
	for _, test := range []struct {
		name, ecosystem string
		ranges          []string
		listed          []string
		want            verdicts
	}{
		{"unsorted events", "Linux", []string{"i 6.13.0, f 6.12.81, f 6.16.5, i 2.6.12"}, nil,
			verdicts{"2.6.11": NotAffected, "6.12.80": Affected, "6.12.81": NotAffected, "6.16.4": Affected, "6.16.5": NotAffected}},
		{"events sorted as text", "npm", []string{"i 0, f 10.0.0, i 9.0.0, f 8.5.0"}, nil,
			verdicts{"8.0.0": Affected, "8.9.0": NotAffected, "9.5.0": Affected, "10.0.0": NotAffected}},
		{"a range that begins with fixed", "npm", []string{"f 1.0.0, i 2.0.0"}, nil,
			verdicts{"0.5.0": NotAffected, "1.5.0": NotAffected, "2.0.0": Affected}},
		{"introduced 0 is below pseudo-versions", "Go", []string{"i 0, f 0.0.0-20220524220425-1b1c2b8e9d3e"}, nil,
			verdicts{"0.0.0-20210101000000-aaaaaaaaaaaa": Affected, "v0.0.0-20210101000000-aaaaaaaaaaaa": Affected,
				"0.0.0-20230101000000-aaaaaaaaaaaa": NotAffected, "0.0.0": NotAffected}},
		{"introduced 0 is below dev, alpha and tilde", "PyPI", []string{"i 0, f 1"}, nil, verdicts{"0.dev0": Affected}},
		{"introduced 0 is below 0~", "Debian", []string{"i 0, f 1"}, nil, verdicts{"0~": Affected, "0~~": Affected}},
		{"re-introduction at the fixed version", "npm", []string{"i 0, f 1.0.0, i 1.0.0, f 1.1.0"}, nil,
			verdicts{"0.9.0": Affected, "1.0.0": Affected, "1.1.0": NotAffected}},
		{"introduced and last_affected at one version", "Maven", []string{"i 1.2, l 1.2"}, nil,
			verdicts{"1.1": NotAffected, "1.2": Affected, "1.2.0": Affected, "1.2.1": NotAffected}},
		{"introduced and fixed at one version", "npm", []string{"i 1.0.0, f 1.0.0"}, nil, verdicts{"1.0.0": NotAffected}},
		{"no end", "npm", []string{"i 1.0.0"}, nil, verdicts{"0.9.0": NotAffected, "99.0.0": Affected}},
		{"pre-releases follow the order", "npm", []string{"i 1.2.0, f 1.4.0"}, nil,
			verdicts{"1.2.0-rc.1": NotAffected, "1.3.0-rc.1": Affected, "1.4.0-rc.1": Affected, "1.4.0": NotAffected}},
		{"a bound of -0 is below pre-releases", "Go", []string{"i 1.21.0-0, f 1.21.4"}, nil,
			verdicts{"1.21.0-rc.1": Affected, "1.20.9": NotAffected}},
		{"a canary channel has its own range", "npm", []string{"i 15.0.0, f 15.5.9", "i 15.6.0-canary.0, f 15.6.0-canary.60"}, nil,
			verdicts{"15.5.8": Affected, "15.5.9": NotAffected, "15.6.0-canary.3": Affected, "15.6.0-canary.60": NotAffected}},
		{"SemVer ignores the build", "crates.io", []string{"i 0, f 1.0.0"}, nil, verdicts{"1.0.0+build": NotAffected}},
		{"Go ignores +incompatible", "Go", []string{"i 0, l 2.0.0"}, nil, verdicts{"2.0.0+incompatible": Affected}},
		{"Pub counts the build", "Pub", []string{"i 0, l 1.0.0"}, nil, verdicts{"1.0.0": Affected, "1.0.0+1": NotAffected}},
		{"PyPI counts the local version", "PyPI", []string{"i 0, l 1.0"}, nil, verdicts{"1.0": Affected, "1.0+local": NotAffected}},
		{"a missing epoch is 0", "Debian", []string{"i 0, f 1:2.0-1"}, nil, verdicts{"9.9-1": Affected, "1:2.0-1": NotAffected}},
		{"a missing release is below every release", "Red Hat", []string{"i 0, f 1.2-3"}, nil,
			verdicts{"1.2": Affected, "1.2-3": NotAffected}},
		{"a suffix does not change the order", "Alpine:v3.19", []string{"i 0, f 1.2.4-r1"}, nil,
			verdicts{"1.2.4-r0": Affected, "1.2.4-r1": NotAffected}},
		{"limit", "npm", []string{"i 0, m 2.0.0"}, nil, verdicts{"1.0.0": Affected, "2.0.0": NotAffected}},
		{"listed versions match by order", "PyPI", nil, []string{"1.0", "2.0rc1"},
			verdicts{"1.0.0": Affected, "v1.0": Affected, "2.0.RC1": Affected, "2.0": NotAffected}},
		{"listed Maven versions match by order", "Maven", nil, []string{"1.0"}, verdicts{"1.0.0": Affected, "1": Affected, "1.0-sp": NotAffected}},
		{"listed tags match with v", "Packagist", nil, []string{"v1.0"}, verdicts{"1.0.0": Affected, "1.0.1": NotAffected}},
		{"a branch is in no range", "Packagist", []string{"i 0, f 2.0.0"}, []string{"dev-old"},
			verdicts{"dev-main": Unknown, "dev-old": Affected, "1.0.0": Affected}},
		{"versions beside ranges are no filter", "npm", []string{"i 2.0.0, f 3.0.0"}, []string{"1.0.0"},
			verdicts{"1.0.0": Affected, "2.5.0": Affected, "1.5.0": NotAffected}},
		{"an unparsable version is unknown", "npm", []string{"i 0, f 1.0.0"}, nil, verdicts{"latest": Unknown, "": Unknown}},
		{"an unparsable bound is not dropped", "npm", []string{"i 1.0.0, f next"}, nil,
			verdicts{"0.9.0": NotAffected, "1.0.0": Unknown, "9.0.0": Unknown}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ranges [][]Event
			for _, text := range test.ranges {
				ranges = append(ranges, events(text))
			}
			set := Compile(For(test.ecosystem), ranges, test.listed)
			for version, want := range test.want {
				if got := set.AffectedText(version); got.Verdict != want {
					t.Errorf("%s %v: %s is %+v, want %v", test.ecosystem, test.ranges, version, got, want)
				}
			}
		})
	}
}

// TestPitfallCeiling checks that "not affected" because of a last_affected
// event is told apart from a fix.
func TestPitfallCeiling(t *testing.T) {
	set := Compile(For("npm"), [][]Event{events("i 0, l 1.4.0")}, nil)
	a := set.AffectedText("1.4.1")
	if a.Verdict != NotAffected || a.Note != CeilingNote || a.Event != (Event{LastAffected, "1.4.0"}) {
		t.Errorf("%+v, want not affected by last_affected 1.4.0 with the note", a)
	}
	set = Compile(For("npm"), [][]Event{events("i 0, f 1.4.0")}, nil)
	if a := set.AffectedText("1.4.1"); a.Note != "" {
		t.Errorf("%+v, want no note behind a fix", a)
	}
}
