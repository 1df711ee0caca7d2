package normalize

import "strings"

// registeredEcosystems are those of the OSV schema 1.9.0
// (validation/schema.json, $defs/ecosystemWithSuffix), "GIT" among them.
var registeredEcosystems = nameSet(
	"AlmaLinux", "Alpaquita", "Alpine", "Android", "Azure Linux", "BellSoft Hardened Containers",
	"Bioconductor", "Bitnami", "Chainguard", "CleanStart", "ConanCenter", "CRAN", "crates.io", "Debian",
	"Docker Hardened Images", "Echo", "FreeBSD", "GHC", "GIT", "GitHub Actions", "Go", "Hackage", "Hex",
	"Homebrew", "Julia", "Kubernetes", "Linux", "Mageia", "Maven", "MinimOS", "npm", "NuGet", "opam",
	"openEuler", "openSUSE", "OSS-Fuzz", "Packagist", "Photon OS", "Pub", "PyPI", "Red Hat", "Rocky Linux",
	"Root", "RubyGems", "SUSE", "SwiftURL", "TuxCare", "Ubuntu", "vcpkg", "VSCode", "Wolfi", "WordPress",
)

// privateEcosystems are advdb's names for systems that have feeds and are not
// registered: "Name:release". Their records fail the strict schema and are
// kept out of output that must pass it.
var privateEcosystems = nameSet(
	"ALT Linux", "Amazon Linux", "Anolis OS", "Arch Linux", "Bottlerocket", "CentOS", "CPAN", "EPEL", "Fedora",
	"Gentoo", "NetBSD", "Node.js", "Oracle Linux", "Ruby", "SecureOS",
)

// registeredPrefixes begin the IDs of databases that the OSV schema 1.9.0
// knows ($defs/prefix), each followed by a hyphen.
var registeredPrefixes = nameSet(
	"ASB-A", "PUB-A", "ALPINE", "ALSA", "ALBA", "ALEA", "AZL", "BELL", "BIT", "BREW", "CGA", "CLEANSTART", "CLSA",
	"CURL", "CVE", "DEBIAN", "DHI", "DRUPAL", "DSA", "DLA", "ELA", "DTSA", "ECHO", "EEF", "FreeBSD", "GHSA", "GO",
	"GSD", "HSEC", "JLSEC", "KUBE", "LBSEC", "LSN", "MAL", "MINI", "MGASA", "OESA", "OSEC", "OSV", "openSUSE-SU",
	"PHSA", "PSF", "PYSEC", "RHBA", "RHEA", "RHSA", "RLSA", "RXSA", "RSEC", "ROOT", "RUSTSEC", "SUSE-SU", "SUSE-RU",
	"SUSE-FU", "SUSE-OU", "UBUNTU", "USN", "V8", "VCPKG",
)

// privatePrefixes begin the IDs of databases that have feeds here and are not
// registered.
var privatePrefixes = nameSet(
	"ALAS", "ALAS2", "ALAS2023", "ALT", "ANSA", "ASA", "AVG", "BRSA", "CESA", "CEBA", "CEEA", "CHAINGUARD", "CPANSA",
	"ELBA", "ELEA", "ELSA", "FEDORA", "FEDORA-EPEL", "FOP", "GLAD", "GLSA", "GMS", "MINIMOS", "NETBSD", "NODE",
	"OPENEULER", "OVMSA", "PHOTON", "PKSA", "RUBYSEC", "SUSE-CVE", "VUXML", "WOLFI", "openEuler-SA",
)

func nameSet(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// IsRegistered reports whether OSV's schema knows the ecosystem, whatever its
// suffix (what follows the first colon).
func IsRegistered(ecosystem string) bool {
	name, suffix, ok := strings.Cut(ecosystem, ":")
	return registeredEcosystems[name] && (!ok || suffix != "")
}

// IsPrivate reports whether the ecosystem is one of advdb's own names.
func IsPrivate(ecosystem string) bool {
	name, suffix, ok := strings.Cut(ecosystem, ":")
	return privateEcosystems[name] && (!ok || suffix != "")
}

// HasRegisteredID reports whether OSV's schema knows the database of an ID.
func HasRegisteredID(id string) bool {
	return strings.HasPrefix(id, "x_") || hasPrefixOf(registeredPrefixes, id)
}

// hasPrivateID reports whether an ID is of a database that has a feed here.
// Amazon's are many: each of its repositories has a prefix (ALAS2KERNEL-5.15).
func hasPrivateID(id string) bool {
	return strings.HasPrefix(id, "ALAS") || hasPrefixOf(privatePrefixes, id)
}

// hasPrefixOf reports whether id is a prefix of the set, a hyphen and more.
func hasPrefixOf(set map[string]bool, id string) bool {
	for i := range len(id) {
		if id[i] == '-' && set[id[:i]] {
			return true
		}
	}
	return false
}

// Strict reports whether r's names are all ones that the OSV schema knows. A
// record that is not strict may still be without a [Finding]: private names
// are in order here, and only here.
func (r *Record) Strict() bool {
	if !HasRegisteredID(r.ID) {
		return false
	}
	for i := range r.Affected {
		p := &r.Affected[i].Package
		if !p.IsZero() && !IsRegistered(p.Ecosystem) {
			return false
		}
	}
	return true
}
