package sources_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/fixture"
	"github.com/advdb/advdb/sources/sourcetest"
)

// TestFilesGoOn has one sick file of three: the others come.
func TestFilesGoOn(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"x.test/a.json": doc, "x.test/b.json": "<html>", "x.test/d.json": doc})
	docs := &sourcetest.Memory{}
	m := mirrorOf(t, docs, dir, sources.MirrorOptions{})
	urls := map[string]string{}
	for _, n := range []string{"a.json", "b.json", "c.json", "d.json"} {
		urls[n] = "https://x.test/" + n
	}
	err := sources.Files(urls)(t.Context(), m)
	if !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), "b.json: ") || !strings.Contains(err.Error(), "c.json: 404") {
		t.Errorf("error is %v", err)
	}
	if got := slices.Sorted(maps.Keys(docs.Reopen().Documents())); !slices.Equal(got, []string{"a.json", "d.json"}) {
		t.Errorf("documents are %q", got)
	}
}

// TestReleases has a release that is not served, one that is no more, and in
// the end none at all.
func TestReleases(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"x.test/1.json": doc, "x.test/2.json": doc})
	docs := &sourcetest.Memory{}
	urls := map[string]string{"1": "https://x.test/1.json", "2": "https://x.test/2.json", "3": "https://x.test/3.json"}
	fetch := func() error {
		return sources.Releases(urls)(t.Context(), mirrorOf(t, docs, dir, sources.MirrorOptions{}))
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "x.test", "1.json")); err != nil {
		t.Fatal(err)
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(docs.Reopen().Documents())); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("documents are %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "x.test", "2.json")); err != nil {
		t.Fatal(err)
	}
	if err := fetch(); !sources.NotFound(err) {
		t.Errorf("no release is served: %v", err)
	}
}

// TestArchiveSelection changes what is selected of an archive that did not
// change.
func TestArchiveSelection(t *testing.T) {
	dir := t.TempDir()
	url := serve(t, dir, "x.zip", zipOf(t, "a.json", "b/c.json", "b/d.yaml"))
	docs := &sourcetest.Memory{}
	for _, tt := range []struct {
		sel  sources.Selection
		want string
	}{
		{sources.Selection{Match: []string{"*.json"}}, "a.json b/c.json"},
		{sources.Selection{Strip: 1, Match: []string{"**"}}, "c.json d.yaml"},
		{sources.Selection{Match: []string{"b/*"}, Not: []string{"*.json"}}, "b/d.yaml"},
		{sources.Selection{Match: []string{"**/c.json", "a.*"}}, "a.json b/c.json"},
	} {
		m := mirrorOf(t, docs, dir, sources.MirrorOptions{})
		if err := sources.Archive("", url, tt.sel)(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(docs.Documents())), " "); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.sel, got, tt.want)
		}
	}
}

// TestForce asks for everything, and changes nothing.
func TestForce(t *testing.T) {
	dir := t.TempDir()
	if err := fixture.WriteUpstream(dir, fixtureFile("alpine"), fixtureFile("redhat-vex"), fixtureFile("ghsa"), fixtureFile("nvd")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alpine", "redhat-vex", "ghsa", "nvd"} {
		src, _ := sources.ByName(name)
		docs := &sourcetest.Memory{}
		first := fetchFrom(t, src, docs, dir)
		docs = docs.Reopen()
		m := mirrorOf(t, docs, dir, sources.MirrorOptions{Force: true})
		if err := src.Fetch(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if s := m.Stats(); s.NotModified != 0 || s.Bytes != first.Bytes || s.Changed != 0 {
			t.Errorf("%s: %+v, at first %+v", name, s, first)
		}
	}
}

// TestSecrets lets an API redirect to another host, and an upstream tree
// stand in for it: neither sees the key.
func TestSecrets(t *testing.T) {
	seen := map[string]string{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range r.Header {
			if strings.EqualFold(k, "apiKey") {
				seen[r.URL.Host] = v[0]
			}
		}
		if r.URL.Host != "other.test" {
			http.Redirect(w, r, "http://other.test/", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "{}")
	})
	opt := sources.MirrorOptions{Secret: func(string) string { return "k" }}
	opt.Sleep = func(context.Context, time.Duration) error { return nil }
	m := liveMirror(t, h, &sourcetest.Memory{}, sources.ClientOptions{}, opt)
	if err := sources.NVD()(t.Context(), m); err == nil || strings.Contains(err.Error(), "apiKey") {
		t.Errorf("error is %v", err)
	}
	if len(seen) != 1 || seen["services.nvd.nist.gov"] != "k" {
		t.Errorf("the key was seen by %v", seen)
	}

	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "nvd.nist.gov"), 0o755); err != nil {
		t.Fatal(err)
	}
	m = mirrorOf(t, &sourcetest.Memory{}, dir, opt)
	if err := sources.NVD()(t.Context(), m); err == nil || !strings.Contains(err.Error(), "nvdcve-2.0-") {
		t.Errorf("with a tree in NVD's place: %v", err)
	}
}
