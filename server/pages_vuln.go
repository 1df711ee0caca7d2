package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/advdb/advdb/query"
)

// Limits of the page of a vulnerability.
const (
	figuresShown    = 20 // packages on a page
	accountsShown   = 40 // records about it
	statementsShown = 60
	referencesShown = 100
	commitsShown    = 30
	edgesShown      = 60
	relatedShown    = 60
	membersShown    = 8
)

// A vulnSheet is all that the page of a vulnerability shows.
type vulnSheet struct {
	*query.Explanation
	Title    string
	Held     bool // a record has the ID of the group
	Summary  string
	Severity query.Severity
	Members  []member // side by side
	Fields   []row    // of Members, a cell each

	MoreMembers int

	Edges      []query.Edge
	MoreEdges  int
	About      []query.Account
	AboutPages pager

	Parts       []part // ecosystems to choose of
	Chosen      string
	Figures     []*figure
	FigurePages pager
	Commits     []commitRow
	MoreCommits int

	Statements     []statement
	MoreStatements int
	References     []reference
	MoreReferences int
	MoreRelated    int

	Purl    string
	Verdict *verdict // on Purl; nil: none was asked about
}

// A part is an ecosystem with how many packages of it are affected.
type part struct {
	Name  string
	Count int
	Path  string
}

// vulnerability is the page of a vulnerability, of all the records that it has.
func (w *web) vulnerability(_ context.Context, st *state, r *http.Request) (*sheet, error) {
	id := r.PathValue("id")
	if len(id) > maxID {
		return nil, wrong("An ID has at most %d characters; this one has %d.", maxID, len(id))
	}
	x, err := query.Explain(st.db, id, nil)
	if err != nil {
		return nil, err
	}
	if !x.Known() {
		return nil, missing("Nothing is known of %q. IDs are compared as they are written.", id)
	}
	v := &vulnSheet{Explanation: x, Purl: r.URL.Query().Get("purl")}
	v.summarize()
	if err := v.compare(st.db); err != nil {
		return nil, err
	}
	if err := v.affected(st.db, r); err != nil {
		return nil, err
	}
	if v.AboutPages, err = newPager(r, "records", len(v.About), accountsShown); err != nil {
		return nil, err
	}
	v.About = v.About[v.AboutPages.From-1 : v.AboutPages.To]
	if v.Purl != "" {
		if v.Verdict, err = newVerdict(st.db, id, v.Purl); err != nil {
			return nil, err
		}
	}
	return &sheet{template: "vuln", title: v.Title, query: id, data: v}, nil
}

// summarize takes from all accounts what stands at the head of the page.
func (v *vulnSheet) summarize() {
	v.Title = v.Group.ID
	v.Edges = first(v.Group.Edges, edgesShown, &v.MoreEdges)
	v.Related = first(v.Related, relatedShown, &v.MoreRelated)
	var all []statement
	for i := range v.Accounts {
		a := &v.Accounts[i]
		v.Held = v.Held || a.Held && a.ID == v.Group.ID
		if a.Relation != "member" {
			v.About = append(v.About, *a)
		}
		if a.Withdrawn == "" {
			v.Summary = cmp.Or(v.Summary, a.Summary)
			v.rate(a.Severity)
		}
		for _, s := range a.Statements {
			all = append(all, statement{a.ID, s})
		}
	}
	slices.SortStableFunc(all, func(x, y statement) int {
		return cmp.Or(compareFold(x.Ecosystem, y.Ecosystem), compareFold(x.Package, y.Package))
	})
	v.Statements = first(all, statementsShown, &v.MoreStatements)
}

// rate takes a severity where none was found yet: a score before words.
func (v *vulnSheet) rate(s query.Severity) {
	vendor, word := cmp.Or(v.Severity.Vendor, s.Vendor), cmp.Or(v.Severity.Word, s.Word)
	if v.Severity.Type == "" && s.Type != "" || v.Severity.Rating == query.Unrated {
		v.Severity = s
	}
	v.Severity.Vendor, v.Severity.Word = vendor, word
}

// first returns the first n of a list, and how many there are beside them.
func first[T any](list []T, n int, more *int) []T {
	if *more = max(0, len(list)-n); *more > 0 {
		return list[:n]
	}
	return list
}

// affected draws the packages that are affected: those of the ecosystem that
// was chosen, by pages.
func (v *vulnSheet) affected(db pageDB, r *http.Request) error {
	var rows []query.RangeRow
	for i := range v.Accounts {
		for _, row := range v.Accounts[i].Ranges {
			row.Withdrawn = v.Accounts[i].Withdrawn
			rows = append(rows, row)
		}
	}
	named, err := configured(db, v.Group.ID)
	if err != nil {
		return err
	}
	all, commits := figuresOf(append(rows, named...))
	v.Commits = first(commits, commitsShown, &v.MoreCommits)
	v.Chosen = r.URL.Query().Get("ecosystem")
	var list []*figure
	for _, f := range all {
		if n := len(v.Parts); n == 0 || v.Parts[n-1].Name != f.Ecosystem {
			v.Parts = append(v.Parts, part{Name: f.Ecosystem, Path: withQuery(r.URL.EscapedPath(), "ecosystem", f.Ecosystem, "purl", v.Purl) + "#affected"})
		}
		v.Parts[len(v.Parts)-1].Count++
		if v.Chosen == "" || v.Chosen == f.Ecosystem {
			list = append(list, f)
		}
	}
	if v.FigurePages, err = newPager(r, "packages", len(list), figuresShown); err != nil {
		return err
	}
	v.Figures = list[v.FigurePages.From-1 : v.FigurePages.To]
	return draw(db, v.Figures)
}

// Others are the IDs of the group but its own.
func (v *vulnSheet) Others() []string {
	return slices.DeleteFunc(slices.Clone(v.Group.Members), func(id string) bool { return id == v.Group.ID })
}

// Withdrawn reports whether no record of the group stands.
func (v *vulnSheet) Withdrawn() bool {
	held := false
	for i := range v.Accounts {
		if a := &v.Accounts[i]; a.Relation == "member" && a.Held {
			if a.Withdrawn == "" {
				return false
			}
			held = true
		}
	}
	return held
}

// Meter is how much of the meter of the EPSS score is filled, in percent.
func (v *vulnSheet) Meter() float64 { return 100 * v.Threat.Percentile }

// All is the page with all of its ecosystems.
func (v *vulnSheet) All() string { return withQuery(vulnPath(v.Asked), "purl", v.Purl) + "#affected" }
