package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A figure draws what records say of one package, all of its releases on one
// axis: a lane a record and release.
type figure struct {
	Ecosystem string // without the release
	Name      string
	Labels    []label
	Lanes     []lane
	More      int  // lanes that are not shown
	Ordered   bool // the ecosystem has an order of versions

	scheme *versioncmp.Scheme
}

// A lane is what one record says of one package in one release.
type lane struct {
	ID        string
	Ecosystem string // with its release
	Bars      []bar
	Text      string
	Note      string // what of it is not drawn
	Withdrawn bool

	spans  []versioncmp.Span
	listed int // versions listed by name, where there is no range
}

// Limits of what a page draws.
const (
	maxLanes  = 60  // of a figure
	maxListed = 500 // versions listed by name, of a lane
)

// A commitRow is a range of commits.
type commitRow struct{ ID, Repo, Introduced, Fixed, LastAffected string }

// figuresOf sorts ranges by package. Those of commits are not drawn: without
// their repository they have no order.
func figuresOf(rows []query.RangeRow) (list []*figure, commits []commitRow) {
	type key struct{ ecosystem, name string }
	by := map[key]*figure{}
	for i := range rows {
		r := &rows[i]
		if r.Type == normalize.Git {
			commits = append(commits, commitRow{r.ID, r.Repo, r.Introduced, r.Fixed, r.LastAffected})
			continue
		}
		k := key{base(r.Ecosystem), r.Package}
		f := by[k]
		if f == nil {
			f = &figure{Ecosystem: k.ecosystem, Name: k.name, scheme: schemeOf(r.Ecosystem)}
			f.Ordered = f.scheme != nil
			by[k] = f
			list = append(list, f)
		}
		f.add(r)
	}
	slices.SortFunc(list, func(x, y *figure) int {
		return cmp.Or(productsLast(x)-productsLast(y), compareFold(x.Ecosystem, y.Ecosystem), compareFold(x.Name, y.Name))
	})
	return list, commits
}

// productsLast puts the products of CPE names behind packages.
func productsLast(f *figure) int {
	if f.Ecosystem == query.EcosystemCPE {
		return 1
	}
	return 0
}

func compareFold(x, y string) int {
	return cmp.Or(strings.Compare(strings.ToLower(x), strings.ToLower(y)), strings.Compare(x, y))
}

// base is an ecosystem without its release.
func base(ecosystem string) string {
	name, _, _ := strings.Cut(ecosystem, ":")
	return name
}

func schemeOf(ecosystem string) *versioncmp.Scheme {
	if ecosystem == query.EcosystemCPE {
		return versioncmp.ForCPE()
	}
	return versioncmp.For(ecosystem)
}

// add adds a range to the lane of its record and release.
func (f *figure) add(r *query.RangeRow) {
	i := slices.IndexFunc(f.Lanes, func(l lane) bool { return l.ID == r.ID && l.Ecosystem == r.Ecosystem })
	if i < 0 {
		i = len(f.Lanes)
		f.Lanes = append(f.Lanes, lane{ID: r.ID, Ecosystem: r.Ecosystem, Withdrawn: r.Withdrawn != ""})
	}
	l := &f.Lanes[i]
	if r.Type == "" {
		l.listed += r.Versions
		return
	}
	if s := spanOf(r); !slices.Contains(l.spans, s) {
		l.spans = append(l.spans, s)
	}
}

// spanOf is a range as a span.
func spanOf(r *query.RangeRow) versioncmp.Span {
	s := versioncmp.Span{Lo: versioncmp.Bound{Unbounded: true}, Hi: versioncmp.Bound{Unbounded: true}}
	switch {
	case r.After != "":
		s.Lo = versioncmp.Bound{Version: r.After}
	case r.Introduced != "" && r.Introduced != "0":
		s.Lo = versioncmp.Bound{Version: r.Introduced, Inclusive: true}
	}
	switch {
	case r.Fixed != "":
		s.Hi = versioncmp.Bound{Version: r.Fixed}
	case r.LastAffected != "":
		s.Hi = versioncmp.Bound{Version: r.LastAffected, Inclusive: true}
	}
	return s
}

// draw makes the pictures of figures. The versions that records list by name
// are looked up, but no more than a page shows.
func draw(db *store.DB, figures []*figure) error {
	var ids []string
	for _, f := range figures {
		f.arrange()
		for i := range f.Lanes {
			if l := &f.Lanes[i]; l.listed > 0 {
				ids = append(ids, l.ID)
			}
		}
	}
	slices.Sort(ids)
	records := map[string]*normalize.Record{}
	err := db.Lookup(slices.Compact(ids), func(id string, data []byte) (err error) {
		records[id], err = normalize.Decode(data)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range figures {
		f.draw(records)
	}
	return nil
}

// arrange sorts the lanes, and leaves those that are shown.
func (f *figure) arrange() {
	slices.SortStableFunc(f.Lanes, func(x, y lane) int {
		return cmp.Or(compareFold(x.Ecosystem, y.Ecosystem), strings.Compare(x.ID, y.ID))
	})
	f.Lanes = first(f.Lanes, maxLanes, &f.More)
}

// draw places the lanes on their axis.
func (f *figure) draw(records map[string]*normalize.Record) {
	a := newAxis(f.scheme)
	drawn := make([][]versioncmp.Span, len(f.Lanes))
	dots := make([][]string, len(f.Lanes))
	for i := range f.Lanes {
		l := &f.Lanes[i]
		var refused []string
		drawn[i], refused = a.addSpans(l.spans)
		var listed []string
		if r := records[l.ID]; r != nil && l.listed > 0 {
			listed = listedVersions(r, l.Ecosystem, f.Name)
		}
		for _, v := range listed {
			if a.add(v) {
				dots[i] = append(dots[i], v)
			}
		}
		l.Text = laneText(l.spans, listed, l.listed)
		if len(refused) > 0 && f.Ordered && refused[0] != "-" {
			l.Note = "not drawn: " + cut(60, refused[0]) + " is no version of this ecosystem"
		}
	}
	a.order()
	for i := range f.Lanes {
		f.Lanes[i].Bars = a.bars(drawn[i])
		if len(dots[i]) > 0 {
			f.Lanes[i].Bars = append(f.Lanes[i].Bars, a.dots(dots[i])...)
		}
	}
	f.Labels = a.labels()
}

// listedVersions are the versions that a record lists by name of a package.
func listedVersions(r *normalize.Record, ecosystem, name string) (list []string) {
	for i := range r.Affected {
		x := &r.Affected[i]
		if x.Package.Ecosystem == ecosystem && x.Package.Name == name {
			list = append(list, x.Versions[:min(len(x.Versions), maxListed)]...)
		}
	}
	return list[:min(len(list), maxListed)]
}

// laneText says what a lane shows.
func laneText(spans []versioncmp.Span, listed []string, count int) string {
	var parts []string
	if len(spans) > 0 {
		parts = append(parts, spansText(spans))
	}
	switch {
	case count > 0 && count <= 3 && len(listed) == count:
		parts = append(parts, "only "+cut(150, strings.Join(listed, ", ")))
	case count > 0:
		parts = append(parts, fmt.Sprintf("%s versions by name", countOf(count)))
	}
	return strings.Join(parts, "; ")
}
