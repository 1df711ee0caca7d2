package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// All are the sources that advdb knows, in the order of their names.
var All = []Source{
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
		Name:    "bitnami",
		Home:    "https://github.com/bitnami/vulndb",
		License: "Apache-2.0",
		Credit:  "Bitnami Vulnerability Database, https://github.com/bitnami/vulndb",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/bitnami/vulndb/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"data/**/*.json"}}),
		Parse: normalize.OSV,
	},
	{
		Name:    "debian",
		Home:    "https://security-tracker.debian.org/",
		License: "MIT OR GPL-2.0-or-later", // https://www.debian.org/license
		Credit:  "Debian security team, https://security-tracker.debian.org/",
		Format:  "debian",
		Every:   time.Hour,
		Version: 1,
		Fetch: Files(map[string]string{
			"tracker.json": "https://security-tracker.debian.org/tracker/data/json",
			"DSA/list":     "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list",
			"DLA/list":     "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list",
		}),
		Parse: normalize.Debian,
	},
	{
		Name:    "epss",
		Home:    "https://www.first.org/epss/",
		License: "LicenseRef-FIRST-EPSS", // free to use, to be credited: https://www.first.org/epss/faq
		Credit:  "Jay Jacobs, Sasha Romanosky, Benjamin Edwards, Michael Roytman, Idris Adjerid (2021), Exploit Prediction Scoring System, https://www.first.org/epss/",
		Format:  "epss",
		Every:   6 * time.Hour,
		Enrich:  true,
		Version: 1,
		Fetch:   File("epss_scores-current.csv", "https://epss.cyentia.com/epss_scores-current.csv.gz"),
		Parse:   normalize.EPSS,
	},
	{
		Name:    "ghsa",
		Home:    "https://github.com/advisories",
		License: "CC-BY-4.0",
		Credit:  "GitHub Advisory Database, https://github.com/github/advisory-database",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/github/advisory-database/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"advisories/github-reviewed/**/*.json"}}),
		Parse: normalize.GHSA,
	},
	{
		Name:    "gitlab",
		Home:    "https://gitlab.com/gitlab-org/advisories-community",
		License: "MIT",
		Credit:  "GitLab B.V., https://gitlab.com/gitlab-org/advisories-community",
		Format:  "glad",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://gitlab.com/gitlab-org/advisories-community/-/archive/main/advisories-community-main.tar.gz",
			Selection{Strip: 1, Match: []string{"*/*/**/*.yml"}, Not: []string{".*/**"}}),
		Parse: normalize.GLAD,
	},
	{
		Name:    "go",
		Home:    "https://pkg.go.dev/vuln/",
		License: "CC-BY-4.0",
		Credit:  "Go Vulnerability Database, https://go.dev/security/vuln/database",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch:   Archive("", "https://vuln.go.dev/vulndb.zip", Selection{Match: []string{"ID/*.json"}}),
		Parse:   normalize.OSV,
	},
	{
		Name:    "kev",
		Home:    "https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
		License: "CC0-1.0",
		Credit:  "CISA Known Exploited Vulnerabilities Catalog",
		Format:  "kev",
		Every:   time.Hour,
		Enrich:  true,
		Version: 1,
		Fetch:   File("known_exploited_vulnerabilities.json", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"),
		Parse:   normalize.KEV,
	},
	{
		Name:    "malicious",
		Home:    "https://github.com/ossf/malicious-packages",
		License: "Apache-2.0",
		Credit:  "OpenSSF Malicious Packages, https://github.com/ossf/malicious-packages",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/ossf/malicious-packages/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"osv/malicious/**/*.json"}, Not: []string{"MAL-0000*"}}),
		Parse: normalize.OSV,
	},
	{
		Name:    "nvd",
		Home:    "https://nvd.nist.gov/",
		License: "NIST-PD",
		Credit:  "This product uses data from the NVD API but is not endorsed or certified by the NVD.",
		Format:  "nvd",
		Every:   2 * time.Hour,
		Version: 1,
		Fetch:   NVD(),
		Parse:   normalize.NVD,
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
		Name:    "pypa",
		Home:    "https://github.com/pypa/advisory-database",
		License: "CC-BY-4.0",
		Credit:  "Python Packaging Advisory Database, https://github.com/pypa/advisory-database",
		Format:  "osv-yaml",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/pypa/advisory-database/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"vulns/**/*.yaml"}, Not: []string{"PYSEC-0000*"}}),
		Parse: normalize.OSVYAML,
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
		Name:    "rustsec",
		Home:    "https://rustsec.org/",
		License: "CC0-1.0", // but for advisories that carry a license of their own
		Credit:  "RustSec Advisory Database, https://github.com/rustsec/advisory-db",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/rustsec/advisory-db/archive/refs/heads/osv.tar.gz",
			Selection{Strip: 1, Match: []string{"crates/*.json"}}),
		Parse: normalize.OSV,
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

// ByName returns the source of that name.
func ByName(name string) (Source, bool) {
	for _, s := range All {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}
