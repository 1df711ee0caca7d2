package normalize

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func TestDebianTracker(t *testing.T) {
	const eco = `"package":{"ecosystem":"Debian:%s","name":"p"},"ranges":[{"events":[%s],"type":"ECOSYSTEM"}]}`
	entry := func(specifics, release, events string) string {
		return `{` + specifics + fmt.Sprintf(eco, release, events)
	}
	statement := func(release, status, detail string) string {
		if detail != "" {
			detail = `"detail":"` + detail + `",`
		}
		return `{` + detail + `"ecosystem":"Debian:` + release + `","package":"p","status":"` + status + `"}`
	}
	const open = `{"introduced":"0"}`
	tests := []struct {
		name, release, status string
		affected, statements  string
		rules                 []string
	}{
		{"resolved", "bookworm", `"status":"resolved","fixed_version":"1.2-3","urgency":"low**"`,
			entry(`"ecosystem_specific":{"urgency":"low**"},`, "12", open+`,{"fixed":"1.2-3"}`), "", nil},
		{"never affected", "bullseye", `"status":"resolved","fixed_version":"0","urgency":"unimportant"`,
			"", statement("11", "not_affected", ""), nil},
		{"open", "sid", `"status":"open"`, entry("", "sid", open), "", nil},
		{"open, the fix not yet there", "trixie", `"status":"open","fixed_version":"2.0-1","next_point_update":true`,
			entry(`"database_specific":{"fixed_version":"2.0-1","next_point_update":true},`, "13", open), "", nil},
		{"undetermined is no range", "buster", `"status":"undetermined"`,
			"", statement("10", "under_investigation", "undetermined"), nil},
		{"no-dsa", "bookworm", `"status":"open","nodsa":"Minor issue","nodsa_reason":""`,
			entry("", "12", open), statement("12", "no_advisory", "Minor issue"), nil},
		{"postponed", "bookworm", `"status":"open","nodsa":"Later","nodsa_reason":"postponed"`,
			entry("", "12", open), statement("12", "postponed", "Later"), nil},
		{"ignored", "bookworm", `"status":"open","nodsa":"Too intrusive","nodsa_reason":"ignored"`,
			entry("", "12", open), statement("12", "will_not_fix", "Too intrusive"), nil},
		{"end of life", "jessie", `"status":"open","urgency":"end-of-life"`,
			entry(`"ecosystem_specific":{"urgency":"end-of-life"},`, "8", open), statement("8", "end_of_life", ""), nil},
		{"unknown release", "zurg", `"status":"open"`, entry("", "zurg", open), "", []string{"unknown-release"}},
		{"unknown status", "duke", `"status":"pondering"`, "", statement("15", "under_investigation", "pondering"), []string{"unknown-status"}},
		{"resolved by nothing", "buzz", `"status":"resolved"`, "", statement("1.1", "under_investigation", "resolved"), []string{"unknown-status"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, findings, err := parseDoc(t, Debian, "tracker.json", fmt.Sprintf(
				`{"p":{"CVE-2024-1234":{"description":"d","releases":{%q:{%s,"repositories":{"x":"1.0-1"}}}}}}`, tt.release, tt.status))
			if err != nil {
				t.Fatal(err)
			}
			want := `{"id":"DEBIAN-CVE-2024-1234","details":"d","upstream":["CVE-2024-1234"],"affected":[` + tt.affected + `]`
			if tt.statements != "" {
				want += `,"database_specific":{"statements":[` + tt.statements + `]}`
			}
			if diff := cmp.Diff([]string{encodeString(t, decodeOne(t, want+`}`))}, encodings(t, records)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.rules, findingRules(findings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDebianTrackerIDs(t *testing.T) {
	records, findings, err := parseDoc(t, Debian, "tracker.json", `{"p":{
		"TEMP-0000000-A1B2C3":{"scope":"remote","debianbug":555217,"releases":{"sid":{"status":"open"}}},
		"403 Forbidden":{"releases":{}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"affected":[{"database_specific":{"debianbug":555217,"scope":"remote"},"package":{"ecosystem":"Debian:sid","name":"p"},` +
		`"ranges":[{"events":[{"introduced":"0"}],"type":"ECOSYSTEM"}]}],"id":"DEBIAN-TEMP-0000000-A1B2C3"}`
	if diff := cmp.Diff([]string{want}, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"unusable-id"}, findingRules(findings)); diff != "" {
		t.Error(diff)
	}
}

const listText = `[29 Mar 2023] DSA-5380-1 xorg-server - security update
	{CVE-2023-1393}
	[bullseye] - xorg-server 2:1.20.11-1+deb11u6
[17 Mar 2023] DSA-5356-2 sox - regression update
	[bullseye] - sox 14.4.2+git20190427-2+deb11u2
[09 Sep 2010] DSA-2107-1 couchdb  - arbitrary code execution
       {CVE-2010-2953 TEMP-0000000-A1B2C3}
 	[lenny] - couchdb 0.8.0-2+lenny1 (bug #570013; medium)
	[etch] - couchdb <not-affected> (no such package)
	[sarge] - couchdb <end-of-life>
	[woody] - couchdb <unfixed> (high)
	[lenny] - couchdb 0.8.0-2
	NOTE: seen twice
[02 Jul 2002] DSA-135 libapache-mod-ssl -- buffer overflow / DoS
	[zurg] - p 1-1
	[woody] - p <gone>
	what is this
	{CVE-2002}
[?] DSA-1-1 unreadable
[18 Apr 2018] DSA-4205-1 jessie end-of-life
`

func TestDebianList(t *testing.T) {
	ref := func(id string) string {
		return `"references":[{"type":"ADVISORY","url":"https://security-tracker.debian.org/tracker/` + id + `"}]`
	}
	pkg := func(release, name, events string) string {
		return `{"package":{"ecosystem":"Debian:` + release + `","name":"` + name + `"},"ranges":[{"events":[{"introduced":"0"}` + events + `],"type":"ECOSYSTEM"}]}`
	}
	want := []string{
		`{"affected":[` + pkg("11", "xorg-server", `,{"fixed":"2:1.20.11-1+deb11u6"}`) + `],"id":"DSA-5380-1","published":"2023-03-29T00:00:00Z",` +
			ref("DSA-5380-1") + `,"summary":"xorg-server - security update","upstream":["CVE-2023-1393"]}`,
		`{"affected":[` + pkg("11", "sox", `,{"fixed":"14.4.2+git20190427-2+deb11u2"}`) + `],"id":"DSA-5356-2","published":"2023-03-17T00:00:00Z",` +
			ref("DSA-5356-2") + `,"related":["DSA-5356-1"],"summary":"sox - regression update"}`,
		`{"affected":[` + pkg("3.0", "couchdb", "") + `,` + pkg("3.1", "couchdb", "") + `,` + pkg("5.0", "couchdb", `,{"fixed":"0.8.0-2+lenny1"}`) +
			`],"database_specific":{"notes":["seen twice"],"statements":[` +
			`{"detail":"no such package","ecosystem":"Debian:4.0","package":"couchdb","status":"not_affected"},` +
			`{"ecosystem":"Debian:3.1","package":"couchdb","status":"end_of_life"}]},"id":"DSA-2107-1","published":"2010-09-09T00:00:00Z",` +
			ref("DSA-2107-1") + `,"related":["TEMP-0000000-A1B2C3"],"summary":"couchdb - arbitrary code execution","upstream":["CVE-2010-2953"]}`,
		`{"affected":[` + pkg("zurg", "p", `,{"fixed":"1-1"}`) + `],"id":"DSA-135","published":"2002-07-02T00:00:00Z",` + ref("DSA-135") +
			`,"summary":"libapache-mod-ssl -- buffer overflow / DoS"}`,
		`{"id":"DSA-4205-1","published":"2018-04-18T00:00:00Z",` + ref("DSA-4205-1") + `,"summary":"jessie end-of-life"}`,
	}
	wantFindings := []string{"line 15 unknown-release", "line 16 unknown-status", "line 17 unreadable-line", "line 18 unusable-id", "line 19 unreadable-line"}
	records, findings, err := parseDoc(t, Debian, "DSA/list", "\ufeff"+listText)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encodings(t, records)); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, f := range findings {
		got = append(got, f.Place+" "+f.Rule)
	}
	if diff := cmp.Diff(wantFindings, got); diff != "" {
		t.Error(diff)
	}
}

func TestDebianErrors(t *testing.T) {
	tests := []struct{ doc, text, want string }{
		{"what", "", "unknown document: what"},
		{"tracker.json", "", "offset 0: empty document"},
		{"tracker.json", "<html>", "offset 0: a web page, not data"},
		{"tracker.json", `{"p":{"CVE-2024-1234":{"releases":{"sid":{"status":`, "unexpected EOF"},
		{"tracker.json", `{"p":{}}[]`, "offset 9: array after the document's end"},
		{"tracker.json", `{"p":[]}`, "p: array where object is expected"},
		{"tracker.json", `{"p":{"CVE-2024-1234":{"releases":[]}}}`, "p/CVE-2024-1234/releases: array where object is expected"},
		{"DSA/list", "", "line 0: empty document"},
		{"DLA/list", "<html>\n", `line 1: no advisory list: "<html>"`},
		{"DLA/list", strings.Repeat("x", maxListLine+1), "line 1: bufio.Scanner: token too long"},
	}
	for _, tt := range tests {
		t.Run(tt.doc+" "+tt.want, func(t *testing.T) {
			_, _, err := parseDoc(t, Debian, tt.doc, tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestDebianShared reads whole feeds: every line is understood and every
// record keeps the rules but for modified, which the feeds do not have.
func TestDebianShared(t *testing.T) {
	const salsa = "salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/"
	for _, tt := range []struct {
		doc, path string
		records   int
	}{
		{"tracker.json", "security-tracker.debian.org/tracker/data/json", 28000},
		{"DSA/list", salsa + "DSA/list", 5400},
		{"DLA/list", salsa + "DLA/list", 3500},
	} {
		t.Run(tt.doc, func(t *testing.T) {
			f, err := os.Open(sharedtest.Path(t, "upstream", "day1", tt.path))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			n := 0
			d := Doc{Name: tt.doc, Body: f, Report: func(f Finding) { t.Errorf("%+v", f) }}
			err = Debian(d, func(r *Record) error {
				n++
				r.Modified = "2024-01-01T00:00:00Z"
				for _, f := range Lint(r) {
					t.Errorf("%+v", f)
				}
				return nil
			})
			if err != nil || n < tt.records {
				t.Errorf("%d records, error %v", n, err)
			}
		})
	}
}

func TestDebianReleases(t *testing.T) {
	for codename, want := range map[string]string{
		"buzz": "Debian:1.1", "squeeze": "Debian:6.0", "wheezy": "Debian:7", "bookworm": "Debian:12", "duke": "Debian:15", "sid": "Debian:sid",
	} {
		if got, ok := debianEcosystem(codename); got != want || !ok {
			t.Errorf("%s: %s, %v", codename, got, ok)
		}
	}
	text, err := os.ReadFile(sharedtest.Path(t, "upstream", "day1", "debian.pages.debian.net", "distro-info-data", "debian.csv"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, ",")
		if len(f) < 3 || f[0] == "version" || f[0] == "" {
			continue
		}
		n++
		if debianReleases[f[2]] != f[0] {
			t.Errorf("%s is %s, not %q", f[2], f[0], debianReleases[f[2]])
		}
	}
	if n < 19 {
		t.Errorf("%d releases", n)
	}
}
