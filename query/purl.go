package query

import (
	"errors"
	"fmt"
	"strings"

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

	// What more is known of a distribution's package; empty where it is not.

	Source        string // the source package of which Name is built
	SourceVersion string // where it is not Version
	Arch          string // as the purl says it
	Module        string // RPM module and stream, "postgresql:15"
	Slot          string // of Gentoo
	Repository    string // of which the package was installed, "kernel-livepatch"
}

// purlTypes gives the ecosystem of purl types that stand for one ecosystem.
var purlTypes = map[string]string{
	"bioconductor": "Bioconductor", "bitnami": "Bitnami", "brew": "Homebrew", "cargo": "crates.io", "composer": "Packagist",
	"conan": "ConanCenter", "cpan": "CPAN", "cran": "CRAN", "dhi": "Docker Hardened Images", "freebsd": "FreeBSD:ports", "gem": "RubyGems",
	"githubactions": "GitHub Actions", "golang": "Go", "hackage": "Hackage", "hex": "Hex", "julia": "Julia",
	"maven": "Maven", "npm": "npm", "nuget": "NuGet", "opam": "opam", "pub": "Pub", "pypi": "PyPI",
	"swift": "SwiftURL", "vcpkg": "vcpkg", "vscode": "VSCode", "vscode-extension": "VSCode",
}

// refusals say of purl types that many tools write why they cannot be asked.
var refusals = map[string]string{
	"bitbucket": "a repository, no package: ask by commit", "github": "a repository, no package: ask by commit",
	"gitlab": "a repository, no package: ask by commit",
	"docker": "an image, no package: scan its SBOM", "oci": "an image, no package: scan its SBOM",
	"generic": "it names no package system: ask by CPE", "rpmmod": "a module, no package: ask of its packages, with the qualifier rpmmod",
	"swid": "it names no package system: ask by CPE",
}

// ParsePurl reads a package URL as SBOM tools write them. Of qualifiers these
// count: distro (the release of a system; without it, what the version of the
// package says of that, else any release), distro_name, epoch, arch, upstream
// and sourcerpm (the source package), rpmmod and modularitylabel (the module
// stream), slot, repository. Errors wrap ErrPurl or ErrNoEcosystem.
//
// Source: the purl specification, purl-types; what syft, trivy and cdxgen write,
// with qualifiers of their own.
func ParsePurl(s string) (Question, error) {
	p, err := parsePurl(s)
	if err != nil {
		return Question{}, fmt.Errorf("%q: %w: %w", s, ErrPurl, err)
	}
	q := Question{Name: p.Name, Version: p.Version}
	switch p.Type {
	case "apk", "deb", "rpm", "alpm", "ebuild":
		if !q.ofSystem(p) {
			return q, fmt.Errorf("%q: %w for %s of %q", s, ErrNoEcosystem, p.Type, p.Namespace)
		}
		return q, nil
	}
	if q.Ecosystem = purlTypes[p.Type]; q.Ecosystem == "" {
		if why := refusals[p.Type]; why != "" {
			return q, fmt.Errorf("%q: %w for the type %q (%s)", s, ErrNoEcosystem, p.Type, why)
		}
		return q, fmt.Errorf("%q: %w for the type %q", s, ErrNoEcosystem, p.Type)
	}
	q.Name = packageName(p)
	if p.Type == "golang" {
		q.goVersion()
	}
	return q, nil
}

// asGeneric are types whose rules in packageurl-go are stricter than what is
// written (a Julia package without its UUID), or lose the case of names.
var asGeneric = map[string]bool{"cpan": true, "golang": true, "julia": true, "deb": true, "apk": true, "vscode-extension": true}

func parsePurl(s string) (packageurl.PackageURL, error) {
	typ, rest, ok := strings.Cut(strings.TrimLeft(strings.TrimPrefix(s, "pkg:"), "/"), "/")
	if typ = strings.ToLower(typ); !ok || !asGeneric[typ] || !strings.HasPrefix(s, "pkg:") {
		return packageurl.FromString(s)
	}
	p, err := packageurl.FromString("pkg:generic/" + rest)
	p.Type = typ
	return p, err
}

// packageName is the name that the ecosystem gives a package.
func packageName(p packageurl.PackageURL) string {
	switch p.Type {
	case "cpan": // the namespace is the author; a module's name was written once
		return strings.ReplaceAll(p.Name, "::", "-")
	case "conan": // the namespace is the vendor
		return p.Name
	case "maven":
		if p.Namespace != "" {
			return p.Namespace + ":" + p.Name
		}
		return p.Name
	}
	name := p.Name
	if p.Namespace != "" {
		name = p.Namespace + "/" + p.Name
	}
	if p.Type == "golang" {
		return goModule(name, p.Subpath)
	}
	return name
}

// goModule is the path of a module. A subpath that begins with a major version
// belongs to it; any other is of a package within it. The standard library and
// the tools have names of their own in Go's database.
func goModule(name, subpath string) string {
	switch name {
	case "std", "go", "golang":
		return "stdlib"
	case "cmd":
		return "toolchain"
	}
	first, _, _ := strings.Cut(strings.Trim(subpath, "/"), "/")
	if n, ok := strings.CutPrefix(first, "v"); ok && n != "" && strings.Trim(n, "0123456789") == "" && !strings.HasSuffix(name, "/"+first) {
		return name + "/" + first
	}
	return name
}

// goVersion turns the version of the standard library as the tools say it
// ("go1.21.0") into one.
func (q *Question) goVersion() {
	if q.Name == "stdlib" || q.Name == "toolchain" {
		q.Version = strings.TrimPrefix(q.Version, "go")
	}
}

// ofSystem reads the purl of an operating system's package; it reports whether
// the system is known.
func (q *Question) ofSystem(p packageurl.PackageURL) bool {
	has := p.Qualifiers.Map()
	namespace := strings.ToLower(p.Namespace)
	if p.Type == "ebuild" {
		if q.Name = p.Name; p.Namespace != "" && p.Namespace != "gentoo" {
			q.Name, namespace = p.Namespace+"/"+p.Name, "" // the category
		}
		q.Slot = has["slot"]
	}
	sys, ok := systems[p.Type+"/"+namespace]
	if !ok {
		return false
	}
	distro := has["distro"]
	if distro == "" {
		distro = has["distro_name"]
	}
	q.Ecosystem = sys.named(distro, q.Version)
	q.Arch, q.Repository = has["arch"], has["repository"]
	q.Module = moduleStream(has["rpmmod"])
	if q.Module == "" {
		q.Module = moduleStream(has["modularitylabel"])
	}
	q.source(p.Type, has)
	q.Version = withEpoch(q.Version, has["epoch"])
	q.SourceVersion = withEpoch(q.SourceVersion, has["epoch"])
	return true
}

// withEpoch puts the qualifier epoch before a version that has none of its own.
func withEpoch(version, epoch string) string {
	if version == "" || epoch == "" || epoch == "0" || strings.Contains(version, ":") {
		return version
	}
	return epoch + ":" + version
}

// moduleStream cuts "name:stream:version:context" down to "name:stream". Less
// than a stream says nothing.
func moduleStream(label string) string {
	f := strings.SplitN(label, ":", 3)
	if len(f) < 2 || f[0] == "" || f[1] == "" {
		return ""
	}
	return f[0] + ":" + f[1]
}

// source reads which source package a binary one is built of: "openssl",
// "openssl@1.1.1-1", or of an RPM "openssl-3.0.7-25.el9.src.rpm".
func (q *Question) source(purlType string, has map[string]string) {
	up := has["upstream"]
	if up == "" {
		up = has["sourcerpm"]
	}
	if up == "" {
		up = has["source_rpm"]
	}
	if nevr, ok := strings.CutSuffix(up, ".rpm"); ok && purlType == "rpm" {
		nevr = strings.TrimSuffix(strings.TrimSuffix(nevr, ".nosrc"), ".src")
		if r := strings.LastIndexByte(nevr, '-'); r > 0 {
			if v := strings.LastIndexByte(nevr[:r], '-'); v > 0 {
				q.Source, q.SourceVersion = nevr[:v], nevr[v+1:]
			}
		}
	} else {
		q.Source, q.SourceVersion, _ = strings.Cut(up, "@")
	}
	if q.Source == q.Name {
		q.Source = ""
	}
	if q.Source == "" || q.SourceVersion == q.Version {
		q.SourceVersion = ""
	}
}
