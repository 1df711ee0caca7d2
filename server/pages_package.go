package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// findingsShown is how many records a page of a package shows.
const findingsShown = 40

// A packageSheet is what the page of a package shows.
type packageSheet struct {
	query.Question
	Purl     string
	Searched []string
	Any      string // the path of all releases; empty: this is it
	Verdicts []part // with a version: how many records say what
	Chosen   string
	Whole    string // the path of all verdicts
	Pages    pager
	Labels   []label
	Ordered  bool
	Bad      string // why the version cannot be compared
	Findings []packageFinding
}

// A packageFinding is a record of the package, as a row.
type packageFinding struct {
	query.Finding
	Lane     lane
	Class    string
	Because  string
	Modified string
	Summary  string
	Severity query.Severity
	Threat   query.Threat
	About    []string // vulnerabilities
}

// pack is the page of a package: its records, the lately modified first.
func (w *web) pack(_ context.Context, st *state, r *http.Request) (*sheet, error) {
	p, err := newPackageSheet(r)
	if err != nil {
		return nil, err
	}
	a, err := query.Package(st.db, p.Question)
	if err != nil {
		return nil, err
	}
	if p.Searched = a.Ecosystems; !a.Covered() {
		return nil, missing("There are no data of the ecosystem %q: of its packages nothing is known.", cut(100, p.Ecosystem))
	}
	list, err := p.choose(st, a.Findings, r)
	if err != nil {
		return nil, err
	}
	if p.Pages, err = newPager(r, "p", len(list), findingsShown); err != nil {
		return nil, err
	}
	if err := p.show(st.db, list[p.Pages.From-1:p.Pages.To]); err != nil {
		return nil, err
	}
	return &sheet{template: "package", title: p.Ecosystem + "/" + cut(80, p.Name), query: p.Ecosystem + "/" + p.Name, data: p}, nil
}

// newPackageSheet reads the question from the address: the path, and a version
// or a purl, which says more than that.
func newPackageSheet(r *http.Request) (*packageSheet, error) {
	p := &packageSheet{Purl: r.URL.Query().Get("purl"), Chosen: r.URL.Query().Get("verdict")}
	p.Question = query.Question{Ecosystem: r.PathValue("ecosystem"), Name: r.PathValue("name"), Version: strings.TrimSpace(r.URL.Query().Get("version"))}
	if p.Purl != "" {
		q, err := query.ParsePurl(p.Purl)
		if err != nil {
			return nil, wrong("%s", cut(600, err.Error()))
		}
		q.Version = cmp.Or(p.Version, q.Version)
		p.Question = q
	}
	switch {
	case p.Name == "":
		return nil, missing("Which package? An address is /package/ECOSYSTEM/NAME.")
	case len(p.Name) > maxName || len(p.Version) > maxName || len(p.Ecosystem) > maxName:
		return nil, wrong("Names and versions have at most %d characters.", maxName)
	case p.Chosen != "" && !slices.Contains(verdictClasses, p.Chosen):
		return nil, wrong("verdict: %q is none of %s", cut(40, p.Chosen), strings.Join(verdictClasses, ", "))
	}
	if b := base(p.Ecosystem); b != p.Ecosystem {
		p.Any = withQuery(packagePath(b, p.Name), "version", p.Version)
	}
	if p.Version != "" {
		if v, err := versioncmp.Parse(p.Ecosystem, p.Version); err != nil {
			p.Bad = err.Error()
		} else if !v.Ordered() {
			p.Bad = "it has no place in the order of versions"
		}
	}
	return p, nil
}

// maxName is the longest name or version that pages ask for.
const maxName = 500

var verdictClasses = []string{verdictClass(versioncmp.Affected), verdictClass(versioncmp.Unknown), verdictClass(versioncmp.NotAffected)}

// choose returns the findings that are wanted, in the order in which they are
// shown: with a version what is affected comes first.
func (p *packageSheet) choose(st *state, all []query.Finding, r *http.Request) ([]query.Finding, error) {
	dates, err := modified(st, []page{{found: found{ids: idsOf(all)}}})
	if err != nil {
		return nil, err
	}
	list := all
	if p.Version != "" {
		p.Whole = withQuery(r.URL.EscapedPath(), "version", r.URL.Query().Get("version"), "purl", p.Purl)
		counts := map[string]int{}
		for i := range all {
			counts[verdictClass(all[i].Verdict)]++
		}
		for _, c := range verdictClasses {
			if counts[c] > 0 {
				p.Verdicts = append(p.Verdicts, part{c, counts[c], p.Whole + "&verdict=" + c})
			}
		}
		list = slices.DeleteFunc(slices.Clone(all), func(f query.Finding) bool {
			return p.Chosen != "" && verdictClass(f.Verdict) != p.Chosen
		})
	}
	slices.SortStableFunc(list, func(x, y query.Finding) int {
		c := 0
		if p.Version != "" {
			c = slices.Index(verdictClasses, verdictClass(x.Verdict)) - slices.Index(verdictClasses, verdictClass(y.Verdict))
		}
		return cmp.Or(c, strings.Compare(dates[y.ID], dates[x.ID]), strings.Compare(y.ID, x.ID), strings.Compare(x.Ecosystem, y.Ecosystem))
	})
	return list, nil
}

func idsOf(list []query.Finding) []string {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

// show reads the records of a page and draws them on one axis.
func (p *packageSheet) show(db *store.DB, list []query.Finding) error {
	about, err := query.Assess(db, []query.Match{{Component: query.Component{Name: p.Name, Version: p.Version}, Findings: list}})
	if err != nil {
		return err
	}
	by := map[string][]*query.Vulnerability{}
	for i := range about[0].Vulnerabilities {
		v := &about[0].Vulnerabilities[i]
		for _, a := range v.Assertions {
			if vs := by[a.ID]; len(vs) == 0 || vs[len(vs)-1] != v {
				by[a.ID] = append(vs, v)
			}
		}
	}
	records := map[string]*normalize.Record{}
	err = db.Lookup(slices.Compact(slices.Sorted(slices.Values(idsOf(list)))), func(id string, data []byte) (err error) {
		records[id], err = normalize.Decode(data)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range list {
		x := packageFinding{Finding: f, Lane: lane{ID: f.ID, Ecosystem: f.Ecosystem}, Class: verdictClass(f.Verdict), Because: because(f)}
		x.rate(by[f.ID])
		if r := records[f.ID]; r != nil {
			x.Modified = r.Modified
			x.Summary = cut(240, cmp.Or(r.Summary, x.Summary, firstLine(r.Details)))
		}
		p.Findings = append(p.Findings, x)
	}
	p.draw(records)
	return nil
}

// firstLine is the begin of a text.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// rate takes what is known of the vulnerabilities that a record is about: the
// worst of several.
func (x *packageFinding) rate(list []*query.Vulnerability) {
	for _, v := range list {
		if len(x.About) < relatedShown && v.ID != x.ID {
			x.About = append(x.About, v.ID)
		}
		x.Summary = cmp.Or(x.Summary, v.Summary)
		if v.Severity.Rating > x.Severity.Rating || v.Severity.Score > x.Severity.Score || x.Severity.Vendor == "" && x.Severity.Type == "" {
			x.Severity = v.Severity
		}
		if v.Threat.EPSS > x.Threat.EPSS {
			x.Threat.EPSS, x.Threat.Percentile = v.Threat.EPSS, v.Threat.Percentile
		}
		x.Threat.KEV = cmp.Or(x.Threat.KEV, v.Threat.KEV)
		x.Threat.Exploited = append(x.Threat.Exploited, v.Threat.Exploited...)
	}
}

// draw draws all rows on one axis, as the index has them: what is drawn is
// what decides.
func (p *packageSheet) draw(records map[string]*normalize.Record) {
	a := newAxis(schemeOf(p.Ecosystem))
	p.Ordered = a.scheme != nil
	drawn := make([][]versioncmp.Span, len(p.Findings))
	dots := make([][]string, len(p.Findings))
	for i := range p.Findings {
		x := &p.Findings[i]
		var spans []versioncmp.Span
		var listed, refused []string
		count := 0
		if r := records[x.ID]; r != nil {
			spans, listed, count = ofPackage(r, x.Ecosystem, x.Package)
		}
		drawn[i], refused = a.addSpans(spans)
		for _, v := range listed {
			if a.add(v) {
				dots[i] = append(dots[i], v)
			}
		}
		if x.Lane.Text = laneText(spans, listed, count); x.Lane.Text == "" {
			x.Lane.Note = "ranges of an ecosystem without an order of versions: see the record"
		}
		if len(refused) > 0 && p.Ordered {
			x.Lane.Note = "not drawn: " + cut(60, refused[0]) + " is no version of this ecosystem"
		}
	}
	if p.Version != "" && p.Bad == "" && a.add(p.Version) {
		a.mark = p.Version
	}
	a.order()
	for i := range p.Findings {
		l := &p.Findings[i].Lane
		if l.Bars = a.bars(drawn[i]); len(dots[i]) > 0 {
			l.Bars = append(l.Bars, a.dots(dots[i])...)
		}
	}
	p.Labels = a.labels()
}

// ofPackage is what a record says of the versions of a package: its ranges,
// and the versions listed by name where it has none, with how many they are.
func ofPackage(r *normalize.Record, ecosystem, name string) (spans []versioncmp.Span, listed []string, count int) {
	for i := range r.Affected {
		x := &r.Affected[i]
		if x.Package.Ecosystem != ecosystem || !samePackage(ecosystem, x.Package.Name, name) {
			continue
		}
		set := store.Compile(x)
		of := set.Spans()
		for _, e := range set.Unparsed() {
			of = append(of, versioncmp.Span{Lo: versioncmp.Bound{Version: e.Version, Inclusive: true}, Hi: versioncmp.Bound{Version: e.Version, Inclusive: true}})
		}
		if len(of) == 0 {
			count += len(x.Versions)
			listed = append(listed, x.Versions[:min(len(x.Versions), maxListed)]...)
		}
		for _, s := range of {
			if !slices.Contains(spans, s) {
				spans = append(spans, s)
			}
		}
	}
	return spans, listed[:min(len(listed), maxListed)], count
}
