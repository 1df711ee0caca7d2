package normalize

import (
	"archive/zip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestSUSEOSV(t *testing.T) {
	records, _ := parseWhole(t, SUSEOSV, "x.json", `{"id":"openSUSE-SU-2016:1623-1","modified":"2016-06-19T10:08:35Z","related":["CVE-2016-1704","boo#1"],
		"affected":[{"package":{"ecosystem":"SUSE:Package Hub 12","name":"chromium","purl":"purl:rpm/suse/chromium&distro=SUSE%20Package%20Hub%2012"},
		"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"51.0-85.3"}]}]}]}`)
	r := records[0]
	if got, want := r.Affected[0].Package.Purl, "pkg:rpm/suse/chromium?distro=SUSE%20Package%20Hub%2012"; got != want {
		t.Errorf("purl %s, want %s", got, want)
	}
	if d := cmp.Diff([]string{"CVE-2016-1704"}, r.Upstream); d != "" || len(Lint(r)) > 0 {
		t.Errorf("upstream %s; lint %v", d, Lint(r))
	}
	for _, id := range []string{"SUSE-SU-403", "SUSE-SU-403 Forbidden-1", "../x", "CVE-2016-1704"} {
		err := SUSEOSV(Doc{Body: strings.NewReader(`{"id":"` + id + `"}`)}, func(*Record) error { return nil })
		if !errors.Is(err, ErrNoID) {
			t.Errorf("%s: error %v", id, err)
		}
	}
}

func TestUbuntuEcosystem(t *testing.T) {
	for in, want := range map[string]string{
		"Ubuntu:22.04:LTS:for:NVIDIA:BlueField": "Ubuntu:Nvidia-BlueField:22.04:LTS",
		"Ubuntu:Pro:24.04:LTS:Realtime:Kernel":  "Ubuntu:Pro:Realtime:24.04:LTS",
		"Ubuntu:Pro:FIPS-updates:20.04:LTS":     "Ubuntu:Pro:FIPS-updates:20.04:LTS",
		"Ubuntu:Nvidia-BlueField:22.04:LTS":     "Ubuntu:Nvidia-BlueField:22.04:LTS",
		"Ubuntu:25.10":                          "Ubuntu:25.10",
	} {
		if got := ubuntuEcosystem(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"jammy": "Ubuntu:22.04:LTS", "questing": "Ubuntu:25.10", "trusty/esm": "Ubuntu:Pro:14.04:LTS",
		"esm-infra/xenial": "Ubuntu:Pro:16.04:LTS", "esm-apps/noble": "Ubuntu:Pro:24.04:LTS",
		"esm-infra-legacy/trusty": "Ubuntu:Pro:14.04:LTS", "fips/bionic": "Ubuntu:Pro:FIPS:18.04:LTS",
		"fips-updates/focal": "Ubuntu:Pro:FIPS-updates:20.04:LTS", "fips-preview/jammy": "Ubuntu:Pro:FIPS-preview:22.04:LTS",
		"realtime/noble": "Ubuntu:Pro:Realtime:24.04:LTS", "bluefield/jammy": "Ubuntu:Nvidia-BlueField:22.04:LTS",
		"upstream": "", "devel": "", "snap": "", "vivid/ubuntu-core": "", "vivid/stable-phone-overlay": "",
		"ros-esm/foxy/focal": "", "esm-infra/": "", "": "", "/esm": "", "esm-apps": "", "nowhere/jammy": "",
	} {
		got, ok := ubuntuDistro(in)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// Real records of each vendor are without findings by the schema's rules once
// read, but for names that are not registered.
func TestOSVVendorsShared(t *testing.T) {
	corpus := func(elem ...string) string { return sharedtest.Path(t, append([]string{"corpus"}, elem...)...) }
	for _, tt := range []struct {
		zip    string
		parser Parser
		ids    []string
	}{
		{"rocky/fixtures/vdu/rocky-osv/all.zip", RockyLinux, []string{"RLSA-2023:0005", "RXSA-2023:0101"}},
		{"redhat/fixtures/vdu/redhat-osv/all.zip", RedHatOSV, []string{"RHBA-2024:6202", "RHEA-2024:1870", "RHSA-2024:8709"}},
		{"chainguard/fixtures/vdu/chainguard-osv/all.zip", Chainguard, []string{"CGA-2c2h-8fj5-55vx"}},
	} {
		z, err := zip.OpenReader(corpus(tt.zip))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range z.File {
			f, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			records, _ := parseWhole(t, tt.parser, e.Name, string(text))
			for _, r := range records {
				ids = append(ids, r.ID)
				if len(r.Upstream) == 0 && slices.ContainsFunc(r.Related, isCVE) {
					t.Errorf("%s: CVEs %v are not upstream", r.ID, r.Related)
				}
				if f := Lint(r); len(f) > 0 {
					t.Errorf("lint: %v", f)
				}
			}
		}
		_ = z.Close()
		if d := cmp.Diff(tt.ids, ids); d != "" {
			t.Errorf("%s: %s", tt.zip, d)
		}
	}
}

// All of Docker's advisories: 693 files of 684 IDs, 7 ranges without events,
// one that mixes both ends, 8 references that are no URLs.
func TestDockerHardenedImagesShared(t *testing.T) {
	ids, files, empty := map[string]bool{}, 0, 0
	lint := map[string]int{}
	walkArchive(t, sharedtest.Path(t, "upstream", "day1", "github.com/docker-hardened-images/advisories/archive/refs/heads/main.tar.gz"), func(d sharedDoc) {
		if !strings.Contains(d.name, "/osv/") || !strings.HasSuffix(d.name, ".json") {
			return
		}
		files++
		records, rules := parseWhole(t, DockerHardenedImages, d.name, string(d.data))
		empty += len(rules)
		r := records[0]
		ids[r.ID] = true
		for _, f := range Lint(r) {
			lint[f.Rule]++
		}
		for i := range r.Affected {
			if r.Affected[i].Package.Ecosystem != "Docker Hardened Images" {
				t.Errorf("%s: %+v", r.ID, r.Affected[i].Package)
			}
		}
		if !strings.HasPrefix(r.ID, "DHI-") || len(r.Upstream) == 0 || len(r.Aliases) > 0 {
			t.Errorf("%s: upstream %v, aliases %v", r.ID, r.Upstream, r.Aliases)
		}
	})
	if files != 693 || len(ids) != 684 || empty != 7 {
		t.Errorf("%d files, %d IDs, %d empty ranges", files, len(ids), empty)
	}
	if d := cmp.Diff(map[string]int{"reference-url": 8}, lint); d != "" {
		t.Errorf("lint (-want +got):\n%s", d)
	}
}

func FuzzDockerHardenedImages(f *testing.F) {
	fuzzDocuments(f, DockerHardenedImages, "osv/x/CVE-1.json", osvSeed, `{"id":"CVE-2024-1000","affected":[{"package":{"ecosystem":"DHI:x","name":"p"},
		"ranges":[{"type":"SEMVER","events":[]},{"type":"SEMVER","events":[{"introduced":"1"},{"fixed":"2"},{"introduced":"3"},{"last_affected":"4"}]}]}]}`)
}

func FuzzSUSEOSV(f *testing.F) {
	fuzzDocuments(f, SUSEOSV, "x.json", `{"id":"SUSE-SU-2015:0011-2","related":["CVE-2014-0591"],"affected":[{"package":{"ecosystem":"SUSE:x","name":"p","purl":"purl:rpm/%zz&a=b"}}]}`)
}

func FuzzUbuntuOSV(f *testing.F) { fuzzDocuments(f, UbuntuOSV, "x.json", osvSeed) }
