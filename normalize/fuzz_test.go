package normalize

import (
	"bytes"
	"testing"
)

// fuzzDocuments feeds a parser and checks what holds for whatever it emits: the
// record has an ID, can be encoded, and comes back as it went.
func fuzzDocuments(f *testing.F, p Parser, name string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = p(Doc{Name: name, Body: bytes.NewReader(data), Report: func(Finding) {}}, func(r *Record) error {
			if r.ID == "" {
				t.Error("no ID")
			}
			text := encodeString(t, r)
			again, err := Decode([]byte(text))
			if err != nil {
				t.Fatalf("decode what was encoded: %v: %s", err, text)
			}
			if got := encodeString(t, again); got != text {
				t.Errorf("not stable: %s, then %s", text, got)
			}
			Lint(r)
			if err := Unite(again, r); err != nil {
				t.Errorf("unite with itself: %v", err)
			}
			return nil
		})
	})
}

const osvSeed = `{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/"}],
	"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}],
	"database_specific":{"last_known_affected_version_range":"<= 1.2.3"}}],"references":[{"type":"WEB","url":"https://a/"}],"new":{"b":1,"a":9007199254740993}}`

func FuzzOSV(f *testing.F) { fuzzDocuments(f, OSV, "x.json", osvSeed, "\ufeff{}", "<html>") }

func FuzzGHSA(f *testing.F) { fuzzDocuments(f, GHSA, "x.json", osvSeed) }

func FuzzAlmaLinux(f *testing.F) {
	fuzzDocuments(f, AlmaLinux, "x.json", `{"id":"ALSA-1","related":["CVE-2024-1234"],"affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"p"},
		"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1.module_el8.6.0+1+2.x"}]}]}]}`)
}

func FuzzOSVYAML(f *testing.F) {
	fuzzDocuments(f, OSVYAML, "x.yaml", "id: X\nmodified: 2024-01-01\naffected:\n- package: {ecosystem: PyPI, name: p}\n  versions: [1.0, &a 2]\naliases: [*a]\n", "a: &a [*a]")
}

func FuzzSecDB(f *testing.F) {
	fuzzDocuments(f, SecDB("Alpine"), "v3.19/main.json",
		secdbText("v3.19", "xen", `{"4.13.0-r3":["CVE-2020-11740 CVE-2020-11741 XSA-313","(x"],"0":["CVE_2019-2426"]}`),
		secdbText("edge", "aom", `[{"Version":"3.1.1-r0"}]`))
}

func FuzzDebianTracker(f *testing.F) {
	fuzzDocuments(f, Debian, "tracker.json", `{"p":{"CVE-2024-1234":{"description":"d","debianbug":1,"releases":{"sid":{"status":"open","urgency":"low**",
		"nodsa":"x","nodsa_reason":"ignored"},"buster":{"status":"resolved","fixed_version":"0"},"x":{"status":"undetermined"}}}}}`)
}

func FuzzDebianList(f *testing.F) { fuzzDocuments(f, Debian, "DSA/list", listText) }

func FuzzGLAD(f *testing.F) {
	fuzzDocuments(f, GLAD, "x.yml", "identifier: CVE-2024-1234\nidentifiers: [GHSA-1]\npackage_slug: maven/a/b\naffected_range: '(,1],[2]'\ncwe_ids: [x]\nother: {a: 1}\n")
}
