// Package sharedtest finds the real feeds and version pairs that some tests
// run against. They are not part of the repository: where they are absent a
// test that wants them is skipped with one line, except on CI, where they
// must be there.
package sharedtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Path returns the path of a file or folder of the shared data, named by its
// elements, such as Path(t, "upstream", "day1"). It skips t where the shared
// data is absent, and fails it if CI is set.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	root := moduleRoot(t)
	p := filepath.Join(append([]string{filepath.Dir(root), "shared"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared data is missing on CI: %v", err)
		}
		t.Skipf("needs the shared data: %s is not beside the checkout", filepath.Join(elem...))
	}
	return p
}

// module is how the go.mod of advdb itself begins, not that of a module of
// tests inside it.
const module = "module github.com/advdb/advdb\n"

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(mod), module) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod of advdb above the test's folder")
		}
		dir = parent
	}
}
