package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Scopes reads which scopes a document speaks of, such as the releases of a
// system, each once.
type Scopes func(r io.Reader) ([]string, error)

// Scoped fetches a document that speaks of several scopes at once, and of a
// release no more from its end of life on: that takes back nothing of what
// was said. When a scope is gone from url, what the document was until then
// is kept as <ended>/<scope> with the document's extension, beside the new
// one; of it, parsers read that scope alone. When the scope comes back, what
// was kept goes.
func Scoped(name, url, ended string, scopes Scopes) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		s := &scoped{m: m, name: name, ended: ended, scopes: scopes}
		if err := m.Load(&s.cursor); err != nil {
			return err
		}
		return s.fetch(ctx, url)
	}
}

// scoped is a Scoped at work.
type scoped struct {
	m      *Mirror
	name   string
	ended  string
	scopes Scopes
	cursor struct {
		Scopes []string `json:"scopes,omitempty"` // of the document, sorted
	}
}

func (s *scoped) fetch(ctx context.Context, url string) error {
	resp, err := s.m.open(ctx, request{url: url, owner: s.name})
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return prefixed(s.name, err)
	}
	defer resp.Close()
	now, err := s.put(resp)
	if err != nil {
		return located(url, err)
	}
	if err := s.keep(now); err != nil {
		return err
	}
	s.cursor.Scopes = now
	resp.Keep()
	return s.m.Commit(ctx, s.cursor)
}

// put makes r the document and returns its scopes, sorted.
func (s *scoped) put(r io.Reader) ([]string, error) {
	type answer struct {
		scopes []string
		err    error
	}
	pr, pw := io.Pipe()
	told := make(chan answer, 1)
	go func() {
		found, err := s.scopes(pr)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrIncomplete, err)
		} else {
			_, err = io.Copy(io.Discard, pr)
		}
		_ = pr.CloseWithError(err) // never fails
		told <- answer{found, err}
	}()
	err := s.m.Put(s.name, io.TeeReader(r, pw))
	_ = pw.CloseWithError(err) // never fails
	a := <-told
	if err == nil {
		err = a.err
	}
	if err == nil && len(a.scopes) == 0 {
		err = fmt.Errorf("%w: it speaks of nothing", ErrIncomplete)
	}
	slices.Sort(a.scopes)
	return a.scopes, err
}

// keep copies the document as it was for each scope that is gone.
func (s *scoped) keep(now []string) error {
	for _, scope := range s.cursor.Scopes {
		if slices.Contains(now, scope) {
			continue
		}
		if err := s.m.copy(s.endedName(scope), s.name); err != nil {
			return err
		}
		s.m.opt.Log.Warn("no longer spoken of; what was said is kept", "document", s.name, "scope", scope)
	}
	return s.m.sweep(func(name string) bool {
		return strings.HasPrefix(name, s.ended+"/") && slices.ContainsFunc(now, func(scope string) bool { return name == s.endedName(scope) })
	})
}

func (s *scoped) endedName(scope string) string { return s.ended + "/" + scope + path.Ext(s.name) }

// debianReleases are the releases that the tracker of Debian, or one of the
// same form, speaks of: {package: {ID: {"releases": {codename: …}}}}.
func debianReleases(r io.Reader) ([]string, error) {
	var found []string
	dec := jsontext.NewDecoder(r, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for depth := 0; ; {
		if depth == 3 && dec.PeekKind() == '"' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			if name.String() != "releases" || dec.PeekKind() != '{' {
				if err := dec.SkipValue(); err != nil {
					return nil, err
				}
				continue
			}
			if found, err = addNames(found, dec); err != nil {
				return nil, err
			}
			continue
		}
		tok, err := dec.ReadToken()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok.Kind() {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
}

// addNames adds the members of the object that dec is before to found. Names
// that cannot be part of a document's are left out.
func addNames(found []string, dec *jsontext.Decoder) ([]string, error) {
	if _, err := dec.ReadToken(); err != nil {
		return found, err
	}
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return found, err
		}
		if name := tok.String(); !slices.Contains(found, name) && !strings.Contains(name, "/") && checkName(name) == nil {
			found = append(found, name)
		}
		if err := dec.SkipValue(); err != nil {
			return found, err
		}
	}
	_, err := dec.ReadToken()
	return found, err
}
