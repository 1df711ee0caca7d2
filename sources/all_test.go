package sources_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

func TestMain(m *testing.M) {
	flag.BoolVar(&sourcetest.Update, "update", false, "write what is seen into the fixtures")
	os.Exit(m.Run())
}

func fixtureFile(name string) string {
	return filepath.Join("..", "testdata", "fixtures", name+".txtar")
}

// TestSources holds every source to the promises of package sourcetest.
func TestSources(t *testing.T) {
	for _, src := range sources.All {
		t.Run(src.Name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, src, fixtureFile(src.Name))
		})
	}
}

// TestAll checks the table itself.
func TestAll(t *testing.T) {
	if !slices.IsSortedFunc(sources.All, func(a, b sources.Source) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not in the order of names")
	}
	for _, src := range sources.All {
		if src.Home == "" || src.License == "" || src.Credit == "" || src.Format == "" || src.Every <= 0 || src.Version < 1 || src.Fetch == nil || src.Parse == nil {
			t.Errorf("%s: something is missing: %+v", src.Name, src)
		}
		if got, ok := sources.ByName(src.Name); !ok || got.Home != src.Home {
			t.Errorf("ByName(%q) = %v, %v", src.Name, got.Name, ok)
		}
	}
	if _, ok := sources.ByName("none"); ok {
		t.Error("there is a source named none")
	}
}
