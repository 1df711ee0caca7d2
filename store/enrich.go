package store

import "context"

// enrich parses all documents of a feed that enriches into the batch's table,
// if one of them is due. Such a feed has few documents, each a whole state of
// its table, so there is nothing to compare: the table is written anew.
func (p *parser) enrich(ctx context.Context) error {
	due, before := p.opt.Force || p.opt.dirtyTables[p.b.feed.Name], 0
	if err := p.eachDocument(ctx, func(d *namedDoc) error {
		before += listSize(d.list)
		due = due || p.due(d)
		if d.current.exists() {
			p.b.out.Documents++
		}
		return nil
	}); err != nil {
		return err
	}
	if !due {
		p.b.out.Parts = before
		return p.eachDocument(ctx, func(d *namedDoc) error {
			p.keep(d)
			return nil
		})
	}
	p.b.table = newSorter(p.s.dir, changesLimit)
	after := 0
	var sick []namedDoc
	err := p.eachDocument(ctx, func(d *namedDoc) error {
		n, perr, err := p.rows(ctx, d)
		if perr != nil {
			p.fail(d.name, perr)
			d.failed, d.problem = uint64(p.b.feed.Version)+1, perr.Error()
			sick = append(sick, *d)
		}
		after += n
		return err
	})
	if err != nil {
		return err
	}
	if len(sick) > 0 {
		return p.dropTable(sick, before)
	}
	p.guard(partCount{before, after, before, after})
	if p.b.table == nil {
		return nil
	}
	p.b.out.PartsChanged = after
	return p.b.table.rest()
}

// dropTable leaves the table as it was where some documents do not parse: a
// table is one state of all documents, and half of it is not written.
func (p *parser) dropTable(sick []namedDoc, rows int) error {
	p.b.empty(p.s.dir)
	p.b.out.Parts = rows
	for _, d := range sick {
		if err := p.updateEntry(d.name, d.docEntry); err != nil {
			return err
		}
	}
	return nil
}

// rows parses one document into the table and returns its number of rows;
// perr is why it does not parse.
func (p *parser) rows(ctx context.Context, d *namedDoc) (n int, perr, err error) {
	if !d.current.exists() {
		return 0, nil, p.update(d.name, nil, nil, docFindings{}, d.findings > 0)
	}
	e := d.docEntry
	found, perr := p.read(ctx, d.name, d.current)
	if err := ctx.Err(); err != nil || perr != nil {
		return 0, perr, err
	}
	e.good, e.version, e.failed, e.problem = e.current, uint64(p.b.feed.Version), 0, ""
	var serr error
	for k, v := range p.pieces.sorted(&serr) {
		if err := p.b.table.add(k, v); err != nil {
			return n, nil, err
		}
		n++
	}
	if serr != nil {
		return n, nil, serr
	}
	p.b.out.Findings += found.Count
	return n, nil, p.update(d.name, &e, encodeCount(n), found, d.findings > 0)
}
