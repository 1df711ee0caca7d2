package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// maxListed bounds a list of IDs, in bytes.
const maxListed = 64 << 20

// Listed fetches records that a list names: index is the URL of a JSON array
// of {"id", "modified"}, and the document <id>.json is at base. A document is
// fetched when the list has another time for it than when it was fetched
// last; one that the list no longer names is deleted.
//
// A file that is listed and answers 404 is left as it is and asked for again
// the next time: lists run ahead of files. One that is broken keeps its last
// content, and is reported. An empty list is an error: it never means that
// all is gone.
func Listed(index, base string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		l := &listed{m: m, index: index, url: func(id string) string { return base + escape(id+".json") }}
		if err := m.Load(&l.cursor); err != nil {
			return err
		}
		return l.fetch(ctx)
	}
}

// listed is a Listed at work.
type listed struct {
	m      *Mirror
	index  string
	url    func(id string) string
	cursor listedCursor
}

// listedCursor is which records were fetched.
type listedCursor struct {
	Held    map[string]time.Time `json:"held,omitempty"`    // by ID, the time in the list
	Missing map[string]time.Time `json:"missing,omitempty"` // listed, but not there
}

func (l *listed) fetch(ctx context.Context) error {
	if l.m.opt.Force {
		l.cursor = listedCursor{}
	}
	resp, err := l.m.Get(ctx, l.index)
	if errors.Is(err, ErrUnchanged) {
		return l.update(ctx, maps.Clone(l.cursor.Missing))
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	named, err := readListed(resp)
	if err != nil {
		return located(l.index, err)
	}
	if err := l.sweep(named); err != nil {
		return err
	}
	if err := l.update(ctx, l.due(named)); err != nil {
		return err
	}
	resp.Keep()
	return l.m.Commit(ctx, l.cursor)
}

// readListed returns the times in the list by ID.
func readListed(r io.Reader) (map[string]time.Time, error) {
	var rows []struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
	}
	if err := json.UnmarshalRead(&limited{r: r, left: maxListed}, &rows); err != nil {
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	named := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		if strings.Contains(row.ID, "/") || checkName(row.ID+".json") != nil {
			continue
		}
		named[row.ID] = row.Modified.UTC()
	}
	if len(named) == 0 {
		return nil, fmt.Errorf("%w: the list is empty", ErrIncomplete)
	}
	return named, nil
}

// due returns what the list has another time for than what is held.
func (l *listed) due(named map[string]time.Time) map[string]time.Time {
	due := map[string]time.Time{}
	for id, at := range named {
		if held, ok := l.cursor.Held[id]; !ok || !held.Equal(at) {
			due[id] = at
		}
	}
	return due
}

// sweep deletes the documents that the list does not name.
func (l *listed) sweep(named map[string]time.Time) error {
	var gone []string
	err := l.m.Names(func(name string) bool {
		id := strings.TrimSuffix(name, ".json")
		if _, ok := named[id]; !ok {
			gone = append(gone, id)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, id := range gone {
		if err := l.m.Delete(id + ".json"); err != nil {
			return err
		}
	}
	unlisted := func(id string, _ time.Time) bool { _, ok := named[id]; return !ok }
	maps.DeleteFunc(l.cursor.Held, unlisted)
	maps.DeleteFunc(l.cursor.Missing, unlisted)
	return nil
}

// update fetches what is due.
func (l *listed) update(ctx context.Context, due map[string]time.Time) error {
	commit := func() error { return l.m.Commit(ctx, l.cursor) }
	broken, err := eachDue(slices.Sorted(maps.Keys(due)), func(id string) error { return l.copy(ctx, id, due[id]) }, commit)
	if err != nil {
		return errors.Join(append(broken, err)...)
	}
	return errors.Join(errors.Join(broken...), commit())
}

// copy fetches one record and notes it in the cursor.
func (l *listed) copy(ctx context.Context, id string, at time.Time) error {
	there, err := l.m.takeListed(ctx, id+".json", l.url(id))
	if err != nil {
		return err
	}
	if !there {
		note(&l.cursor.Missing, id, at)
		return nil
	}
	delete(l.cursor.Missing, id)
	note(&l.cursor.Held, id, at)
	return nil
}

// note puts a time into a map that may be nil.
func note(m *map[string]time.Time, id string, at time.Time) {
	if *m == nil {
		*m = map[string]time.Time{}
	}
	(*m)[id] = at
}
