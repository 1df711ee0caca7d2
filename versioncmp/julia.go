package versioncmp

import "strings"

// juliaScheme is the order of Julia's VersionNumber (base/version.jl): SemVer
// in which missing numbers are 0, a pre-release needs no hyphen ("1.0rc1"),
// and the build counts, none first. "1.0.0-" is below every pre-release of
// 1.0.0 and "1.0.0+" above every build.
var juliaScheme = &Scheme{Name: "julia", key: appendJulia}

// What may come in the place of the build, least first. The end is the empty
// list; a list without end stands above all.
const juliaTop = 4

func appendJulia(dst []byte, version string) ([]byte, error) {
	s := version
	if s != "" && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	v, rest := cutSemver(s)
	pre, build := cutBuild(rest)
	dst, ok := appendJuliaPre(v.appendNumbers(dst), pre, build == "")
	if v.major == "" || !ok {
		return nil, invalid("julia", version)
	}
	switch {
	case build == "":
		return append(dst, idEnd), nil
	case build == "+":
		return append(dst, juliaTop), nil
	}
	if dst, ok = appendIdentifiers(dst, build[1:], true); !ok {
		return nil, invalid("julia", version)
	}
	return dst, nil
}

// appendJuliaPre appends the pre-release, with its hyphen if it has one. A
// hyphen alone is one only if the version ends there.
func appendJuliaPre(dst []byte, pre string, last bool) ([]byte, bool) {
	switch {
	case pre == "":
		return append(dst, idRelease), true
	case pre == "-":
		return append(dst, idEnd), last
	case pre[0] == '-':
		return appendIdentifiers(dst, strings.TrimPrefix(pre, "-"), true)
	case isAlpha(pre[0]):
		return appendIdentifiers(dst, pre, true)
	}
	return dst, false
}
