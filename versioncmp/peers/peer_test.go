package peers

import (
	"strings"
	"testing"

	depsdev "deps.dev/util/semver"
	masterminds "github.com/Masterminds/semver/v3"
	"github.com/advdb/advdb/versioncmp"
	gem "github.com/aquasecurity/go-gem-version"
	npm "github.com/aquasecurity/go-npm-version/pkg"
	pep440 "github.com/aquasecurity/go-pep440-version"
	"github.com/google/osv-scalibr/semantic"
	hashicorp "github.com/hashicorp/go-version"
	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"
	generic "github.com/knqyf263/go-version"
	mvn "github.com/masahiro331/go-mvn-version"
	"golang.org/x/mod/semver"
)

// A peer is a library's rule for one ecosystem.
type peer struct {
	name   string
	module string // the module's path
	lazy   bool   // parse only cuts or checks, and each compare reads both versions

	// relation answers "<", "=" or ">", and "?" where it takes one of the
	// two for invalid.
	relation func(a, b string) string

	// parse and compare time one call an iteration; compare is given
	// versions that are parsed before the clock starts.
	parse   func(b *testing.B, versions []string)
	compare func(b *testing.B, pairs []pair)
}

// A pair is two versions to be compared.
type pair struct{ a, b string }

// newPeer makes a peer of a library's two functions.
func newPeer[V any](name, module string, parse func(string) (V, error), compare func(v, w V) int) peer {
	return peer{
		name:   name,
		module: module,
		relation: func(a, b string) string {
			v, err := parse(a)
			if err != nil {
				return "?"
			}
			w, err := parse(b)
			if err != nil {
				return "?"
			}
			return sign(compare(v, w))
		},
		parse: func(b *testing.B, versions []string) {
			i := 0
			for b.Loop() {
				if _, err := parse(versions[i]); err != nil {
					b.Fatalf("%s: %v", versions[i], err)
				}
				if i++; i == len(versions) {
					i = 0
				}
			}
		},
		compare: func(b *testing.B, pairs []pair) {
			parsed := make([][2]V, len(pairs))
			for i, p := range pairs {
				v, err := parse(p.a)
				if err != nil {
					b.Fatalf("%s: %v", p.a, err)
				}
				w, err := parse(p.b)
				if err != nil {
					b.Fatalf("%s: %v", p.b, err)
				}
				parsed[i] = [2]V{v, w}
			}
			i := 0
			for b.Loop() {
				compare(parsed[i][0], parsed[i][1])
				if i++; i == len(parsed) {
					i = 0
				}
			}
		},
	}
}

func sign(c int) string {
	switch {
	case c < 0:
		return "<"
	case c > 0:
		return ">"
	}
	return "="
}

// advdb is the rule that all others are held against.
func advdb(ecosystem string) peer {
	s := versioncmp.For(ecosystem)
	return newPeer("advdb", "github.com/advdb/advdb", s.Parse, versioncmp.Version.Compare)
}

func scalibr(ecosystem string) peer {
	p := newPeer("osv-scalibr", "github.com/google/osv-scalibr",
		func(s string) (semantic.Version, error) { return semantic.Parse(s, ecosystem) },
		func(v, w semantic.Version) int {
			c, err := v.Compare(w)
			if err != nil {
				panic(err) // of two ecosystems
			}
			return c
		})
	p.lazy = ecosystem == "Debian" || ecosystem == "Red Hat"
	return p
}

func depsDev(system depsdev.System) peer {
	return newPeer("deps.dev", "deps.dev/util/semver", system.Parse, (*depsdev.Version).Compare)
}

// lazily marks a peer as lazy.
func lazily(p peer) peer {
	p.lazy = true
	return p
}

// xmod is golang.org/x/mod/semver, which wants a leading v and has no parsed
// form: parsing is a check, and each comparison parses.
func xmod() peer {
	return lazily(newPeer("x/mod", "golang.org/x/mod", func(s string) (string, error) {
		if !strings.HasPrefix(s, "v") {
			s = "v" + s
		}
		if !semver.IsValid(s) {
			return "", semantic.ErrInvalidVersion
		}
		return s, nil
	}, semver.Compare))
}

var (
	strictMasterminds = newPeer("Masterminds", "github.com/Masterminds/semver/v3", masterminds.StrictNewVersion, (*masterminds.Version).Compare)
	goHashicorp       = newPeer("hashicorp", "github.com/hashicorp/go-version", hashicorp.NewSemver, (*hashicorp.Version).Compare)
	goGeneric         = newPeer("knqyf263/go-version", "github.com/knqyf263/go-version", generic.NewSemver, (*generic.Version).Compare)

	goAPK = lazily(newPeer("go-apk-version", "github.com/knqyf263/go-apk-version", apk.NewVersion, apk.Version.Compare))
	goDeb = lazily(newPeer("go-deb-version", "github.com/knqyf263/go-deb-version", deb.NewVersion,
		func(v, w deb.Version) int { return v.Compare(w) }))
	goRPM = lazily(newPeer("go-rpm-version", "github.com/knqyf263/go-rpm-version",
		func(s string) (rpm.Version, error) { return rpm.NewVersion(s), nil }, rpm.Version.Compare))

	goGem    = newPeer("go-gem-version", "github.com/aquasecurity/go-gem-version", gem.NewVersion, gem.Version.Compare)
	goMvn    = newPeer("go-mvn-version", "github.com/masahiro331/go-mvn-version", mvn.NewVersion, mvn.Version.Compare)
	goNPM    = newPeer("go-npm-version", "github.com/aquasecurity/go-npm-version", npm.NewVersion, npm.Version.Compare)
	goPEP440 = newPeer("go-pep440-version", "github.com/aquasecurity/go-pep440-version", pep440.Parse, pep440.Version.Compare)
)

// peersOf are the libraries that know an ecosystem's rule, or that are used
// as if they did.
var peersOf = map[string][]peer{
	"Alpine":       {scalibr("Alpine"), goAPK},
	"Bioconductor": {scalibr("Bioconductor")},
	"CRAN":         {scalibr("CRAN")},
	"ConanCenter":  {scalibr("ConanCenter")},
	"Debian":       {scalibr("Debian"), goDeb},
	"GHC":          {scalibr("GHC")},
	"Go":           {scalibr("Go"), depsDev(depsdev.Go), xmod()},
	"Hackage":      {scalibr("Hackage")},
	"Julia":        {scalibr("Julia")},
	"Maven":        {scalibr("Maven"), depsDev(depsdev.Maven), goMvn},
	"NuGet":        {scalibr("NuGet"), depsDev(depsdev.NuGet)},
	"Packagist":    {scalibr("Packagist"), depsDev(depsdev.Composer)},
	"Pub":          {scalibr("Pub")},
	"PyPI":         {scalibr("PyPI"), depsDev(depsdev.PyPI), goPEP440},
	"Red Hat":      {scalibr("Red Hat"), goRPM},
	"RubyGems":     {scalibr("RubyGems"), depsDev(depsdev.RubyGems), goGem},
	"crates.io":    {scalibr("crates.io"), depsDev(depsdev.Cargo), xmod(), strictMasterminds},
	"npm":          {scalibr("npm"), depsDev(depsdev.NPM), goNPM, goHashicorp, goGeneric},
}
