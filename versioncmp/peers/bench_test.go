package peers

import (
	"testing"

	"github.com/advdb/advdb/versioncmp"
)

// samples are real versions of each ecosystem, of the kinds that its advisories
// have, each beside one that it is compared with. Every peer takes all of them.
var samples = map[string][]pair{
	"Alpine": {
		{"3.0.12-r4", "3.0.13-r0"}, {"1.36.1-r29", "1.36.1-r2"}, {"8.5.0_rc1-r0", "8.5.0-r0"},
		{"2.4.59-r0", "2.4.58-r1"}, {"1.1.1w-r1", "1.1.1u-r2"}, {"9.3_p2-r0", "9.3_p1-r3"},
	},
	"CRAN": {
		{"1.0.12", "1.0.8-1"}, {"2.13-1", "2.12-14"}, {"0.4.32", "0.4.6"}, {"3.4.2", "3.4.10"},
	},
	"Debian": {
		{"1:2.36.1-8+deb11u2", "1:2.36.1-8+deb11u1"}, {"3.0.11-1~deb12u2", "3.0.11-1"}, {"2.4.57-2", "2.4.59-1~deb12u1"},
		{"7.88.1-10+deb12u5", "7.88.1-10+deb12u4"}, {"2:8.2.2434-3", "2:9.0.0749-1"}, {"20230311+dfsg-1", "20230311"},
	},
	"Go": {
		{"v1.21.6", "v1.21.5"}, {"v0.0.0-20220314234659-1baeb1ce4c0b", "v0.0.0-20220315160706-3147a52a75dd"},
		{"v0.17.0", "v0.9.3"}, {"v23.0.5+incompatible", "v24.0.7+incompatible"}, {"v1.28.0-alpha.1", "v1.28.0-rc.0"},
	},
	"Maven": {
		{"2.17.1", "2.15.0"}, {"5.3.27", "5.3.18"}, {"2.0-beta9", "2.0-rc1"},
		{"9.4.51.v20230217", "9.4.50.v20221201"}, {"4.1.94.Final", "4.1.100.Final"}, {"32.0.0-jre", "32.0.0-android"},
	},
	"NuGet": {
		{"13.0.1", "12.0.3"}, {"6.0.0-preview.4.21253.5", "6.0.0-preview.5.21301.9"}, {"4.3.0", "4.3.1"},
		{"8.0.0-rc.2.23480.2", "8.0.0"}, {"5.2.9.1", "5.2.9.0"},
	},
	"Packagist": {
		{"6.4.12", "6.4.2"}, {"v5.4.31", "v5.4.30"}, {"9.5.0-beta1", "9.5.0-beta2"}, {"2.0.0-alpha3", "2.0.0-alpha10"},
	},
	"Pub": {
		{"1.1.0", "0.13.5"}, {"2.0.0-dev.3", "2.0.0-dev.12"}, {"4.0.6+1", "4.0.6"}, {"5.3.2", "5.3.0"},
	},
	"PyPI": {
		{"2.31.0", "2.28.1"}, {"4.2.8", "4.2rc1"}, {"1.26.18", "2.0.7"},
		{"3.9.0b1", "3.9.0"}, {"2.8.0.post1", "2.8.0"}, {"1.0.dev456", "1.0a1"},
	},
	"Red Hat": {
		{"0:3.10.0-1160.49.1.el7", "0:3.10.0-1160.6.1.el7"}, {"1:1.1.1k-12.el8_9", "1:1.1.1k-9.el8_7"},
		{"4.18.0-513.5.1.el8_9", "4.18.0-477.27.1.el8_8"}, {"2.4.37-62.module+el8.9.0+19699+7a7a2044", "2.4.37-56.module+el8.8.0+18758+b3a9c8da.6"},
		{"7.76.1-26.el9_3.2", "7.76.1-23.el9_2.4"}, {"2.34-60.el9~1", "2.34-60.el9"},
	},
	"RubyGems": {
		{"7.0.4.1", "7.0.8"}, {"3.0.0.beta2", "3.0.0.rc1"}, {"2.2.6.4", "2.2.3.1"}, {"1.13.10", "1.14.0.rc1"},
	},
	"crates.io": {
		{"1.0.197", "1.0.200"}, {"0.4.0-alpha.5", "0.4.0-beta.1"}, {"0.10.55", "0.10.9"}, {"2.0.0-rc.17", "2.0.0"},
	},
	"npm": {
		{"4.17.20", "4.17.21"}, {"18.3.0-canary.12", "18.3.0-canary.9"}, {"7.0.0-rc.1", "7.0.0"},
		{"14.1.1", "13.5.9"}, {"1.0.0-beta.3", "1.0.0-alpha.10"},
	},
}

// BenchmarkParse, BenchmarkCompare and BenchmarkKey time the rule of each
// ecosystem and the same of each peer, on the same versions.
func BenchmarkParse(b *testing.B) {
	eachRule(b, func(b *testing.B, p peer, pairs []pair) { p.parse(b, versionsOf(pairs)) })
}

func BenchmarkCompare(b *testing.B) {
	eachRule(b, func(b *testing.B, p peer, pairs []pair) { p.compare(b, pairs) })
}

func BenchmarkKey(b *testing.B) {
	for _, ecosystem := range keys(samples) {
		b.Run(ecosystem+"/advdb", func(b *testing.B) { appendKeys(b, ecosystem) })
	}
}

// BenchmarkInterval times whether a parsed version is in the range of an
// advisory.
func BenchmarkInterval(b *testing.B) {
	for _, ecosystem := range keys(samples) {
		b.Run(ecosystem+"/advdb", func(b *testing.B) { checkInterval(b, ecosystem) })
	}
}

func eachRule(b *testing.B, run func(b *testing.B, p peer, pairs []pair)) {
	for _, ecosystem := range keys(samples) {
		for _, p := range append([]peer{advdb(ecosystem)}, peersOf[ecosystem]...) {
			b.Run(ecosystem+"/"+p.name, func(b *testing.B) {
				b.ReportAllocs()
				run(b, p, samples[ecosystem])
			})
		}
	}
}

func versionsOf(pairs []pair) []string {
	var versions []string
	for _, p := range pairs {
		versions = append(versions, p.a, p.b)
	}
	return versions
}

// appendKeys times one key an iteration, into a buffer that is used again.
func appendKeys(b *testing.B, ecosystem string) {
	b.ReportAllocs()
	s, versions := versioncmp.For(ecosystem), versionsOf(samples[ecosystem])
	buf := make([]byte, 0, 256)
	i := 0
	for b.Loop() {
		if _, err := s.AppendKey(buf, versions[i]); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(versions) {
			i = 0
		}
	}
}

// checkInterval times one version against [introduced, fixed), which are the
// first two samples in their order.
func checkInterval(b *testing.B, ecosystem string) {
	b.ReportAllocs()
	s, versions := versioncmp.For(ecosystem), versionsOf(samples[ecosystem])
	lo, hi := versions[0], versions[1]
	if versioncmp.Relation(ecosystem, lo, hi) == ">" {
		lo, hi = hi, lo
	}
	set := versioncmp.Compile(s, [][]versioncmp.Event{{
		{Kind: versioncmp.Introduced, Version: lo}, {Kind: versioncmp.Fixed, Version: hi},
	}}, nil)
	parsed := make([]versioncmp.Version, len(versions))
	for i, v := range versions {
		var err error
		if parsed[i], err = s.Parse(v); err != nil {
			b.Fatal(err)
		}
	}
	i := 0
	for b.Loop() {
		if set.Verdict(parsed[i]) == versioncmp.Unknown {
			b.Fatal("unknown")
		}
		if i++; i == len(parsed) {
			i = 0
		}
	}
}

// TestSamples shows that every rule takes every sample, and that comparing
// them with ours does not allocate.
func TestSamples(t *testing.T) {
	for _, ecosystem := range keys(samples) {
		s := versioncmp.For(ecosystem)
		for _, p := range samples[ecosystem] {
			for _, rule := range append([]peer{advdb(ecosystem)}, peersOf[ecosystem]...) {
				if rule.relation(p.a, p.b) == "?" {
					t.Errorf("%s: %s refuses %s or %s", ecosystem, rule.name, p.a, p.b)
				}
			}
			v, errV := s.Parse(p.a)
			w, errW := s.Parse(p.b)
			if errV != nil || errW != nil {
				t.Fatal(errV, errW)
			}
			if n := testing.AllocsPerRun(100, func() { v.Compare(w) }); n != 0 {
				t.Errorf("%s: comparing %s and %s: %v allocations, want 0", ecosystem, p.a, p.b, n)
			}
		}
	}
}
