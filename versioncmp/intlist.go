package versioncmp

// cranScheme is the order of R's compareVersion (utils): numbers separated by
// dots or hyphens, compared one by one, the longer list greater if all are
// equal, so that 1.0 < 1.0.0. That is what OSV does; R's operators on
// package_version pad with zeros instead.
//
// Lax: one number alone, and numbers over 32 bits, which R refuses, are
// compared exactly.
//
// Bioconductor uses it too: its versions are those of R packages, always
// x.y.z, for which OSV's choice of SemVer comes to the same.
var cranScheme = &Scheme{Name: "cran", key: func(dst []byte, version string) ([]byte, error) {
	return appendInts(dst, version, "cran", '-')
}}

// hackageScheme is the order of Haskell's Data.Version and the Package
// Versioning Policy: numbers separated by dots, the longer list greater if
// all are equal.
//
// GHC uses it too: its versions are PVP versions, those of candidates with
// four numbers (9.10.0.20240413), which SemVer, OSV's choice, refuses; for
// x.y.z the two come to the same.
var hackageScheme = &Scheme{Name: "hackage", key: func(dst []byte, version string) ([]byte, error) {
	return appendInts(dst, version, "hackage", '.')
}}

// What may come at each position, least first.
const (
	intEnd    = 1
	intNumber = 2
)

// appendInts appends the numbers of version, which dots or sep separate.
func appendInts(dst []byte, version, rule string, sep byte) ([]byte, error) {
	for s := version; ; s = s[1:] {
		var digits string
		digits, s = cutDigits(s)
		if digits == "" {
			return nil, invalid(rule, version)
		}
		dst = appendNumber(append(dst, intNumber), digits)
		if s == "" {
			return append(dst, intEnd), nil
		}
		if s[0] != '.' && s[0] != sep {
			return nil, invalid(rule, version)
		}
	}
}
