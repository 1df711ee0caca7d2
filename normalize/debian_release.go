package normalize

import "strings"

// debianReleases gives each codename of Debian its version, which is the
// suffix of its OSV ecosystem. Source: distro-info-data, debian.csv.
var debianReleases = map[string]string{
	"buzz": "1.1", "rex": "1.2", "bo": "1.3", "hamm": "2.0", "slink": "2.1", "potato": "2.2",
	"woody": "3.0", "sarge": "3.1", "etch": "4.0", "lenny": "5.0", "squeeze": "6.0",
	"wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11",
	"bookworm": "12", "trixie": "13", "forky": "14", "duke": "15",
	"sid": "sid", "experimental": "experimental",
}

// debianEcosystem returns the ecosystem of a release, and whether its codename
// is known. An unknown one keeps its codename as the suffix, so that what
// upstream says of a release newer than this table is not lost.
func debianEcosystem(codename string) (string, bool) {
	if v, ok := debianReleases[codename]; ok {
		return "Debian:" + v, true
	}
	return "Debian:" + strings.ToLower(codename), false
}
