package versioncmp

import "strings"

// delegated is the rule of the ecosystems that repackage those of others and
// keep their versions: the suffix is an ecosystem, with its own suffix, as in
// "Docker Hardened Images:Alpine:v3.22" and "TuxCare:Ubuntu:22.04:LTS". Without
// one there is no order.
func delegated(suffix string) *Scheme {
	name, _, _ := strings.Cut(suffix, ":")
	return schemes[name]
}

// hardened is the rule of Docker Hardened Images: that of the system named by
// the suffix, and the SemVer of its own advisories, which have none.
func hardened(suffix string) *Scheme {
	if suffix == "" {
		return tagScheme
	}
	return delegated(suffix)
}

// echo is the rule of Echo: Python, Java and JavaScript packages under their
// own rules, all else as Debian.
func echo(suffix string) *Scheme {
	switch strings.ToLower(suffix) {
	case "pypi":
		return pypiScheme
	case "maven":
		return mavenScheme
	case "npm":
		return echoNPMScheme
	}
	return debianScheme
}

// echoNPMScheme is npm's order with Echo's build number, which npm ignores as
// metadata, compared last: 1.2.3 < 1.2.3+echo.1 < 1.2.3+echo.2.
var echoNPMScheme = patchedScheme("echo npm", npmScheme, func(version string) (base, patch string) {
	_, after, ok := strings.Cut(version, "+echo.")
	if !ok {
		return version, ""
	}
	return version, digitsFrom(after, 0)
})

// root is the rule of Root: the suffix names the ecosystem whose rule it is,
// and Root's own patch number, .root.io.N or +root.io.N at the end, is stripped
// and compared last. Alpine packages carry it in -rN, where apk orders it.
func root(suffix string) *Scheme {
	name, _, _ := strings.Cut(suffix, ":")
	return rootSchemes[strings.ToLower(name)]
}

var rootSchemes = map[string]*Scheme{
	"alpine": patchedScheme("root apk", apkScheme, cutRootPatch),
	"debian": patchedScheme("root debian", debianScheme, cutRootPatch),
	"ubuntu": patchedScheme("root debian", debianScheme, cutRootPatch),
	"pypi":   patchedScheme("root pep440", pypiScheme, cutRootPatch),
	"python": patchedScheme("root pep440", pypiScheme, cutRootPatch),
	"npm":    patchedScheme("root npm", npmScheme, cutRootPatch),
	"maven":  patchedScheme("root maven", mavenScheme, cutRootPatch),
}

// cutRootPatch cuts Root's patch number off a version.
func cutRootPatch(version string) (base, patch string) {
	const mark = "root.io."
	i := strings.LastIndex(version, mark)
	if i < 2 || version[i-1] != '.' && version[i-1] != '+' {
		return version, ""
	}
	patch = version[i+len(mark):]
	if patch == "" || len(digitsFrom(patch, 0)) != len(patch) {
		return version, ""
	}
	return version[:i-1], patch
}

// patchedScheme makes a scheme that orders by the rule inner, and versions
// which that takes for equal by a patch number: cut returns the version for
// inner, and the digits of the number. Where inner is coarse, so is the scheme,
// and its keys are without the number.
func patchedScheme(name string, inner *Scheme, cut func(version string) (base, patch string)) *Scheme {
	s := &Scheme{Name: name}
	s.key = func(dst []byte, version string) ([]byte, error) {
		base, patch := cut(version)
		key, err := inner.key(dst, base)
		if err != nil || !inner.Exact() {
			return key, err
		}
		return appendNumber(key, patch), nil
	}
	if inner.Exact() {
		return s
	}
	s.compare = func(a, b string) int {
		baseA, patchA := cut(a)
		baseB, patchB := cut(b)
		if c := inner.compare(baseA, baseB); c != 0 {
			return c
		}
		return compareDigits(patchA, patchB)
	}
	return s
}
