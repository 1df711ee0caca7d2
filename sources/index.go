package sources

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// maxListing bounds a listing page, in bytes.
const maxListing = 8 << 20

// Index fetches what a web server lists: base is the URL of a listing page,
// and documents are the files, in it and in the folders it leads to, whose
// path below base matches one of the patterns (see [Selection]), named by
// that path.
//
// What a listing no longer names is kept: a release that left the listing has
// reached its end of life, which withdraws nothing that was said of it. Only
// upstream's own documents can take back what they said. A page without any
// link that leads on is an error, not an empty listing.
func Index(base string, patterns ...string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		l := listing{base: base, patterns: patterns}
		if err := m.Load(&l); err != nil {
			return err
		}
		urls := map[string]string{}
		err := l.walk(ctx, m, "", urls)
		if err != nil && !ofDocument(err) {
			return err
		}
		if err := errors.Join(err, copyAll(ctx, m, urls, l)); err != nil {
			return err
		}
		return m.Commit(ctx, l)
	}
}

// listing is an Index at work, and its cursor: what each page linked to.
type listing struct {
	Links map[string][]string `json:"links,omitempty"` // by path below base, "" or with a slash at its end

	base     string
	patterns []string
}

// walk adds to urls the documents that the page at dir leads to. A page that
// is broken does not keep it from the others.
func (l *listing) walk(ctx context.Context, m *Mirror, dir string, urls map[string]string) error {
	links, err := l.page(ctx, m, dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, link := range links {
		p := dir + link
		if !strings.HasSuffix(p, "/") {
			urls[p] = l.base + escape(p)
			continue
		}
		err := l.walk(ctx, m, p, urls)
		if err != nil && !ofDocument(err) {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// page returns the wanted links of the page at dir, asking for it if it
// changed.
func (l *listing) page(ctx context.Context, m *Mirror, dir string) ([]string, error) {
	address := l.base + escape(dir)
	resp, err := m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		return l.Links[dir], nil
	}
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	body, err := io.ReadAll(&limited{r: resp, left: maxListing})
	if err != nil {
		return nil, located(address, err)
	}
	links := l.wanted(dir, body)
	if len(links) == 0 {
		return nil, fmt.Errorf("%s: %w: the page lists nothing that is wanted", address, ErrIncomplete)
	}
	if l.Links == nil {
		l.Links = map[string][]string{}
	}
	l.Links[dir] = links
	resp.Keep()
	return links, nil
}

var href = lazyregexp.New(`(?i)<a\s[^>]*?href\s*=\s*["']?([^"'\s>]+)`)

// wanted returns the links of the page at dir that are, or may lead to, a
// wanted document: names of files and, with a slash at their end, folders.
func (l *listing) wanted(dir string, page []byte) []string {
	var links []string
	for _, match := range href.FindAllSubmatch(page, -1) {
		link := l.below(dir, html.UnescapeString(string(match[1])))
		if link == "" || slices.Contains(links, link) {
			continue
		}
		p := dir + link
		if matchAny(l.patterns, p) || strings.HasSuffix(p, "/") && l.leadsOn(p) {
			links = append(links, link)
		}
	}
	slices.Sort(links)
	return links
}

// below returns the name of the file or folder directly in dir that the link
// is to, "" for a link to elsewhere.
func (l *listing) below(dir, link string) string {
	here, err := url.Parse(l.base + escape(dir))
	if err != nil {
		return ""
	}
	to, err := here.Parse(link)
	if err != nil || to.Host != here.Host || to.RawQuery != "" {
		return ""
	}
	rest, ok := strings.CutPrefix(to.Path, here.Path)
	name := strings.TrimSuffix(rest, "/")
	if !ok || name == "" || strings.Contains(name, "/") || checkName(path.Join(dir, name)) != nil {
		return ""
	}
	return rest
}

// leadsOn reports whether a pattern wants something in the folder p, which
// ends in a slash.
func (l *listing) leadsOn(p string) bool {
	elems := strings.Split(strings.TrimSuffix(p, "/"), "/")
	for _, pattern := range l.patterns {
		pe := strings.Split(pattern, "/")
		if i := slices.Index(pe, "**"); i >= 0 && i <= len(elems) {
			return true
		}
		if len(pe) > len(elems) && matchElements(pe[:len(elems)], elems) {
			return true
		}
	}
	return false
}

// escape makes a path part of a URL.
func escape(p string) string { return (&url.URL{Path: p}).EscapedPath() }
