package sources_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// A feedSite is an upstream tree on disk, and a mirror of one source of it.
type feedSite struct {
	t    *testing.T
	root string
	docs *sourcetest.Memory
	log  []string // last elements of what was asked for, with a status that is not 200
}

func newFeedSite(t *testing.T) *feedSite {
	return &feedSite{t: t, root: t.TempDir(), docs: &sourcetest.Memory{}}
}

// put writes files by host and path; an empty content removes one.
func (s *feedSite) put(files ...string) {
	s.t.Helper()
	for i := 0; i < len(files); i += 2 {
		if files[i+1] == "" {
			if err := os.Remove(filepath.Join(s.root, files[i])); err != nil {
				s.t.Fatal(err)
			}
			continue
		}
		writeTree(s.t, s.root, map[string]string{files[i]: files[i+1]})
	}
}

func (s *feedSite) fetch(f sources.Fetch) error {
	s.t.Helper()
	s.log, s.docs = nil, s.docs.Reopen()
	client, err := sources.NewClient(sources.ClientOptions{Upstream: s.root, Wrap: func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err == nil {
				p := req.URL.RequestURI()
				line := p[strings.LastIndexByte(p, '/')+1:]
				if resp.StatusCode != http.StatusOK {
					line = fmt.Sprintf("%s %d", line, resp.StatusCode)
				}
				s.log = append(s.log, line)
			}
			return resp, err
		})
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := sources.NewMirror(s.docs, sources.MirrorOptions{Client: client, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		s.t.Fatal(err)
	}
	return f(s.t.Context(), m)
}

func (s *feedSite) want(what string, log, docs []string) {
	s.t.Helper()
	if d := cmp.Diff(log, s.log); d != "" {
		s.t.Errorf("%s: requests (-want +got):\n%s", what, d)
	}
	if d := cmp.Diff(docs, slices.Sorted(maps.Keys(s.docs.Reopen().Documents()))); d != "" {
		s.t.Errorf("%s: documents (-want +got):\n%s", what, d)
	}
}

func TestListed(t *testing.T) {
	f := sources.Listed("https://l.test/all.json", "https://l.test/r")
	s := newFeedSite(t)
	s.put("l.test/all.json", `[{"id":"A","modified":"2026-01-01T00:00:00Z"},{"id":"B","modified":"2026-01-01T00:00:00Z"},{"id":"C","modified":"2026-01-01T00:00:00Z"}]`,
		"l.test/r/A.json", `{"a":1}`, "l.test/r/B.json", `{"b":`)
	// B is broken, C is not there yet: A is taken in, and the list asked for
	// again in whole.
	if err := s.fetch(f); !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), "B.json") {
		t.Errorf("a broken record: error is %v", err)
	}
	s.want("broken", []string{"all.json", "A.json", "B.json", "C.json 404"}, []string{"A.json"})
	s.put("l.test/r/B.json", `{"b":1}`)
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("mended", []string{"all.json", "B.json", "C.json 404"}, []string{"A.json", "B.json"})
	s.put("l.test/r/C.json", `{"c":1}`)
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("come late, with the same list", []string{"all.json 304", "C.json"}, []string{"A.json", "B.json", "C.json"})
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("nothing new", []string{"all.json 304"}, []string{"A.json", "B.json", "C.json"})
	s.put("l.test/all.json", `[{"id":"A","modified":"2026-01-02T01:00:00+01:00"},{"id":"C","modified":"2026-01-01T01:00:00+01:00"}]`)
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("one changed, one gone, one in another zone", []string{"all.json", "A.json"}, []string{"A.json", "C.json"})
	for _, bad := range []string{`[]`, `{}`, `[{"id":"../x","modified":"2026-01-01T00:00:00Z"}]`, `[{"id":"A","modified":"now"}]`, `[{"id":"A"`} {
		s.put("l.test/all.json", bad)
		if err := s.fetch(f); !errors.Is(err, sources.ErrIncomplete) {
			t.Errorf("%s: error is %v", bad, err)
		}
		s.want(bad, []string{"all.json"}, []string{"A.json", "C.json"})
	}
}

func TestPages(t *testing.T) {
	f := sources.Pages("https://p.test/s?n=")
	s := newFeedSite(t)
	page := func(items string) string { return `{"items":[` + items + `],"total":9}` }
	s.put("p.test/s?n=0", page(`1,2`), "p.test/s?n=1", page(`3`), "p.test/s?n=2", page(``))
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	both := []string{"page/000000.json", "page/000001.json"}
	s.want("first", []string{"s?n=0", "s?n=1", "s?n=2"}, both)
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	s.want("nothing new", []string{"s?n=0 304", "s?n=1 304", "s?n=2 304"}, both)
	s.put("p.test/s?n=1", page(``))
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	s.want("a page less", []string{"s?n=0 304", "s?n=1"}, both[:1])
	s.put("p.test/s?n=1", page(`4`))
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	s.want("and more again", []string{"s?n=0 304", "s?n=1", "s?n=2"}, both)
	for _, bad := range []string{`{"items":[]}`, `{"total":1}`, `[]`, `{"items":[1`} {
		s.put("p.test/s?n=0", bad)
		if err := s.fetch(f); !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), "https://p.test/s?n=0") {
			t.Errorf("%s: error is %v", bad, err)
		}
		s.want(bad, []string{"s?n=0"}, both)
	}
}

// A listing that stops answering goes on behind the last page committed.
func TestPagesResume(t *testing.T) {
	f := sources.Pages("https://p.test/s?n=")
	s := newFeedSite(t)
	for n := range 120 {
		s.put(fmt.Sprintf("p.test/s?n=%d", n), fmt.Sprintf(`{"items":[%d]}`, n))
	}
	if err := s.fetch(f); err == nil {
		t.Error("page 120 is missing, and no error")
	}
	if n := len(s.docs.Reopen().Documents()); n != 100 {
		t.Errorf("%d pages are committed", n)
	}
	s.put("p.test/s?n=120", `{"items":[]}`)
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	if s.log[0] != "s?n=100" || len(s.docs.Reopen().Documents()) != 120 {
		t.Errorf("first asked for %s, %d documents", s.log[0], len(s.docs.Reopen().Documents()))
	}
}
