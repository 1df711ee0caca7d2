package sources

import (
	"time"

	"github.com/advdb/advdb/normalize"
)

// buckets are osv.dev's exports of ecosystems that have no source of their
// own here.
var buckets = []Source{
	bucketSource("osv-android", "Android", "CC-BY-4.0", // the bulletins' licence
		"Android Security Bulletins, Android Open Source Project"),
	bucketSource("osv-git", "GIT", "NOASSERTION", // records of many databases
		"OSV.dev: CVE List, NVD and others with commits found by OSV.dev"),
	bucketSource("osv-linux", "Linux", "CC0-1.0", // the Global Security Database's licence
		"Global Security Database, Cloud Security Alliance"),
	bucketSource("osv-vscode", "VSCode", "NOASSERTION", // records of several databases
		"OSV.dev"),
}

// bucketSource is osv.dev's export of one ecosystem.
func bucketSource(name, ecosystem, license, credit string) Source {
	return Source{
		Name:    name,
		Home:    "https://osv.dev/list?ecosystem=" + ecosystem,
		License: license,
		Credit:  credit + ", by way of https://osv.dev/",
		Format:  "osv",
		Every:   time.Hour,
		Version: 1,
		Fetch:   Bucket(ecosystem),
		Parse:   normalize.OSV,
	}
}
