package normalize

import "strings"

// PackageKey is the form of a package's name by which it is indexed and asked
// for: names that the ecosystem takes for equal have one key.
//
//   - PyPI: lower case, runs of "-", "_" and "." are one "-" (PEP 503).
//   - NuGet, Packagist, Hex, Pub, VSCode and GitHub Actions: lower case. Go
//     too: its paths count case, but the purl specification folds them, and no
//     two modules with advisories differ in case alone.
//   - SwiftURL: without scheme and ".git", lower case.
//   - all others: as written (npm has old names with capitals, Maven
//     coordinates count case).
func PackageKey(ecosystem, name string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "PyPI":
		return pep503(name)
	case "NuGet", "Packagist", "Hex", "Pub", "VSCode", "GitHub Actions", "Go":
		return strings.ToLower(name)
	case "SwiftURL":
		name = strings.ToLower(name)
		if _, rest, ok := strings.Cut(name, "://"); ok {
			name = rest
		}
		return strings.TrimSuffix(name, ".git")
	}
	return name
}

// pep503 normalizes a Python project's name (PEP 503).
func pep503(name string) string {
	clean := true
	for i := range len(name) {
		c := name[i]
		if c == '_' || c == '.' || 'A' <= c && c <= 'Z' || c == '-' && i > 0 && name[i-1] == '-' {
			clean = false
			break
		}
	}
	if clean {
		return name
	}
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			if len(b) == 0 || b[len(b)-1] != '-' {
				b = append(b, '-')
			}
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// DebianEcosystem returns the ecosystem of a Debian release by its codename,
// and whether the codename is known.
func DebianEcosystem(codename string) (string, bool) { return debianEcosystem(codename) }
