package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// distributions are the trackers and advisories of operating systems.
var distributions = []Source{
	{
		Name:    "almalinux",
		Home:    "https://errata.almalinux.org/",
		License: "MIT",
		Credit:  "AlmaLinux OS Foundation, https://github.com/AlmaLinux/osv-database",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/AlmaLinux/osv-database/archive/refs/heads/master.tar.gz",
			Selection{Strip: 1, Match: []string{"advisories/**/*.json"}}),
		Parse: normalize.AlmaLinux,
	},
	{
		Name:    "alpine",
		Home:    "https://security.alpinelinux.org/",
		License: "CC-BY-SA-4.0", // https://secdb.alpinelinux.org/license.txt
		Credit:  "Alpine Linux security team, https://secdb.alpinelinux.org/",
		Format:  "secdb",
		Every:   time.Hour,
		Version: 1,
		Fetch:   Index("https://secdb.alpinelinux.org/", "v*/main.json", "v*/community.json", "edge/main.json", "edge/community.json"),
		Parse:   normalize.SecDB("Alpine"),
	},
	{
		Name:    "debian",
		Home:    "https://security-tracker.debian.org/",
		License: "MIT OR GPL-2.0-or-later", // https://www.debian.org/license
		Credit:  "Debian security team, https://security-tracker.debian.org/",
		Format:  "debian",
		Every:   time.Hour,
		Version: 1,
		Fetch: Together(
			Files(map[string]string{
				"DSA/list": "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list",
				"DLA/list": "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list",
			}),
			Scoped("tracker.json", "https://security-tracker.debian.org/tracker/data/json", normalize.DebianEnded, debianReleases)),
		Parse: normalize.Debian,
	},
	{
		Name:    "oracle",
		Home:    "https://linux.oracle.com/security/",
		License: "NOASSERTION", // the feed says only "Copyright Oracle"
		Credit:  "Oracle, https://linux.oracle.com/security/oval/",
		Format:  "oval",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("com.oracle.elsa-all.xml", "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2"),
		Parse:   normalize.OracleOVAL,
	},
	{
		Name:    "redhat-vex",
		Home:    "https://access.redhat.com/security/data",
		License: "CC-BY-4.0",
		Credit:  "Red Hat Product Security, https://security.access.redhat.com/data/csaf/v2/vex/",
		Format:  "csaf-vex",
		Every:   time.Hour,
		Version: 1,
		Fetch:   CSAF("https://security.access.redhat.com/data/csaf/v2/vex/"),
		Parse:   normalize.RedHatVEX,
	},
	{
		Name:    "wolfi",
		Home:    "https://github.com/wolfi-dev/advisories",
		License: "NOASSERTION", // upstream was asked and has not said: wolfi-dev/wolfictl issue 680
		Credit:  "Wolfi, https://packages.wolfi.dev/os/security.json",
		Format:  "secdb",
		Every:   time.Hour,
		Version: 1,
		Fetch:   File("security.json", "https://packages.wolfi.dev/os/security.json"),
		Parse:   normalize.SecDB("Wolfi"),
	},
}
