package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/sources/fixture"
	"github.com/go-json-experiment/json"
)

// TestOnePoisoned gives one source after the other nothing but garbage: it is
// named, its last good records stay, and no source that does not share its
// files fails.
func TestOnePoisoned(t *testing.T) {
	if testing.Short() {
		t.Skip("syncs once for each source")
	}
	up, dir := t.TempDir(), filepath.Join(t.TempDir(), "db")
	files := map[string][]string{} // source → its files
	for _, f := range fixtureFiles("../../testdata/fixtures") {
		files[strings.TrimSuffix(filepath.Base(f), ".txtar")] = fixtureTree(t, f, up)
	}
	must(t, "sync", "-q", "--db", dir, "--upstream", up)
	before := must(t, "verify", "--db", dir)
	for source, list := range files {
		good := map[string][]byte{}
		for _, name := range list {
			data, err := os.ReadFile(filepath.Join(up, name))
			if err != nil {
				t.Fatal(err)
			}
			good[name] = data
			write(t, filepath.Join(up, name), []byte("\x00 no feed looks like this \xff"))
		}
		_, out, _ := advdb(t, "sync", "--json", "--db", dir, "--upstream", up)
		for _, failed := range failures(t, out) {
			if !slices.ContainsFunc(files[failed], func(n string) bool { return slices.Contains(list, n) }) {
				t.Errorf("%s is poisoned, and %s fails", source, failed)
			}
		}
		if !slices.Contains(failures(t, out), source) {
			t.Errorf("%s is poisoned, and does not fail:\n%s", source, out)
		}
		if after := must(t, "verify", "--db", dir); after != before {
			t.Errorf("%s is poisoned, and the records are others:\n%s%s", source, before, after)
		}
		for name, data := range good {
			write(t, filepath.Join(up, name), data)
		}
	}
	must(t, "sync", "-q", "--db", dir, "--upstream", up)
	if after := must(t, "verify", "--db", dir); after != before {
		t.Errorf("all healthy again, other records:\n%s%s", before, after)
	}
}

// fixtureTree adds what a fixture serves to a tree and returns its files.
func fixtureTree(t *testing.T, name, dir string) (files []string) {
	t.Helper()
	alone := t.TempDir()
	for _, d := range []string{alone, dir} {
		if err := fixture.WriteUpstream(d, name); err != nil {
			t.Fatal(err)
		}
	}
	err := fs.WalkDir(os.DirFS(alone), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// failures are the sources with an error in what sync --json printed.
func failures(t *testing.T, out string) (names []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var l syncLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l.Error != "" {
			names = append(names, l.Source)
		}
	}
	return names
}
