package versioncmp

import (
	"strings"
	"testing"
)

// A fact is a pair whose order a rule decides and programs are known to get
// wrong.
type fact struct{ a, want, b string }

func checkFacts(t *testing.T, ecosystem string, facts []fact) {
	t.Helper()
	s := For(ecosystem)
	if ecosystem == "CPE" {
		s = ForCPE()
	}
	turned := map[string]string{"<": ">", "=": "=", ">": "<", "?": "?"}
	for _, f := range facts {
		if got := s.relation(f.a, f.b); got != f.want {
			t.Errorf("%s: %s %s %s: got %s", ecosystem, f.a, f.want, f.b, got)
		}
		if got := s.relation(f.b, f.a); got != turned[f.want] {
			t.Errorf("%s: %s %s %s: got %s", ecosystem, f.b, turned[f.want], f.a, got)
		}
	}
}

// checkAscending holds each version of the list to be below all that follow.
func checkAscending(t *testing.T, ecosystem, list string) {
	t.Helper()
	versions := strings.Fields(list)
	var facts []fact
	for i, a := range versions {
		for _, b := range versions[i+1:] {
			facts = append(facts, fact{a, "<", b})
		}
	}
	checkFacts(t, ecosystem, facts)
}

func TestDebianRules(t *testing.T) {
	checkAscending(t, "Debian", "0~~ 0~ 0 1.0~rc1 1.0 1.0-0+b1 1.0-1~bpo12+1 1.0-1 1.0a 1.0+b 1.0.1 1.1 2 10 1:0")
	checkFacts(t, "Debian", []fact{
		{"1.0", "=", "1.0-0"},
		{"1.0", "=", "0:1.0-00"},
		{"1.a", "=", "1.a0"},
		{"9223372036854775808", ">", "9223372036854775807"}, // digit runs over 63 bits do not saturate
		{"99999999999999999999", "<", "100000000000000000000"},
		{"1.0-1-2", ">", "1.0-1"}, // the last hyphen begins the revision
		{"1:2:3", ">", "1:2"},     // only the first colon ends the epoch
		{" 1.0 ", "=", "1.0"},
		{"+1:2", "?", "1:2"},
		{"2147483648:1", "?", "1"},
		{"a:1", "?", "1"},
		{"1:", "?", "1"},
		{"1:-1", "?", "1"},
		{"not affected", "?", "1"},
		{"rc1", ">", "1"}, // dpkg warns and compares: letters are above a number
	})
}

func TestOpamRules(t *testing.T) {
	checkAscending(t, "opam", "~ 1~ 1 1.0 1.0a 1.0+x 1.0.1 1.1 v1")
	checkFacts(t, "opam", []fact{
		{"1:0", ">", "1"}, // no epoch: a colon is above the end, and below no number
		{"1:0", "<", "2"},
		{"1.0", "=", "1.0-0"},
		{"1.0é", ">", "1.0z"},
	})
}

func TestRPMRules(t *testing.T) {
	checkAscending(t, "Red Hat", "1.0~rc1 1.0~rc1^git1 1.0 1.0- 1.0-0 1.0-1.el9 1.0^git1~pre-1 1.0^git1 1.0^20240101-1 1.0a-1 1.0.1 1.1 1:0")
	checkFacts(t, "Red Hat", []fact{
		{"1.0", "=", "0:1.0"},
		{":1.0", "=", "1.0"},
		{"1_0", "=", "1.0"},
		{"1.01", "=", "1.1"},
		{"a:1", "<", "b:1"},     // no epoch: not all digits
		{"1-2-3", "<", "1-3-1"}, // the release is behind the last hyphen
		{"1.0-1.el9", ">", "1.0-1.a"},
		{"18446744073709551616", ">", "18446744073709551615"},
		{"1.2", "<", "1.2-3"}, // the total order; only dependencies ignore a missing release
		{"1.1.α", "=", "1.1.β"},
	})
}

func TestAPKRules(t *testing.T) {
	checkAscending(t, "Alpine", "6.0_alpha 6.0_beta 6.0_pre1 6.0_rc 6.0_rc1 6.0 6.0-r0 6.0-r1 6.0~ab12 6.0_cvs 6.0_svn 6.0_git20240101 "+
		"6.0_hg 6.0_p 6.0_p1 6.0_p1_p2 6.0a 6.0.0 6.0.0-r0 6.0.00 6.0.01 6.0.1 6.0.9 6.0.10")
	checkAscending(t, "Wolfi", "0.16 0.16-r0 0.16.000 0.16.000-r0 0.16.0000") // -r0 and .000 are not nothing
	checkFacts(t, "Alpine", []fact{
		{"1.2.3", "=", "01.2.3"}, // only parts behind a dot are fractions
		{"1.02", "<", "1.1"},
		{"1.02", "<", "1.020"},
		{"18446744073709551616", ">", "18446744073709551615"},
		{"6.6.4p1-r0", "<", "6.6.4p1-r1"}, // opensmtpd in Alpine's secdb; invalid to apk 3
		{"6.6.2p1-r0", "<", "6.6.4p1-r0"},
		{"6.6.4p1-r1", "<", "6.6.4p"},
		{"1.0_foo", "<", "1.0"},
		{"1.0_foo", ">", "1.0_rc9"},
		{"1.0_foo", "=", "1.0_bar-r3"},
		{"1.0 ", "<", "1.0"},
		{"latest", "?", "1.0"},
		{"v1.0", "?", "1.0"},
	})
}

func TestSemverRules(t *testing.T) {
	for _, ecosystem := range []string{"npm", "crates.io", "Hex", "SwiftURL", "Bitnami", "Go", "VSCode", "GitHub Actions", "Kubernetes"} {
		checkAscending(t, ecosystem, "0.0.0-0 0.0.0-20220101000000-abcdefabcdef 0.0.0 0.0.1-alpha 0.0.1-alpha.1 0.0.1-alpha.beta 0.0.1-beta.2 "+
			"0.0.1-beta.11 0.0.1-rc10 0.0.1-rc9 0.0.1 1.0.0-x.p 1.0.0-x.p.0 1.0.0 1.2.0 18446744073709551615.0.0 18446744073709551616.0.0")
		checkFacts(t, ecosystem, []fact{
			{"28.3.0-23.X", "<", "28.3.0-23.X0017"},
			{"1.0.0--5", ">", "1.0.0-4"}, // -5 is text
			{"1.0.0-18446744073709551616", "<", "1.0.0-18446744073709551617"},
			{"1.0.0-18446744073709551616", "<", "1.0.0-a"},
			{"1.0.0+a", "=", "1.0.0+b"},
			{"v1.2.3", "=", "1.2.3"},
			{"1", "=", "1.0.0"},
			{"v1.2", "=", "1.2.0"},
			{"1.2.3.4", "?", "1.2.3"},
			{"1.2.", "?", "1.2.0"},
			{"1.2.3-", "?", "1.2.3"},
			{"1.2.3+", "?", "1.2.3"},
			{"1.2.3-a..b", "?", "1.2.3"},
			{"1.2.3-a_b", "?", "1.2.3"},
			{"x", "?", "1.2.3"},
			{"*", "?", "1.2.3"},
		})
	}
	checkFacts(t, "npm", []fact{{" = v1.2.3 ", "=", "1.2.3"}, {"01.2.3", "?", "1.2.3"}, {"1.2.3-01", "?", "1.2.3"}})
	checkFacts(t, "Bitnami", []fact{{"2023.03.20", "<", "2023.3.21"}, {"2.4.46-10.el8", "<", "2.4.46"}})
	checkFacts(t, "GitHub Actions", []fact{{"v4", "<", "v4.1"}, {"v4", "=", "V4.0.0"}})
}

func TestGoRules(t *testing.T) {
	checkAscending(t, "Go", "v0.0.0-20220101000000-abcdefabcdef 0.0.0 1.20.14 1.21.0-0 1.21.0-rc.2 go1.21rc3 1.21.0 go1.21.1 v1.21.2")
	checkFacts(t, "Go", []fact{
		{"v2.0.0+incompatible", "=", "2.0.0"},
		{"go1.21", "=", "1.21.0"},
		{"go1.4beta1", "=", "1.4.0-beta.1"},
		{"go1.21rc", "?", "1.21.0"},
		{"go1.21foo1", "?", "1.21.0"},
		{"go1.021", "?", "1.21.0"},
		{"go", "?", "1.21.0"},
		{"devel", "?", "1.21.0"},
	})
}

func TestPubRules(t *testing.T) {
	checkAscending(t, "Pub", "1.0.0-pre 1.0.0-pre+1 1.0.0 1.0.0+1 1.0.0+1.1 1.0.0+2 1.0.0+10 1.0.0+a 1.0.1")
	checkFacts(t, "Pub", []fact{{"1.2.3+01", "=", "1.2.3+1"}, {"01.2.3-01", "=", "1.2.3-1"}})
}

func TestJuliaRules(t *testing.T) {
	checkAscending(t, "Julia", "1.0.0- 1.0.0-0 1.0.0-alpha 1.0.0rc1 1.0.0rc1+2 1.0.0 1.0.0+0 1.0.0+1 1.0.0+10 1.0.0+a 1.0.0+ 1.0.1")
	checkFacts(t, "Julia", []fact{
		{"v1", "=", "1.0.0"},
		{"1.0rc1", "=", "1.0.0-rc1"},
		{"6.9.12+4", ">", "6.9.12+3"}, // real builds of one release
		{"01.0.0-01", "=", "1.0.0-1"},
		{"1.0.0-+1", "?", "1.0.0"},
		{"1.0.0.0", "?", "1.0.0"},
		{"1.0.0_1", "?", "1.0.0"},
	})
}

func TestKernelRules(t *testing.T) {
	checkAscending(t, "Linux", "2.6.12-rc2 2.6.12 2.6.32 2.6.32.71 6.6 6.6.1-rc1 6.6.1 6.7-rc1 6.7-rc2 6.7-rc9 6.7-rc10 6.7 6.7.1 6.7.10")
	checkFacts(t, "Linux", []fact{
		{"6.6", "=", "6.6.0"},
		{"v6.7-rc10", "=", "6.7.0-rc10"},
		{"6.6+", "=", "6.6"},
		{"6.6-", "?", "6.6"},
		{"6.6.x", "?", "6.6"},
		{"next-20240101", "?", "6.6"},
	})
}

func TestNuGetRules(t *testing.T) {
	checkAscending(t, "NuGet", "1.0.0--5 1.0.0-1 1.0.0-rc.2 1.0.0-rc.10 1.0.0-rc.011 1.0.0-RC.12 1.0.0-rc.2147483648 1.0.0 1.0.0.1-a 1.0.0.1 1.0.1")
	checkFacts(t, "NuGet", []fact{
		{"1.0", "=", "1.0.0.0"},
		{"1.0.0-BETA+x", "=", "1.0.0-beta"},
		{"1.0.0--0", "=", "1.0.0-0"},
		{"1.0.0-99999999999", "<", "1.0.0-a"},          // over 32 bits: text
		{"1.0.0-10000000000", "<", "1.0.0-9999999999"}, // and compared as text
		{"1.0.0-2147483647", "<", "1.0.0-10000000000"}, // a number is below text
		{"1.0.0-a-b", ">", "1.0.0-a"},
		{"1.0.0-_", "?", "1.0.0"},
		{"1.2.3.4.5", "?", "1.0.0"},
		{"99999999999.0", ">", "99999999998"},
	})
}

func TestIntListRules(t *testing.T) {
	checkAscending(t, "CRAN", "0.75 0.75.0 0.75-1 0.80 1.0 1.0.0 1.0-1 1.10")
	checkFacts(t, "CRAN", []fact{
		{"0.9", "<", "0.75"},
		{"0.01.0", "=", "0.1-0"},
		{"1.0", "<", "1.0.0"}, // compareVersion; package_version would say equal
		{"1.0_1", "?", "1.0"},
		{"1.0.", "?", "1.0"},
		{"1.0-rc1", "?", "1.0"},
	})
	checkFacts(t, "Bioconductor", []fact{{"1.2.3", "<", "1.10.0"}})
	checkAscending(t, "Hackage", "0.1 0.1.0 0.1.0.0 0.1.1 0.10")
	checkFacts(t, "Hackage", []fact{{"1.0-1", "?", "1.0"}})
	checkAscending(t, "GHC", "9.4.7 9.10.0.20240413 9.10.1")
}

func TestCPERules(t *testing.T) {
	checkAscending(t, "CPE", "1.0-alpha 1.0-alpha2 1.0-beta 1.0-rc 1.0-rc1 1.0-rc9 1.0-rc10 1.0 1.0.1-beta 1.0.1 1.0.1a 1.0.1b 1.0.1.1 1.0.2 1.1 1.10")
	checkAscending(t, "CPE", "1.8.0 1.8.0-update5 1.8.0-update151 1.8.0-update151-b12 1.8.1")
	checkAscending(t, "CPE", `15.2\(6\)e2a 15.2\(7\)e 15.2\(7\)e3 15.2\(7\)e10 15.3`)
	checkAscending(t, "CPE", "20.4 20.4-r1 20.4-r1-s2 20.4-r1-s10 20.4-r2 21.1")
	checkAscending(t, "CPE", "9.1.16 9.1.16-h3 9.1.16-h10 9.1.17")
	checkAscending(t, "CPE", "2.0.0-m1 2.0.0 2.0.0-p1 2.0.0-sp1")
	checkFacts(t, "CPE", []fact{
		{"1.0", "=", "1.0.0"},
		{"1.0-rc1", "=", "1.0.0.rc.1"},
		{`1.0\-rc1`, "=", "1.0-RC1"},
		{"v1.2", "=", "1.2"},
		{"4.2.0.Final", "=", "4.2"},
		{"7.0.8-9", "<", "7.0.8-11"},
		{"7.0.8", "<", "7.0.8-11"}, // ImageMagick's patch number, not SemVer's pre-release
		{"1.21.0-0", "=", "1.21.0"},
		{"2022-09", "<", "2022-09-15"},
		{"2.8.0.beta9", "<", "2.8.0.beta10"},
		{"1.0~git1", "<", "1.0"},
		{"9.4.0.m1", "<", "9.4"},
		{"1.0a.1", "=", "1.0.0a.1"},
		{"1.2.3+build5", "=", "1.2.3"},
		{"15.4(3)m5", "<", "15.4(3)m10"},
		{"15.4(3)m5", ">", "15.4(3)"},
		{"99999999999999999999", ">", "99999999999999999998"},
		{"*", "?", "1"},
		{"-", "?", "1"},
		{"n/a", "<", "1"},
	})
}

// TestEveryEcosystemOrders holds that every ecosystem of the table has a rule
// that orders plain versions.
func TestEveryEcosystemOrders(t *testing.T) {
	for ecosystem := range schemes {
		checkFacts(t, ecosystem, []fact{{"1.2.3", "<", "1.10.0"}, {"1.10.0", "<", "2.0.0"}, {"1.2.3", "=", "1.2.3"}})
	}
}
