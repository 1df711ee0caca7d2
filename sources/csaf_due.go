package sources

import (
	"context"
	"slices"
	"time"
)

// csafCursor is how far changes.csv has been followed.
type csafCursor struct {
	Archive string               `json:"archive,omitempty"` // the file that was unpacked last
	Newest  time.Time            `json:"newest,omitzero"`   // date of the newest row done
	Recent  map[string]time.Time `json:"recent,omitempty"`  // rows done that are less than lateMargin older
	Broken  map[string]time.Time `json:"broken,omitempty"`  // rows that came and were no document
	Asked   []time.Time          `json:"asked,omitempty"`   // by share of an index without dates, when it was asked for again
	Share   int                  `json:"share,omitempty"`   // which is next
	Turned  time.Time            `json:"turned,omitzero"`   // when the last was asked for
}

// due returns the rows to be fetched, oldest first.
func (p *provider) due(gone map[string]bool) []change {
	since := p.cursor.Newest
	if p.latest == "" && !since.IsZero() {
		since = since.Add(-lateMargin)
	}
	due := map[string]time.Time{}
	for name, at := range p.cursor.Broken {
		if !gone[name] {
			due[name] = at
		}
	}
	for _, c := range p.changes.rows {
		_, held := p.held[c.name]
		recent, known := p.cursor.Recent[c.name]
		done := held && (known && recent.Equal(c.at) || !c.at.After(since))
		if !gone[c.name] && !done {
			due[c.name] = c.at
		}
	}
	rows := make([]change, 0, len(due))
	for name, at := range due {
		rows = append(rows, change{name, at})
	}
	slices.SortFunc(rows, compareChanges)
	return rows
}

// update fetches each row's document, with commits on the way if inSteps.
// broken is what is wrong with single documents.
func (p *provider) update(ctx context.Context, due []change, inSteps bool) (broken []error, err error) {
	var commit func() error
	if inSteps {
		commit = func() error { return p.m.Commit(ctx, p.cursor) }
	}
	return eachDue(due, func(c change) error {
		_, err := p.m.takeListed(ctx, c.name, p.base+escape(c.name))
		if err == nil || ofDocument(err) {
			p.cursor.done(c, err == nil)
		}
		return err
	}, commit)
}

// done notes that c was fetched, or that what came was no document.
func (k *csafCursor) done(c change, whole bool) {
	if !whole {
		if k.Broken == nil {
			k.Broken = map[string]time.Time{}
		}
		k.Broken[c.name] = c.at
		return
	}
	delete(k.Broken, c.name)
	if c.at.IsZero() {
		return
	}
	if k.Recent == nil {
		k.Recent = map[string]time.Time{}
	}
	k.Recent[c.name] = c.at
	if c.at.After(k.Newest) {
		k.Newest = c.at
	}
}

// settle notes that all of rows are done.
func (k *csafCursor) settle(rows []change) {
	for _, c := range rows {
		if c.at.After(k.Newest) {
			k.Newest = c.at
		}
	}
	if len(rows) > 0 {
		k.Recent = map[string]time.Time{}
	}
	for _, c := range rows {
		if _, broken := k.Broken[c.name]; !broken && !c.at.IsZero() && c.at.After(k.Newest.Add(-lateMargin)) {
			k.Recent[c.name] = c.at
		}
	}
}
