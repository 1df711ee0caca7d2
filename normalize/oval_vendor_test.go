package normalize

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The whole of each feed: what was counted in the XML by other means.
func TestOVALVendorsShared(t *testing.T) {
	azure := "raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/"
	type count struct {
		IDs, Affected, Open, Statements int
		Rules                           map[string]int
	}
	for _, tt := range []struct {
		parser Parser
		path   string
		want   count
	}{
		// 93,099 criteria are signatures, of which each package has one.
		{SUSEOVAL, "ftp.suse.com/pub/projects/security/oval/opensuse.leap.15.3.xml.gz", count{9138, 93099, 0, 0, map[string]int{"no-packages": 2}}},
		{PhotonOVAL, "packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon3.xml.gz", count{58, 778, 0, 0, nil}},
		// Patchable is false of 126 and 160, and "Not Applicable" to 78, 132 and 1.
		{AzureLinuxOVAL, azure + "cbl-mariner-1.0-oval.xml", count{2252, 2252 - 78, 126, 78, nil}},
		{AzureLinuxOVAL, azure + "cbl-mariner-2.0-oval.xml", count{2436, 2436 - 132, 160, 132, nil}},
		{AzureLinuxOVAL, azure + "azurelinux-3.0-oval.xml", count{1222, 1221, 0, 1, nil}},
	} {
		name := strings.TrimSuffix(tt.path[strings.LastIndexByte(tt.path, '/')+1:], ".gz")
		t.Run(name, func(t *testing.T) {
			var got count
			ids := map[string]bool{}
			err := tt.parser(Doc{Name: name, Body: strings.NewReader(sharedText(t, "upstream", "day1", tt.path)), Report: func(f Finding) {
				if got.Rules == nil {
					got.Rules = map[string]int{}
				}
				got.Rules[f.Rule]++
			}}, func(r *Record) error {
				ids[r.ID] = true
				got.Affected += len(r.Affected)
				for i := range r.Affected {
					if last := r.Affected[i].Ranges[0].Events; len(last) == 1 {
						got.Open++
					}
				}
				for _, f := range Lint(r) {
					if f.Rule != "modified" {
						t.Errorf("lint: %v", f)
					}
				}
				s, err := r.Statements()
				got.Statements += len(s)
				return err
			})
			got.IDs = len(ids)
			if d := cmp.Diff(tt.want, got); d != "" || err != nil {
				t.Errorf("-want +got:\n%s%v", d, err)
			}
		})
	}
}

// Files of SUSE's other products, cut down to a definition or two.
func TestSUSEOVALShared(t *testing.T) {
	for name, want := range map[string][]string{
		"opensuse.leap.15.2.xml":                {"SUSE-CVE-2010-2322 openSUSE:Leap 15.2 fastjar {\"arch\":[\"i586\",\"x86_64\"]} 0 0:0.98-lp152.4.3.1"},
		"opensuse.tumbleweed.xml":               {"SUSE-CVE-2001-1267 openSUSE:Tumbleweed tar  0 0:1.34-2.2"},
		"opensuse.leap.micro.5.2.xml":           {`SUSE-CVE-2015-20107 openSUSE:Leap Micro 5.2 libpython3_6m1_0 {"arch":["aarch64","x86_64"]} 0 0:3.6.15-150300.10.27.1`},
		"suse.linux.enterprise.16-affected.xml": {`SUSE-CVE-2002-0399 SUSE:Linux Enterprise Server 16.0 tar {"arch":["aarch64","ppc64le","s390x","x86_64"]} 0 0:1.35-160000.2.2`},
	} {
		records, _ := parseWhole(t, SUSEOVAL, name, sharedText(t, "corpus", "suse/fixtures/vdu/suse-oval/happy", name+".gz"))
		lines := rangeLines(t, records)
		for _, w := range want {
			if !slices.Contains(lines, w) {
				t.Errorf("%s: no %q in\n%s", name, w, strings.Join(lines, "\n"))
			}
		}
	}
	// Of the products of a file for many, not one is taken for another.
	records, _ := parseWhole(t, SUSEOVAL, "x", sharedText(t, "corpus", "suse/fixtures/vdu/suse-oval/happy/suse.linux.enterprise.12-affected.xml.gz"))
	unhurt := 0
	for _, r := range records {
		s, err := r.Statements()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range s {
			if unhurt++; s.Status != NotAffected || !strings.HasPrefix(s.Ecosystem, "SUSE:") {
				t.Errorf("%+v", s)
			}
		}
	}
	if unhurt != 98 {
		t.Errorf("%d statements, want 98", unhurt)
	}
}

const ovalSeed = `<oval_definitions><definitions><definition id="oval:com.microsoft.azurelinux:def:1" class="vulnerability"><metadata><title>CVE-2024-1000</title>
<reference ref_id="PHSA:1:3.0:1" ref_url="https://x/"/><reference ref_id="CVE-2024-1000"/><patchable>Not Applicable</patchable><advisory><issued date="2024-01-01"/></advisory></metadata>
<criteria operator="OR" negate="true"><criterion test_ref="a:1" comment="openSUSE Leap 15.3 is installed"/><criterion test_ref="a:2" comment="p is not affected"/></criteria></definition></definitions>
<tests><rpminfo_test id="a:2" check="none satisfy"><object object_ref="o:1"/><state state_ref="s:1"/></rpminfo_test></tests>
<objects><rpminfo_object id="o:1"><name>p</name></rpminfo_object></objects>
<states><rpminfo_state id="s:1"><evr operation="less than or equal">0:1-1</evr><arch operation="pattern match">(x86_64|i586)</arch></rpminfo_state></states></oval_definitions>`

func FuzzSUSEOVAL(f *testing.F) { fuzzDocuments(f, SUSEOVAL, "opensuse.leap.15.3.xml", ovalSeed) }
func FuzzPhotonOVAL(f *testing.F) {
	fuzzDocuments(f, PhotonOVAL, "com.vmware.phsa-photon3.xml", ovalSeed)
}
func FuzzAzureLinuxOVAL(f *testing.F) {
	fuzzDocuments(f, AzureLinuxOVAL, "azurelinux-3.0-oval.xml", ovalSeed)
}

func FuzzPhotonCVE(f *testing.F) {
	fuzzDocuments(f, PhotonCVE, "cve_data_photon4.0.json", `[{"cve_id":"CVE-2023-38545","pkg":"curl","cve_score":9.8,"res_ver":"7.88.1-4.ph4","status":"Fixed"},{"cve_id":"BDSA-2025-0719","pkg":"x","status":"Not Affected"},7]`)
}

func TestPhotonCVEShared(t *testing.T) {
	for path, want := range map[string]struct {
		records int
		rules   []string
	}{
		"vunnel/photon/input/cve_data_photon1.0.json":  {3, nil},
		"vunnel/photon/input/cve_data_photon4.0.json":  {6, []string{"no-version"}},
		"vdu/photon-cve/happy/cve_data_photon4.0.json": {3, []string{"bad-id", "bad-id", "bad-id", "bad-id"}},
	} {
		records, rules := parseWhole(t, PhotonCVE, path[strings.LastIndexByte(path, '/')+1:], sharedText(t, "corpus", "photon/fixtures", path))
		if d := cmp.Diff(want.rules, rules); d != "" || len(records) != want.records {
			t.Errorf("%s: %d records, want %d; %s", path, len(records), want.records, d)
		}
	}
}

func benchOVAL(b *testing.B, p Parser, name string, path ...string) {
	text := sharedText(b, append([]string{"upstream", "day1"}, path...)...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p(Doc{Name: name, Body: strings.NewReader(text)}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSUSEOVAL(b *testing.B) {
	benchOVAL(b, SUSEOVAL, "opensuse.leap.15.3.xml", "ftp.suse.com", "pub", "projects", "security", "oval", "opensuse.leap.15.3.xml.gz")
}

func BenchmarkAzureLinuxOVAL(b *testing.B) {
	benchOVAL(b, AzureLinuxOVAL, "cbl-mariner-2.0-oval.xml", "raw.githubusercontent.com", "microsoft", "AzureLinuxVulnerabilityData", "main", "cbl-mariner-2.0-oval.xml")
}
