package server

import (
	"context"
	"slices"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A found is what matches a question.
type found struct {
	ids     []string // affected, in order, each once
	unknown int      // records of which it is unknown
	gap     string   // what could not be answered: an ecosystem of which the state has no data
}

// match finds the records that match a question, those of all pages.
func (st *state) match(ctx context.Context, q subject) (found, error) {
	if f, ok := st.answers.get(q); ok {
		return f, nil
	}
	if err := ctx.Err(); err != nil {
		return found{}, err
	}
	f, err := st.find(ctx, q)
	if err == nil {
		st.answers.put(q, f, q.size()+f.size())
	}
	return f, err
}

// size is about what a subject takes in memory.
func (q *subject) size() int {
	return 160 + len(q.commit) + len(q.Ecosystem) + len(q.Name) + len(q.Version) + len(q.Source) + len(q.SourceVersion) +
		len(q.Arch) + len(q.Module) + len(q.Slot) + len(q.Repository)
}

// size is about what is found takes in memory.
func (f *found) size() int {
	n := 64
	for _, id := range f.ids {
		n += 16 + len(id)
	}
	return n
}

func (st *state) find(ctx context.Context, q subject) (f found, err error) {
	switch {
	case q.commit != "":
		return f, f.commit(st.db, q.commit)
	case q.Ecosystem == gitEcosystem:
		return f, f.tag(ctx, st.db, q.Name, q.Version)
	}
	ecosystems := []string{q.Ecosystem}
	if q.Ecosystem == "" {
		if ecosystems, err = st.db.Ecosystems(); err != nil {
			return f, err
		}
	}
	unknown := map[string]bool{}
	for _, e := range ecosystems {
		ask := q.Question
		ask.Ecosystem = e
		if err = f.take(ctx, st.db, ask, unknown); err != nil {
			return f, err
		}
	}
	slices.Sort(f.ids)
	f.ids = slices.Compact(f.ids)
	for _, id := range f.ids {
		delete(unknown, id)
	}
	f.unknown = len(unknown)
	return f, nil
}

// take adds what matches in one ecosystem. A version that the ecosystem's rule
// cannot read matches where the record lists one that is written alike: there
// osv.dev compares texts.
func (f *found) take(ctx context.Context, db *store.DB, q query.Question, unknown map[string]bool) error {
	a, err := query.Package(db, q)
	if err != nil {
		return err
	}
	if !a.Covered() {
		f.gap = q.Ecosystem
	}
	_, unreadable := versioncmp.Parse(q.Ecosystem, q.Version)
	for i := range a.Findings {
		x := &a.Findings[i]
		affected := x.Verdict == versioncmp.Affected
		if !affected && unreadable != nil {
			if affected, err = listsAlike(db, x, q.Version); err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
		}
		switch {
		case affected:
			f.ids = append(f.ids, x.ID)
		case x.Verdict == versioncmp.Unknown:
			unknown[x.ID] = true
		}
	}
	return nil
}

// A page is what one answer has of what was found.
type page struct {
	found
	next string // the token of the next page; empty: this is the last
}

// cut returns at most limit IDs behind after.
func (f found) cut(after string, limit int) page {
	if after != "" {
		i, there := slices.BinarySearch(f.ids, after)
		if there {
			i++
		}
		f.ids = f.ids[i:]
	}
	p := page{found: f}
	if len(f.ids) > limit {
		p.ids = f.ids[:limit]
		p.next = pageToken(p.ids[limit-1])
	}
	return p
}

// listsAlike reports whether the record of x lists a version that is written
// like version.
func listsAlike(db *store.DB, x *query.Finding, version string) (bool, error) {
	r, err := readRecord(db, x.ID)
	if err != nil || r == nil {
		return false, err
	}
	for i := range r.Affected {
		a := &r.Affected[i]
		if a.Package.Ecosystem == x.Ecosystem && samePackage(x.Ecosystem, a.Package.Name, x.Package) &&
			slices.ContainsFunc(a.Versions, func(v string) bool { return alike(v, version) }) {
			return true, nil
		}
	}
	return false, nil
}
