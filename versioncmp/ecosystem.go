package versioncmp

import "strings"

// schemes maps each ecosystem, without its suffix, to its scheme. Names that
// osv-schema does not register (Amazon Linux, Oracle Linux and the like) have
// the form that the normalizers give them. Android, OSS-Fuzz and GIT have no
// order, and are not here: a patch level beside a release (12L, 13:2023-05-05),
// tags and commits only have equality.
var schemes = map[string]*Scheme{
	// Distributions: dpkg.
	"Debian": debianScheme,
	"Ubuntu": debianScheme,

	// Distributions: rpm.
	"ALT Linux":    rpmScheme,
	"AlmaLinux":    rpmScheme,
	"Amazon Linux": rpmScheme,
	"Anolis OS":    rpmScheme,
	"Azure Linux":  rpmScheme,
	"Bottlerocket": rpmScheme,
	"CentOS":       rpmScheme,
	"EPEL":         rpmScheme,
	"Fedora":       rpmScheme,
	"Mageia":       rpmScheme,
	"Oracle Linux": rpmScheme,
	"Photon OS":    rpmScheme,
	"Red Hat":      rpmScheme,
	"Rocky Linux":  rpmScheme,
	"SUSE":         rpmScheme,
	"openEuler":    rpmScheme,
	"openSUSE":     rpmScheme,

	// Distributions: apk.
	"Alpaquita":                    apkScheme,
	"Alpine":                       apkScheme,
	"BellSoft Hardened Containers": apkScheme,
	"Chainguard":                   apkScheme,
	"CleanStart":                   apkScheme,
	"MinimOS":                      apkScheme,
	"Wolfi":                        apkScheme,

	// Languages and tools: SemVer and what leans on it.
	"Bitnami":        tagScheme,
	"GitHub Actions": tagScheme,
	"Go":             goScheme,
	"Hex":            semverScheme,
	"Julia":          juliaScheme,
	"Kubernetes":     goScheme,
	"Linux":          kernelScheme,
	"Node.js":        semverScheme,
	"NuGet":          nugetScheme,
	"Pub":            pubScheme,
	"SwiftURL":       semverScheme,
	"VSCode":         tagScheme,
	"crates.io":      semverScheme,
	"npm":            npmScheme,

	// Languages: lists of numbers.
	"Bioconductor": cranScheme,
	"CRAN":         cranScheme,
	"GHC":          hackageScheme,
	"Hackage":      hackageScheme,

	// Distributions: rules of their own.
	"Arch":         archScheme,
	"Arch Linux":   archScheme,
	"FreeBSD":      freeBSDScheme,
	"Gentoo":       gentooScheme,
	"Gentoo Linux": gentooScheme,
	"NetBSD":       pkgsrcScheme,

	// Languages: rules of their own.
	"CPAN":        cpanScheme,
	"ConanCenter": conanScheme,
	"Maven":       mavenScheme,
	"Packagist":   packagistScheme,
	"PyPI":        pypiScheme,
	"Ruby":        rubyGemsScheme,
	"RubyGems":    rubyGemsScheme,

	// Languages: Debian's order without an epoch.
	"opam": opamScheme,
}

// bySuffix holds the ecosystems whose suffix names the rule: the function
// gets the suffix (empty where there is none) and returns nil for no order.
var bySuffix = map[string]func(suffix string) *Scheme{
	"Docker Hardened Images": hardened,
	"Echo":                   echo,
	"Root":                   root,
	"TuxCare":                delegated,
}

// For returns the scheme of an ecosystem, nil where it has no order. A suffix
// (everything from the first colon) is cut off, except where it names the
// rule.
func For(ecosystem string) *Scheme {
	name, suffix, _ := strings.Cut(ecosystem, ":")
	if f, ok := bySuffix[name]; ok {
		return f(suffix)
	}
	return schemes[name]
}
