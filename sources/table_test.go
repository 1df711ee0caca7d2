package sources_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// sourcesPage is docs/sources.md, made from the table.
func sourcesPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Sources\n\nMade from the table by `go test ./sources -run TestSourcesPage -update`.\n\n")
	fmt.Fprintf(&b, "advdb has %d sources. What a site adds of its own is in [site-feeds.md](site-feeds.md).\n", len(sources.All))
	for _, part := range []struct {
		title  string
		enrich bool
	}{{"Records", false}, {"Tables joined to records", true}} {
		fmt.Fprintf(&b, "\n## %s\n\n| source | format | every | licence | credit |\n|---|---|---|---|---|\n", part.title)
		for _, s := range sources.All {
			if s.Enrich == part.enrich {
				fmt.Fprintf(&b, "| [%s](%s) | %s | %v | %s | %s |\n", s.Name, s.Home, s.Format, s.Every, s.License, s.Credit)
			}
		}
	}
	return b.Bytes()
}

// TestSourcesPage holds docs/sources.md to the table.
func TestSourcesPage(t *testing.T) {
	file := filepath.Join("..", "docs", "sources.md")
	if sourcetest.Update {
		if err := os.WriteFile(file, sourcesPage(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), string(sourcesPage())); d != "" {
		t.Errorf("stale; go test ./sources -run TestSourcesPage -update (-is +should be):\n%s", d)
	}
}
