package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ROLIE fetches the CSAF documents that ROLIE feeds list (CSAF 2.0, 7.1.15
// and RFC 8322). Together the feeds name all there is: a document that none
// names any more is deleted; one is fetched when it is updated at another time
// than when it was fetched last. Documents are named by their path below the
// feed's folder, as [CSAF] names them below the provider's, or, where they
// are elsewhere, by year and file.
//
// A file that is listed and answers 404 is left as it is and asked for again;
// one that is broken is reported, and keeps its last content. Where a feed
// cannot be read nothing is deleted.
func ROLIE(feeds ...string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		r := &rolie{urls: map[string]string{}, named: map[string]time.Time{}}
		r.listed = &listed{m: m, url: func(id string) string { return r.urls[id] }}
		if err := m.Load(&r.cursor); err != nil {
			return err
		}
		return r.fetch(ctx, feeds)
	}
}

// rolie is a ROLIE at work.
type rolie struct {
	*listed
	urls  map[string]string    // by ID, which is a document's name without .json
	named map[string]time.Time // by ID, when it was updated
	resps []*Response
}

func (r *rolie) fetch(ctx context.Context, feeds []string) error {
	if r.m.opt.Force {
		r.cursor = listedCursor{}
	}
	var unchanged []string
	for _, feed := range feeds {
		err := r.read(ctx, feed, len(r.cursor.Missing) > 0)
		if errors.Is(err, ErrUnchanged) {
			unchanged = append(unchanged, feed)
		} else if err != nil {
			return err
		}
	}
	if len(unchanged) == len(feeds) {
		return r.m.Commit(ctx, r.cursor)
	}
	for _, feed := range unchanged { // all are needed to see what is gone
		if err := r.read(ctx, feed, true); err != nil {
			return err
		}
	}
	if len(r.named) == 0 {
		return fmt.Errorf("%s: %w: no entries", strings.Join(feeds, ", "), ErrIncomplete)
	}
	if err := r.sweep(r.named); err != nil {
		return err
	}
	if err := r.update(ctx, r.due(r.named)); err != nil {
		return err
	}
	for _, resp := range r.resps {
		resp.Keep()
	}
	return r.m.Commit(ctx, r.cursor)
}

// A rolieEntry is one document of a feed.
type rolieEntry struct {
	Updated time.Time `json:"updated"`
	Links   []struct {
		Rel  string `json:"rel"`
		Href string `json:"href"`
	} `json:"link"`
	Content struct {
		Source string `json:"src"`
	} `json:"content"`
}

// address is where the document is: the link to itself, or its content.
func (e *rolieEntry) address() string {
	for _, l := range e.Links {
		if l.Rel == "self" {
			return l.Href
		}
	}
	return e.Content.Source
}

// read notes what the feed at address names.
func (r *rolie) read(ctx context.Context, address string, always bool) error {
	resp, err := r.m.open(ctx, request{url: address, always: always})
	if err != nil {
		return err
	}
	defer resp.Close()
	entries, err := readROLIE(resp)
	if err != nil {
		return located(address, err)
	}
	for i := range entries {
		name, at, err := rolieDocument(address, entries[i].address())
		if err != nil {
			r.m.opt.Log.Warn("entry names no document", "feed", address, "entry", i, "error", err)
			continue
		}
		id := strings.TrimSuffix(name, ".json")
		if updated := entries[i].Updated.UTC(); r.urls[id] == "" || updated.After(r.named[id]) {
			r.urls[id], r.named[id] = at, updated
		}
	}
	r.resps = append(r.resps, resp)
	return nil
}

// readROLIE reads a feed in JSON. Without a list of entries it is none.
func readROLIE(body io.Reader) ([]rolieEntry, error) {
	var doc struct {
		Feed struct {
			Entries []rolieEntry `json:"entry"`
		} `json:"feed"`
	}
	lenient := json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := json.UnmarshalRead(&limited{r: body, left: maxListed}, &doc, lenient); err != nil {
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if doc.Feed.Entries == nil {
		return nil, fmt.Errorf("%w: no feed with entries", ErrIncomplete)
	}
	return doc.Feed.Entries, nil
}

// rolieDocument returns the name of the document that the feed links to, and
// its URL.
func rolieDocument(feed, link string) (name, address string, err error) {
	here, err := url.Parse(feed)
	if err != nil {
		return "", "", err
	}
	to, err := here.Parse(link)
	if err != nil || link == "" || to.Host == "" || to.Scheme != "https" && to.Scheme != here.Scheme {
		return "", "", fmt.Errorf("link %.80q: %w", link, ErrHostile)
	}
	name, below := strings.CutPrefix(to.Path, path.Dir(here.Path)+"/")
	if !below || to.Host != here.Host {
		name = yearAndFile(to.Path)
	}
	if err := checkName(name); err != nil {
		return "", "", err
	}
	if !strings.HasSuffix(name, ".json") {
		return "", "", fmt.Errorf("link %.80q: no JSON", link)
	}
	return name, to.String(), nil
}
