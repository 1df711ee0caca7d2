package peers

import (
	"cmp"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

var reportPath = flag.String("report", "", "file to write what was found and what it cost to, as Markdown")

// A report is what was found and what it cost.
type report struct {
	Records       int
	Scans         []scanRow
	Peers         []peerRow
	Platform, Day string

	db *store.DB
}

// A scanRow is one SBOM with one scanner. Of a peer's findings and ours, those
// of packages that it covers are compared.
type scanRow struct {
	Scanner                        string
	Packages                       int
	Findings, OnlyOurs, OnlyTheirs int
	Cost                           cost
	CPURatio                       float64 // to advdb's
}

// A peerRow is the differences of one peer, over all SBOMs.
type peerRow struct {
	Name    string
	Classes []classRow
}

// A classRow is a class of differences, counted over all SBOMs.
type classRow struct {
	What, Authority, Example string
	Ours, Theirs             int
}

func newReport(t *testing.T, dir string, records int, peers []peer) *report {
	t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := &report{Records: records, db: db, Day: time.Now().UTC().Format(time.DateOnly),
		Platform: fmt.Sprintf("%s, %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	for _, p := range peers {
		row := peerRow{Name: p.name}
		for _, c := range p.classes {
			row.Classes = append(row.Classes, classRow{What: c.what, Authority: c.authority})
		}
		r.Peers = append(r.Peers, row)
	}
	return r
}

// rounds is how often a scan runs.
func rounds() int {
	if *reportPath == "" {
		return 1
	}
	return 5
}

// median is the median of each of several costs.
func median(costs []cost) (m cost) {
	mid := func(less func(a, b cost) int) cost {
		slices.SortFunc(costs, less)
		return costs[len(costs)/2]
	}
	m.wall = mid(func(a, b cost) int { return cmp.Compare(a.wall, b.wall) }).wall
	m.cpu = mid(func(a, b cost) int { return cmp.Compare(a.cpu, b.cpu) }).cpu
	m.rss = mid(func(a, b cost) int { return cmp.Compare(a.rss, b.rss) }).rss
	return m
}

// compare puts each difference between the findings of advdb and of a peer on
// one SBOM into its class, and fails t for one without.
func (r *report) compare(t *testing.T, p peer, i int, row scanRow, ours, theirs map[finding]bool) {
	t.Helper()
	mine := map[finding]bool{}
	for f := range ours {
		if p.covers(f.target) {
			mine[f] = true
		}
	}
	var list []difference
	for _, f := range without(mine, theirs) {
		list = append(list, difference{finding: f, ours: true})
	}
	row.OnlyOurs = len(list)
	for _, f := range without(theirs, mine) {
		list = append(list, difference{finding: f})
	}
	row.OnlyTheirs = len(list) - row.OnlyOurs
	for _, d := range list {
		data, err := r.db.Record(d.id)
		if err != nil {
			t.Fatal(err)
		}
		if d.record, err = normalize.Decode(data); err != nil {
			t.Fatalf("%s: %v", d.id, err)
		}
		c := slices.IndexFunc(p.classes, func(c class) bool { return c.fits(d) })
		if c < 0 {
			t.Errorf("%s %s %s: %s: only %s has it", d.ecosystem, d.name, d.version, d.id, map[bool]string{true: "advdb", false: p.name}[d.ours])
			continue
		}
		r.Peers[i].Classes[c].add(d)
	}
	t.Logf("%d packages: %d findings of %s, %d of advdb; %d, %d only of it", row.Packages, row.Findings, p.name, len(mine), row.OnlyTheirs, row.OnlyOurs)
	r.Scans = append(r.Scans, row)
}

func (c *classRow) add(d difference) {
	if d.ours {
		c.Ours++
	} else {
		c.Theirs++
	}
	if c.Example == "" {
		c.Example = fmt.Sprintf("%s %s: %s", d.name, d.version, d.id)
	}
}

// limits fails t for a class that has more than it may, or nothing at all.
func (r *report) limits(t *testing.T, peers []peer) {
	t.Helper()
	for i, p := range r.Peers {
		for j, c := range p.Classes {
			t.Logf("%s: %s: %d only of advdb, %d only of it; %s", p.Name, c.What, c.Ours, c.Theirs, c.Example)
			if n := c.Ours + c.Theirs; n == 0 || n > peers[i].classes[j].most {
				t.Errorf("%s: %s: %d findings, known are up to %d", p.Name, c.What, n, peers[i].classes[j].most)
			}
		}
	}
}

//go:embed report.md.tmpl
var reportTemplate string

// write writes the report where the flag says.
func (r *report) write(t *testing.T) {
	t.Helper()
	if *reportPath == "" {
		return
	}
	tmpl, err := template.New("report").Funcs(template.FuncMap{
		"thousands": thousands,
	}).Parse(reportTemplate)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*reportPath, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// thousands writes 16180 as 16,180.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
