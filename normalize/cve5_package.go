package normalize

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// A registry is how a collection or a type of package URL names packages.
type registry struct {
	ecosystem string
	separator string // between a package URL's namespace and its name
}

// purlRegistries are the types of package URL that stand for one ecosystem of
// OSV. Go is not among them where it comes from a CNA: they name packages,
// not modules.
var purlRegistries = map[string]registry{
	"cargo": {"crates.io", "/"}, "composer": {"Packagist", "/"}, "cran": {"CRAN", "/"}, "gem": {"RubyGems", "/"},
	"hackage": {"Hackage", "/"}, "hex": {"Hex", "/"}, "julia": {"Julia", "/"}, "maven": {"Maven", ":"}, "npm": {"npm", "/"},
	"nuget": {"NuGet", "/"}, "opam": {"opam", "/"}, "pub": {"Pub", "/"}, "pypi": {"PyPI", "/"}, "swift": {"SwiftURL", "/"},
}

// collections are the values of collectionURL, without scheme, "www." and a
// slash at the end, that are the registry of an ecosystem.
var collections = map[string]string{
	"crates.io": "crates.io", "hex.pm": "Hex", "npmjs.com": "npm", "npmjs.com/package": "npm", "npmjs.org": "npm",
	"nuget.org": "NuGet", "nuget.org/packages": "NuGet", "packagist.org": "Packagist", "pub.dev": "Pub",
	"pypi.org": "PyPI", "pypi.org/project": "PyPI", "pypi.org/project/pip": "PyPI", "pypi.python.org": "PyPI",
	"registry.npmjs.org": "npm", "repo.hex.pm": "Hex", "repo.maven.apache.org/maven2": "Maven", "repo1.maven.org/maven2": "Maven",
	"rubygems.org": "RubyGems",
}

// pkg returns the package that the product says it is. It reports false where
// it says no more than a vendor's and a product's name, or where what it says
// has not the form of a name there.
func (p *cveProduct) pkg() (Package, bool) {
	if p.isLinux() {
		return Package{Ecosystem: "Linux", Name: "Kernel"}, true
	}
	if u, err := packageurl.FromString(p.PackageURL); err == nil && p.PackageURL != "" {
		r, ok := purlRegistries[u.Type]
		name := u.Name
		if u.Namespace != "" {
			name = u.Namespace + r.separator + u.Name
		}
		u.Version, u.Qualifiers, u.Subpath = "", nil, ""
		return Package{Ecosystem: r.ecosystem, Name: name, Purl: u.ToString()}, ok
	}
	_, address, _ := strings.Cut(p.CollectionURL, "://")
	ecosystem, ok := collections[strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(address), "www."), "/")]
	if !ok || p.PackageName == "" || strings.ContainsAny(p.PackageName, " ,") {
		return Package{}, false
	}
	if ecosystem == "Maven" && strings.Count(p.PackageName, ":") != 1 {
		return Package{}, false
	}
	return Package{Ecosystem: ecosystem, Name: p.PackageName}, true
}
