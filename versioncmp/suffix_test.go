package versioncmp

import "testing"

func TestSuffixNamesTheRule(t *testing.T) {
	for ecosystem, want := range map[string]*Scheme{
		"Docker Hardened Images:Alpine:v3.22":     apkScheme,
		"Docker Hardened Images:Debian:trixie":    debianScheme,
		"TuxCare:AlmaLinux:9":                     rpmScheme,
		"TuxCare:Ubuntu:22.04:LTS":                debianScheme,
		"TuxCare:npm":                             npmScheme,
		"TuxCare:Maven":                           mavenScheme,
		"Echo":                                    debianScheme,
		"Echo:PyPI":                               pypiScheme,
		"Echo:maven":                              mavenScheme,
		"Echo:npm":                                echoNPMScheme,
		"Root:Alpine:3.18":                        rootSchemes["alpine"],
		"Root:Ubuntu:22.04":                       rootSchemes["ubuntu"],
		"Root:PyPI":                               rootSchemes["pypi"],
		"FreeBSD:ports":                           freeBSDScheme,
		"FreeBSD:base:14.3":                       freeBSDScheme,
		"Maven:https://repo.example:8443/m2":      mavenScheme,
		"Packagist:https://packages.drupal.org/8": packagistScheme,
		"Arch Linux:rolling":                      archScheme,

		"Docker Hardened Images":                        tagScheme,
		"Docker Hardened Images:":                       tagScheme,
		"Docker Hardened Images:Docker Hardened Images": nil,
		"TuxCare":             nil,
		"TuxCare:TuxCare:npm": nil,
		"TuxCare:Root:npm":    nil,
		"TuxCare:Nothing":     nil,
		"Root":                nil,
		"Root:Nothing":        nil,
		"Android":             nil,
		"Android:12L":         nil,
		"OSS-Fuzz":            nil,
		"GIT":                 nil,
		"":                    nil,
		":npm":                nil,
	} {
		if got := For(ecosystem); got != want {
			t.Errorf("%s: got scheme %v, want %v", ecosystem, got, want)
		}
	}
}

func TestRootPatchIsComparedLast(t *testing.T) {
	// To dpkg alone the first pair is the other way around: "." is above "+".
	checkVerdicts(t, For("Root:Debian:12"),
		"22.12.0-2.root.io.1 < 22.12.0-2+deb12u1.root.io.5",
		"2.9.14+dfsg-1.3~deb12u1 < 2.9.14+dfsg-1.3~deb12u1.root.io.3 < 2.9.14+dfsg-1.3~deb12u1.root.io.10 < 2.9.14+dfsg-1.3~deb12u2",
		"1.18.0-6+deb11u3-r20071 < 1.18.0-6+deb11u3-r20072",
	)
	checkVerdicts(t, For("Root:Ubuntu:22.04"), "1:4.8.1-2ubuntu2.2 < 1:4.8.1-2ubuntu2.2.root.io.2 < 1:4.8.1-2ubuntu2.3")
	checkVerdicts(t, For("Root:Alpine:3.17"), "1.6.17-r0 < 1.6.17-r1 < 1.6.17-r00071 < 1.6.17-r20072")
	checkVerdicts(t, For("Root:PyPI"), "1.0.0rc1 < 1.0.0 < 1.0.0+root.io.1 < 1.0.0+root.io.5 < 1.0.0.post1", "1.0+root.io.2 < 1.0+cu118.root.io.1")
	checkVerdicts(t, For("Root:npm"), "1.0.0 < 1.0.0.root.io.1 < 1.0.0.root.io.5 < 1.0.1", "1.0.0-rc.1.root.io.9 < 1.0.0")
	checkVerdicts(t, For("Root:Maven"), "1.0-SNAPSHOT < 1.0 < 1.0.root.io.1 < 1.0.root.io.2 < 1.0.1")
	checkRefused(t, For("Root:npm"), "", "root.io.1", ".root.io.1", "x.root.io.1")
}

func TestEchoBuildIsComparedLast(t *testing.T) {
	checkVerdicts(t, For("Echo:npm"),
		"1.2.3-rc.1 < 1.2.3 < 1.2.3+echo.1 < 1.2.3+echo.2 < 1.2.3+echo.10 < 1.2.4", "1.2.3+other = 1.2.3")
	checkVerdicts(t, For("Echo:PyPI"), "1.2.3 < 1.2.3+echo.1 < 1.2.3+echo.2 < 1.2.4")
	checkVerdicts(t, For("Echo"), "1.2-1 < 1.2-1+e1 < 1.2-2")
}

func FuzzRoot(f *testing.F) {
	fuzzPromises(f, rootSchemes["debian"], "1.0-1.root.io.1", "1.0-1+root.io.02", "1.0", ".root.io.1", "1.root.io.")
}
