package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// indexBatch is how many records of an index are committed at once.
const indexBatch = 500

// OSVIndex fetches a REST source of OSV records as osv.dev defines it
// (docs/data/new-data-sources, "REST API endpoints"): index is the URL of a
// JSON array of {"id", "modified"}, and each record is at <id>.json beside it.
// Documents are named so, too.
//
// A record is fetched when the index gives it another modified than the last
// time; one that the index lacks is deleted. One that is listed and answers
// 404 is left as it is and asked for again when the index changes; one that
// is broken is reported, keeps its last content and is asked for again the
// next time. Rows whose id cannot name a document are left out.
func OSVIndex(index string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		x := &osvIndex{index: index, m: m}
		if err := m.Load(&x.cursor); err != nil {
			return err
		}
		return x.fetch(ctx)
	}
}

// osvIndex is an OSVIndex at work.
type osvIndex struct {
	index  string
	m      *Mirror
	cursor struct {
		Done   map[string]string `json:"done,omitempty"`   // document → modified of the row that was fetched
		Absent []string          `json:"absent,omitempty"` // documents that were listed and not there, sorted
	}
}

func (x *osvIndex) fetch(ctx context.Context) error {
	resp, err := x.m.Get(ctx, x.index)
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	rows, err := readOSVIndex(resp)
	if err != nil {
		return located(x.index, err)
	}
	broken, err := x.update(ctx, rows)
	if err != nil {
		return err
	}
	if err := x.sweep(rows); err != nil {
		return err
	}
	if broken == nil {
		resp.Keep()
	}
	return errors.Join(x.m.Commit(ctx, x.cursor), broken)
}

// readOSVIndex returns modified by document.
func readOSVIndex(r io.Reader) (map[string]string, error) {
	dec := jsontext.NewDecoder(&limited{r: r, left: maxChanges}, json.DefaultOptionsV2(), jsontext.AllowInvalidUTF8(true))
	var list []struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
	}
	if err := json.UnmarshalDecode(dec, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("%w: data after the end of the index", ErrIncomplete)
	}
	rows := make(map[string]string, len(list))
	for _, row := range list {
		name := row.ID + ".json"
		if row.ID != "" && !strings.ContainsAny(row.ID, "/ ") && checkName(name) == nil {
			rows[name] = row.Modified
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: the index lists nothing", ErrIncomplete)
	}
	return rows, nil
}

// update fetches what is new, with a commit every indexBatch. broken joins
// what is wrong with single documents.
func (x *osvIndex) update(ctx context.Context, rows map[string]string) (broken, err error) {
	var errs []error
	if x.cursor.Done == nil {
		x.cursor.Done = map[string]string{}
	}
	absent := x.cursor.Absent
	for i, name := range x.due(rows) {
		err := x.copy(ctx, name)
		switch {
		case notFound(err):
			x.m.opt.Log.Warn("listed but not there", "document", name, "error", err)
			absent = append(absent, name)
		case err == nil:
			absent = slices.DeleteFunc(absent, func(n string) bool { return n == name })
		case !ofDocument(err):
			return nil, err
		default:
			errs = append(errs, err)
			delete(x.cursor.Done, name)
			continue
		}
		x.cursor.Done[name] = rows[name]
		if i%indexBatch == indexBatch-1 {
			if err := x.m.Commit(ctx, x.cursor); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(absent)
	x.cursor.Absent = slices.Compact(absent)
	return errors.Join(errs...), nil
}

// due returns the documents to be fetched, sorted.
func (x *osvIndex) due(rows map[string]string) []string {
	var due []string
	for name, modified := range rows {
		done, ok := x.cursor.Done[name]
		if !ok || done != modified || x.m.opt.Force || slices.Contains(x.cursor.Absent, name) {
			due = append(due, name)
		}
	}
	slices.Sort(due)
	return due
}

func (x *osvIndex) copy(ctx context.Context, name string) error {
	url := x.index[:strings.LastIndexByte(x.index, '/')+1] + escape(name)
	resp, err := x.m.open(ctx, request{url: url, always: true})
	if err != nil {
		return prefixed(name, err)
	}
	defer resp.Close()
	return located(url, x.m.Put(name, resp))
}

// sweep deletes the documents that the index lacks.
func (x *osvIndex) sweep(rows map[string]string) error {
	lacks := func(name string) bool { _, ok := rows[name]; return !ok }
	var gone []string
	err := x.m.Names(func(name string) bool {
		if lacks(name) {
			gone = append(gone, name)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range gone {
		if err := x.m.Delete(name); err != nil {
			return err
		}
	}
	for name := range x.cursor.Done {
		if lacks(name) {
			delete(x.cursor.Done, name)
		}
	}
	x.cursor.Absent = slices.DeleteFunc(x.cursor.Absent, lacks)
	return nil
}
