package normalize

import (
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/versioncmp"
)

// oracleFiles yields the real documents of Oracle that are whole.
func oracleFiles(t testing.TB, yield func(name string, text []byte)) {
	files := []string{
		sharedtest.Path(t, "upstream", "day1", "linux.oracle.com", "security", "oval", "com.oracle.elsa-all.xml.bz2"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "vdu", "oracle-linux", "com.oracle.elsa-all.xml.bz2"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "vdu", "oracle-olam", "happy", "com.oracle.olamsa-all.xml.bz2"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "vdu", "oracle-vm", "happy", "com.oracle.ovmsa-20250001.xml"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "vunnel", "oracle", "mock_ksplice_data"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "vunnel", "oracle", "mock_per_arch_data"),
		sharedtest.Path(t, "corpus", "oracle", "fixtures", "clair-v2", "fetcher_oracle_test.2.xml"),
	}
	for _, name := range files {
		text, err := io.ReadAll(unpacked(t, name))
		if err != nil {
			t.Fatal(err)
		}
		yield(name, text)
	}
}

var (
	ovalComment        = regexp.MustCompile(`comment="(\S+) is earlier than ([^"]+)"`)
	ovalDefinitionText = regexp.MustCompile(`(?s)<definition .*?</definition>`)
	ovalAdvisory       = regexp.MustCompile(`ref_id="([A-Z]+SA-[^"]+)"`)
)

// The comments of criteria say in words what the tests say: both must agree,
// in every definition.
func TestOracleOVALDocuments(t *testing.T) {
	definitions, pairs := 0, 0
	oracleFiles(t, func(name string, text []byte) {
		want := map[string][]string{}
		for _, def := range ovalDefinitionText.FindAllString(string(text), -1) {
			definitions++
			id := ovalAdvisory.FindStringSubmatch(def)[1]
			for _, m := range ovalComment.FindAllStringSubmatch(def, -1) {
				want[id] = append(want[id], m[1]+" "+m[2])
			}
			want[id] = set(want[id])
			pairs += len(want[id])
		}
		records, findings, err := parseDoc(t, OracleOVAL, name, string(text))
		excerpt := !strings.Contains(string(text), "<evr ")
		for _, f := range findings {
			if f.Rule != "missing-tests" || !excerpt {
				t.Errorf("%s: %v", name, f)
			}
		}
		if err != nil || excerpt && len(findings) == 0 {
			t.Errorf("%s: %v, %v", name, err, findings)
		}
		got := map[string][]string{}
		for _, r := range records {
			for _, a := range r.Affected {
				got[r.ID] = append(got[r.ID], a.Package.Name+" "+a.Ranges[0].Events[1].Fixed)
				if ksplice := strings.HasSuffix(a.Package.Ecosystem, ":ksplice"); ksplice != strings.Contains(a.Ranges[0].Events[1].Fixed, "ksplice") {
					t.Errorf("%s: %+v", r.ID, a)
				}
			}
		}
		for id := range got {
			got[id] = set(got[id])
		}
		for id := range want {
			want[id] = slices.DeleteFunc(want[id], func(pair string) bool { return superseded(pair, got[id]) })
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	})
	t.Logf("%d definitions, %d packages with versions", definitions, pairs)
	if definitions < 10 || pairs < 100 {
		t.Errorf("%d definitions, %d pairs", definitions, pairs)
	}
}

// superseded reports whether pairs have a later version of the package of
// pair: an advisory that names two versions for one architecture means both.
func superseded(pair string, pairs []string) bool {
	name, version, _ := strings.Cut(pair, " ")
	v, err := versioncmp.Parse("Oracle Linux", version)
	return err == nil && slices.ContainsFunc(pairs, func(other string) bool {
		n, w, _ := strings.Cut(other, " ")
		o, err := versioncmp.Parse("Oracle Linux", w)
		return n == name && err == nil && o.Compare(v) > 0 && !slices.Contains(pairs, pair)
	})
}

// A document that refers to what is not there is reported, and the rest goes on.
func TestOracleOVALBrokenReferences(t *testing.T) {
	text := sharedText(t, "corpus", "oracle", "fixtures", "vuln-list-update", "oracle-oval", "broken-oval-data.xml.bz2")
	records, findings, err := parseDoc(t, OracleOVAL, "", text)
	t.Logf("%d records, findings %v, %v", len(records), rulesOf(findings), err)
	if err == nil && len(findings) == 0 {
		t.Error("neither an error nor a finding")
	}
}

// ovalOthers are real documents of other vendors: the generic part has to
// read them, and find their packages.
func ovalOthers(t testing.TB) map[string]string {
	azure := []string{"upstream", "day1", "raw.githubusercontent.com", "microsoft", "AzureLinuxVulnerabilityData", "main"}
	return map[string]string{
		"SUSE":   sharedtest.Path(t, "upstream", "day1", "ftp.suse.com", "pub", "projects", "security", "oval", "opensuse.leap.15.3.xml.gz"),
		"Photon": sharedtest.Path(t, "upstream", "day1", "packages.vmware.com", "photon", "photon_oval_definitions", "com.vmware.phsa-photon3.xml.gz"),
		"Azure":  sharedtest.Path(t, append(azure, "azurelinux-3.0-oval.xml")...),
		"CBL":    sharedtest.Path(t, append(azure, "cbl-mariner-2.0-oval.xml")...),
	}
}

func TestOVALOfOthers(t *testing.T) {
	for vendor, path := range ovalOthers(t) {
		t.Run(vendor, func(t *testing.T) {
			text, err := io.ReadAll(unpacked(t, path))
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			content, err := readOVAL(strings.NewReader(string(text)), func(m *ovalMetadata) (string, error) {
				if m.Title == "" || m.Severity == "" && vendor != "SUSE" {
					t.Errorf("%s: title %q, severity %q", m.ID, m.Title, m.Severity)
				}
				seen++
				return m.ID, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			count := func(s string) int { return strings.Count(string(text), s) }
			got := []int{seen, len(content.tests), len(content.objects), len(content.states)}
			want := []int{count("<definition "), count("rpminfo_test>"), count("rpminfo_object>"), count("rpminfo_state>")}
			if !slices.Equal(got, want) {
				t.Errorf("definitions, tests, objects, states: %d, want %d", got, want)
			}
			with, dropped := 0, 0
			for i := range content.definitions {
				found := false
				w := &ovalWalk{content: content, bounds: oracleBounds,
					match: func(_, packages []ovalLeaf) error {
						if iv, versions, err := ovalInterval(packages); err == nil && (iv.end() != "" || iv.Introduced != "0" || len(versions) > 0) {
							found = true
						}
						return nil
					},
					drop: func(error) { dropped++ }}
				if err := w.walk(&content.definitions[i].criteria, [][]ovalLeaf{nil}); err != nil {
					t.Fatal(err)
				}
				with += boolInt(found)
			}
			t.Logf("%d definitions, %d with packages, %d parts dropped", seen, with, dropped)
			if dropped > 0 || with*100 < seen*99 {
				t.Errorf("%d of %d definitions have packages, %d dropped", with, seen, dropped)
			}
		})
	}
}

func TestOVALDefineError(t *testing.T) {
	stop := errors.New("stop")
	if _, err := readOVAL(strings.NewReader(ovalSmall), func(*ovalMetadata) (string, error) { return "", stop }); err != stop {
		t.Errorf("%v", err)
	}
}

func BenchmarkOracleOVAL(b *testing.B) {
	var text []byte
	oracleFiles(b, func(name string, data []byte) {
		if filepath.Base(name) == "com.oracle.elsa-all.xml.bz2" && len(data) > len(text) {
			text = data
		}
	})
	benchmarkParser(b, OracleOVAL, text)
}

func BenchmarkOVALSUSE(b *testing.B) {
	text, err := io.ReadAll(unpacked(b, ovalOthers(b)["SUSE"]))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readOVAL(strings.NewReader(string(text)), func(m *ovalMetadata) (string, error) { return m.ID, nil }); err != nil {
			b.Fatal(err)
		}
	}
}
