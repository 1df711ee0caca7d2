package sources

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A change is one row of changes.csv or deletions.csv.
type change struct {
	name string
	at   time.Time
}

func compareChanges(a, b change) int {
	if c := a.at.Compare(b.at); c != 0 {
		return c
	}
	return strings.Compare(a.name, b.name)
}

// list is changes.csv, deletions.csv or index.txt.
type list struct {
	rows []change
	resp *Response // nil: unchanged, or there is none

	missing error // there is none
}

// read asks for the list. A provider may have none of that name.
func (l *list) read(ctx context.Context, m *Mirror, url string, always bool) error {
	return l.readWith(ctx, m, url, always, readChanges)
}

func (l *list) readWith(ctx context.Context, m *Mirror, url string, always bool, read func(io.Reader) ([]change, error)) error {
	resp, err := m.open(ctx, request{url: url, always: always})
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if NotFound(err) {
		m.opt.Log.Warn("no such list", "url", url)
		l.missing = err
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	rows, err := read(&limited{r: resp, left: maxChanges})
	if err != nil {
		return located(url, err)
	}
	l.rows, l.resp = rows, resp
	return nil
}

func (l *list) keep() {
	if l.resp != nil {
		l.resp.Keep()
	}
}

// readChanges reads rows of a path and a date, without a heading (CSAF 2.0,
// 7.1.13). Dates may have any zone. Rows whose path cannot name a document
// are left out.
func readChanges(r io.Reader) ([]change, error) {
	cr := csv.NewReader(r)
	cr.FieldsPerRecord = -1
	cr.ReuseRecord = true
	var rows []change
	for {
		row, err := cr.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := cr.FieldPos(0)
		if len(row) < 2 {
			return nil, fmt.Errorf("%w: line %d: no path and date", ErrIncomplete, line)
		}
		at, err := time.Parse(time.RFC3339, row[1])
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrIncomplete, line, err)
		}
		name := strings.TrimPrefix(row[0], "./")
		if checkName(name) != nil || !strings.HasSuffix(name, ".json") {
			continue
		}
		rows = append(rows, change{strings.Clone(name), at.UTC()})
	}
}

// stillDeleted returns the names in deletions that changes does not have with
// a later date.
func stillDeleted(changes, deletions []change) map[string]bool {
	gone := map[string]bool{}
	at := map[string]time.Time{}
	for _, d := range deletions {
		gone[d.name] = true
		if d.at.After(at[d.name]) {
			at[d.name] = d.at
		}
	}
	for _, c := range changes {
		if gone[c.name] && c.at.After(at[c.name]) {
			delete(gone, c.name)
		}
	}
	return gone
}
