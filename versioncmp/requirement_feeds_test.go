package versioncmp

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/advdb/advdb/internal/sharedtest"
)

// eachFile calls f with the files of a tar.gz archive.
func eachFile(t testing.TB, archive string, f func(name string, data []byte)) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	gz, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		f(name, data)
	}
}

func githubArchive(t testing.TB, repo, branch string) string {
	t.Helper()
	return sharedtest.Path(t, "upstream", "day1", "github.com", repo, "archive", "refs", "heads", branch+".tar.gz")
}

// osvRecord is what the tests read of an OSV record.
type osvRecord struct {
	ID       string
	Affected []struct {
		Package  struct{ Ecosystem, Name string }
		Ranges   []osvRange
		Versions []string
	}
}

type osvRange struct {
	Type   string
	Events []struct {
		Introduced, Fixed, Limit string
		LastAffected             string `json:"last_affected" yaml:"last_affected"`
	}
}

func (r osvRange) events() []Event {
	var list []Event
	for _, e := range r.Events {
		for kind, v := range map[EventKind]string{Introduced: e.Introduced, Fixed: e.Fixed, LastAffected: e.LastAffected, Limit: e.Limit} {
			if v != "" {
				list = append(list, Event{kind, v})
			}
		}
	}
	return list
}

var (
	tomlVersions = regexp.MustCompile(`(?s)\n\[versions\](.*?)(?:\n\[|\n` + "```" + `)`)
	tomlList     = regexp.MustCompile(`(?sm)^(?:patched|unaffected)\s*=\s*\[(.*?)\]`)
	tomlString   = regexp.MustCompile(`"([^"]*)"`)
)

// rustSecSafe reads the patched and unaffected requirements of an advisory.
func rustSecSafe(data []byte) []string {
	var safe []string
	section := tomlVersions.FindSubmatch(data)
	if section == nil {
		return nil
	}
	for _, list := range tomlList.FindAllSubmatch(section[1], -1) {
		for _, s := range tomlString.FindAllSubmatch(list[1], -1) {
			safe = append(safe, string(s[1]))
		}
	}
	return safe
}

// TestRustSecDecidesAsItsOwnExport compares the complement of what RustSec
// calls safe with RustSec's own OSV records, at and beside every version that
// either names.
func TestRustSecDecidesAsItsOwnExport(t *testing.T) {
	exported := map[string]osvRecord{}
	eachFile(t, githubArchive(t, "rustsec/advisory-db", "osv"), func(name string, data []byte) {
		if path.Ext(name) != ".json" {
			return
		}
		var r osvRecord
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		exported[r.ID] = r
	})
	compared := 0
	eachFile(t, githubArchive(t, "rustsec/advisory-db", "main"), func(name string, data []byte) {
		id := strings.TrimSuffix(path.Base(name), ".md")
		record, ok := exported[id]
		if !ok || !strings.HasPrefix(name, "crates/") || len(record.Affected) == 0 {
			return
		}
		compared++
		compareWithExport(t, id, rustSecSafe(data), record)
	})
	if compared < 1000 {
		t.Errorf("compared %d advisories, want more than 1000", compared)
	}
}

func compareWithExport(t *testing.T, id string, safe []string, record osvRecord) {
	t.Helper()
	s := For("crates.io")
	ours, exact := Events(s, affectedBy(t, s, "cargo", safe))
	if !exact {
		t.Errorf("%s: not exact", id)
	}
	var theirs [][]Event
	for _, r := range record.Affected[0].Ranges {
		theirs = append(theirs, r.events())
	}
	mine, export := Compile(s, ours, nil), Compile(s, theirs, nil)
	for _, e := range slices.Concat(slices.Concat(ours...), slices.Concat(theirs...)) {
		for _, v := range neighbours(t, e.Version) {
			if id == "RUSTSEC-2019-0031" && strings.HasPrefix(v, "0.0.0-") {
				continue // unaffected ">= 0": the export leaves out the pre-releases of 0.0.0
			}
			if a, b := mine.AffectedText(v).Verdict, export.AffectedText(v).Verdict; a != b || a == Unknown {
				t.Errorf("%s: safe %q: %s is %v, by the export %v", id, safe, v, a, b)
			}
		}
	}
}

// neighbours returns a SemVer version and those around it.
func neighbours(t *testing.T, version string) []string {
	t.Helper()
	p, err := parsePartial(version)
	if err != nil {
		t.Fatal(err)
	}
	plain := partial{numbers: slices.Clone(p.numbers)}
	for len(plain.numbers) < 3 {
		plain.numbers = append(plain.numbers, "0")
	}
	up := plain.bump(2)
	return []string{p.String(), plain.String(), plain.String() + "-0", plain.String() + "-rc.1", up, strings.TrimSuffix(up, "-0")}
}

// TestRubySecParses reads every requirement of the Ruby advisory database.
func TestRubySecParses(t *testing.T) {
	s := For("RubyGems")
	requirements := 0
	eachFile(t, githubArchive(t, "rubysec/ruby-advisory-db", "master"), func(name string, data []byte) {
		if path.Ext(name) != ".yml" || !strings.HasPrefix(name, "gems/") && !strings.HasPrefix(name, "rubies/") {
			return
		}
		var advisory struct {
			Patched    []string `yaml:"patched_versions"`
			Unaffected []string `yaml:"unaffected_versions"`
		}
		if err := yaml.Unmarshal(data, &advisory); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		safe := slices.Concat(advisory.Patched, advisory.Unaffected)
		requirements += len(safe)
		affected := affectedBy(t, s, "gem", safe)
		ranges, _ := Events(s, affected)
		set := Compile(s, ranges, nil)
		if len(set.Unparsed()) > 0 {
			t.Errorf("%s: %q became %v", name, safe, ranges)
		}
		for _, text := range safe {
			c, err := comparators(text, "<>=~", " ,")
			if err != nil {
				t.Fatal(err)
			}
			if len(c) == 1 && strings.Contains(c[0].op, "=") && set.AffectedText(c[0].version).Verdict != NotAffected {
				t.Errorf("%s: safe %q, but %s is affected by %v", name, text, c[0].version, ranges)
			}
		}
	})
	if requirements < 2000 {
		t.Errorf("%d requirements, want more than 2000", requirements)
	}
}

// TestNodeAdvisoriesParse reads every range of the Node.js working group.
func TestNodeAdvisoriesParse(t *testing.T) {
	var empty []string
	ranges := 0
	eachFile(t, githubArchive(t, "nodejs/security-wg", "main"), func(name string, data []byte) {
		if !strings.HasPrefix(name, "vuln/") || path.Ext(name) != ".json" || path.Base(name) == "index.json" {
			return
		}
		var v map[string]any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, member := range []string{"vulnerable_versions", "patched_versions", "vulnerable", "patched"} {
			text, ok := v[member].(string)
			if !ok {
				continue
			}
			ranges++
			_, err := ParseRequirement("npm", text)
			switch {
			case errors.Is(err, ErrEmpty):
				empty = append(empty, name+" "+text)
			case err != nil:
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	if ranges < 1000 {
		t.Errorf("%d ranges, want more than 1000", ranges)
	}
	if diff := gocmp.Diff([]string(nil), empty); diff != "" {
		t.Errorf("contradictions (-want +got):\n%s", diff)
	}
}

// TestFriendsOfPHPParses reads every branch: its list is joined with commas.
func TestFriendsOfPHPParses(t *testing.T) {
	branches := 0
	eachFile(t, githubArchive(t, "FriendsOfPHP/security-advisories", "master"), func(name string, data []byte) {
		if path.Ext(name) != ".yaml" {
			return
		}
		var advisory struct {
			Branches map[string]struct{ Versions []string }
		}
		if err := yaml.Unmarshal(data, &advisory); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for branch, b := range advisory.Branches {
			branches++
			spans, err := ParseRequirement("composer", strings.Join(b.Versions, ","))
			if err != nil || len(spans) != 1 {
				t.Errorf("%s: %s: %v, %v", name, branch, spans, err)
			}
		}
	})
	if branches < 4000 {
		t.Errorf("%d branches, want more than 4000", branches)
	}
}

// TestCPANAdvisoriesParse reads what CPANSA calls affected and fixed. Two of
// its lists join with a comma what are alternatives.
func TestCPANAdvisoriesParse(t *testing.T) {
	requirements := 0
	var empty []string
	eachFile(t, githubArchive(t, "briandfoy/cpan-security-advisory", "master"), func(name string, data []byte) {
		if !strings.HasPrefix(name, "cpansa/") || path.Ext(name) != ".yml" {
			return
		}
		var file struct {
			Advisories []struct {
				Affected yaml.Node `yaml:"affected_versions"`
				Fixed    yaml.Node `yaml:"fixed_versions"`
			}
		}
		if err := yaml.Unmarshal(data, &file); err != nil {
			t.Logf("%s: %v", name, err)
			return
		}
		for _, a := range file.Advisories {
			for _, node := range []yaml.Node{a.Affected, a.Fixed} {
				for _, text := range scalars(&node) {
					requirements++
					switch _, err := ParseRequirement("prose:CPAN", text); {
					case errors.Is(err, ErrEmpty):
						empty = append(empty, text)
					case err != nil:
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		}
	})
	if requirements < 1000 {
		t.Errorf("%d requirements, want more than 1000", requirements)
	}
	if diff := gocmp.Diff([]string{"<1.49,>1.49", "<2.9003,>=4.039"}, empty); diff != "" {
		t.Errorf("contradictions (-want +got):\n%s", diff)
	}
}

// scalars returns the values of a scalar or of a list of scalars, as written.
func scalars(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return []string{n.Value}
	}
	var list []string
	for _, item := range n.Content {
		list = append(list, scalars(item)...)
	}
	return list
}

var (
	gladSlug  = regexp.MustCompile(`(?m)^package_slug:\s*"?([^"\n]*)`)
	gladRange = regexp.MustCompile(`(?m)^affected_range:\s*"([^"\n]*)"`)
	gladFixed = regexp.MustCompile(`(?m)^fixed_versions:\n((?:- .*\n)*)`)
	gladItem  = regexp.MustCompile(`"([^"\n]*)"`)
)

// TestGitLabAdvisoriesParse reads the ranges of GitLab's advisories; none of
// their fixed versions may lie in them.
func TestGitLabAdvisoriesParse(t *testing.T) {
	archives := []string{sharedtest.Path(t, "upstream", "day1", "gitlab.com", "gitlab-org", "advisories-community",
		"-", "archive", "main", "advisories-community-main.tar.gz")}
	err := filepath.WalkDir(sharedtest.Path(t, "corpus", "gemnasium-fixtures"), func(p string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".tar.gz") {
			archives = append(archives, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, archive := range archives {
		eachFile(t, archive, func(name string, data []byte) {
			slug, text := gladSlug.FindSubmatch(data), gladRange.FindSubmatch(data)
			if slug == nil || text == nil {
				return
			}
			kind, _, _ := strings.Cut(string(slug[1]), "/")
			types[kind] = true
			spans, err := ParseRequirement("glad:"+kind, string(text[1]))
			if err != nil || len(spans) == 0 {
				t.Errorf("%s: %v, %v", name, spans, err)
				return
			}
			s := For(gladTypes[kind].ecosystem)
			ranges, _ := Events(s, spans)
			for _, fixed := range gladItem.FindAllSubmatch(gladFixed.Find(data), -1) {
				if a := Compile(s, ranges, nil).AffectedText(string(fixed[1])); a.Verdict == Affected {
					t.Errorf("%s: %q affects %s, in which it is fixed", name, text[1], fixed[1])
				}
			}
		})
	}
	if len(types) < 7 {
		t.Errorf("types %v, want seven at least", types)
	}
}
