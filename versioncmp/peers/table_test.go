package peers

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
)

var table = flag.String("table", "", "write the benchmarks as one Markdown table to this file")

// rounds is how often each benchmark of the table runs. The fastest round
// counts: what else the machine does can only slow one down.
const rounds = 9

// intervalGoal is what the check of one interval must stay below, in
// nanoseconds.
const intervalGoal = 50

// A figure is the fastest round of one benchmark.
type figure struct {
	ns     float64 // a call
	allocs int64   // a call
}

// A row is what was measured of one rule. Only ours has keys and intervals.
type row struct {
	ecosystem                     string
	peer                          peer
	parse, compare, key, interval figure
}

// TestTable writes the benchmarks as a table, where it is asked to, and says
// which goals are missed: our rule is faster than every peer in comparing and,
// but for the lazy ones, in parsing, comparing does not allocate, and checking
// an interval takes less than intervalGoal.
func TestTable(t *testing.T) {
	if *table == "" {
		t.Skip("runs for some minutes: ask for it with -table FILE -benchtime 25ms")
	}
	var rows []row
	for _, ecosystem := range keys(samples) {
		of := measure(ecosystem)
		checkGoals(t, of)
		rows = append(rows, of...)
	}
	var text bytes.Buffer
	writeTable(&text, rows, moduleVersions(t))
	if err := os.WriteFile(*table, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// measure returns the rows of an ecosystem, ours first. Each round runs all
// rules, so that what else the machine does falls on all of them.
func measure(ecosystem string) []row {
	pairs := samples[ecosystem]
	versions := versionsOf(pairs)
	rules := append([]peer{advdb(ecosystem)}, peersOf[ecosystem]...)
	rows := make([]row, len(rules))
	for range rounds {
		for i, p := range rules {
			r := &rows[i]
			r.ecosystem, r.peer = ecosystem, p
			r.parse.run(func(b *testing.B) { p.parse(b, versions) })
			r.compare.run(func(b *testing.B) { p.compare(b, pairs) })
		}
		rows[0].key.run(func(b *testing.B) { appendKeys(b, ecosystem) })
		rows[0].interval.run(func(b *testing.B) { checkInterval(b, ecosystem) })
	}
	return rows
}

// run runs f once more.
func (f *figure) run(bench func(b *testing.B)) {
	r := testing.Benchmark(bench)
	if ns := float64(r.T.Nanoseconds()) / float64(r.N); f.ns == 0 || ns < f.ns {
		*f = figure{ns, r.AllocsPerOp()}
	}
}

func checkGoals(t *testing.T, rows []row) {
	t.Helper()
	us := rows[0]
	for _, p := range rows[1:] {
		if us.parse.ns >= p.parse.ns && !p.peer.lazy {
			t.Errorf("%s: parsing takes %.0f ns, with %s %.0f", us.ecosystem, us.parse.ns, p.peer.name, p.parse.ns)
		}
		if us.compare.ns >= p.compare.ns {
			t.Errorf("%s: comparing takes %.1f ns, with %s %.1f", us.ecosystem, us.compare.ns, p.peer.name, p.compare.ns)
		}
	}
	if us.compare.allocs+us.key.allocs+us.interval.allocs != 0 {
		t.Errorf("%s: comparing, making a key or checking an interval allocates", us.ecosystem)
	}
	if us.interval.ns >= intervalGoal {
		t.Errorf("%s: checking an interval takes %.1f ns, want less than %d", us.ecosystem, us.interval.ns, intervalGoal)
	}
}

const preface = `# Versions beside other libraries

Nanoseconds a call, and in brackets allocations where there are any: the fastest of %d rounds of each benchmark. Parse reads a version, compare takes
two that are parsed, key appends the sort key of a version to a buffer, interval asks whether a parsed version is in one introduced-fixed range.
Libraries marked * only cut or check a version in parse, and read it anew in each compare. The versions are real ones, in
versioncmp/peers/bench_test.go; what the libraries answer otherwise is listed in versioncmp/peers/classes_test.go.

%s, %s, %s/%s, %d cores shared with other work. In versioncmp/peers:

	go test -run TestTable -table ../../docs/versioncmp-benchmarks.md -benchtime 25ms

| ecosystem | library | parse | compare | key | interval |
|---|---|--:|--:|--:|--:|
`

func writeTable(w io.Writer, rows []row, versions string) {
	fmt.Fprintf(w, preface, rounds, time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for i, r := range rows {
		name, rule := "", r.peer.name
		if i == 0 || rows[i-1].ecosystem != r.ecosystem {
			name, rule = r.ecosystem, "**"+rule+"**"
		}
		if r.peer.lazy {
			rule += " *"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", name, rule, r.parse, r.compare, r.key, r.interval)
	}
	fmt.Fprintf(w, "\nLibraries: %s.\n", versions)
}

// String returns the figure as a cell of the table, empty for none.
func (f figure) String() string {
	switch {
	case f.ns == 0:
		return ""
	case f.allocs > 0:
		return fmt.Sprintf("%.0f (%d)", f.ns, f.allocs)
	case f.ns < 10:
		return fmt.Sprintf("%.1f", f.ns)
	}
	return fmt.Sprintf("%.0f", f.ns)
}

// moduleVersions names the peers' modules and versions, as go.mod has them.
func moduleVersions(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, peers := range peersOf {
		for _, p := range peers {
			i := slices.IndexFunc(mod.Require, func(r *modfile.Require) bool { return r.Mod.Path == p.module })
			if i < 0 {
				t.Fatalf("%s: %s is not in go.mod", p.name, p.module)
			}
			named = append(named, fmt.Sprintf("%s %s", p.module, mod.Require[i].Mod.Version))
		}
	}
	slices.Sort(named)
	return strings.Join(slices.Compact(named), ", ")
}
