package normalize

import "strings"

// gladEcosystems gives each type of package of GLAD its OSV ecosystem.
var gladEcosystems = map[string]string{
	"cargo": "crates.io", "conan": "ConanCenter", "gem": "RubyGems", "go": "Go", "maven": "Maven", "npm": "npm",
	"nuget": "NuGet", "packagist": "Packagist", "pub": "Pub", "pypi": "PyPI", "swift": "SwiftURL",
}

// gladPackage returns the package of a slug without its type. Maven's
// "group/artifact" becomes "group:artifact"; Go's package path becomes the
// module's. An unknown type has no ecosystem.
func gladPackage(typ, name string) Package {
	p := Package{Ecosystem: gladEcosystems[typ], Name: name}
	switch typ {
	case "go":
		p.Name = goModule(name)
	case "maven":
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			p.Name = name[:i] + ":" + name[i+1:]
		}
	}
	return p
}

// goHosts are hosts of Go modules and the number of path elements that make
// up a repository there.
var goHosts = map[string]int{
	"bitbucket.org": 3, "code.cloudfoundry.org": 2, "gitee.com": 3, "github.com": 3, "gitlab.com": 3,
	"go.etcd.io": 2, "go.uber.org": 2, "golang.org": 3, "google.golang.org": 2, "gopkg.in": 2, "istio.io": 2,
	"k8s.io": 2, "knative.dev": 2, "sigs.k8s.io": 2,
}

// goModule reduces a package path to that of the module at the root of its
// repository, with the major version if the path has one. Modules in
// subdirectories are not told from packages: nothing in the file does. Paths
// of hosts that are not known stay whole.
func goModule(path string) string {
	host, _, _ := strings.Cut(path, "/")
	n, ok := goHosts[host]
	elems := strings.Split(path, "/")
	if !ok || len(elems) <= n {
		return path
	}
	if host == "gopkg.in" && !strings.Contains(elems[1], ".v") { // gopkg.in/user/pkg.v1
		n++
	}
	if len(elems) > n && isMajor(elems[n]) {
		n++
	}
	return strings.Join(elems[:min(n, len(elems))], "/")
}

// isMajor reports whether a path element is a major version suffix: v2 and
// above (https://go.dev/ref/mod#major-version-suffixes).
func isMajor(elem string) bool {
	return len(elem) > 1 && elem[0] == 'v' && isNumber(elem[1:]) && elem[1] != '0' && elem != "v1"
}
