package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
)

// parser parses the due documents of one source.
type parser struct {
	s      *Store
	opt    *UpdateOptions
	b      *batch
	blobs  blobReader
	pieces *sorter
	day    string // today
	buf    []byte
}

// parse parses what is due of feed. Errors of documents are in the batch's
// outcome; the error returned is one of the store, or ctx's.
func (s *Store) parse(ctx context.Context, feed Feed, opt *UpdateOptions) (*batch, error) {
	p := &parser{s: s, opt: opt, b: &batch{feed: feed}, day: s.today()}
	p.b.out.Source = feed.Name
	p.b.open(s.dir)
	p.blobs.s = s
	p.pieces = newSorter(s.dir, piecesLimit)
	defer p.pieces.close()
	var err error
	if feed.Enrich {
		err = p.enrich(ctx)
	} else {
		err = p.documents(ctx)
	}
	if err != nil {
		p.b.close()
		return nil, fmt.Errorf("%s: %w", feed.Name, err)
	}
	return p.b, errors.Join(p.b.changes.rest(), p.b.updates.rest())
}

// A namedDoc is a document with its name and the parts it had.
type namedDoc struct {
	name string
	docEntry
	list     []byte
	findings int
}

// docsAfter returns up to n documents of a source behind the name after, in
// the order of names.
func (s *Store) docsAfter(source, after string, n int) (docs []namedDoc, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		prefix := docKey(source, "")
		lists, findings := tx.Bucket(listBucket), tx.Bucket(findingBucket)
		c := tx.Bucket(docBucket).Cursor()
		k, v := c.Seek(docKey(source, after))
		if after != "" && bytes.Equal(k, docKey(source, after)) {
			k, v = c.Next()
		}
		for ; bytes.HasPrefix(k, prefix) && len(docs) < n; k, v = c.Next() {
			d := namedDoc{name: string(k[len(prefix):]), list: bytes.Clone(lists.Get(k))}
			if d.docEntry, err = decodeDocEntry(v); err != nil {
				return fmt.Errorf("document %s: %w", d.name, err)
			}
			if f := findings.Get(k); f != nil {
				var df docFindings
				if err := json.Unmarshal(f, &df); err != nil {
					return fmt.Errorf("findings of %s: %w", d.name, err)
				}
				d.findings = df.Count
			}
			docs = append(docs, d)
		}
		return nil
	})
	return docs, err
}

// eachDocument calls f with all documents of the source.
func (p *parser) eachDocument(ctx context.Context, f func(d *namedDoc) error) error {
	after := ""
	for {
		docs, err := p.s.docsAfter(p.b.feed.Name, after, 512)
		if err != nil || len(docs) == 0 {
			return err
		}
		for i := range docs {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(&docs[i]); err != nil {
				return fmt.Errorf("%s: %w", docs[i].name, err)
			}
		}
		after = docs[len(docs)-1].name
	}
}

// due reports whether d must be parsed: its bytes or the source's version
// differ from what its parts come from. What is known not to parse is not
// tried again.
func (p *parser) due(d *namedDoc) bool {
	version := uint64(p.b.feed.Version)
	if p.opt.Force {
		return true
	}
	if d.failed == version+1 {
		return false
	}
	return d.current.hash != d.good.hash || d.version != version
}

// documents parses what is due and compares it with what was there.
func (p *parser) documents(ctx context.Context) error {
	var c partCount
	err := p.eachDocument(ctx, func(d *namedDoc) error {
		n := listSize(d.list)
		if d.current.exists() {
			p.b.out.Documents++
		}
		if !p.due(d) {
			c.add(d, n, n)
			p.keep(d)
			return nil
		}
		now, err := p.document(ctx, d)
		c.add(d, n, now)
		return err
	})
	if err != nil {
		return err
	}
	p.guard(c)
	return nil
}

// A partCount counts the parts of a source before and after an update: all of
// them, and those that tell whether it lost some. Copies of documents as they
// were tell nothing but when they come: then they have what their document
// lost.
type partCount struct{ all, allAfter, before, after int }

func (c *partCount) add(d *namedDoc, before, after int) {
	c.all += before
	c.allAfter += after
	if !d.kept {
		c.before += before
	}
	if !d.kept || before == 0 {
		c.after += after
	}
}

// keep counts a document that is not parsed in this update.
func (p *parser) keep(d *namedDoc) {
	p.b.out.Findings += d.findings
	if d.problem != "" {
		p.fail(d.name, errors.New(d.problem))
	}
}

// shownErrors bounds how many documents an error names.
const shownErrors = 5

// fail notes that a document does not parse.
func (p *parser) fail(name string, err error) {
	p.b.out.Failed++
	if p.b.out.Failed <= shownErrors {
		p.b.out.Err = errors.Join(p.b.out.Err, fmt.Errorf("%s: %w", name, err))
	}
}

// Below this number of entries a source may lose any share of them.
const guardFrom = 20

// guard drops the whole batch where the source lost more than a tenth of its
// parts, or rows, and nobody insists.
func (p *parser) guard(c partCount) {
	p.b.out.Parts = c.allAfter
	if c.before < guardFrom || c.after*10 >= c.before*9 || p.opt.AcceptShrink[p.b.feed.Name] {
		return
	}
	p.b.empty(p.s.dir)
	p.b.out.Parts, p.b.out.PartsChanged, p.b.out.PartsGone = c.all, 0, 0
	p.b.out.Err = errors.Join(p.b.out.Err, fmt.Errorf("%w: %d of %d are left; the last good ones are kept (--accept-shrink %s to insist)",
		ErrShrunk, c.after, c.before, p.b.feed.Name))
}

// document parses one document and puts what became of it into the batch. It
// returns the number of parts the document has then.
func (p *parser) document(ctx context.Context, d *namedDoc) (parts int, err error) {
	prev, err := decodeList(d.list)
	if err != nil {
		return 0, err
	}
	key := docKey(p.b.feed.Name, d.name)
	gone := func(id string) error {
		p.b.out.PartsGone++
		return p.b.changes.add(partKey(id, key), []byte{gonePart})
	}
	if !d.current.exists() {
		for _, ref := range prev {
			if err := gone(ref.id); err != nil {
				return 0, err
			}
		}
		return 0, p.update(d.name, nil, nil, docFindings{}, d.findings > 0)
	}
	entry, found, parsed, perr := p.readBest(ctx, d)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if perr != nil {
		p.fail(d.name, perr)
		entry.failed, entry.problem = uint64(p.b.feed.Version)+1, perr.Error()
	}
	if !parsed {
		p.b.out.Findings += d.findings
		return len(prev), p.updateEntry(d.name, entry)
	}
	refs, err := p.compare(key, prev, gone)
	if err != nil {
		return 0, err
	}
	p.b.out.Findings += found.Count
	return len(refs), p.update(d.name, &entry, encodeList(refs), found, d.findings > 0)
}

// readBest fills p.pieces from the current bytes or, where those do not parse
// and the good ones are due as well, from the good ones. parsed reports
// whether either did; perr is why the current ones do not parse.
func (p *parser) readBest(ctx context.Context, d *namedDoc) (e docEntry, found docFindings, parsed bool, perr error) {
	version := uint64(p.b.feed.Version)
	e = d.docEntry
	e.failed, e.problem = 0, ""
	if found, perr = p.read(ctx, d.name, d.current); perr == nil {
		e.good, e.version = e.current, version
		return e, found, true, nil
	}
	if d.good.exists() && d.good.hash != d.current.hash && (d.version != version || p.opt.Force) {
		f, err := p.read(ctx, d.name, d.good)
		if err == nil {
			e.version = version
			return e, f, true, perr
		}
	}
	return e, found, false, perr
}

// read parses the bytes b into p.pieces: ID → dated or not, JSON.
func (p *parser) read(ctx context.Context, name string, b blob) (found docFindings, err error) {
	if err := p.pieces.reset(); err != nil {
		return found, err
	}
	p.b.out.Parsed++
	p.b.out.Bytes += int64(b.size)
	if p.opt.Progress != nil {
		p.opt.Progress(p.b.feed.Name, b.size)
	}
	doc := normalize.Doc{Source: p.b.feed.Name, Name: name, Body: p.blobs.open(b), Report: found.add}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parser failed on this document: %v", r)
			p.s.opt.Log.Debug("parser panic", "source", p.b.feed.Name, "document", name, "stack", string(debug.Stack()))
		}
	}()
	err = p.b.feed.Parse(doc, func(r *normalize.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return p.piece(r, &found)
	})
	if err == nil {
		err = drained(doc.Body)
	}
	return found, err
}

// drained makes sure that a parser read all of a document.
func drained(r io.Reader) error {
	var b [1]byte
	if n, err := r.Read(b[:]); n > 0 {
		return errors.New("parser stopped before the end of the document")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// piece takes what a parser emitted.
func (p *parser) piece(r *normalize.Record, found *docFindings) (err error) {
	if r.ID == "" || strings.IndexByte(r.ID, 0) >= 0 {
		found.add(normalize.Finding{Place: r.ID, Rule: "no-id", Message: "record without a usable ID is left out"})
		return nil
	}
	if p.b.feed.Enrich {
		return p.pieces.add([]byte(r.ID), r.DatabaseSpecific)
	}
	p.lint(r, found)
	if p.buf, err = normalize.AppendEncode(p.buf[:0], r); err != nil {
		return err
	}
	op := []byte{putUndated}
	if r.Modified != "" {
		op[0] = putDated
	}
	return p.pieces.add([]byte(r.ID), op, p.buf)
}

// lint notes which rules of OSV r breaks. That upstream gives no modified is
// no finding: the record gets the day of its part.
func (p *parser) lint(r *normalize.Record, found *docFindings) {
	dated := *r
	if dated.Modified == "" {
		dated.Modified = p.day
	}
	for _, f := range normalize.Lint(&dated) {
		found.add(f)
	}
}

// compare unites the pieces of each ID, compares the parts with those that
// were there, and puts what differs into the batch.
func (p *parser) compare(key []byte, prev []partRef, gone func(string) error) (refs []partRef, err error) {
	join := listJoin{prev: prev, gone: gone}
	var group [][]byte
	op := byte(putUndated)
	finish := func(id string) error {
		json, err := unitePieces(group)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		ref := partRef{id: id, hash: hashPart(json)}
		refs = append(refs, ref)
		changed, err := join.next(ref)
		if err != nil || !changed {
			return err
		}
		p.b.out.PartsChanged++
		return p.b.changes.add(partKey(id, key), []byte{op}, json)
	}
	var serr error
	id := ""
	for k, v := range p.pieces.sorted(&serr) {
		if len(group) > 0 && string(k) != id {
			if err := finish(id); err != nil {
				return nil, err
			}
			group, op = group[:0], putUndated
		}
		id = string(k)
		group = append(group, bytes.Clone(v[1:]))
		if v[0] == putDated {
			op = putDated
		}
	}
	if serr != nil {
		return nil, serr
	}
	if len(group) > 0 {
		if err := finish(id); err != nil {
			return nil, err
		}
	}
	return refs, join.end()
}

// update notes what a parsed document comes to; a nil entry forgets it.
func (p *parser) update(name string, e *docEntry, list []byte, found docFindings, hadFindings bool) error {
	key := docKey(p.b.feed.Name, name)
	if e == nil {
		return errors.Join(p.set(docTag, key, nil), p.set(listTag, key, nil), p.set(findingTag, key, nil))
	}
	if found.Count > 0 || hadFindings {
		var v []byte
		if found.Count > 0 {
			var err error
			if v, err = json.Marshal(found); err != nil {
				return err
			}
		}
		if err := p.set(findingTag, key, v); err != nil {
			return err
		}
	}
	return errors.Join(p.set(docTag, key, e.append(nil)), p.set(listTag, key, list))
}

func (p *parser) updateEntry(name string, e docEntry) error {
	return p.set(docTag, docKey(p.b.feed.Name, name), e.append(nil))
}

func (p *parser) set(tag byte, key, value []byte) error {
	return p.b.updates.add(append([]byte{tag}, key...), value)
}
