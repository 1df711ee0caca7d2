package versioncmp

import "strings"

// packagistScheme is the order of Composer packages: composer/semver,
// VersionParser::normalize (3.4) of both versions, and PHP's version_compare of
// what that makes of them. So v1.0 = 1.0.0.0, 1.0-b2 = 1.0.0.0-beta2, build
// metadata and @stability do not count, dates are versions, and 1.x-dev is
// 1.9999999.9999999.9999999-dev.
//
// A branch (dev-master; master, trunk and default are written without dev-)
// has no place in the order: Composer's Constraint matches it only by equality,
// see [Version.Ordered]. Where an order is asked for all the same, it is below
// every version, as to version_compare.
//
// Numbers are of any length; PHP's saturate at 2^63-1.
var packagistScheme = &Scheme{Name: "composer", key: appendPackagistKey}

// Tags of what comes next, least first: the special forms of version_compare,
// with the end as its "#". A word that is none of them is below all.
const (
	packagistBranch = 1
	packagistWord   = 2 // only "stable", where it is not all in lower case
	packagistDev    = 3
	packagistAlpha  = 4
	packagistBeta   = 5
	packagistRC     = 6
	packagistEnd    = 7
	packagistNumber = 8
	packagistPatch  = 9
)

func appendPackagistKey(dst []byte, version string) ([]byte, error) {
	s := strings.Trim(version, " \t\n\r\x00\v")
	s = trimComposerFlag(trimComposerAlias(s))
	if branch, ok := composerBranch(s); ok {
		if strings.IndexByte(branch, 0) >= 0 {
			return nil, invalid("Composer", version)
		}
		return appendText(append(dst, packagistBranch), branch), nil
	}
	s = trimComposerBuild(s)
	for _, form := range composerForms {
		if key, ok := form(dst, s); ok {
			return key, nil
		}
	}
	return nil, invalid("Composer", version)
}

// composerForms are the forms of a version in the order in which normalize
// tries them. Each appends the key of s, and is not ok where s has another form.
var composerForms = [...]func(dst []byte, s string) ([]byte, bool){
	appendComposerClassical, appendComposerDate, appendComposerNumericBranch,
}

// trimComposerAlias returns the version of "version as alias".
func trimComposerAlias(s string) string {
	i := composerToken(s)
	rest := strings.TrimLeft(s[i:], " ")
	if i == 0 || len(rest) == len(s)-i || !strings.HasPrefix(rest, "as ") {
		return s
	}
	if alias := strings.TrimLeft(rest[2:], " "); alias == "" || composerToken(alias) != len(alias) {
		return s
	}
	return s[:i]
}

// composerToken returns the length of the beginning of s without a comma or
// white space.
func composerToken(s string) int {
	i := 0
	for i < len(s) && s[i] != ',' && !isSpaceASCII(s[i]) {
		i++
	}
	return i
}

// trimComposerFlag removes a stability flag such as @beta.
func trimComposerFlag(s string) string {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s
	}
	for _, name := range [...]string{"stable", "rc", "beta", "alpha", "dev"} {
		if len(s)-i-1 == len(name) && hasFold(s, i+1, name) {
			return s[:i]
		}
	}
	return s
}

// composerBranch returns the name of a branch that is not a number.
func composerBranch(s string) (name string, ok bool) {
	switch {
	case s == "master", s == "trunk", s == "default":
		return s, true
	case hasFold(s, 0, "dev-"):
		return s[len("dev-"):], true
	}
	return "", false
}

// trimComposerBuild removes build metadata.
func trimComposerBuild(s string) string {
	i := composerToken(s)
	if i != len(s) {
		return s
	}
	if j := strings.IndexByte(s, '+'); j > 0 && j < len(s)-1 {
		return s[:j]
	}
	return s
}
