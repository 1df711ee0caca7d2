package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/advdb/advdb/normalize"
	packageurl "github.com/package-url/packageurl-go"
)

var (
	// ErrPurl says that a string is no package URL.
	ErrPurl = errors.New("invalid purl")
	// ErrNoEcosystem says that a purl's type or namespace has no ecosystem here.
	ErrNoEcosystem = errors.New("no ecosystem")
)

// A Question is one about a package.
type Question struct {
	// Ecosystem is an OSV ecosystem. Without its release ("Debian") it means
	// any release.
	Ecosystem string
	Name      string
	Version   string // empty: all records of the package
}

// purlTypes gives the ecosystem of purl types that stand for one ecosystem.
var purlTypes = map[string]string{
	"bioconductor": "Bioconductor", "bitnami": "Bitnami", "cargo": "crates.io", "composer": "Packagist", "conan": "ConanCenter",
	"cpan": "CPAN", "cran": "CRAN", "gem": "RubyGems", "githubactions": "GitHub Actions", "golang": "Go", "hackage": "Hackage",
	"hex": "Hex", "julia": "Julia", "maven": "Maven", "npm": "npm", "nuget": "NuGet", "opam": "opam", "pub": "Pub", "pypi": "PyPI",
	"swift": "SwiftURL",
}

// A purlSystem is what a namespace of an apk, deb or rpm purl stands for.
type purlSystem struct {
	ecosystem string
	// release turns the value of the qualifier distro, without the system's
	// name, into the suffix of the ecosystem; nil: there are no suffixes.
	release func(string) string
}

// purlSystems is keyed by purl type and namespace.
var purlSystems = map[string]purlSystem{
	"alpm/arch":       {"Arch Linux", nil},
	"apk/alpaquita":   {"Alpaquita", asWritten},
	"apk/alpine":      {"Alpine", alpineRelease},
	"apk/chainguard":  {"Chainguard", nil},
	"apk/minimos":     {"MinimOS", nil},
	"apk/wolfi":       {"Wolfi", nil},
	"deb/debian":      {"Debian", debianRelease},
	"deb/echo":        {"Echo", nil},
	"deb/ubuntu":      {"Ubuntu", ubuntuRelease},
	"rpm/almalinux":   {"AlmaLinux", major},
	"rpm/amazon":      {"Amazon Linux", amazonRelease},
	"rpm/amzn":        {"Amazon Linux", amazonRelease},
	"rpm/azurelinux":  {"Azure Linux", major},
	"rpm/fedora":      {"Fedora", major},
	"rpm/mageia":      {"Mageia", major},
	"rpm/mariner":     {"Azure Linux", major},
	"rpm/openeuler":   {"openEuler", asWritten},
	"rpm/opensuse":    {"openSUSE", leapRelease},
	"rpm/oracle":      {"Oracle Linux", major},
	"rpm/oraclelinux": {"Oracle Linux", major},
	"rpm/ol":          {"Oracle Linux", major},
	"rpm/photon":      {"Photon OS", asWritten},
	"rpm/redhat":      {"Red Hat", nil},
	"rpm/rocky":       {"Rocky Linux", major},
	"rpm/rocky-linux": {"Rocky Linux", major},
	"rpm/suse":        {"SUSE", asWritten},
}

func asWritten(release string) string { return release }

func major(release string) string {
	m, _, _ := strings.Cut(release, ".")
	return m
}

// alpineRelease turns 3.17, v3.17 and 3.17.2 into v3.17.
func alpineRelease(release string) string {
	if release == "edge" {
		return release
	}
	n := strings.SplitN(strings.TrimPrefix(release, "v"), ".", 3)
	return "v" + strings.Join(n[:min(2, len(n))], ".")
}

// amazonRelease turns 2018.03, as the first Amazon Linux called itself, into 1.
func amazonRelease(release string) string {
	if strings.Contains(release, ".") {
		return "1"
	}
	return release
}

// leapRelease turns 15.3 into "Leap 15.3", and knows Tumbleweed.
func leapRelease(release string) string {
	if release == "tumbleweed" {
		return "Tumbleweed"
	}
	return "Leap " + release
}

// debianRelease turns a codename, 11 and 11.7 into 11.
func debianRelease(release string) string {
	if e, ok := normalize.DebianEcosystem(release); ok {
		return strings.TrimPrefix(e, "Debian:")
	}
	return major(release)
}

// ubuntuRelease names 20.04 as OSV does: those of April of even years are LTS.
func ubuntuRelease(release string) string {
	if len(release) == 5 && strings.HasSuffix(release, ".04") && (release[1]-'0')%2 == 0 {
		return release + ":LTS"
	}
	return release
}

// ParsePurl reads a package URL. The qualifiers distro (the release of a
// system) and epoch count; a system's package without distro is asked of any
// release. Errors wrap ErrPurl or ErrNoEcosystem.
//
// Source: the purl specification, purl-types.
func ParsePurl(s string) (Question, error) {
	p, err := packageurl.FromString(s)
	if err != nil {
		return Question{}, fmt.Errorf("%q: %w: %w", s, ErrPurl, err)
	}
	q := Question{Name: p.Name, Version: p.Version}
	qualifiers := p.Qualifiers.Map()
	switch p.Type {
	case "apk", "deb", "rpm", "alpm":
		sys, ok := purlSystems[p.Type+"/"+strings.ToLower(p.Namespace)]
		if !ok {
			return q, fmt.Errorf("%q: %w for %s of %q", s, ErrNoEcosystem, p.Type, p.Namespace)
		}
		q.Ecosystem = sys.named(qualifiers["distro"])
		if e := qualifiers["epoch"]; e != "" && e != "0" && !strings.Contains(q.Version, ":") && q.Version != "" {
			q.Version = e + ":" + q.Version
		}
		return q, nil
	}
	q.Ecosystem = purlTypes[p.Type]
	if q.Ecosystem == "" {
		return q, fmt.Errorf("%q: %w for the type %q", s, ErrNoEcosystem, p.Type)
	}
	if p.Namespace != "" {
		q.Name = p.Namespace + nameSeparator(p.Type) + p.Name
	}
	return q, nil
}

// nameSeparator joins a purl's namespace and name.
func nameSeparator(purlType string) string {
	switch purlType {
	case "maven":
		return ":"
	case "cpan":
		return "::"
	}
	return "/"
}

// named adds the release in the qualifier distro to the ecosystem.
func (s purlSystem) named(distro string) string {
	if s.release == nil || distro == "" {
		return s.ecosystem
	}
	if i := strings.LastIndexByte(distro, '-'); i >= 0 && i+1 < len(distro) {
		distro = distro[i+1:]
	}
	return s.ecosystem + ":" + s.release(strings.ToLower(distro))
}
