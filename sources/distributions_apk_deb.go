package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// apkDebDistributions are systems made of apk and deb packages, and images
// made of both, but for those that have a place in distributions.
var apkDebDistributions = []Source{
	{
		Name:    "chainguard",
		Home:    "https://edu.chainguard.dev/chainguard/chainguard-images/vuln-comparisons/",
		License: "NOASSERTION", // upstream was asked and has not said: wolfi-dev/wolfictl issue 680
		Credit:  "Chainguard, https://advisories.cgr.dev/chainguard/v3/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://advisories.cgr.dev/chainguard/v3/osv/chainguard-osv.tar.gz",
			Selection{Match: []string{"CGA-*.json"}}),
		Parse: normalize.Chainguard,
	},
	{
		Name:    "chainguard-secdb",
		Home:    "https://edu.chainguard.dev/chainguard/chainguard-images/vuln-comparisons/",
		License: "NOASSERTION", // upstream was asked and has not said: wolfi-dev/wolfictl issue 680
		Credit:  "Chainguard, https://packages.cgr.dev/chainguard/security.json",
		Format:  "secdb",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("security.json", "https://packages.cgr.dev/chainguard/security.json"),
		Parse:   normalize.SecDB("Chainguard"),
	},
	{
		Name:    "dhi",
		Home:    "https://github.com/docker-hardened-images/advisories",
		License: "NOASSERTION", // the repository says nothing
		Credit:  "Docker, https://github.com/docker-hardened-images/advisories",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://github.com/docker-hardened-images/advisories/archive/refs/heads/main.tar.gz",
			Selection{Strip: 1, Match: []string{"osv/**/*.json"}}),
		Parse: normalize.DockerHardenedImages,
	},
	{
		Name:    "ubuntu",
		Home:    "https://ubuntu.com/security/cves",
		License: "CC-BY-SA-4.0", // LICENSE of the repository
		Credit:  "Canonical Ltd., https://github.com/canonical/ubuntu-security-notices",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Archive("", "https://security-metadata.canonical.com/osv/osv-all.tar.xz", Selection{Match: []string{"**/*.json"}}),
		Parse:   normalize.UbuntuOSV,
	},
	{
		Name:    "ubuntu-tracker",
		Home:    "https://git.launchpad.net/ubuntu-cve-tracker",
		License: "NOASSERTION", // the repository says nothing of its data
		Credit:  "Canonical Ltd., https://git.launchpad.net/ubuntu-cve-tracker",
		Format:  "uct",
		Every:   24 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://git.launchpad.net/ubuntu-cve-tracker/snapshot/ubuntu-cve-tracker-master.tar.gz",
			Selection{Strip: 1, Match: []string{"active/CVE-*", "retired/CVE-*"}}),
		Parse: normalize.UbuntuCVETracker,
	},
	{
		Name:    "ubuntu-vex",
		Home:    "https://ubuntu.com/security/vex",
		License: "CC-BY-SA-4.0", // LICENSE of the repository
		Credit:  "Canonical Ltd., https://github.com/canonical/ubuntu-security-notices",
		Format:  "openvex",
		Every:   24 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://security-metadata.canonical.com/vex/vex-all.tar.xz",
			Selection{Match: []string{"**/CVE-*.json"}}),
		Parse: normalize.UbuntuVEX,
	},
}
