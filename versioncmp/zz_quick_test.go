package versioncmp

import (
	"fmt"
	"os"
	"testing"
)

func TestQuick(t *testing.T) {
	d := "/work/shared/versions/"
	for _, c := range [][2]string{{"truth/alpine.txt", "Alpine"}, {"truth/alpine-quirks.txt", "Alpine"}, {"truth/cran.txt", "CRAN"}, {"truth/debian.txt", "Debian"}, {"truth/debian-quirks.txt", "Debian"}, {"truth/go.txt", "Go"}, {"truth/hex.txt", "Hex"}, {"truth/npm.txt", "npm"}, {"truth/npm-quirks.txt", "npm"}, {"truth/nuget.txt", "NuGet"}, {"truth/rpm.txt", "SUSE"},
		{"corpora/alpine/osv-scalibr-alpine-versions.txt", "Alpine"}, {"corpora/alpine/osv-scalibr-alpine-versions-generated.txt", "Alpine"},
		{"corpora/cran/osv-scalibr-cran-versions-generated.txt", "CRAN"}, {"corpora/cran/osv-scalibr-cran-versions.txt", "CRAN"},
		{"corpora/cargo/deps.dev-compare.txt", "crates.io"},
		{"corpora/debian/dpkg-Dpkg_Version.txt", "Debian"}, {"corpora/debian/osv-scalibr-debian-versions.txt", "Debian"}, {"corpora/debian/osv-scalibr-debian-versions-generated.txt", "Debian"},
		{"corpora/go/deps.dev-compare.txt", "Go"}, {"corpora/hackage/osv-scalibr-hackage-versions.txt", "Hackage"}, {"corpora/hex/elixir-version_test.txt", "Hex"},
		{"corpora/npm/deps.dev-compare.txt", "npm"}, {"corpora/npm/node-semver-comparisons.txt", "npm"}, {"corpora/npm/node-semver-equality.txt", "npm"},
		{"corpora/nuget/deps.dev-compare.txt", "NuGet"}, {"corpora/nuget/nuget-client-tests.txt", "NuGet"}, {"corpora/nuget/osv-scalibr-nuget-versions.txt", "NuGet"},
		{"corpora/pub/osv-scalibr-pub-versions.txt", "Pub"}, {"corpora/pub/pub_semver-version_test.txt", "Pub"},
		{"corpora/rpm/osv-scalibr-redhat-versions.txt", "Red Hat"}, {"corpora/rpm/rpm-rpmvercmp.txt", "Red Hat"}, {"corpora/semver/osv-scalibr-semver-versions.txt", "crates.io"},
	} {
		f, err := os.Open(d + c[0])
		if err != nil {
			t.Fatal(err)
		}
		k := 0
		p, n, err := Check(f, c[1], func(l int, text, got string) {
			if k < 60 {
				fmt.Println("   ", l, text, "got", got)
			}
			k++
		})
		fmt.Println(c, p, n, err)
	}
}
