package query

import (
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// A naming says by which names the records of a system go.
type naming byte

const (
	byName   naming = iota // the package's own name, whatever it is
	bySource               // the source package
	byEither               // some feeds have source packages, some binary ones
)

// namings is keyed by ecosystem without its release. AlmaLinux, Oracle Linux,
// Amazon Linux, Bottlerocket and Arch Linux go by the (binary) package: what of
// a source package they do not list they did not fix, and it is not asked.
var namings = map[string]naming{
	"Debian": bySource, "Ubuntu": bySource, "Echo": bySource, "Root": bySource,
	"Alpine": bySource, "Wolfi": bySource, "Chainguard": bySource, "MinimOS": bySource, "CleanStart": bySource,
	"Alpaquita": bySource, "BellSoft Hardened Containers": bySource,
	"Fedora": bySource, "EPEL": bySource, "Mageia": bySource, "openEuler": bySource, "Azure Linux": byEither,
	"Rocky Linux": byEither, "Photon OS": byEither, "Red Hat": byEither, "SUSE": byEither, "openSUSE": byEither,
	"ALT Linux": byEither, "TuxCare": byEither,
}

// An asked is one name under which a package is looked up in an ecosystem.
type asked struct {
	name, version string
	via           string // what to say of it; empty for the name as it was asked
}

// names are those under which the question is to be asked in an ecosystem.
// The source package is the purl's, or what the records themselves say of
// binaries: then only where the name itself has no records.
func (q *Question) names(ecosystem string) []asked {
	own := asked{q.Name, q.Version, ""}
	base, _, _ := strings.Cut(ecosystem, ":")
	if q.Source == "" || namings[base] == byName {
		return []asked{own}
	}
	version := q.SourceVersion
	if version == "" {
		version = q.Version
	}
	source := asked{q.Source, version, "source package " + q.Source + " of " + q.Name}
	if namings[base] == bySource {
		return []asked{source}
	}
	return []asked{own, source}
}

// builtOf are the source packages of which the records say that the ecosystem
// builds the package.
func (q *Question) builtOf(db *store.DB, ecosystem string) ([]asked, error) {
	base, _, _ := strings.Cut(ecosystem, ":")
	if q.Source != "" || namings[base] == byName {
		return nil, nil
	}
	sources, err := db.SourcesOf(ecosystem, normalize.PackageKey(ecosystem, q.Name))
	if err != nil {
		return nil, err
	}
	var list []asked
	for _, s := range sources {
		list = append(list, asked{s, q.Version, "source package " + s + ", of which records list the binary " + q.Name})
	}
	return list, nil
}
