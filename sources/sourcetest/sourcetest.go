package sourcetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/fixture"
)

// Update makes [Run] write what it sees into the fixture as what is expected.
var Update bool

// Run checks src against the fixture in the file of that name.
func Run(t *testing.T, src sources.Source, name string) {
	t.Helper()
	fix, err := fixture.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(src, fix, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("golden", func(t *testing.T) { b.golden(t) })
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), b); err != nil {
				t.Error(err)
			}
		})
	}
}

// golden compares requests, records and findings with the fixture's.
func (b *bench) golden(t *testing.T) {
	steps, err := b.steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		prefix := ""
		if s.name == "next" {
			prefix = "next-"
		}
		records, findings, err := golden(b.src, s.after)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		b.compare(t, prefix+"requests", []byte(requests(s.log)))
		b.compare(t, prefix+"records", records)
		b.compare(t, prefix+"findings", findings)
	}
	if Update {
		if err := b.fix.Write(); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bench) compare(t *testing.T, name string, got []byte) {
	if Update {
		b.fix.Set(name, got)
		return
	}
	if d := cmp.Diff(strings.Split(string(b.fix.File(name)), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// requests returns the lines that stand for the requests in a fixture.
func requests(log []exchange) string {
	var b strings.Builder
	for _, x := range log {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}
