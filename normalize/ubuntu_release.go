package normalize

import "strings"

// ubuntuReleases are Ubuntu's releases by codename.
//
// Source: distro-info-data, ubuntu.csv.
var ubuntuReleases = map[string]string{
	"dapper": "6.06:LTS", "edgy": "6.10", "feisty": "7.04", "gutsy": "7.10", "hardy": "8.04:LTS", "intrepid": "8.10",
	"jaunty": "9.04", "karmic": "9.10", "lucid": "10.04:LTS", "maverick": "10.10", "natty": "11.04", "oneiric": "11.10",
	"precise": "12.04:LTS", "quantal": "12.10", "raring": "13.04", "saucy": "13.10", "trusty": "14.04:LTS",
	"utopic": "14.10", "vivid": "15.04", "wily": "15.10", "xenial": "16.04:LTS", "yakkety": "16.10", "zesty": "17.04",
	"artful": "17.10", "bionic": "18.04:LTS", "cosmic": "18.10", "disco": "19.04", "eoan": "19.10", "focal": "20.04:LTS",
	"groovy": "20.10", "hirsute": "21.04", "impish": "21.10", "jammy": "22.04:LTS", "kinetic": "22.10", "lunar": "23.04",
	"mantic": "23.10", "noble": "24.04:LTS", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
	"resolute": "26.04:LTS",
}

// ubuntuVariants are the parts of Ubuntu that stand before a release, as its
// tracker and its purls name them, and what the ecosystem calls them.
var ubuntuVariants = map[string]string{
	"esm-infra": "Pro:", "esm-apps": "Pro:", "esm-infra-legacy": "Pro:", "fips": "Pro:FIPS:",
	"fips-updates": "Pro:FIPS-updates:", "fips-preview": "Pro:FIPS-preview:", "realtime": "Pro:Realtime:",
	"bluefield": "Nvidia-BlueField:",
}

// ubuntuDistro returns the ecosystem of a release as the tracker and Ubuntu's
// purls write it: "jammy", "trusty/esm", "esm-infra/xenial", "fips/bionic". It
// reports false for what is no release of its own (upstream, devel, snap) or
// none that is known (vivid/stable-phone-overlay, ros-esm/foxy/focal).
func ubuntuDistro(s string) (string, bool) {
	if release, ok := ubuntuReleases[s]; ok {
		return "Ubuntu:" + release, true
	}
	variant, name, ok := strings.Cut(s, "/")
	if name == "esm" {
		variant, name = "esm-infra", variant
	}
	prefix, known := ubuntuVariants[variant]
	release, dated := ubuntuReleases[name]
	return "Ubuntu:" + prefix + release, ok && known && dated
}
