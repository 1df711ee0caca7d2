package normalize

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

func uctText(lines ...string) string {
	return "Candidate: CVE-2024-1000\nPublicDate: 2024-01-12 06:59:00 UTC\nDescription:\n x\n" + strings.Join(lines, "\n") + "\n"
}

// uctLines returns "ecosystem name introduced fixed" and "status ecosystem
// name: detail" lines.
func uctLines(tb testing.TB, r *Record) []string {
	tb.Helper()
	var out []string
	for _, a := range r.Affected {
		line := a.Package.Ecosystem + " " + a.Package.Name
		for _, e := range a.Ranges[0].Events {
			line += " " + e.version()
		}
		out = append(out, line)
	}
	s, err := r.Statements()
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range s {
		out = append(out, fmt.Sprintf("%s %s %s: %s", s.Status, s.Ecosystem, s.Package, s.Detail))
	}
	return out
}

func TestUbuntuCVETracker(t *testing.T) {
	for _, tt := range []struct {
		line  string
		want  []string
		rules []string
	}{
		{"jammy_p: released (1.0-1)", []string{"Ubuntu:22.04:LTS p 0 1.0-1"}, nil},
		{"jammy_p:released (1.0-1 )", []string{"Ubuntu:22.04:LTS p 0 1.0-1"}, nil},
		{"jammy_p: released (1.0-1, 1.1-1)", []string{"Ubuntu:22.04:LTS p 0 1.1-1"}, nil},
		{"jammy_p: released", nil, []string{"no-version"}},
		{"jammy_p: released (1:2.4~rc1+dfsg-1ubuntu0.1)", []string{"Ubuntu:22.04:LTS p 0 1:2.4~rc1+dfsg-1ubuntu0.1"}, nil},
		{"jammy_p: needed", []string{"Ubuntu:22.04:LTS p 0"}, nil},
		{"jammy_p: pending (1.0-1)", []string{"Ubuntu:22.04:LTS p 0"}, nil},
		{"jammy_p: deferred (2019-01-01)", []string{"Ubuntu:22.04:LTS p 0", "postponed Ubuntu:22.04:LTS p: 2019-01-01"}, nil},
		{"jammy_p: needs-triage", []string{"under_investigation Ubuntu:22.04:LTS p: "}, nil},
		{"jammy_p: not-affected (1.0-1)", []string{"not_affected Ubuntu:22.04:LTS p: 1.0-1"}, nil},
		{"jammy_p: not-affected (code (old) not present)", []string{"not_affected Ubuntu:22.04:LTS p: code (old) not present"}, nil},
		{"wily_p: ignored (reached end-of-life)", []string{"end_of_life Ubuntu:15.10 p: reached end-of-life"}, nil},
		{"wily_p: ignored (end of ESM support, was deferred)", []string{"Ubuntu:15.10 p 0", "end_of_life Ubuntu:15.10 p: end of ESM support, was deferred"}, nil},
		{"wily_p: ignored (abandoned)", []string{"will_not_fix Ubuntu:15.10 p: abandoned"}, nil},
		{"wily_p: DNE", nil, nil},
		{"wily_p: perhaps", nil, []string{"unknown-status"}},
		{"Patches_p: needs-triage", nil, nil},
		{"upstream_p: needed", nil, nil},
		{"devel_p: needed", nil, nil},
		{"vivid/stable-phone-overlay_p: needed", nil, nil},
		{"trusty/esm_linux-lts-xenial: needed", []string{"Ubuntu:Pro:14.04:LTS linux-lts-xenial 0"}, nil},
	} {
		t.Run(tt.line, func(t *testing.T) {
			records, rules := parseWhole(t, UbuntuCVETracker, "active/CVE-2024-1000", uctText(tt.line))
			if d := cmp.Diff(tt.want, uctLines(t, records[0])); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if d := cmp.Diff(tt.rules, rules); d != "" {
				t.Errorf("findings (-want +got):\n%s", d)
			}
		})
	}
}

// A package's own priority stands beside the record's.
func TestUbuntuCVETrackerPriority(t *testing.T) {
	records, _ := parseWhole(t, UbuntuCVETracker, "x", uctText("Priority: high ", "Priority_p: low", "jammy_p: needed", "jammy_q: needed"))
	r := records[0]
	if got := string(r.Affected[0].EcosystemSpecific) + string(r.Affected[1].EcosystemSpecific); got != `{"priority":"low"}` {
		t.Error(got)
	}
	if d := cmp.Diff([]Severity{{Type: "Ubuntu", Score: "high"}}, r.Severity); d != "" {
		t.Error(d)
	}
}

// The whole tracker of August 2022, each status counted in the text.
func TestUbuntuCVETrackerShared(t *testing.T) {
	type count struct {
		Files, Records           int
		NotAffected, Triage      int
		Status, Rules, Unordered map[string]int
	}
	got := count{Status: map[string]int{}, Rules: map[string]int{}, Unordered: map[string]int{}}
	var want count
	walkArchive(t, sharedtest.Path(t, "corpus", "ubuntu", "uct-2022-08.tar.zst"), func(doc sharedDoc) {
		if _, name, _ := strings.Cut(doc.name, "/"); !strings.HasPrefix(name, "active/CVE-") && !strings.HasPrefix(name, "retired/CVE-") {
			return
		}
		got.Files++
		for line := range strings.Lines(string(doc.data)) {
			name, value, _ := strings.Cut(line, ":")
			release, _, ok := strings.Cut(name, "_")
			if _, known := ubuntuDistro(release); !ok || !known {
				continue
			}
			switch value = strings.TrimSpace(value); {
			case strings.HasPrefix(value, "not-affected"):
				want.NotAffected++
			case strings.HasPrefix(value, "needs-triage"):
				want.Triage++
			}
		}
		err := UbuntuCVETracker(Doc{Name: doc.name, Body: bytes.NewReader(doc.data), Report: func(f Finding) { got.Rules[f.Rule]++ }}, func(r *Record) error {
			got.Records++
			for _, f := range Lint(r) {
				got.Unordered[f.Rule]++
			}
			s, err := r.Statements()
			for _, s := range s {
				got.Status[s.Status]++
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", doc.name, err)
		}
	})
	delete(got.Unordered, "modified") // the tracker has no times of change
	if got.Files != 41442 || got.Records+got.Rules["bad-id"] != got.Files || len(got.Unordered) > 0 || got.Rules["unreadable-entry"] > 0 || got.Rules["unknown-status"] > 0 {
		t.Errorf("%+v", got)
	}
	// Statements that are there twice, in two parts of one ecosystem, are one.
	if n := got.Status[NotAffected]; n > want.NotAffected || n < want.NotAffected-100 {
		t.Errorf("%d not affected, the text has %d", n, want.NotAffected)
	}
	if n := got.Status[UnderInvestigation]; n > want.Triage || n < want.Triage-100 {
		t.Errorf("%d under investigation, the text has %d", n, want.Triage)
	}
}

func FuzzUbuntuCVETracker(f *testing.F) {
	fuzzDocuments(f, UbuntuCVETracker, "active/CVE-2024-1000", uctText("Priority_p: low", "jammy_p: released (1, 2)", "trusty/esm_p:ignored (was needed", "CVSS:", " nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H [7.5 HIGH]"), "Candidate: CVE-2006-NNN0\n", "<html>", "#\nx")
}

func FuzzUbuntuVEX(f *testing.F) {
	fuzzDocuments(f, UbuntuVEX, "x.json", `{"timestamp":"2026-05-20T15:02:47Z","statements":[{"vulnerability":{"name":"CVE-2024-1000"},"products":[{"@id":"pkg:deb/ubuntu/curl@7?arch=source&distro=jammy"},{"@id":"x"}],"status":"not_affected","justification":"j"}]}`)
}

func FuzzRedHatAdvisory(f *testing.F) {
	fuzzDocuments(f, RedHatAdvisory, "x.json", `{"document":{"tracking":{"id":"RHSA-2024:1","current_release_date":"2024-09-03T19:57:24+02:00"}},"product_tree":{"branches":[{"product":{"product_id":"p","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9::baseos"}}},
		{"product":{"product_id":"c","product_identification_helper":{"purl":"pkg:rpm/redhat/x@1-1?arch=src&rpmmod=a:b:c:d"}}}],"relationships":[{"full_product_name":{"product_id":"p:c"},"product_reference":"c","relates_to_product_reference":"p"}]},
		"vulnerabilities":[{"cve":"CVE-2024-1000","product_status":{"fixed":["p:c","p:d","q"]}}]}`)
}

func BenchmarkUbuntuCVETracker(b *testing.B) {
	text := uctText("jammy_p: released (1.0-1)", "trusty/esm_p: DNE", "esm-infra/xenial_p: not-affected (code not present)", "upstream_p: needed")
	text += strings.Repeat("focal_linux-aws-5.4: released (5.4.0-1009.9)\nprecise/esm_linux: ignored (was needed ESM criteria)\n", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := UbuntuCVETracker(Doc{Body: strings.NewReader(text)}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
