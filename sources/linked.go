package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	pagePause = time.Second // between two pages, for those who serve them
	maxLinked = 100_000
)

// Linked fetches OSV records that an API serves page by page: first is the URL
// of the first page, {"advisories": [record], "links": {"next": URL or null},
// "total": N}. Documents are named <id>.json.
//
// Documents that no page has are deleted, when all pages were read and hold
// as many records as the API counts: one that is taken away while the pages
// are turned moves another to a page that was read already.
func Linked(first string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		p := &linked{m: m, seen: map[string]struct{}{}}
		if err := m.Load(&p.cursor); err != nil {
			return err
		}
		return p.fetch(ctx, first)
	}
}

// linked is a Linked at work.
type linked struct {
	m      *Mirror
	seen   map[string]struct{} // documents on the pages so far
	cursor struct {
		Pages map[string]linkedPage `json:"pages,omitempty"` // by URL, of pages that can be asked for again
	}
}

// A linkedPage is what a page held that upstream may call unchanged.
type linkedPage struct {
	Names []string `json:"names"`
	Next  string   `json:"next,omitempty"`
	Total int      `json:"total,omitzero"`
}

func (p *linked) fetch(ctx context.Context, first string) error {
	turned := map[string]bool{}
	total := 0
	for address := first; address != ""; {
		if turned[address] || len(turned) == maxLinked {
			return located(address, fmt.Errorf("%w: the pages do not end", ErrIncomplete))
		}
		if len(turned) > 0 && p.m.client.live {
			if err := p.m.opt.Sleep(ctx, pagePause); err != nil {
				return err
			}
		}
		turned[address] = true
		page, err := p.page(ctx, address)
		if err != nil {
			return err
		}
		for _, name := range page.Names {
			p.seen[name] = struct{}{}
		}
		total = page.Total
		if address, err = nextPage(address, page.Next); err != nil {
			return err
		}
	}
	for address := range p.cursor.Pages {
		if !turned[address] {
			delete(p.cursor.Pages, address)
			p.m.Forget(address)
		}
	}
	if len(p.seen) == 0 {
		return located(first, fmt.Errorf("%w: no records", ErrIncomplete))
	}
	if len(p.seen) >= total {
		if err := p.m.sweepOthers(p.seen); err != nil {
			return err
		}
	}
	return p.m.Commit(ctx, p.cursor)
}

// nextPage resolves a link of the page at address, which must stay with its
// host.
func nextPage(address, link string) (string, error) {
	if link == "" {
		return "", nil
	}
	here, err := url.Parse(address)
	if err != nil {
		return "", located(address, err)
	}
	to, err := here.Parse(link)
	if err != nil || to.Host != here.Host {
		return "", located(address, fmt.Errorf("next page %.80q: %w", link, ErrHostile))
	}
	to.Scheme = here.Scheme
	return to.String(), nil
}

// page puts the records of one page and commits them.
func (p *linked) page(ctx context.Context, address string) (linkedPage, error) {
	resp, err := p.m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		return p.cursor.Pages[address], nil
	}
	if err != nil {
		return linkedPage{}, err
	}
	defer resp.Close()
	page, err := p.read(&limited{r: resp, left: p.m.opt.MaxDocument})
	if err != nil {
		return page, located(address, err)
	}
	if resp.v.ETag != "" || resp.v.Modified != "" {
		if p.cursor.Pages == nil {
			p.cursor.Pages = map[string]linkedPage{}
		}
		p.cursor.Pages[address] = page
	}
	resp.Keep()
	return page, p.m.Commit(ctx, p.cursor)
}

// read reads a page. Its records are put only when all of it was read.
func (p *linked) read(r io.Reader) (page linkedPage, err error) {
	var body struct {
		Advisories []jsontext.Value `json:"advisories"`
		Links      struct {
			Next string `json:"next"`
		} `json:"links"`
		Total int `json:"total"`
	}
	lenient := json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := json.UnmarshalRead(r, &body, lenient); err != nil {
		return page, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if body.Advisories == nil {
		return page, fmt.Errorf("%w: no list of advisories", ErrIncomplete)
	}
	page.Next, page.Total = body.Links.Next, body.Total
	for _, v := range body.Advisories {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(v, &head, lenient); err != nil {
			return page, err
		}
		name := head.ID + ".json"
		if err := checkName(name); err != nil {
			return page, err
		}
		if err := p.m.Put(name, bytes.NewReader(v)); err != nil {
			return page, err
		}
		page.Names = append(page.Names, name)
	}
	return page, nil
}
