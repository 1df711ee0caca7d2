package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxPage bounds one page, in bytes.
	maxPage = 64 << 20
	// pageBatch is how many pages are committed at once.
	pageBatch = 50
	// maxPages is where a listing that does not end is given up.
	maxPages = 1_000_000
)

// Pages fetches a listing by pages numbered from 0: the address of page N is
// base and N, and a page is an object whose member "items" is an array, empty
// behind the last. A page is the document page/N.json, with N in six digits;
// pages that the listing no longer has are deleted. A fetch that was stopped
// goes on behind the last page committed.
func Pages(base string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		p := &pages{m: m, base: base}
		if err := m.Load(&p.cursor); err != nil {
			return err
		}
		return p.fetch(ctx)
	}
}

type pages struct {
	m      *Mirror
	base   string
	cursor struct {
		Next int `json:"next,omitempty"` // the first page that is due; 0 once all are done
		End  int `json:"end,omitempty"`  // the first page that was empty the last time
	}
}

func (p *pages) fetch(ctx context.Context) error {
	for n := p.cursor.Next; ; n++ {
		last, err := p.page(ctx, n)
		if err != nil {
			return err
		}
		if last {
			return p.end(ctx, n)
		}
		if n%pageBatch == pageBatch-1 {
			p.cursor.Next = n + 1
			if err := p.m.Commit(ctx, p.cursor); err != nil {
				return err
			}
		}
		if n == maxPages {
			return fmt.Errorf("%s%d: %w: the listing does not end", p.base, n, ErrTooLarge)
		}
	}
}

// page fetches one page and reports whether it is the empty one.
func (p *pages) page(ctx context.Context, n int) (last bool, err error) {
	url := p.base + strconv.Itoa(n)
	resp, err := p.m.open(ctx, request{url: url})
	if errors.Is(err, ErrUnchanged) {
		return n == p.cursor.End && n > 0, nil
	}
	if err != nil {
		return false, err
	}
	defer resp.Close()
	body, err := io.ReadAll(&limited{r: resp, left: maxPage})
	if err != nil {
		return false, located(url, err)
	}
	items, err := countItems(body)
	if err != nil {
		return false, located(url, err)
	}
	if items == 0 && n == 0 {
		return false, fmt.Errorf("%s: %w: the listing is empty", url, ErrIncomplete)
	}
	resp.Keep()
	if items == 0 {
		return true, nil
	}
	return false, located(url, p.m.Put(pageName(n), bytes.NewReader(body)))
}

func pageName(n int) string { return fmt.Sprintf("page/%06d.json", n) }

// countItems returns how many elements "items" has.
func countItems(page []byte) (int, error) {
	var p struct {
		Items *[]jsontext.Value `json:"items"`
	}
	if err := json.Unmarshal(page, &p); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if p.Items == nil {
		return 0, fmt.Errorf("%w: no items", ErrIncomplete)
	}
	return len(*p.Items), nil
}

// end deletes the pages behind the last, and what is known of them, and
// commits.
func (p *pages) end(ctx context.Context, n int) error {
	for behind := n + 1; behind <= p.cursor.End; behind++ {
		p.m.Forget(p.base + strconv.Itoa(behind))
	}
	if err := p.m.sweep(func(name string) bool { return name >= pageName(n) }); err != nil {
		return err
	}
	p.cursor.Next, p.cursor.End = 0, n
	return p.m.Commit(ctx, p.cursor)
}
