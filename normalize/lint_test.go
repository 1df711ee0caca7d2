package normalize

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaRules are the rules of Lint that the JSON schema has too; the others
// are the range rules of the schema's text, and what it is silent about.
var schemaRules = nameSet("id", "modified", "time", "object", "unknown-member", "severity-type", "severity-score",
	"severity-source", "severity-twice", "ecosystem", "range-type", "event-keys", "events-introduced",
	"fixed-and-last-affected", "git-repo", "git-commit", "reference-type", "reference-url", "credit-type")

func osvSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/osv-schema-1.9.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("osv.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("osv.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaError(t testing.TB, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// lintVerdict reports whether Lint and Strict find what the schema would.
func lintVerdict(r *Record) (rules []string) {
	for _, f := range Lint(r) {
		if schemaRules[f.Rule] {
			rules = append(rules, f.Rule)
		}
	}
	if len(rules) == 0 && !r.Strict() {
		rules = []string{"not strict"}
	}
	return rules
}

const lintFrame = `{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z",%s}`

func TestLint(t *testing.T) {
	pkg := func(s string) string {
		return `"affected":[{"package":{"ecosystem":"npm","name":"p"},` + s + `}]`
	}
	events := func(s string) string { return pkg(`"ranges":[{"type":"SEMVER","events":[` + s + `]}]`) }
	hash := strings.Repeat("0a", 20)
	tests := []struct {
		name, members string
		want          []string
	}{
		{"clean", events(`{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"},{"fixed":"2.1.0"}`), nil},
		{"bad time", `"published":"2024-02-30T00:00:00Z"`, []string{"published time"}},
		{"zone", `"withdrawn":"2024-02-01T00:00:00+01:00"`, []string{"withdrawn time"}},
		{"fraction", `"published":"2024-02-29T23:59:59.123456789Z"`, nil},
		{"unknown member", `"new":1`, []string{" unknown-member"}},
		{"no object", `"database_specific":[]`, []string{"database_specific object"}},
		{"empty alias", `"aliases":["A",""]`, []string{"aliases/1 empty-string"}},
		{"unregistered ecosystem", `"affected":[{"package":{"ecosystem":"Plan 9","name":"p"}}]`, []string{"affected/0/package ecosystem"}},
		{"private ecosystem", `"affected":[{"package":{"ecosystem":"Amazon Linux:2023","name":"p"}}]`, nil},
		{"suffix with colons", `"affected":[{"package":{"ecosystem":"Packagist:https://packages.drupal.org/8","name":"p"}}]`, nil},
		{"empty suffix", `"affected":[{"package":{"ecosystem":"Debian:","name":"p"}}]`, []string{"affected/0/package ecosystem"}},
		{"no package name", `"affected":[{"package":{"ecosystem":"npm","name":""}}]`, []string{"affected/0/package package-name"}},
		{"no purl", pkg(`"versions":["1"]`)[:len(`"affected":[{"package":{"ecosystem":"npm","name":"p"`)] + `,"purl":"npm/p"}}]`, []string{"affected/0/package purl"}},
		{"range type", pkg(`"ranges":[{"type":"RPM","events":[{"introduced":"0"}]}]`), []string{"affected/0/ranges/0 range-type"}},
		{"two keys", events(`{"introduced":"0","fixed":"1.0.0"}`), []string{"affected/0/ranges/0/events/0 event-keys"}},
		{"no keys", events(`{"introduced":"0"},{}`), []string{"affected/0/ranges/0/events/1 event-keys"}},
		{"no events", events(``), []string{"affected/0/ranges/0/events events-introduced"}},
		{"no introduced", events(`{"fixed":"1.0.0"}`), []string{"affected/0/ranges/0/events events-introduced"}},
		{"fixed and last_affected", events(`{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}`),
			[]string{"affected/0/ranges/0/events fixed-and-last-affected"}},
		{"order", events(`{"introduced":"2.0.0"},{"fixed":"1.0.0"}`), []string{"affected/0/ranges/0/events/1 events-order"}},
		{"order by number", events(`{"introduced":"0"},{"fixed":"9.0.0"},{"introduced":"10.0.0"}`), nil},
		{"no version", events(`{"introduced":"0"},{"fixed":"what ever"}`), []string{"affected/0/ranges/0/events/1 version"}},
		{"git without repo", `"affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"},{"fixed":"` + hash + `"}]}]}]`,
			[]string{"affected/0/ranges/0 git-repo"}},
		{"git short hash", `"affected":[{"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"fixed":"abc"}]}]}]`,
			[]string{"affected/0/ranges/0/events/1 git-commit"}},
		{"severity twice", `"severity":[{"type":"Ubuntu","score":"low"}],` + pkg(`"severity":[{"type":"Ubuntu","score":"low"}]`),
			[]string{"affected/0/severity severity-twice"}},
		{"severity type", `"severity":[{"type":"CVSS","score":"5"}]`, []string{"severity/0 severity-type"}},
		{"vector slash", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/"}]`, []string{"severity/0 severity-score"}},
		{"vector 3.0, any order", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AC:L/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P"}]`, nil},
		{"vector 2", `"severity":[{"type":"CVSS_V2","score":"AV:N/AC:M/Au:N/C:N/I:N/A:P/TD:ND"}]`, nil},
		{"vector 2 in parentheses", `"severity":[{"type":"CVSS_V2","score":"(AV:N/AC:M/Au:N/C:N/I:N/A:P)"}]`, []string{"severity/0 severity-score"}},
		{"vector 4", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P/U:Red"}]`, nil},
		{"vector 4, order", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AC:L/AV:N/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]`, []string{"severity/0 severity-score"}},
		{"vector 4, metric missing", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N"}]`, []string{"severity/0 severity-score"}},
		{"vector 4, metric twice", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P/E:P"}]`, []string{"severity/0 severity-score"}},
		{"severity source", `"severity":[{"type":"Ubuntu","score":"low","source":"NVD"}]`, nil},
		{"unknown severity source", `"severity":[{"type":"Ubuntu","score":"low","source":"me"}]`, []string{"severity/0 severity-source"}},
		{"reference", `"references":[{"type":"BLOG","url":"https://a.b/c?d=e#f"},{"type":"WEB","url":"a.b/c"},{"type":"WEB","url":"https://[::1]:8080/"},{"type":"WEB","url":"mailto:a@b"}]`,
			[]string{"references/0 reference-type", "references/1 reference-url"}},
		{"credit", `"credits":[{"name":"n","type":"HERO"},{"name":"n","type":"FINDER"}]`, []string{"credits/0 credit-type"}},
	}
	schema := osvSchema(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := fmt.Sprintf(lintFrame, tt.members)
			r := decodeOne(t, text)
			var got []string
			for _, f := range Lint(r) {
				got = append(got, strings.TrimPrefix(strings.TrimPrefix(f.Place, r.ID), "/")+" "+f.Rule)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if err, rules := schemaError(t, schema, []byte(text)), lintVerdict(r); (err == nil) != (len(rules) == 0) {
				t.Errorf("Lint says %q, the schema %v", rules, err)
			}
		})
	}
}

func TestLintIDs(t *testing.T) {
	tests := []struct {
		id   string
		want []string
	}{
		{"CVE-2024-1", nil}, {"SUSE-SU-2024:1-1", nil}, {"openSUSE-SU-2024:1-1", nil}, {"ASB-A-1", nil}, {"x_me", nil},
		{"WOLFI-CVE-2024-1", nil}, {"ALAS2-2024-1", nil}, {"GLAD-CVE-2024-1", nil},
		{"", []string{"id"}}, {"CVE", []string{"id"}}, {"SUSE-X-1", []string{"id"}}, {"SUSE-SU-403 Forbidden-1", []string{"id-characters"}},
		{"CVE-../x", []string{"id-characters"}},
	}
	for _, tt := range tests {
		got := findingRules(Lint(&Record{ID: tt.id, Modified: "2024-01-01T00:00:00Z"}))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.id, diff)
		}
	}
	if got := findingRules(Lint(&Record{ID: "CVE-2024-1"})); !slices.Equal(got, []string{"modified"}) {
		t.Errorf("no modified: %v", got)
	}
}

// The names of the schema's patterns and enumerations are those of the tables.
func TestRegisteredNames(t *testing.T) {
	text, err := os.ReadFile("testdata/osv-schema-1.9.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var names struct {
		Defs struct {
			EcosystemName struct {
				Enum []string `json:"enum"`
			} `json:"ecosystemName"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &names); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(nameSet(append(names.Defs.EcosystemName.Enum, "GIT")...), registeredEcosystems); diff != "" {
		t.Error(diff)
	}
	schema := osvSchema(t)
	for name := range registeredEcosystems {
		text := fmt.Sprintf(lintFrame, `"affected":[{"package":{"ecosystem":"`+name+`","name":"p"}}]`)
		if err := schemaError(t, schema, []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range privateEcosystems {
		text := fmt.Sprintf(lintFrame, `"affected":[{"package":{"ecosystem":"`+name+`:1","name":"p"}}]`)
		if err := schemaError(t, schema, []byte(text)); err == nil {
			t.Errorf("%s is registered now", name)
		}
	}
	for prefix, registered := range map[string]bool{"registered": true, "private": false} {
		set := registeredPrefixes
		if !registered {
			set = privatePrefixes
		}
		for name := range set {
			err := schemaError(t, schema, []byte(`{"id":"`+name+`-1","modified":"2024-01-01T00:00:00Z"}`))
			if (err == nil) != registered {
				t.Errorf("%s is listed as %s: %v", name, prefix, err)
			}
		}
	}
}

// Lint and the JSON schema give one verdict on every OSV record at hand.
func TestLintAgreesWithSchema(t *testing.T) {
	schema := osvSchema(t)
	n, bad := 0, 0
	sharedOSV(t, func(d sharedDoc) {
		r, err := Decode(d.data)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			return
		}
		n++
		rules, verdict := lintVerdict(r), schemaError(t, schema, d.data)
		if verdict != nil {
			bad++
		}
		if (verdict == nil) != (len(rules) == 0) {
			t.Errorf("%s: Lint says %q, the schema %v", d.name, rules, verdict)
		}
	})
	if n < 1000 || bad < 10 {
		t.Fatalf("%d records, %d that break the schema: too few to say anything", n, bad)
	}
	t.Logf("%d records, %d break the schema", n, bad)
}

func TestLintAllocatesNothing(t *testing.T) {
	r := decodeOne(t, `{"id":"CVE-2024-1","modified":"2024-01-01T00:00:00Z","references":[{"type":"WEB","url":"https://a.b/c"}],
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"aliases":["A"],
		"affected":[{"package":{"ecosystem":"Android","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1"}]}]}]}`)
	if n := testing.AllocsPerRun(100, func() { Lint(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
