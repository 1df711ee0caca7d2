package versioncmp

import "strings"

// goScheme is the order of golang.org/x/mod/semver (go.dev/ref/mod#versions),
// with or without the v, which OSV leaves out: pseudo-versions are
// pre-releases, "+incompatible" does not count, "1.21.0-0" is below every
// other pre-release of 1.21.0. Missing parts are 0.
//
// A toolchain's tag ("go1.21rc2", "go1.20.3") is read as govulncheck reads it
// ("1.21.0-rc.2"; golang.org/x/vuln, internal/semver.GoTagToSemver).
//
// Kubernetes uses it too: its packages are Go modules.
var goScheme = &Scheme{Name: "go", key: appendGo}

var goForm = semverForm{rule: "go", prefix: "v"}

func appendGo(dst []byte, version string) ([]byte, error) {
	if tag, ok := strings.CutPrefix(version, "go"); ok {
		return appendGoTag(dst, tag, version)
	}
	return goForm.append(dst, version)
}

// appendGoTag appends a toolchain's tag, given without its "go": numbers,
// then "rc" or "beta" and a number.
func appendGoTag(dst []byte, tag, version string) ([]byte, error) {
	v, rest := cutSemver(tag)
	word, digits := cutAlpha(rest)
	switch {
	case v.major == "" || v.hasZeros():
	case rest == "":
		return append(v.appendNumbers(dst), idRelease), nil
	case (word == "rc" || word == "beta") && isNumber(digits):
		dst = appendText(append(v.appendNumbers(dst), idText), word)
		dst = appendNumber(append(dst, idNumber), digits)
		return append(dst, idEnd), nil
	}
	return nil, invalid("go", version)
}
