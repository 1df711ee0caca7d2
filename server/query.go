package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// query answers POST /v1/query.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	var in osvQuery
	err := s.read(w, r, &in)
	if err == nil {
		err = in.one()
	}
	var q question
	if err == nil {
		q, err = in.question()
	}
	if err != nil && !errors.Is(err, errUnknownPurl) {
		s.fail(w, r, err)
		return
	}
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	if err == nil {
		var f found
		if f, err = s.writePage(r.Context(), b, &q); err != nil {
			s.fail(w, r, err)
			return
		}
		tell(w, f)
	} else {
		b.WriteString("{}")
	}
	answer(w, r, http.StatusOK, b.Bytes())
}

// tell says in headers of advdb's own what the answer of osv.dev has no place
// for: that "nothing found" is not "not affected".
func tell(w http.ResponseWriter, f found) {
	if f.unknown > 0 {
		w.Header().Set("Advdb-Unknown", strconv.Itoa(f.unknown))
	}
	if f.gap != "" {
		w.Header().Set("Advdb-Not-Covered", f.gap)
	}
}

// writePage appends the answer to q: a VulnerabilityList.
func (s *Server) writePage(ctx context.Context, b *bytes.Buffer, q *question) (found, error) {
	var f found
	err := s.with(func(st *state) error {
		var err error
		if f, err = st.match(ctx, q.subject); err != nil {
			return err
		}
		p := f.cut(q.after, s.opt.PageSize)
		b.WriteByte('{')
		p.next, err = s.writeRecords(ctx, b, st, p)
		if err != nil {
			return err
		}
		writeNext(b, p.next)
		return nil
	})
	return f, err
}

// writeNext ends a VulnerabilityList.
func writeNext(b *bytes.Buffer, token string) {
	if token != "" {
		if end := b.Bytes(); end[len(end)-1] != '{' {
			b.WriteByte(',')
		}
		b.WriteString(`"next_page_token":"`)
		b.WriteString(token)
		b.WriteByte('"')
	}
	b.WriteByte('}')
}

// writeRecords appends "vulns" with the records of a page, and returns the
// token of the next. The page ends early when the answer is larger than
// Options.MaxAnswer, or time is up.
func (s *Server) writeRecords(ctx context.Context, b *bytes.Buffer, st *state, p page) (next string, err error) {
	begin := b.Len()
	last := ""
	add := func(id string, wire []byte) error {
		if last != "" && (b.Len()-begin > s.opt.MaxAnswer || ctx.Err() != nil) {
			return errPageFull
		}
		if last == "" {
			b.WriteString(`"vulns":[`)
		} else {
			b.WriteByte(',')
		}
		b.Write(wire)
		last = id
		return nil
	}
	err = s.eachWire(st, p.ids, add)
	if last != "" {
		b.WriteByte(']')
	}
	if errors.Is(err, errPageFull) {
		return pageToken(last), nil
	}
	return p.next, err
}

// errPageFull ends a page before its last ID.
var errPageFull = errors.New("page is full")

// eachWire calls yield with each of the records, in order, as it is sent.
func (s *Server) eachWire(st *state, ids []string, yield func(id string, wire []byte) error) error {
	have := make([][]byte, len(ids))
	var missing []string
	for i, id := range ids {
		var ok bool
		if have[i], ok = st.wires.get(id); !ok {
			missing = append(missing, id)
		}
	}
	next := 0
	upTo := func(end int) error {
		for ; next < end; next++ {
			if have[next] == nil {
				continue
			}
			if err := yield(ids[next], have[next]); err != nil {
				return err
			}
		}
		return nil
	}
	err := st.db.Lookup(missing, func(id string, data []byte) error {
		wire, err := wireForm(data)
		if err != nil {
			return err
		}
		wire = bytes.Clone(wire)
		st.wires.put(id, wire, len(id)+len(wire))
		i, _ := slices.BinarySearch(ids, id)
		if err := upTo(i); err != nil {
			return err
		}
		next = i + 1
		return yield(id, wire)
	})
	if err != nil {
		return err
	}
	return upTo(len(ids))
}

// maxBatch is how many queries a batch may hold.
const maxBatch = 1000

// queryBatch answers POST /v1/querybatch.
func (s *Server) queryBatch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Queries []osvQuery `json:"queries"`
	}
	err := s.read(w, r, &in)
	var list []question
	if err == nil {
		list, err = questions(in.Queries)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	unknown := 0
	err = s.with(func(st *state) error {
		pages, err := s.matchAll(r.Context(), st, list)
		if err != nil {
			return err
		}
		for i := range pages {
			unknown += pages[i].unknown
		}
		return writeBatch(b, st, pages)
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	tell(w, found{unknown: unknown})
	answer(w, r, http.StatusOK, b.Bytes())
}

// questions checks all queries of a batch: one that is wrong fails it whole.
// Of an unknown purl the question is empty.
func questions(in []osvQuery) ([]question, error) {
	var first error
	list := make([]question, len(in))
	for i := range in {
		if err := in[i].one(); err != nil {
			return nil, err
		}
		var err error
		if list[i], err = in[i].question(); err != nil && !errors.Is(err, errUnknownPurl) && first == nil {
			first = atIndex(i, err)
		} else if err != nil {
			list[i] = question{}
		}
	}
	if len(in) > maxBatch {
		return nil, invalid("too many queries")
	}
	return list, first
}

// batchEntry is about the size of an ID and its date in an answer.
const batchEntry = 64

// matchAll answers the questions of a batch. Where time is up, or the answer
// is too large, what is left is to be asked again from its first page on.
func (s *Server) matchAll(ctx context.Context, st *state, list []question) ([]page, error) {
	pages := make([]page, len(list))
	size := 0
	for i := range list {
		q := &list[i]
		if q.commit == "" && q.Name == "" {
			continue
		}
		if i > 0 && (size > s.opt.MaxAnswer || ctx.Err() != nil) {
			pages[i].next = pageToken(q.after)
			continue
		}
		f, err := st.match(ctx, q.subject)
		if err != nil {
			return nil, atIndex(i, err)
		}
		pages[i] = f.cut(q.after, s.opt.PageSize)
		size += len(pages[i].ids) * batchEntry
	}
	return pages, nil
}

// writeBatch appends a BatchVulnerabilityList.
func writeBatch(b *bytes.Buffer, st *state, pages []page) error {
	dates, err := modified(st, pages)
	if err != nil {
		return err
	}
	b.WriteString(`{"results":[`)
	for i := range pages {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j, id := range pages[i].ids {
			if j == 0 {
				b.WriteString(`"vulns":[{"id":`)
			} else {
				b.WriteString(`,{"id":`)
			}
			quoted, err := jsontext.AppendQuote(b.AvailableBuffer(), id)
			if err != nil {
				return err
			}
			b.Write(quoted)
			b.WriteString(`,"modified":"`)
			b.WriteString(dates[id])
			b.WriteString(`"}`)
		}
		if len(pages[i].ids) > 0 {
			b.WriteByte(']')
		}
		writeNext(b, pages[i].next)
	}
	b.WriteString(`]}`)
	return nil
}

// modified returns the modified date of all records on the pages.
func modified(st *state, pages []page) (map[string]string, error) {
	dates := map[string]string{}
	var missing []string
	for i := range pages {
		for _, id := range pages[i].ids {
			if _, ok := dates[id]; ok {
				continue
			}
			date, ok := st.dates.get(id)
			if dates[id] = date; !ok {
				missing = append(missing, id)
			}
		}
	}
	slices.Sort(missing)
	err := st.db.Lookup(missing, func(id string, data []byte) error {
		date := modifiedOf(data)
		dates[id] = date
		st.dates.put(id, date, len(id)+len(date))
		return nil
	})
	return dates, err
}
