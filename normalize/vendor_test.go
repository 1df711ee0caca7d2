package normalize

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/versioncmp"
)

// Some vendors publish both what they write and the OSV that they make of it.
// These tests make OSV of the former with what this package has for other
// feeds of the kind, and compare: the ranges must decide the same versions.

// setOf compiles what entries of one package say.
func setOf(ecosystem string, entries ...Affected) *versioncmp.Set {
	var ranges [][]versioncmp.Event
	var versions []string
	for _, a := range entries {
		versions = append(versions, a.Versions...)
		for _, r := range a.Ranges {
			if r.Type == Git {
				continue
			}
			var events []versioncmp.Event
			for _, e := range r.Events {
				kind := map[int]versioncmp.EventKind{0: versioncmp.Introduced, 1: versioncmp.LastAffected, 2: versioncmp.Fixed, 3: versioncmp.Limit}[e.rank()]
				events = append(events, versioncmp.Event{Kind: kind, Version: e.version()})
			}
			ranges = append(ranges, events)
		}
	}
	return versioncmp.Compile(versioncmp.For(ecosystem), ranges, versions)
}

var bareVersion = regexp.MustCompile(`\d[0-9A-Za-z.+-]*`)

// around returns versions at and near those that texts name.
func around(texts ...string) []string {
	list := []string{"0.0.0", "0.0.1-0", "9999.0.0"}
	for _, text := range texts {
		for _, v := range bareVersion.FindAllString(text, -1) {
			list = append(list, v, v+"-0", v+"-rc.1", v+".1", "1"+v)
			if i := strings.LastIndexByte(v, '.'); i >= 0 && isNumber(v[i+1:]) {
				list = append(list, v[:i+1]+incrementDigits(v[i+1:]), v[:i+1]+incrementDigits(v[i+1:])+"-0")
			}
		}
	}
	return set(list)
}

// differ returns the versions of which two sets speak differently.
func differ(a, b *versioncmp.Set, versions []string) (out []string) {
	for _, v := range versions {
		x, y := a.AffectedText(v).Verdict, b.AffectedText(v).Verdict
		if x != y {
			out = append(out, fmt.Sprintf("%s: %v, theirs %v", v, x, y))
		}
	}
	return out
}

var (
	frontMatter = regexp.MustCompile("(?s)^\\s*```toml\n(.*?)\n```")
	tomlID      = regexp.MustCompile(`(?m)^id\s*=\s*"([^"]+)"`)
	tomlPackage = regexp.MustCompile(`(?m)^package\s*=\s*"([^"]+)"`)
	tomlString  = regexp.MustCompile(`"([^"]*)"`)
)

// tomlList returns the strings of a list in RustSec's front matter.
func tomlList(front, name string) (list []string) {
	m := regexp.MustCompile(`(?ms)^` + name + `\s*=\s*\[(.*?)\]`).FindStringSubmatch(front)
	if m == nil {
		return nil
	}
	for _, s := range tomlString.FindAllStringSubmatch(m[1], -1) {
		list = append(list, s[1])
	}
	return list
}

// RustSec writes down what is safe, as Cargo's requirements. What is not is
// what their own export says, of the same day, at and around every version
// that an advisory names.
func TestRustSecSource(t *testing.T) {
	theirs := map[string]*Record{}
	rustsec := func(branch string) string {
		return sharedtest.Path(t, "upstream", "day2", "github.com", "rustsec", "advisory-db", "archive", "refs", "heads", branch+".tar.gz")
	}
	walkArchive(t, rustsec("osv"), func(d sharedDoc) {
		if r, err := Decode(d.data); err == nil && strings.HasSuffix(d.name, ".json") {
			theirs[r.ID] = r
		}
	})
	compared, asked := 0, 0
	walkArchive(t, rustsec("main"), func(doc sharedDoc) {
		m := frontMatter.FindSubmatch(doc.data)
		if m == nil || !strings.Contains(doc.name, "/RUSTSEC-") {
			return
		}
		front := string(m[1])
		id, crate := tomlID.FindStringSubmatch(front)[1], tomlPackage.FindStringSubmatch(front)[1]
		r := theirs[id]
		if r == nil {
			if !strings.Contains(doc.name, "/rust/") {
				t.Errorf("%s: not in their export", id)
			}
			return
		}
		safe := append(tomlList(front, "patched"), tomlList(front, "unaffected")...)
		spans, err := unsafe("cargo", "crates.io", safe)
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
		ours := Affected{Package: Package{Ecosystem: "crates.io", Name: crate}}
		if !ours.fill(spans) {
			t.Errorf("%s: not exact", id)
		}
		versions := around(safe...)
		d := differ(setOf("crates.io", ours), setOf("crates.io", r.Affected...), versions)
		if cmp.Diff(rustsecDifferences[id], d) != "" {
			t.Errorf("%s: %q: %q", id, safe, d)
		}
		compared++
		asked += len(versions)
	})
	if compared < 1100 {
		t.Errorf("%d advisories", compared)
	}
	t.Logf("%d advisories, %d versions", compared, asked)
}

// rustsecDifferences are the advisories in which the two differ, and why.
var rustsecDifferences = map[string][]string{
	// ">= 0" is every version here, as everywhere in OSV; in their export the
	// pre-releases of 0.0.0 are below it.
	"RUSTSEC-2019-0031": {"0-0: not affected, theirs affected", "0-rc.1: not affected, theirs affected"},
}

// ghsaNode is a node of GitHub's GraphQL answer.
type ghsaNode struct {
	Vulnerabilities struct {
		Nodes []struct {
			Package struct{ Ecosystem, Name string }
			First   *struct{ Identifier string } `json:"firstPatchedVersion"`
			Range   string                       `json:"vulnerableVersionRange"`
		}
	}
}

var ghsaEcosystems = map[string]string{"NPM": "npm", "MAVEN": "Maven", "PIP": "PyPI", "RUBYGEMS": "RubyGems", "NUGET": "NuGet", "COMPOSER": "Packagist", "GO": "Go", "RUST": "crates.io"}

// GitHub's API answers with ranges in words where its database has OSV: the
// conversion that osv-schema has examples of.
func TestGHSAGraphQL(t *testing.T) {
	dir := sharedtest.Path(t, "corpus", "ghsa", "ossf+osv-schema", "tools", "ghsa", "testdata")
	files, err := filepath.Glob(filepath.Join(dir, "*.osv.json"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range files {
		data, err := os.ReadFile(strings.TrimSuffix(name, ".osv.json") + ".json")
		if err != nil {
			continue
		}
		var node ghsaNode
		if err := json.Unmarshal(data, &node); err != nil {
			t.Fatal(err)
		}
		osv, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var theirs *Record
		if err := GHSA(Doc{Body: strings.NewReader(string(osv))}, func(r *Record) error { theirs = r; return nil }); err != nil {
			t.Fatal(err)
		}
		ours := map[[2]string][]Affected{}
		texts := map[[2]string][]string{}
		for _, n := range node.Vulnerabilities.Nodes {
			p := Package{Ecosystem: ghsaEcosystems[n.Package.Ecosystem], Name: PackageKey(ghsaEcosystems[n.Package.Ecosystem], n.Package.Name)}
			spans, err := versioncmp.ParseRequirement("prose:"+p.Ecosystem, n.Range)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			a := Affected{Package: p}
			a.fill(spans)
			key := [2]string{p.Ecosystem, p.Name}
			ours[key] = append(ours[key], a)
			texts[key] = append(texts[key], n.Range)
		}
		for p, entries := range ours {
			mine := slices.DeleteFunc(slices.Clone(theirs.Affected), func(a Affected) bool {
				return a.Package.Ecosystem != p[0] || PackageKey(p[0], a.Package.Name) != p[1]
			})
			d := differ(setOf(p[0], entries...), setOf(p[0], mine...), around(texts[p]...))
			if want := ghsaDifferences[filepath.Base(name)]; cmp.Diff(want, d) != "" {
				t.Errorf("%s: %v: %q: %q, want %q", filepath.Base(name), p, texts[p], d, want)
			}
			compared++
		}
	}
	if compared < 10 {
		t.Errorf("%d packages", compared)
	}
	for name := range maps.Keys(ghsaDifferences) {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// ghsaDifferences are the answers in which the two forms differ, and why.
var ghsaDifferences = map[string][]string{
	// "= 2.0.0" is one version to the API; the export ends it at the next
	// release, whose pre-releases are then in it.
	"equals_with_patch.osv.json":           {"2.0.1-0: not affected, theirs affected"},
	"less_than_equals_with_patch.osv.json": {"1.10.3-0: not affected, theirs affected"},
	// "<= 1.2.1" without a patch had no end in the export when this example was
	// made; today it says so in last_known_affected_version_range, see [GHSA].
	"less_than_equals_no_patch.osv.json": {
		"1.2.1.1: unknown, theirs affected", "1.2.2: not affected, theirs affected", "1.2.2-0: not affected, theirs affected",
		"11.2.1: not affected, theirs affected", "9999.0.0: not affected, theirs affected",
	},
}
