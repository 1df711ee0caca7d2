package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// cves are the feeds that speak of CVEs as such.
var cves = []Source{
	{
		Name:    "cvelist",
		Home:    "https://www.cve.org/",
		License: "LicenseRef-CVE-TOU", // https://www.cve.org/Legal/TermsOfUse: free to copy with the notice
		Credit:  "The MITRE Corporation and the CVE Program, https://github.com/CVEProject/cvelistV5",
		Format:  "cve5",
		Every:   time.Hour,
		Version: 1,
		Fetch:   CVEList(),
		Parse:   normalize.CVEList,
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
		Name:    "nvd-overrides",
		Home:    "https://github.com/anchore/nvd-data-overrides",
		License: "CC0-1.0",
		Credit:  "Anchore, https://github.com/anchore/nvd-data-overrides",
		Format:  "nvd-override",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/anchore/nvd-data-overrides/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"data/*/CVE-*.json"}}),
		Parse: normalize.NVDOverride,
	},
	{
		Name:    "vulnrichment",
		Home:    "https://github.com/cisagov/vulnrichment",
		License: "CC0-1.0",
		Credit:  "CISA Vulnrichment, https://github.com/cisagov/vulnrichment",
		Format:  "cve5",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.tar.gz",
			Selection{Strip: 1, Match: []string{"[0-9]*/*/CVE-*.json"}}),
		Parse: normalize.Vulnrichment,
	},
}
