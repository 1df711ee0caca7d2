package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
)

// Options are the options of a pass; the zero value works.
type Options struct {
	EPSS float64   // from which a vulnerability is likely to be exploited; default 0.1
	Now  time.Time // default: now
}

// A Pass says what one pass over the inventory did.
type Pass struct {
	State      uint64 `json:"state"`      // number of the database's state
	Records    int    `json:"records"`    // that changed since the last pass
	SBOMs      int    `json:"sboms"`      // of which a component was matched again
	Components int    `json:"components"` // that were matched again
	Events     int    `json:"events"`
}

// batch is how many SBOMs are matched in one transaction.
const batch = 64

// Match matches again what the changes of the database since the last pass may
// touch, and what was never matched, and keeps an event for each difference.
// It returns store.ErrNoData where there is no database.
//
// The state of the last pass is kept beside the inventory as a further name of
// its file, so that whatever number of states came since, the two are compared.
// Where that cannot be read (an older format) everything is matched again.
func (v *Inventory) Match(ctx context.Context, opt Options) (Pass, error) {
	if opt.EPSS == 0 {
		opt.EPSS = 0.1
	}
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	last, next := filepath.Join(v.dir, "watch", "last"), filepath.Join(v.dir, "watch", "next")
	if err := store.Hold(v.dir, next); err != nil {
		return Pass{}, err
	}
	defer os.RemoveAll(next)
	now, err := store.OpenDB(next)
	if err != nil {
		return Pass{}, err
	}
	defer now.Close()
	p := &pass{v: v, db: now, opt: opt, matched: map[string][]Finding{}, done: Pass{State: now.Meta().Number}}
	touched, err := p.touched(ctx, last, next)
	if err != nil {
		return p.done, err
	}
	if err := p.matchAll(ctx, touched); err != nil {
		return p.done, err
	}
	if store.SameState(last, next) {
		return p.done, nil
	}
	if err := os.RemoveAll(last); err != nil {
		return p.done, err
	}
	return p.done, os.Rename(next, last)
}

// A pass is a pass at work.
type pass struct {
	v       *Inventory
	db      *store.DB
	opt     Options
	matched map[string][]Finding // purl → findings, of this pass
	done    Pass
}

// maxMatched bounds how many components a pass remembers.
const maxMatched = 50_000

// matchAll matches the SBOMs that a change touches, in the order of names.
func (p *pass) matchAll(ctx context.Context, t *touched) error {
	names, err := p.candidates(t)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := p.v.shelf.Update(func(tx store.ShelfTx) error {
			for _, name := range some {
				if err := p.matchOne(tx, name, t); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return p.v.shelf.Update(func(tx store.ShelfTx) error {
		return tx.Put(settingBucket, "epss", strconv.AppendFloat(nil, p.opt.EPSS, 'g', -1, 64))
	})
}

// candidates are the SBOMs that are due or touched.
func (p *pass) candidates(t *touched) ([]string, error) {
	set := map[string]bool{}
	err := p.v.shelf.View(func(tx store.ShelfTx) error {
		if t.all {
			tx.Scan(sbomBucket, "", "", func(name string, _ []byte) bool { set[name] = true; return true })
			return nil
		}
		tx.Scan(dueBucket, "", "", func(name string, _ []byte) bool { set[name] = true; return true })
		collect := func(bucket string, keys map[string]bool) {
			for key := range keys {
				prefix := key + "\x00"
				tx.Scan(bucket, prefix, "", func(k string, _ []byte) bool { set[strings.TrimPrefix(k, prefix)] = true; return true })
			}
		}
		collect(nameBucket, t.names)
		collect(vulnBucket, t.vulns)
		return nil
	})
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list, err
}

// matchOne matches what is touched of one SBOM, and keeps what became of it.
func (p *pass) matchOne(tx store.ShelfTx, name string, t *touched) error {
	doc, err := p.v.load(tx, name)
	if err != nil {
		return err
	}
	due := tx.Get(dueBucket, name) != nil
	var again []query.Component
	for _, c := range doc.Components {
		if due || t.touches(c, doc.Findings[c.Purl]) {
			again = append(again, c)
		}
	}
	gone := map[string][]Finding{}
	if due {
		gone = doc.componentsGone()
	}
	if len(again) == 0 && len(gone) == 0 && !due {
		return nil
	}
	was := doc.index()
	if err := p.match(again); err != nil {
		return err
	}
	for _, c := range again {
		if err := p.tell(tx, name, doc, c, doc.Findings[c.Purl], p.matched[c.Purl]); err != nil {
			return err
		}
		if doc.Findings[c.Purl] = p.matched[c.Purl]; len(doc.Findings[c.Purl]) == 0 {
			delete(doc.Findings, c.Purl)
		}
	}
	for purl, list := range gone {
		if err := p.tell(tx, name, doc, query.Component{Purl: purl}, list, nil); err != nil {
			return err
		}
		delete(doc.Findings, purl)
	}
	p.done.SBOMs++
	p.done.Components += len(again)
	doc.Matched = p.done.State
	if err := tx.Delete(dueBucket, name); err != nil {
		return err
	}
	return p.v.save(tx, name, doc, was)
}

// componentsGone are the findings of components that the SBOM lacks now.
func (s *sbom) componentsGone() map[string][]Finding {
	gone := map[string][]Finding{}
	for purl, list := range s.Findings {
		if !slices.ContainsFunc(s.Components, func(c query.Component) bool { return c.Purl == purl }) {
			gone[purl] = list
		}
	}
	return gone
}

// match finds what affects the components, where this pass did not yet.
func (p *pass) match(list []query.Component) error {
	if len(p.matched) > maxMatched {
		clear(p.matched)
	}
	var fresh []query.Component
	for _, c := range list {
		if _, ok := p.matched[c.Purl]; !ok && c.Purl != "" {
			fresh = append(fresh, c)
			p.matched[c.Purl] = nil
		}
	}
	scan, err := query.ScanComponents(p.db, fresh)
	if err != nil {
		return err
	}
	found, err := query.Assess(p.db, scan.Matches)
	if err != nil {
		return err
	}
	for i := range found {
		purl := found[i].Component.Purl
		for j := range found[i].Vulnerabilities {
			p.matched[purl] = append(p.matched[purl], newFinding(&found[i].Vulnerabilities[j], p.opt.EPSS))
		}
	}
	return nil
}

// tell keeps an event for each difference; the first findings of an SBOM are
// none.
func (p *pass) tell(tx store.ShelfTx, name string, doc *sbom, c query.Component, before, now []Finding) (err error) {
	if doc.Matched == 0 {
		return nil
	}
	compare(before, now, func(kind string, f Finding, was *Finding, fields []string) {
		if err != nil {
			return
		}
		p.done.Events++
		err = putEvent(tx, Event{Time: p.opt.Now.UTC().Format(time.RFC3339), Kind: kind, SBOM: name, Component: c,
			Finding: f, Before: was, Fields: fields, State: p.done.State})
	})
	return err
}
