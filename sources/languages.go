package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// languages are the databases of language ecosystems and applications.
var languages = []Source{
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
}
