package server

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

// Limits of searches.
const (
	maxQuery    = 500 // characters
	hitsKept    = 200
	hitsShown   = 25
	answerShown = 100 // records that a CPE or a commit matches
)

// A homeSheet is what the first page shows.
type homeSheet struct {
	Ecosystems []string // without their releases
	Releases   int
	Errors     int // sources whose last fetch failed
	Late       int
	MaxAge     string
}

// home is the first page: the search box, and what is held.
func (w *web) home(_ context.Context, st *state, _ *http.Request) (*sheet, error) {
	all, err := st.db.Ecosystems()
	if err != nil {
		return nil, err
	}
	rows, err := w.sourceRows(st)
	if err != nil {
		return nil, err
	}
	p := &homeSheet{Ecosystems: bases(all), Releases: len(all), MaxAge: spanOfTime(w.s.opt.MaxAge)}
	for _, s := range rows {
		if s.Error != "" {
			p.Errors++
		}
		if s.Late {
			p.Late++
		}
	}
	return &sheet{template: "home", title: "advdb", data: p}, nil
}

// bases are ecosystems without their releases, each once.
func bases(ecosystems []string) (list []string) {
	for _, e := range ecosystems {
		if b := base(e); !slices.Contains(list, b) {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, compareFold)
	return list
}

// A searchSheet is what a search found that no page of its own answers.
type searchSheet struct {
	Query   string
	Details bool // the details were searched too
	Asked   bool // words were searched
	Places  []place
	Hits    []query.Hit
	Total   int
	Kept    int
	Pages   pager
	Wider   string // the path of the same search in the details too

	CPE    string
	CPEs   []cpeRow
	Commit string
	Found  []query.CommitFinding
	More   int
}

// A place is where there is a package of the name asked for.
type place struct {
	Ecosystem, Path string
}

// A cpeRow is what the configurations of one record say of a product.
type cpeRow struct {
	ID, Product, Verdict, Class, Match string
	Assumed                            string
}

// search goes to the page that answers what is asked, or shows what was found.
func (w *web) search(ctx context.Context, st *state, r *http.Request) (*sheet, error) {
	text := strings.Join(strings.Fields(r.URL.Query().Get("q")), " ")
	ecosystem := r.URL.Query().Get("ecosystem")
	switch {
	case text == "":
		return &sheet{location: "/"}, nil
	case len(text) > maxQuery:
		return nil, wrong("A search has at most %d characters; this one has %d.", maxQuery, len(text))
	case strings.HasPrefix(text, "pkg:"):
		return toPurl(text)
	case ecosystem != "":
		return toPackage(st.db, ecosystem, text)
	}
	p := &searchSheet{Query: text, Details: r.URL.Query().Get("details") != ""}
	if strings.HasPrefix(text, "cpe:") {
		err := p.products(st.db)
		return &sheet{template: "search", title: "Search", query: text, data: p}, err
	}
	location, err := known(st.db, text)
	if err != nil || location != "" {
		return &sheet{location: location}, err
	}
	if err := p.search(ctx, w, st, r); err != nil {
		return nil, err
	}
	return &sheet{template: "search", title: "Search", query: text, data: p}, nil
}

// toPurl goes to the page of the package of a purl.
func toPurl(text string) (*sheet, error) {
	q, err := query.ParsePurl(text)
	if err != nil {
		return nil, wrong("%s", cut(600, err.Error()))
	}
	return &sheet{location: withQuery(packagePath(q.Ecosystem, q.Name), "purl", text)}, nil
}

// toPackage goes to the page of a package: a name, with its version behind the
// last "@".
func toPackage(db *store.DB, ecosystem, text string) (*sheet, error) {
	name, version := text, ""
	if i := strings.LastIndex(text, "@"); i > 0 {
		name, version = text[:i], text[i+1:]
	}
	named, err := spelled(db, ecosystem)
	if err != nil {
		return nil, err
	}
	if named == "" {
		return nil, missing("There are no data of the ecosystem %q.", cut(100, ecosystem))
	}
	return &sheet{location: withQuery(packagePath(named, name), "version", version)}, nil
}

// spelled returns an ecosystem, whatever the case it is written in, as it is
// held; empty where there are no data of it.
func spelled(db *store.DB, ecosystem string) (string, error) {
	all, err := db.Ecosystems()
	if err != nil {
		return "", err
	}
	for _, e := range slices.Concat(bases(all), all) {
		if strings.EqualFold(e, ecosystem) {
			return e, nil
		}
	}
	return "", nil
}

var ghsaForm = regexp.MustCompile(`(?i)^ghsa-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$`)

// known returns the page of an ID, an alias, or ECOSYSTEM/NAME, empty where
// the text is none.
func known(db *store.DB, text string) (string, error) {
	forms := []string{text, strings.ToUpper(text)}
	if ghsaForm.MatchString(text) {
		forms = append(forms, "GHSA"+strings.ToLower(text[4:]))
	}
	for _, id := range slices.Compact(forms) {
		if len(id) > maxID || strings.Contains(id, " ") {
			break
		}
		k, err := query.ID(db, id)
		if err != nil {
			return "", err
		}
		if !k.Empty() {
			return vulnPath(id), nil
		}
	}
	ecosystem, name, ok := strings.Cut(text, "/")
	if !ok || name == "" {
		return "", nil
	}
	named, err := spelled(db, ecosystem)
	if err != nil || named == "" {
		return "", err
	}
	sh, err := toPackage(db, named, name)
	if err != nil {
		return "", err
	}
	return sh.location, nil
}

// products finds the records whose CPE configurations name a product.
func (p *searchSheet) products(db *store.DB) error {
	n, err := cpe.Parse(p.Query)
	if err != nil {
		return wrong("%s", cut(600, err.Error()))
	}
	p.CPE = n.String()
	list, err := query.CPE(db, n)
	if errors.Is(err, query.ErrVague) {
		return wrong("%s", cut(600, err.Error()))
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(x, y query.CPEFinding) int { return int(y.Answer.Verdict) - int(x.Answer.Verdict) })
	for _, f := range first(list, answerShown, &p.More) {
		c := cpeRow{ID: f.ID, Product: f.Product.Key(), Verdict: f.Answer.Verdict.String()}
		c.Class = strings.ReplaceAll(c.Verdict, " ", "-")
		if f.Answer.Match != nil {
			c.Match = f.Answer.Match.Criteria
		}
		var assumed []string
		for _, a := range f.Answer.Assumed {
			assumed = append(assumed, strings.Join(a[:min(len(a), 3)], " or "))
		}
		c.Assumed = cut(300, strings.Join(assumed, "; "))
		p.CPEs = append(p.CPEs, c)
	}
	return nil
}

var commitForm = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)

// search finds commits, packages of that name, and records by words.
func (p *searchSheet) search(ctx context.Context, w *web, st *state, r *http.Request) error {
	if commitForm.MatchString(p.Query) {
		a, err := query.Commit(st.db, p.Query)
		switch {
		case errors.Is(err, query.ErrAmbiguous), errors.Is(err, query.ErrCommit):
		case err != nil:
			return err
		default:
			p.Commit, p.Found = a.Commit, first(a.Findings, answerShown, &p.More)
		}
	}
	if err := p.packages(st.db); err != nil {
		return err
	}
	hits, err := w.text(ctx, st, query.TextQuestion{Words: p.Query, Details: p.Details, Withdrawn: true, Limit: hitsKept})
	if err != nil {
		return err
	}
	p.Asked, p.Total, p.Kept = true, hits.total, len(hits.list)
	if p.Pages, err = newPager(r, "p", len(hits.list), hitsShown); err != nil {
		return err
	}
	p.Hits = hits.list[p.Pages.From-1 : p.Pages.To]
	if !p.Details {
		p.Wider = withQuery("/search", "q", p.Query, "details", "1")
	}
	return nil
}

var errFound = errors.New("found")

// packages finds the ecosystems that have a package of the name.
func (p *searchSheet) packages(db *store.DB) error {
	if strings.Contains(p.Query, " ") {
		return nil
	}
	name, version := p.Query, ""
	if i := strings.LastIndex(name, "@"); i > 0 {
		name, version = name[:i], name[i+1:]
	}
	all, err := db.Ecosystems()
	if err != nil {
		return err
	}
	for _, e := range all {
		b := base(e)
		if slices.ContainsFunc(p.Places, func(x place) bool { return x.Ecosystem == b }) {
			continue
		}
		err := db.Package(e, normalize.PackageKey(e, name), func(store.Affected) error { return errFound })
		switch {
		case errors.Is(err, errFound):
			p.Places = append(p.Places, place{b, withQuery(packagePath(b, name), "version", version)})
		case err != nil:
			return err
		}
	}
	return nil
}

// textHits is what a search for words found.
type textHits struct {
	list  []query.Hit
	total int
}

// text searches by words, from end to end, and remembers what it found.
func (w *web) text(ctx context.Context, st *state, q query.TextQuestion) (*textHits, error) {
	key := strings.ToLower(q.Words)
	if q.Details {
		key += "\x00"
	}
	if h, ok := st.derived.hits.get(key); ok {
		return h, nil
	}
	if err := w.enter(ctx); err != nil {
		return nil, err
	}
	defer w.leave()
	a, err := query.Text(ctx, st.db, q)
	if err != nil {
		return nil, err
	}
	size := len(key)
	for i := range a.Hits {
		h := &a.Hits[i]
		h.Summary = strings.Clone(cut(300, h.Summary))
		size += 96 + len(h.ID) + len(h.Summary) + len(h.Modified)
	}
	out := &textHits{a.Hits, a.Total}
	st.derived.hits.put(key, out, size)
	return out, nil
}
