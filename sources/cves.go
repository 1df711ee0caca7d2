package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// cves are the feeds that speak of CVEs as such.
var cves = []Source{
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
}
