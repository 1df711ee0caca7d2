package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

func siteDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadSite(t *testing.T) {
	dir := siteDir(t, map[string]string{
		"b.yaml":      "name: b\nkind: osv-archive\nurl: https://a.example/x.tar.gz\nstrip: 1\nmatch: [\"osv/**/*.json\"]\nnot: [x]\nevery: 90m\nhome: https://a.example/\nlicense: MIT\ncredit: B\n",
		"a.yml":       "name: a\nkind: osv-bucket\nurl: https://a.example/bucket/A%20B\n",
		"README.md":   "not read",
		"x.yaml/file": "not read either",
	})
	got, err := sources.LoadSite(dir)
	if err != nil || len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Fatalf("%v, %v", got, err)
	}
	type shown struct {
		Home, License, Credit, Format string
		Every                         time.Duration
	}
	b := got[1]
	if d := cmp.Diff(shown{"https://a.example/", "MIT", "B", "osv", 90 * time.Minute}, shown{b.Home, b.License, b.Credit, b.Format, b.Every}); d != "" {
		t.Error(d)
	}
	if got[0].License != "NOASSERTION" || got[0].Every != 6*time.Hour || got[0].Version < 1 || got[0].Fetch == nil || got[0].Parse == nil {
		t.Errorf("%+v", got[0])
	}
	if _, err := sources.LoadSite(filepath.Join(dir, "nosuch")); !os.IsNotExist(err) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// Every error names the file, and the line where there is one.
func TestLoadSiteErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "x.yaml: line 1: empty",
		"- a":                 `x.yaml: line 1: members such as "name: acme" are expected`,
		"name: [":             "x.yaml: line 2:",
		"name: a\nkin: x":     `x.yaml: line 2: "kin" is no member of a feed`,
		"name: a\nname: b":    "x.yaml: line 2: name:",
		"name: a\nstrip: one": "x.yaml: line 2: strip:",
		"kind: secdb":         "x.yaml: name: missing",
		"name: A b\nkind: x":  "x.yaml: line 1: name:",
		"name: a":             "x.yaml: kind: missing; one of ",
		"name: a\nkind: x":    `x.yaml: line 2: kind: "x" is not one of `,
		"name: alpine\nkind: osv-bucket\nurl: https://a/":                  `x.yaml: line 1: name: "alpine" is a source that advdb has`,
		"name: a\nkind: osv-bucket":                                        "x.yaml: url: missing",
		"name: a\nkind: osv-bucket\nurl: ftp://a/":                         `x.yaml: line 3: url: "ftp://a/" is no address`,
		"name: a\nkind: osv-bucket\nurl: https://a/\nmatch: [x]":           "x.yaml: line 4: match: means nothing for kind osv-bucket",
		"name: a\nkind: osv-directory\nurl: https://a/\npath: b":           "x.yaml: line 3: url: either url or path is expected",
		"name: a\nkind: osv-archive\nurl: https://a/b.rar":                 "x.yaml: line 3: url: archive of another form",
		"name: a\nkind: osv-archive\nurl: https://a/b.zip\nmatch: [\"[\"]": `x.yaml: line 4: match: "[" is no pattern`,
		"name: a\nkind: osv-archive\nurl: https://a/b.zip\nstrip: -1":      "x.yaml: line 4: strip: -1 is below 0",
		"name: a\nkind: secdb\nurl: https://a/":                            `x.yaml: ecosystem: "" is no name`,
		"name: a\nkind: osv-list\nurl: https://a/all.json\nevery: often":   `x.yaml: line 4: every: "often" is no time such as 6h`,
	} {
		_, err := sources.LoadSite(siteDir(t, map[string]string{"x.yaml": text}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	_, err := sources.LoadSite(siteDir(t, map[string]string{"a.yaml": "name: a", "b.yaml": "kind: x",
		"c.yaml": "name: c\nkind: osv-bucket\nurl: https://a/", "d.yaml": "name: c\nkind: osv-bucket\nurl: https://a/"}))
	for _, want := range []string{"a.yaml: kind: missing", "b.yaml: name: missing", `d.yaml: name: "c" is taken by `} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s too", err, want)
		}
	}
}

// A local folder: what it lacks is deleted; empty, it takes nothing away; a
// link out of it is not followed.
func TestFolder(t *testing.T) {
	dir := siteDir(t, map[string]string{"a/1.json": "{}", "2.json": "{}", "3.txt": "x", "b/4.json": "{"})
	outside := siteDir(t, map[string]string{"5.json": "{}"})
	if err := os.Symlink(filepath.Join(outside, "5.json"), filepath.Join(dir, "5.json")); err != nil {
		t.Fatal(err)
	}
	docs := &sourcetest.Memory{}
	fetch := func() error {
		m := mirrorOf(t, docs, dir, sources.MirrorOptions{})
		return sources.Folder(dir, sources.Selection{Match: []string{"**/*.json"}})(t.Context(), m)
	}
	names := func() (list []string) {
		_ = docs.Names(func(n string) bool { list = append(list, n); return true })
		return list
	}
	if err := fetch(); err == nil || !strings.Contains(err.Error(), "b/4.json") {
		t.Errorf("a broken file: %v", err)
	}
	if d := cmp.Diff([]string{"2.json", "a/1.json"}, names()); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"2.json", "b/4.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a/1.json"}, names()); d != "" {
		t.Error(d)
	}
	if err := os.Remove(filepath.Join(dir, "a/1.json")); err != nil {
		t.Fatal(err)
	}
	if err := fetch(); err == nil || len(names()) != 1 {
		t.Errorf("an empty folder: %v, %v", err, names())
	}
}
