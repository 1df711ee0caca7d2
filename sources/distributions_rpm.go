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
		Fetch:   Pages("https://apollo.build.resf.org/api/v3/osv/"),
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
