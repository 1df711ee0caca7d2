package server

import (
	"net/http"
	"strconv"
)

// A pager is which part of a list a page shows.
type pager struct {
	Page, Pages int
	From, To    int // of the whole, from 1
	Total       int
	Prev, Next  string // addresses, empty for none
}

// newPager reads the number of a page from the request. list[p.From-1:p.To] is
// what it shows.
func newPager(r *http.Request, parameter string, total, size int) (p pager, err error) {
	p = pager{Page: 1, Pages: max(1, (total+size-1)/size), Total: total}
	if text := r.URL.Query().Get(parameter); text != "" {
		if p.Page, err = strconv.Atoi(text); err != nil || p.Page < 1 {
			return p, wrong("%s: %q is no number of a page", parameter, cut(40, text))
		}
	}
	if p.Page > p.Pages {
		return p, missing("There is no page %d: the last is %d.", p.Page, p.Pages)
	}
	p.From, p.To = min((p.Page-1)*size+1, total+1), min(p.Page*size, total)
	at := func(n int) string {
		q := r.URL.Query()
		q.Del(parameter)
		if n > 1 {
			q.Set(parameter, strconv.Itoa(n))
		}
		if len(q) == 0 {
			return r.URL.EscapedPath()
		}
		return r.URL.EscapedPath() + "?" + q.Encode()
	}
	if p.Page > 1 {
		p.Prev = at(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = at(p.Page + 1)
	}
	return p, nil
}
