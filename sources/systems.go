package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// systems are the trackers of further operating systems, and the dates on
// which releases reach their end of life.
var systems = []Source{
	{
		Name:    "alt",
		Home:    "https://errata.altlinux.org/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "BaseALT, https://rdb.altlinux.org/api/errata/export/oval/",
		Format:  "oval",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Branches("https://rdb.altlinux.org/api/errata/export/oval"),
		Parse:   normalize.ALTLinux,
	},
	{
		Name:    "arch",
		Home:    "https://security.archlinux.org/",
		License: "NOASSERTION", // the tracker's code is MIT; of its data it says nothing
		Credit:  "Arch Linux security team, https://security.archlinux.org/",
		Format:  "arch-avg",
		Every:   time.Hour,
		Version: 1,
		Fetch:   File("all.json", "https://security.archlinux.org/all.json"),
		Parse:   normalize.ArchAVG,
	},
	{
		Name:    "bellsoft",
		Home:    "https://docs.bell-sw.com/security/",
		License: "MIT", // LICENSE of the repository
		Credit:  "BellSoft, https://github.com/bell-sw/osv-database",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/bell-sw/osv-database/archive/refs/heads/master.tar.gz",
			Selection{Strip: 1, Match: []string{"BELL-*/**/*.json"}}),
		Parse: normalize.OSV,
	},
	{
		Name:    "cleanstart",
		Home:    "https://github.com/cleanstart-dev/cleanstart-security-advisories",
		License: "NOASSERTION", // the repository says nothing
		Credit:  "CleanStart, https://github.com/cleanstart-dev/cleanstart-security-advisories",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/cleanstart-dev/cleanstart-security-advisories/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"advisories/**/*.json"}}),
		Parse: normalize.CleanStart,
	},
	{
		Name:    "echo",
		Home:    "https://advisory.echohq.com/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "Echo, https://advisory.echohq.com/data.json",
		Format:  "echo",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("data.json", "https://advisory.echohq.com/data.json"),
		Parse:   normalize.Echo,
	},
	{
		Name:    "echo-osv",
		Home:    "https://advisory.echohq.com/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "Echo, https://advisory.echohq.com/osv/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Listed("https://advisory.echohq.com/osv/all.json", "https://advisory.echohq.com/osv/"),
		Parse:   normalize.OSV,
	},
	{
		Name:    "endoflife",
		Home:    "https://endoflife.date/",
		License: "MIT",
		Credit:  "endoflife.date contributors, https://github.com/endoflife-date/endoflife.date",
		Format:  "endoflife",
		Every:   24 * time.Hour,
		Enrich:  true,
		Version: 1,
		Fetch:   File("full.json", "https://endoflife.date/api/v1/products/full"),
		Parse:   normalize.EndOfLifeDates,
	},
	{
		Name:    "fedora",
		Home:    "https://bodhi.fedoraproject.org/",
		License: "NOASSERTION", // Bodhi says nothing of its data
		Credit:  "Fedora Project, https://bodhi.fedoraproject.org/",
		Format:  "bodhi",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Bodhi("https://bodhi.fedoraproject.org"),
		Parse:   normalize.Bodhi,
	},
	{
		Name:    "freebsd",
		Home:    "https://vuxml.freebsd.org/",
		License: "FreeBSD-DOC", // head of vuln.xml
		Credit:  "Copyright 2003-2026 Jacques Vidrine and contributors, https://vuxml.freebsd.org/",
		Format:  "vuxml",
		Every:   time.Hour,
		Version: 1,
		Fetch:   File("vuln.xml", "https://vuxml.freebsd.org/freebsd/vuln.xml.bz2"),
		Parse:   normalize.VuXML,
	},
	{
		Name:    "gentoo",
		Home:    "https://security.gentoo.org/glsa",
		License: "CC-BY-SA-2.5", // foot of each advisory
		Credit:  "Gentoo Foundation, https://security.gentoo.org/glsa",
		Format:  "glsa",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://anongit.gentoo.org/git/data/glsa.git/snapshot/glsa-master.tar.gz",
			Selection{Strip: 1, Match: []string{"glsa-*.xml"}}),
		Parse: normalize.GLSA,
	},
	{
		Name:    "mageia",
		Home:    "https://advisories.mageia.org/",
		License: "CC-BY-SA-4.0", // foot of each advisory
		Credit:  "Mageia, https://advisories.mageia.org/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Listed("https://advisories.mageia.org/vulns.json", "https://advisories.mageia.org/"),
		Parse:   normalize.Mageia,
	},
	{
		Name:    "minimos",
		Home:    "https://docs.minimus.io/",
		License: "NOASSERTION", // upstream was asked and has not said: anchore/grype pull 2627
		Credit:  "Minimus, https://packages.mini.dev/advisories/secdb/security.json",
		Format:  "secdb",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("security.json", "https://packages.mini.dev/advisories/secdb/security.json"),
		Parse:   normalize.SecDB("MinimOS"),
	},
	{
		Name:    "minimos-osv",
		Home:    "https://docs.minimus.io/",
		License: "NOASSERTION", // upstream was asked and has not said: anchore/grype pull 2627
		Credit:  "Minimus, https://packages.mini.dev/advisories/osv/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Listed("https://packages.mini.dev/advisories/osv/all.json", "https://packages.mini.dev/advisories/osv/"),
		Parse:   normalize.OSV,
	},
	{
		Name:    "netbsd",
		Home:    "https://www.pkgsrc.org/#security",
		License: "NOASSERTION", // the file says nothing
		Credit:  "pkgsrc security team, https://cdn.netbsd.org/pub/NetBSD/packages/vulns/",
		Format:  "pkg-vulnerabilities",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("pkg-vulnerabilities", "https://cdn.netbsd.org/pub/NetBSD/packages/vulns/pkg-vulnerabilities.gz"),
		Parse:   normalize.PkgVulnerabilities,
	},
	{
		Name:    "openeuler",
		Home:    "https://www.openeuler.org/en/security/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "openEuler security committee, https://repo.openeuler.org/security/data/osv/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Listed("https://repo.openeuler.org/security/data/osv/all.json", "https://repo.openeuler.org/security/data/osv/"),
		Parse:   normalize.OSV,
	},
	{
		Name:    "openeuler-vex",
		Home:    "https://www.openeuler.org/en/security/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "openEuler security committee, https://repo.openeuler.org/security/data/csaf/cve/",
		Format:  "csaf-vex",
		Every:   24 * time.Hour,
		Version: 1,
		Fetch:   CSAF("https://repo.openeuler.org/security/data/csaf/cve/"),
		Parse:   normalize.OpenEulerCSAF,
	},
	{
		Name:    "root",
		Home:    "https://root.io/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "Root.io, https://api.root.io/external/cve_feed",
		Format:  "root",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("cve_feed.json", "https://api.root.io/external/cve_feed"),
		Parse:   normalize.Root,
	},
	{
		Name:    "tuxcare",
		Home:    "https://tuxcare.com/",
		License: "NOASSERTION", // the repository says nothing
		Credit:  "TuxCare, https://github.com/cloudlinux/tuxcare-osv",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/cloudlinux/tuxcare-osv/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"**/*.json"}, Not: []string{".*/**"}}),
		Parse: normalize.OSV,
	},
}
