package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// rpmDistributions are systems made of RPMs, but for those that have a place
// in distributions.
var rpmDistributions = []Source{
	{
		Name:    "amazon",
		Home:    "https://alas.aws.amazon.com/",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "Amazon Linux Security Center, https://alas.aws.amazon.com/",
		Format:  "updateinfo",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Updateinfo(amazonRepos, amazonExtras),
		Parse:   normalize.AmazonUpdateinfo,
	},
	{
		Name:    "azurelinux",
		Home:    "https://github.com/microsoft/AzureLinuxVulnerabilityData",
		License: "MIT",
		Credit:  "Microsoft, https://github.com/microsoft/AzureLinuxVulnerabilityData",
		Format:  "oval",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Files(map[string]string{
			"azurelinux-3.0-oval.xml":  "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/azurelinux-3.0-oval.xml",
			"cbl-mariner-1.0-oval.xml": "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/cbl-mariner-1.0-oval.xml",
			"cbl-mariner-2.0-oval.xml": "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/cbl-mariner-2.0-oval.xml",
		}),
		Parse: normalize.AzureLinuxOVAL,
	},
	{
		Name:    "bottlerocket",
		Home:    "https://github.com/bottlerocket-os/bottlerocket/security/advisories",
		License: "NOASSERTION", // the feed says nothing
		Credit:  "Bottlerocket, https://advisories.bottlerocket.aws/",
		Format:  "updateinfo",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   File("updateinfo.xml", "https://advisories.bottlerocket.aws/updateinfo.xml.gz"),
		Parse:   normalize.BottlerocketUpdateinfo,
	},
	{
		Name:    "photon",
		Home:    "https://github.com/vmware/photon/wiki/Security-Advisories",
		License: "NOASSERTION", // of the wiki it is CC-BY-SA-4.0, of the feed upstream has not said: vmware/photon issue 1570
		Credit:  "VMware, https://packages.broadcom.com/photon/photon_cve_metadata/",
		Format:  "photon",
		Every:   12 * time.Hour,
		Version: 1,
		Fetch:   PhotonCVE("https://packages.broadcom.com/photon/photon_cve_metadata/"),
		Parse:   normalize.PhotonCVE,
	},
	{
		Name:    "photon-oval",
		Home:    "https://github.com/vmware/photon/wiki/Security-Advisories",
		License: "NOASSERTION", // the feed says only "Copyright VMware"
		Credit:  "VMware, https://packages.vmware.com/photon/photon_oval_definitions/",
		Format:  "oval",
		Every:   12 * time.Hour,
		Version: 1,
		Fetch:   Releases(photonOVAL),
		Parse:   normalize.PhotonOVAL,
	},
	{
		Name:    "redhat-advisories",
		Home:    "https://access.redhat.com/security/data",
		License: "CC-BY-4.0",
		Credit:  "Red Hat Product Security, https://security.access.redhat.com/data/csaf/v2/advisories/",
		Format:  "csaf",
		Every:   time.Hour,
		Version: 1,
		Fetch:   CSAF("https://security.access.redhat.com/data/csaf/v2/advisories/"),
		Parse:   normalize.RedHatAdvisory,
	},
	{
		Name:    "redhat-osv",
		Home:    "https://access.redhat.com/security/data",
		License: "CC-BY-4.0",
		Credit:  "Red Hat Product Security, https://security.access.redhat.com/data/osv/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch:   Listed("https://security.access.redhat.com/data/osv/all.json", "https://security.access.redhat.com/data/osv/"),
		Parse:   normalize.RedHatOSV,
	},
	{
		Name:    "rocky",
		Home:    "https://errata.rockylinux.org/",
		License: "BSD-3-Clause", // as OSV.dev lists the source; the feed itself says nothing
		Credit:  "Rocky Enterprise Software Foundation, https://apollo.build.resf.org/",
		Format:  "osv",
		Every:   12 * time.Hour,
		Version: 1,
		Fetch:   Linked("https://apollo.build.resf.org/api/v3/osv/"),
		Parse:   normalize.RockyLinux,
	},
	{
		Name:    "suse",
		Home:    "https://www.suse.com/support/security/",
		License: "CC-BY-4.0", // https://ftp.suse.com/pub/projects/security/csaf/LICENSE
		Credit:  "SUSE, https://ftp.suse.com/pub/projects/security/",
		Format:  "osv",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: Archive("", "https://ftp.suse.com/pub/projects/security/osv.tar.bz2",
			Selection{Strip: 1, Match: []string{"*SUSE-??-[0-9][0-9][0-9][0-9]:*.json"}}),
		Parse: normalize.SUSEOSV,
	},
	{
		Name:    "suse-oval",
		Home:    "https://www.suse.com/support/security/oval/",
		License: "CC-BY-4.0", // https://ftp.suse.com/pub/projects/security/oval/LICENSE
		Credit:  "SUSE, https://ftp.suse.com/pub/projects/security/oval/",
		Format:  "oval",
		Every:   24 * time.Hour,
		Version: 1,
		Fetch:   Releases(suseOVAL),
		Parse:   normalize.SUSEOVAL,
	},
	{
		Name:    "suse-vex",
		Home:    "https://www.suse.com/support/security/csaf/",
		License: "CC-BY-4.0", // notes of each document
		Credit:  "SUSE, https://ftp.suse.com/pub/projects/security/csaf-vex/",
		Format:  "csaf-vex",
		Every:   6 * time.Hour,
		Version: 1,
		Fetch: CSAFArchived("https://ftp.suse.com/pub/projects/security/csaf-vex/",
			"https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2"),
		Parse: normalize.SUSEVEX,
	},
}

// amazonRepos are the repositories of Amazon Linux 1, 2 and 2023 that have
// advisories, but for the extras of 2.
var amazonRepos = []Repo{
	{Name: "1/updates.xml", List: "http://repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list"},
	{Name: "2/core.xml", List: "https://cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list"},
	{Name: "2023/core.xml", List: "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list"},
	{Name: "2023/kernel-livepatch.xml", List: "https://cdn.amazonlinux.com/al2023/kernel-livepatch/mirrors/latest/x86_64/mirror.list"},
	{Name: "2023/nvidia.xml", List: "https://cdn.amazonlinux.com/al2023/nvidia/mirrors/latest/x86_64/mirror.list"},
}

// amazonExtras are the extras of Amazon Linux 2, its live patches among them.
var amazonExtras = &RepoCatalog{
	URL:  "http://amazonlinux.default.amazonaws.com/2/extras-catalog.json",
	Name: "2/extras/%s.xml",
	List: "https://cdn.amazonlinux.com/2/extras/%s/latest/x86_64/mirror.list",
}

// photonOVAL is a document a major release. Advisories of older releases are
// in the one file of their release.
var photonOVAL = below("https://packages.vmware.com/photon/photon_oval_definitions/", ".gz",
	"com.vmware.phsa-photon1.xml", "com.vmware.phsa-photon2.xml", "com.vmware.phsa-photon3.xml",
	"com.vmware.phsa-photon4.xml", "com.vmware.phsa-photon5.xml")

// suseOVAL is what SUSE's OSV lacks: openSUSE Leap by CVE, with releases at
// their end of life, and what is affected and not fixed. A major release's
// file holds all that its service packs' do.
var suseOVAL = below("https://ftp.suse.com/pub/projects/security/oval/", ".gz",
	"opensuse.leap.15.3.xml", "opensuse.leap.15.4.xml", "opensuse.leap.15.5.xml", "opensuse.leap.15.6.xml",
	"suse.linux.enterprise.12-affected.xml", "suse.linux.enterprise.15-affected.xml", "suse.linux.enterprise.16-affected.xml",
	"suse.linux.enterprise.micro.5-affected.xml", "suse.linux.micro.6-affected.xml")

// below returns the URLs of documents that are in one folder, each with a
// suffix.
func below(base, suffix string, names ...string) map[string]string {
	urls := make(map[string]string, len(names))
	for _, name := range names {
		urls[name] = base + name + suffix
	}
	return urls
}
