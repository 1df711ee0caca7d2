package normalize

import (
	"path"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// AmazonUpdateinfo reads the updateinfo of Amazon Linux 1, 2 and 2023. A
// document is named by release and repository: "1/updates.xml",
// "2/core.xml", "2/extras/kernel-5.15.xml", "2023/kernel-livepatch.xml".
//
// The ecosystem is "Amazon Linux:" and the release, whatever the repository,
// which ecosystem_specific.repository names. Amazon's extras and its
// versioned packages (kernel6.12, php8.0) share package names with what they
// stand beside, but not versions: an update of such a stream says nothing of
// versions before it, so that its ranges begin where the stream does. The
// stream is the number at the end of the topic's or the updated package's name.
var AmazonUpdateinfo = updateinfo(updateVendor{
	ecosystem:  func(d Doc, _ *update, _ *updateCollection) string { return amazonEcosystem(d.Name) },
	repository: amazonRepository,
	page:       amazonPage,
	stream:     amazonStream,
})

func amazonEcosystem(document string) string {
	release, _, ok := strings.Cut(document, "/")
	if !ok {
		return ""
	}
	return "Amazon Linux:" + release
}

// amazonRepository is "" for a release's own repository.
func amazonRepository(d Doc) string {
	_, rest, _ := strings.Cut(strings.TrimSuffix(d.Name, path.Ext(d.Name)), "/")
	if rest == "core" || rest == "updates" {
		return ""
	}
	return rest
}

var (
	amazonID      = lazyregexp.New(`^ALAS(2023|2022|2)?([A-Z].*?)?-(\d{4}-\d+)$`)
	amazonSubject = lazyregexp.New(` package update for (\S+)$`)
	trailingDigit = lazyregexp.New(`^[A-Za-z][A-Za-z_+-]*?-?(\d+(?:\.\d+)*)$`)
)

// amazonPage makes the address of an advisory: the release is a folder, and
// not in the file's name: ALAS2-2018-939 is AL2/ALAS-2018-939.html.
func amazonPage(id string) string {
	m := amazonID.FindStringSubmatch(id)
	if m == nil {
		return ""
	}
	folder := ""
	if m[1] != "" {
		folder = "AL" + m[1] + "/"
	}
	return "https://alas.aws.amazon.com/" + folder + "ALAS" + m[2] + "-" + m[3] + ".html"
}

// amazonStream returns the number at the end of an extras topic or of the
// package that the title names.
func amazonStream(d Doc, u *update) string {
	if topic, ok := strings.CutPrefix(amazonRepository(d), "extras/"); ok {
		if m := trailingDigit.FindStringSubmatch(topic); m != nil {
			return m[1]
		}
	}
	if m := amazonSubject.FindStringSubmatch(u.Title); m != nil {
		if n := trailingDigit.FindStringSubmatch(m[1]); n != nil {
			return n[1]
		}
	}
	return ""
}

// BottlerocketUpdateinfo reads Bottlerocket's updateinfo. There is one
// Bottlerocket, so that the ecosystem has no release. Each package is there
// twice, plain and with "bottlerocket-" before its name, which is how the
// image's own database has it; both stay, since inventories have either.
var BottlerocketUpdateinfo = updateinfo(updateVendor{
	ecosystem: func(Doc, *update, *updateCollection) string { return "Bottlerocket" },
	upstream:  map[string]bool{"ghsa": true},
})

var collectionRelease = lazyregexp.New(`^(?:rocky-linux|almalinux)-(\d+)-`)

// releaseOfCollection reads the major release out of the short name of a
// collection: "rocky-linux-9-x86-64-baseos-rpms",
// "almalinux-9-for-x86_64-appstream-rpms__9_default".
func releaseOfCollection(name string) func(Doc, *update, *updateCollection) string {
	return func(_ Doc, _ *update, c *updateCollection) string {
		if m := collectionRelease.FindStringSubmatch(c.Short); m != nil {
			return name + ":" + m[1]
		}
		return ""
	}
}

// RockyUpdateinfo reads the updateinfo of Rocky Linux's repositories.
var RockyUpdateinfo = updateinfo(updateVendor{ecosystem: releaseOfCollection("Rocky Linux")})

// AlmaLinuxUpdateinfo reads the updateinfo of AlmaLinux's repositories.
var AlmaLinuxUpdateinfo = updateinfo(updateVendor{ecosystem: releaseOfCollection("AlmaLinux")})
