package peers

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/report"
	"github.com/advdb/advdb/versioncmp"
	"github.com/advdb/advdb/vex"
	"github.com/google/go-cmp/cmp"
	govex "github.com/openvex/go-vex/pkg/vex"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sample is a report of n packages, of which every second has a vulnerability
// that is suppressed, and every third one of which it is unknown.
func sample(n int) *report.Report {
	r := &report.Report{Name: "a b/app.json", SBOM: &query.SBOM{Format: "SPDX-2.3", Notes: []string{"note"}}, Time: time.Date(2026, 8, 3, 4, 5, 6, 0, time.UTC), Version: "v1"}
	r.Gaps = []query.Gap{{Component: query.Component{Name: "x"}, Reason: "no purl"}}
	for i := range n {
		c := query.Component{Name: fmt.Sprint("p", i), Version: "1.0", Purl: fmt.Sprintf("pkg:npm/p%d@1.0", i)}
		v := query.Vulnerability{ID: fmt.Sprintf("CVE-2021-%04d", i/2), Aliases: []string{fmt.Sprint("GHSA-", i/2)}, Verdict: versioncmp.Affected, Summary: "Summary \"quoted\"",
			Assertions: []query.Assertion{{Finding: query.Finding{ID: fmt.Sprint("GHSA-", i/2), Reason: "why", Verdict: versioncmp.Unknown}}}, CWEs: []string{"CWE-79"},
			Severity: query.Severity{Rating: query.High, Score: 7.5, Type: "CVSS_V3", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}
		if i%2 == 0 {
			v.Suppressed = &query.Suppression{Status: []string{"not_affected", "fixed", "false_positive"}[i/2%3], By: "x"}
		} else if i%3 == 0 {
			v.Verdict = versioncmp.Unknown
		}
		r.SBOM.Components = append(r.SBOM.Components, c)
		r.Found = append(r.Found, query.Assessment{Component: c, Vulnerabilities: []query.Vulnerability{v}})
	}
	return r
}

// sarifSchema is OASIS's schema, as go-sarif carries it in its source. Its own
// Validate checks what it would write, not what it was given.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && len(s) > len(text) {
				text = s
			}
		}
		return true
	})
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://example.org/sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://example.org/sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaError(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSARIF holds that reports pass OASIS's schema and are read back.
func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	for _, n := range []int{0, 1, 12} {
		r := sample(n)
		var b bytes.Buffer
		if err := report.SARIF(&b, r); err != nil {
			t.Fatal(err)
		}
		if err := schemaError(t, schema, b.Bytes()); err != nil {
			t.Errorf("%d packages: %v\n%s", n, err, b.Bytes())
		}
		log, err := sarif.FromBytes(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(log.Runs[0].Results); got != n {
			t.Errorf("%d results of %d packages", got, n)
		}
		for _, res := range log.Runs[0].Results {
			rule := log.Runs[0].Tool.Driver.Rules[res.RuleIndex]
			if *rule.ID != *res.RuleID {
				t.Errorf("rule %s at the index of %s", *rule.ID, *res.RuleID)
			}
		}
	}
}

// TestSARIFRefuses holds that the schema sees what is wrong.
func TestSARIFRefuses(t *testing.T) {
	var b bytes.Buffer
	if err := report.SARIF(&b, sample(2)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{`"kind": "fail"`, `"kind": "sad"`}, {`"results"`, `"findings"`}, {`"startLine": 1`, `"startLine": 0`}} {
		if err := schemaError(t, sarifSchema(t), bytes.Replace(b.Bytes(), []byte(c[0]), []byte(c[1]), 1)); err == nil {
			t.Errorf("%s passes", c[1])
		}
	}
}

// TestOpenVEX holds that the reference library finds every statement valid, and
// says of each product what our own reader says.
func TestOpenVEX(t *testing.T) {
	r := sample(12)
	var b bytes.Buffer
	if err := report.OpenVEX(&b, r); err != nil {
		t.Fatal(err)
	}
	doc, err := govex.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i := range doc.Statements {
		if err := doc.Statements[i].Validate(); err != nil {
			t.Errorf("statement %d: %v", i, err)
		}
	}
	var theirs, ours []string
	for _, a := range r.Found {
		v := &a.Vulnerabilities[0]
		for _, name := range []string{v.ID, v.Aliases[0]} {
			for _, s := range doc.Matches(name, a.Component.Purl, nil) {
				if s.Status == govex.StatusNotAffected || s.Status == govex.StatusFixed {
					theirs = append(theirs, name+" "+a.Component.Purl)
				}
			}
		}
	}
	d, err := vex.Read("x", &b)
	if err != nil {
		t.Fatal(err)
	}
	sbom := *r.SBOM
	vex.Apply([]*vex.Document{d}, &sbom, r.Found)
	for _, a := range r.Found {
		if v := &a.Vulnerabilities[0]; v.Suppressed != nil {
			ours = append(ours, v.ID+" "+a.Component.Purl, v.Aliases[0]+" "+a.Component.Purl)
		}
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	if diff := cmp.Diff(theirs, ours); diff != "" || len(ours) != 12 {
		t.Errorf("(-go-vex +ours):\n%s", diff)
	}
}

// TestPurls compares which products a statement is about.
func TestPurls(t *testing.T) {
	for _, c := range []struct{ statement, component string }{
		{"pkg:npm/a", "pkg:npm/a@1"}, {"pkg:npm/a@1", "pkg:npm/a@1"}, {"pkg:npm/a@2", "pkg:npm/a@1"}, {"pkg:npm/a@1", "pkg:npm/a"},
		{"pkg:npm/%40s/a", "pkg:npm/a"}, {"pkg:npm/a", "pkg:npm/%40s/a"}, {"pkg:npm/a", "pkg:pypi/a"},
		{"pkg:apk/wolfi/a@1?arch=x86_64", "pkg:apk/wolfi/a@1?arch=x86_64&distro=w"}, {"pkg:apk/wolfi/a@1?arch=arm64", "pkg:apk/wolfi/a@1?arch=x86_64"}, {"pkg:apk/wolfi/a@1?arch=x86_64", "pkg:apk/wolfi/a@1"},
	} {
		text := fmt.Sprintf(`{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":{"name":"CVE-1"},"products":[{"@id":%q}],"status":"not_affected","impact_statement":"x"}]}`, c.statement)
		doc, err := govex.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d, err := vex.Read("x", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		found := []query.Assessment{{Component: query.Component{Purl: c.component}, Vulnerabilities: []query.Vulnerability{{ID: "CVE-1"}}}}
		tally := vex.Apply([]*vex.Document{d}, &query.SBOM{}, found)
		if theirs := len(doc.Matches("CVE-1", c.component, nil)) > 0; theirs != (tally.Suppressed == 1) {
			t.Errorf("%s of %s: go-vex %v, ours %v", c.statement, c.component, theirs, tally.Suppressed == 1)
		}
	}
}
