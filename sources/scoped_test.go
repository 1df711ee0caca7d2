package sources_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// A Debian tracker drops a release: what was last said of it stays, and is
// read of that release alone, whatever becomes of the others; it goes when the
// release is back.
func TestDebianRelease(t *testing.T) {
	root := t.TempDir()
	docs := &sourcetest.Memory{}
	src, _ := sources.ByName("debian")
	issue := func(fixed string, releases ...string) string {
		var out []string
		for _, r := range releases {
			out = append(out, fmt.Sprintf(`%q:{"status":"resolved","fixed_version":%q,"urgency":"low"}`, r, fixed))
		}
		return `{"description":"releases","releases":{` + strings.Join(out, ",") + `}}`
	}
	fetch := func(tracker string) error {
		writeTree(t, root, map[string]string{
			"security-tracker.debian.org/tracker/data/json":                                      tracker,
			"salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DSA/list": "[01 Jan 2024] DSA-1-1 a - update\n",
			"salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/DLA/list": "[01 Jan 2024] DLA-1-1 a - update\n",
		})
		docs = docs.Reopen()
		return src.Fetch(t.Context(), mirrorOf(t, docs, root, sources.MirrorOptions{}))
	}
	says := func() (out []string) {
		for name, body := range docs.Documents() {
			if strings.HasSuffix(name, "list") {
				continue
			}
			err := normalize.Debian(normalize.Doc{Name: name, Body: strings.NewReader(string(body))}, func(r *normalize.Record) error {
				for _, a := range r.Affected {
					out = append(out, fmt.Sprint(name, " ", r.ID, " ", a.Package.Ecosystem, " ", a.Ranges[0].Events[1].Fixed, " ", strings.Contains(string(a.DatabaseSpecific), `"last_known":true`)))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(out)
		return out
	}
	step := func(tracker string, want ...string) {
		t.Helper()
		if err := fetch(tracker); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, says()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	both := `{"a":{"CVE-2020-0001":` + issue("1", "buster", "bookworm") + `,"CVE-2020-0002":` + issue("1", "buster") + `}}`
	step(both,
		"tracker.json DEBIAN-CVE-2020-0001 Debian:10 1 false", "tracker.json DEBIAN-CVE-2020-0001 Debian:12 1 false",
		"tracker.json DEBIAN-CVE-2020-0002 Debian:10 1 false")
	step(`{"a":{"CVE-2020-0001":`+issue("2", "bookworm")+`}}`,
		"ended/buster.json DEBIAN-CVE-2020-0001 Debian:10 1 true", "ended/buster.json DEBIAN-CVE-2020-0002 Debian:10 1 true",
		"tracker.json DEBIAN-CVE-2020-0001 Debian:12 2 false")
	writes := docs.Writes()
	if err := src.Fetch(t.Context(), mirrorOf(t, docs, root, sources.MirrorOptions{})); err != nil || docs.Writes() != writes {
		t.Errorf("with nothing new: %v, %d writes", err, docs.Writes()-writes)
	}
	step(`{"a":{"CVE-2020-0001":`+issue("3", "trixie")+`}}`,
		"ended/bookworm.json DEBIAN-CVE-2020-0001 Debian:12 2 true",
		"ended/buster.json DEBIAN-CVE-2020-0001 Debian:10 1 true", "ended/buster.json DEBIAN-CVE-2020-0002 Debian:10 1 true",
		"tracker.json DEBIAN-CVE-2020-0001 Debian:13 3 false")
	before := docs.Documents()
	for _, broken := range []string{`{}`, `{"a":{"CVE-2020-0001":{"releases":{"trixie":1`, `[]`, `{"a":{"x":{"releases":{"trixie":{]`, "", "<html>"} {
		if err := fetch(broken); !errors.Is(err, sources.ErrIncomplete) {
			t.Errorf("%q: error %v", broken, err)
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(docs.Documents()))); d != "" {
			t.Errorf("%q: documents (-want +got):\n%s", broken, d)
		}
	}
	step(both,
		"ended/trixie.json DEBIAN-CVE-2020-0001 Debian:13 3 true",
		"tracker.json DEBIAN-CVE-2020-0001 Debian:10 1 false", "tracker.json DEBIAN-CVE-2020-0001 Debian:12 1 false",
		"tracker.json DEBIAN-CVE-2020-0002 Debian:10 1 false")
}
