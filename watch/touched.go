package watch

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// touched is what a change of the database may have touched.
type touched struct {
	all   bool            // it cannot be said: everything
	names map[string]bool // plain package names
	vulns map[string]bool // vulnerability IDs
}

// touches reports whether a component may be concerned.
func (t *touched) touches(c query.Component, findings []Finding) bool {
	if t.all {
		return true
	}
	for _, name := range componentNames(c) {
		if t.names[name] {
			return true
		}
	}
	for _, f := range findings {
		if t.vulns[f.Vulnerability] {
			return true
		}
	}
	return false
}

// touched compares the state, in the folder next, with that of the last pass.
func (p *pass) touched(ctx context.Context, last, next string) (*touched, error) {
	t := &touched{names: map[string]bool{}, vulns: map[string]bool{}}
	limit, err := p.lastLimit()
	if err != nil {
		return nil, err
	}
	before, err := store.OpenDB(last)
	if errors.Is(err, store.ErrNoData) || errors.Is(err, store.ErrFormat) || err == nil && limit != p.opt.EPSS {
		if err == nil {
			before.Close()
		}
		t.all = true
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the state of the last pass: %w", err)
	}
	defer before.Close()
	if store.SameState(last, next) {
		return t, nil
	}
	err = snapshot.Compare(ctx, before, p.db, snapshot.CompareOptions{Tables: true}, func(c snapshot.Change) error {
		if c.Table != "" {
			return t.row(c, p.opt.EPSS)
		}
		p.done.Records++
		return t.record(c)
	})
	return t, err
}

// lastLimit is the limit of EPSS that the last pass judged by, 0 before the
// first.
func (p *pass) lastLimit() (limit float64, err error) {
	err = p.v.shelf.View(func(tx store.ShelfTx) error {
		if s := tx.Get(settingBucket, "epss"); s != nil {
			limit, err = strconv.ParseFloat(string(s), 64)
			return err
		}
		return nil
	})
	return limit, err
}

// record takes up what a record speaks of, before and now.
func (t *touched) record(c snapshot.Change) error {
	if c.Kind == snapshot.ChangeTouched {
		return nil
	}
	t.vulns[c.ID] = true
	for _, data := range [][]byte{c.Before, c.After} {
		if data == nil {
			continue
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		for _, ids := range [][]string{r.Aliases, r.Upstream} {
			for _, id := range ids {
				t.vulns[id] = true
			}
		}
		for i := range r.Affected {
			t.names[plainName(r.Affected[i].Package.Name)] = true
			for _, binary := range store.Binaries(&r.Affected[i]) {
				t.names[plainName(binary)] = true
			}
		}
	}
	return nil
}

// row takes up the CVE of a row. Of EPSS only a score counts that crosses the
// limit.
func (t *touched) row(c snapshot.Change, limit float64) error {
	if c.Table == "epss" {
		before, err := epssOf(c.Before)
		if err != nil {
			return fmt.Errorf("epss: %s: %w", c.ID, err)
		}
		now, err := epssOf(c.After)
		if err != nil {
			return fmt.Errorf("epss: %s: %w", c.ID, err)
		}
		if (before >= limit) == (now >= limit) {
			return nil
		}
	}
	t.vulns[c.ID] = true
	return nil
}

func epssOf(row []byte) (float64, error) {
	var v struct {
		EPSS float64 `json:"epss"`
	}
	if row == nil {
		return 0, nil
	}
	err := json.Unmarshal(row, &v)
	return v.EPSS, err
}
