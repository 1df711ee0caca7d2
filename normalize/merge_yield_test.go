package normalize

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of what SUSE's OVAL says of a release nothing counts where its VEX speaks of
// the release, be it to say that nothing is affected; what VEX has no more
// does not silence it.
func TestMergeYield(t *testing.T) {
	const oval = `{"id":"SUSE-CVE-2024-1","references":[{"type":"WEB","url":"https://a.example/oval"}],
		"affected":[{"package":{"ecosystem":"openSUSE:Leap 15.3","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
			{"package":{"ecosystem":"openSUSE:13.2","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}],
		"database_specific":{"statements":[{"ecosystem":"openSUSE:Leap 15.3","package":"b","status":"not_affected"},{"ecosystem":"openSUSE:13.2","package":"b","status":"not_affected"}]}}`
	const gone = "2024-05-05T00:00:00Z"
	const old, leap = "openSUSE:13.2 a [0,)", "openSUSE:Leap 15.3 a [0,)"
	for _, tt := range []struct{ name, vex, gone, want string }{
		{"fixed by now", `{"id":"SUSE-CVE-2024-1","affected":[{"package":{"ecosystem":"openSUSE:Leap 15.3","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1-1"}]}]}]}`,
			"", old + "; openSUSE:Leap 15.3 a [0,1-1); openSUSE:13.2 b not_affected"},
		{"not affected", `{"id":"SUSE-CVE-2024-1","database_specific":{"statements":[{"ecosystem":"openSUSE:Leap 15.3","package":"a","status":"not_affected"}]}}`,
			"", old + "; openSUSE:13.2 b not_affected; openSUSE:Leap 15.3 a not_affected"},
		{"not affected, of many", `{"id":"SUSE-CVE-2024-1","database_specific":{"suse":{"not_affected":{"openSUSE:Leap 15.3":["a"]}}}}`,
			"", old + "; openSUSE:13.2 b not_affected"},
		{"of other releases", `{"id":"SUSE-CVE-2024-1","affected":[{"package":{"ecosystem":"SUSE:x","name":"a"},"versions":["1"]}]}`,
			"", "SUSE:x a ; " + old + "; " + leap + "; openSUSE:13.2 b not_affected; openSUSE:Leap 15.3 b not_affected"},
		{"gone", `{"id":"SUSE-CVE-2024-1","database_specific":{"suse":{"not_affected":{"openSUSE:Leap 15.3":["a"]}}}}`,
			gone, old + "; " + leap + "; openSUSE:13.2 b not_affected; openSUSE:Leap 15.3 b not_affected"},
	} {
		parts := []Part{overlayPart(t, "suse-vex", tt.vex, tt.gone), overlayPart(t, "suse-oval", oval, "")}
		for range 2 {
			r, _, err := Merge("SUSE-CVE-2024-1", parts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range r.Affected {
				got = append(got, a.Package.Ecosystem+" "+a.Package.Name+" "+encodeRanges(a.Ranges))
			}
			st, err := r.Statements()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range st {
				got = append(got, s.Ecosystem+" "+s.Package+" "+s.Status)
			}
			want := strings.Split(tt.want, "; ")
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, d)
			}
			if len(r.References) != 1 {
				t.Errorf("%s: references are %v", tt.name, r.References)
			}
			parts = []Part{overlayPart(t, "suse-oval", oval, ""), overlayPart(t, "suse-vex", tt.vex, tt.gone)}
		}
	}
}
