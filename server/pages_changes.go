package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// Limits of the page of changes.
const (
	changesKept  = 20000 // of an update; all are counted
	changesShown = 100   // on a page
)

// A changeList is what an update changed.
type changeList struct {
	From, To   string // the states
	Kinds      []kindCount
	Ecosystems []ecosystemCount // most changes first
	Tables     []tableCount
	Items      []change // the first changesKept
	Total      int      // records of which something else is said
	Touched    int      // records of which modified alone changed
}

type kindCount struct {
	Kind  string
	Count int
}

type ecosystemCount struct {
	Name  string
	Count map[string]int // by kind
	Total int
}

type tableCount struct {
	Name  string
	Kinds []kindCount
}

// A change is what became of one record.
type change struct {
	ID, Kind, Summary string
	Fields            string
	Ecosystems        []string // without their releases
}

// kindsOfChange are the kinds in the order in which they are shown.
var kindsOfChange = []string{snapshot.ChangeAdded, snapshot.ChangeChanged, snapshot.ChangeWithdrawn, snapshot.ChangeRevived, snapshot.ChangeDeleted}

// A changesSheet is what the page of changes shows.
type changesSheet struct {
	*changeList
	Kind, Ecosystem string // chosen
	Pages           pager
	Shown           []change
}

var errNoPast = errors.New("no state before this one is held")

// changes is the page of what the last update changed.
func (w *web) changes(ctx context.Context, st *state, r *http.Request) (*sheet, error) {
	list, err := st.derived.changes.get(ctx, w, st, func(ctx context.Context) (*changeList, error) { return w.compare(ctx, st) })
	switch {
	case errors.Is(err, errComputing):
		return waiting("What changed"), nil
	case errors.Is(err, errNoPast):
		return nil, missing("No state before this one is held: with the next update there will be changes to show.")
	case err != nil:
		return nil, err
	}
	q := r.URL.Query()
	p := &changesSheet{changeList: list, Kind: q.Get("kind"), Ecosystem: q.Get("ecosystem")}
	if p.Kind != "" && !slices.Contains(kindsOfChange, p.Kind) {
		return nil, wrong("kind: %q is none of %s", cut(40, p.Kind), strings.Join(kindsOfChange, ", "))
	}
	items := list.Items
	if p.Kind != "" || p.Ecosystem != "" {
		items = slices.DeleteFunc(slices.Clone(items), func(c change) bool {
			return p.Kind != "" && c.Kind != p.Kind || p.Ecosystem != "" && !slices.Contains(c.Ecosystems, p.Ecosystem)
		})
	}
	if p.Pages, err = newPager(r, "p", len(items), changesShown); err != nil {
		return nil, err
	}
	p.Shown = items[p.Pages.From-1 : p.Pages.To]
	return &sheet{template: "changes", title: "What changed", data: p}, nil
}

// waiting is the page that asks again by itself for what is being computed.
func waiting(title string) *sheet {
	return &sheet{template: "wait", title: title, status: http.StatusAccepted, retry: 3}
}

// compare compares the state with the one before: that which the folder keeps,
// else the release before in the repository that is served.
func (w *web) compare(ctx context.Context, st *state) (*changeList, error) {
	c := newChangeCounter()
	before, err := w.openBefore(st)
	switch {
	case err == nil:
		defer before.Close()
		c.list.From, c.list.To = stateText(before), stateText(st.db)
		err = snapshot.Compare(ctx, before, st.db, snapshot.CompareOptions{Tables: true}, c.add)
		err = errors.Join(err, st.db.Trim())
	case errors.Is(err, errNoPast) && w.s.opt.Repo != nil:
		err = w.compareReleases(ctx, st, c)
	}
	if err != nil {
		return nil, err
	}
	return c.finish(), nil
}

func stateText(db *store.DB) string {
	m := db.Meta()
	return fmt.Sprintf("state %d of %s", m.Number, m.Created)
}

// openBefore opens the state before the given one. The store keeps it as
// advdb.db.prev, which it opens by a name of its own in a folder that is gone
// again at once.
func (w *web) openBefore(st *state) (*store.DB, error) {
	kept, err := filepath.Abs(filepath.Join(w.s.opt.Dir, "advdb.db.prev"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(kept); errors.Is(err, os.ErrNotExist) {
		return nil, errNoPast
	}
	dir, err := os.MkdirTemp("", "advdb-before-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Symlink(kept, filepath.Join(dir, "advdb.db")); err != nil {
		return nil, err
	}
	db, err := store.OpenDB(dir)
	switch {
	case errors.Is(err, store.ErrFormat), errors.Is(err, store.ErrNoData):
		return nil, errNoPast // another version of advdb wrote it, or it went in between
	case err != nil:
		return nil, err
	case db.Meta().Number >= st.db.Meta().Number: // the state was replaced since
		return nil, errors.Join(errNoPast, db.Close())
	}
	return db, nil
}

// compareReleases compares the newest release of the served repository with
// the one before.
func (w *web) compareReleases(ctx context.Context, st *state, c *changeCounter) error {
	held, err := snapshot.ReadHeld(st.db)
	if err != nil {
		return err
	}
	opt := snapshot.ReleasesOptions{Repos: []snapshot.Reader{w.s.opt.Repo}, Held: held}
	if held == nil { // the publisher's own database: its repository is trusted as it is served
		if opt.Root, err = readRoot(ctx, w.s.opt.Repo); err != nil {
			return errNoPast
		}
	}
	l, err := snapshot.OpenReleases(ctx, opt)
	if err != nil {
		return err
	}
	to := l.Newest()
	if to.Version < 2 {
		return errNoPast
	}
	from, err := l.Number(ctx, to.Version-1)
	if err != nil {
		return err
	}
	c.list.From, c.list.To = releaseText(from), releaseText(to)
	return l.Compare(ctx, from, to, snapshot.CompareOptions{Tables: true}, c.add)
}

func releaseText(x snapshot.Leaf) string { return fmt.Sprintf("release %d of %s", x.Version, x.Time) }

func readRoot(ctx context.Context, r snapshot.Reader) ([]byte, error) {
	f, err := r.Open(ctx, "tuf/1.root.json", 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// A changeCounter counts changes, and keeps the first.
type changeCounter struct {
	list       *changeList
	kinds      map[string]int
	ecosystems map[string]*ecosystemCount
	tables     map[string]map[string]int
}

func newChangeCounter() *changeCounter {
	return &changeCounter{list: new(changeList), kinds: map[string]int{}, ecosystems: map[string]*ecosystemCount{}, tables: map[string]map[string]int{}}
}

// add takes one change.
func (c *changeCounter) add(x snapshot.Change) error {
	switch {
	case x.Kind == snapshot.ChangeReturned:
		return nil
	case x.Table != "":
		if c.tables[x.Table] == nil {
			c.tables[x.Table] = map[string]int{}
		}
		c.tables[x.Table][x.Kind]++
		return nil
	case x.Kind == snapshot.ChangeTouched:
		c.list.Touched++
		return nil
	}
	c.list.Total++
	c.kinds[x.Kind]++
	var bases []string
	for _, e := range x.Ecosystems() {
		if b := strings.Clone(base(e)); !slices.Contains(bases, b) {
			bases = append(bases, b)
		}
	}
	for _, b := range bases {
		if c.ecosystems[b] == nil {
			c.ecosystems[b] = &ecosystemCount{Name: b, Count: map[string]int{}}
		}
		c.ecosystems[b].Count[x.Kind]++
		c.ecosystems[b].Total++
	}
	if len(c.list.Items) < changesKept {
		c.list.Items = append(c.list.Items, change{strings.Clone(x.ID), x.Kind, strings.Clone(cut(160, firstLine(x.Summary))), fieldNames(x.Fields), bases})
	}
	return nil
}

// fieldNames are the fields that became otherwise, each once.
func fieldNames(list []snapshot.Difference) string {
	var names []string
	for _, d := range list {
		if name := strings.TrimPrefix(d.Field, "affected."); name != "modified" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return cut(160, strings.Join(names, ", "))
}

func (c *changeCounter) finish() *changeList {
	c.list.Kinds = kindCounts(c.kinds)
	for _, e := range c.ecosystems {
		c.list.Ecosystems = append(c.list.Ecosystems, *e)
	}
	slices.SortFunc(c.list.Ecosystems, func(x, y ecosystemCount) int {
		if x.Total != y.Total {
			return y.Total - x.Total
		}
		return strings.Compare(x.Name, y.Name)
	})
	for name, kinds := range c.tables {
		c.list.Tables = append(c.list.Tables, tableCount{name, kindCounts(kinds)})
	}
	slices.SortFunc(c.list.Tables, func(x, y tableCount) int { return strings.Compare(x.Name, y.Name) })
	return c.list
}

func kindCounts(counts map[string]int) (list []kindCount) {
	for _, k := range kindsOfChange {
		if counts[k] > 0 {
			list = append(list, kindCount{k, counts[k]})
		}
	}
	return list
}

// KindsOfChange are the columns of the table by ecosystem.
func (*changeList) KindsOfChange() []string { return kindsOfChange }

// Kept is how many changes are listed.
func (l *changeList) Kept() int { return len(l.Items) }

// OfKind is the page of changes of one kind.
func (p *changesSheet) OfKind(kind string) string {
	return withQuery("/changes", "kind", kind, "ecosystem", p.Ecosystem)
}

// Of is the page of changes in one ecosystem.
func (p *changesSheet) Of(ecosystem string) string {
	return withQuery("/changes", "kind", p.Kind, "ecosystem", ecosystem)
}
