package sources_test

import (
	"encoding/json"
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

// A csafProvider is a provider that lists the same documents in every way
// that the standard has.
type csafProvider struct {
	*csafSite
	docs map[string]string // name → day of its last change; content follows
}

const providerFolder = "https://csaf.test/white/"

// publish writes the documents and all lists of them.
func (p *csafProvider) publish(docs map[string]string) {
	p.t.Helper()
	if maps.Equal(docs, p.docs) {
		return
	}
	files := map[string]string{}
	for name := range p.docs {
		if _, ok := docs[name]; !ok {
			p.put("white/"+name, "")
		}
	}
	p.docs = docs
	var index, changes []string
	type entry map[string]any
	entries := []entry{}
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		if !strings.HasPrefix(docs[name], "missing ") {
			files["csaf.test/white/"+name] = content(docs[name])
		}
		at := strings.TrimPrefix(docs[name], "missing ") + "T00:00:00Z"
		index = append(index, name)
		changes = append(changes, fmt.Sprintf("%q,%q", name, at))
		entries = append(entries, entry{"id": name, "updated": at, "content": entry{"src": providerFolder + name},
			"link": []entry{{"rel": "hash", "href": providerFolder + name + ".sha256"}, {"rel": "self", "href": providerFolder + name}}})
	}
	feed, err := json.Marshal(entry{"feed": entry{"id": "white", "entry": entries}})
	if err != nil {
		p.t.Fatal(err)
	}
	files["csaf.test/white/index.txt"] = strings.Join(index, "\n") + "\n"
	files["csaf.test/white/changes.csv"] = strings.Join(changes, "\n") + "\n"
	files["csaf.test/white/feed.json"] = string(feed)
	files["csaf.test/directory.json"] = `{"distributions":[{"directory_url":"` + providerFolder + `"},{"rolie":{"feeds":[{"url":"https://csaf.test/none.json"}]}}]}`
	files["csaf.test/directory21.json"] = `{"distributions":[{"directory":{"url":"white","tlp_label":"CLEAR"}}]}`
	files["csaf.test/feeds.json"] = `{"distributions":[{"rolie":{"feeds":[{"url":"white/feed.json","tlp_label":"WHITE"},
		{"url":"amber/feed.json","tlp_label":"AMBER"},{"url":"` + providerFolder + `feed.json","tlp_label":"TLP:CLEAR"}]}}]}`
	writeTree(p.t, p.root, files)
}

// TestProviderWays fetches a provider's documents by directory, by ROLIE, and
// by its metadata that leads to either: all give the same documents, and
// follow what is new, changed and gone.
func TestProviderWays(t *testing.T) {
	ways := map[string]sources.Fetch{
		"directory":          sources.CSAF(providerFolder),
		"ROLIE":              sources.ROLIE(providerFolder + "feed.json"),
		"metadata directory": sources.CSAFProvider("https://csaf.test/directory.json"),
		"metadata 2.1":       sources.CSAFProvider("https://csaf.test/directory21.json"),
		"metadata feeds":     sources.CSAFProvider("https://csaf.test/feeds.json"),
	}
	steps := []map[string]string{
		{"2024/a.json": "2026-01-01", "2024/b.json": "2026-01-02", "2025/c.json": "missing 2026-01-03"},
		{"2024/a.json": "2026-02-01", "2024/b.json": "2026-01-02", "2025/c.json": "2026-02-03", "2025/d.json": "2026-02-04"},
		{"2024/b.json": "2026-01-02", "2025/c.json": "2026-03-03", "2025/d.json": "2026-02-04"},
		{"2024/b.json": "2026-01-02", "2025/c.json": "2026-03-03", "2025/d.json": "2026-02-04"},
	}
	for way, fetch := range ways {
		p := &csafProvider{csafSite: newCSAFSite(t)}
		for i, docs := range steps {
			p.publish(docs)
			if err := p.fetchBy(fetch, time.Time{}); err != nil {
				t.Fatalf("%s, step %d: %v", way, i, err)
			}
			want := map[string]string{}
			for name, at := range docs {
				if !strings.HasPrefix(at, "missing ") {
					want[name] = content(at)
				}
			}
			got := map[string]string{}
			for name, body := range p.csafSite.docs.Reopen().Documents() {
				got[name] = string(body)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, step %d (-want +got):\n%s", way, i, d)
			}
		}
		asked := slices.DeleteFunc(slices.Clone(p.log), func(l string) bool { return strings.HasSuffix(l, " 304") || strings.HasSuffix(l, " 404") })
		if asked = slices.DeleteFunc(asked, func(l string) bool { return !strings.HasPrefix(l, "white/") }); len(asked) > 0 {
			t.Errorf("%s: with nothing new asked for %q", way, asked)
		}
	}
}

// fetchBy runs fetch on what there is, at a time if it is not zero.
func (s *csafSite) fetchBy(fetch sources.Fetch, now time.Time) error {
	s.t.Helper()
	s.log = nil
	s.docs = s.docs.Reopen()
	client, err := sources.NewClient(sources.ClientOptions{Upstream: s.root, Wrap: s.logging})
	if err != nil {
		s.t.Fatal(err)
	}
	opt := sources.MirrorOptions{Client: client}
	if !now.IsZero() {
		opt.Now = func() time.Time { return now }
	}
	m, err := sources.NewMirror(s.docs, opt)
	if err != nil {
		s.t.Fatal(err)
	}
	return fetch(s.t.Context(), m)
}

func (s *csafSite) logging(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			line := strings.TrimPrefix(req.URL.Path, "/")
			if resp.StatusCode != 200 {
				line = fmt.Sprint(line, " ", resp.StatusCode)
			}
			s.log = append(s.log, line)
		}
		return resp, err
	})
}

// TestROLIEElsewhere has documents outside of the feed's folder, on another
// host, twice, and links that name none.
func TestROLIEElsewhere(t *testing.T) {
	root := t.TempDir()
	docs := &sourcetest.Memory{}
	writeTree(t, root, map[string]string{
		"a.test/feeds/f.json": `{"feed":{"entry":[
			{"updated":"2026-01-01T00:00:00Z","link":[{"rel":"self","href":"https://b.test/x/2024/one.json"}]},
			{"updated":"2026-01-01T00:00:00Z","content":{"src":"../two.json"}},
			{"updated":"2026-01-01T00:00:00Z","link":[{"rel":"self","href":"https://a.test/old/two.json"}],"content":{"src":"../never.json"}},
			{"updated":"2026-01-01T00:00:00Z","link":[{"rel":"self","href":"file:///etc/x.json"}]},
			{"updated":"2026-01-01T00:00:00Z","link":[{"rel":"self","href":"https://a.test/feeds/page.html"}]},
			{"updated":"2026-01-01T00:00:00Z"}]}}`,
		"b.test/x/2024/one.json": content("1"),
		"a.test/two.json":        content("2"),
		"a.test/old/two.json":    content("not the first"),
	})
	fetch := func() error {
		return sources.ROLIE("https://a.test/feeds/f.json")(t.Context(), mirrorOf(t, docs, root, sources.MirrorOptions{}))
	}
	if err := fetch(); err != nil {
		t.Fatal(err)
	}
	got := docs.Documents()
	if len(got) != 2 || string(got["2024/one.json"]) != content("1") || string(got["two.json"]) != content("2") {
		t.Errorf("documents are %q", got)
	}
	for _, feed := range []string{`{"feed":{}}`, `{"feed":{"entry":[]}}`, `[]`, `<html></html>`, ``} {
		writeTree(t, root, map[string]string{"a.test/feeds/f.json": feed})
		if err := fetch(); !errors.Is(err, sources.ErrIncomplete) || len(docs.Documents()) != 2 {
			t.Errorf("%q: error %v, %d documents", feed, err, len(docs.Documents()))
		}
	}
}

// TestCSAFProviderLies has metadata that leads nowhere.
func TestCSAFProviderLies(t *testing.T) {
	for text, want := range map[string]error{
		`{"distributions":[{"directory_url":"file:///etc/"}]}`:                                   sources.ErrHostile,
		`{"distributions":[{"rolie":{"feeds":[{"url":"file:///etc/x.json"}]}}]}`:                 sources.ErrHostile,
		`{"distributions":[{"rolie":{"feeds":[{"url":"https://a/x.json","tlp_label":"RED"}]}}]}`: nil,
		`{"distributions":[]}`: nil,
		`[`:                    sources.ErrIncomplete,
	} {
		s := newCSAFSite(t)
		s.put("m.json", text)
		err := s.fetchBy(sources.CSAFProvider("https://csaf.test/m.json"), time.Time{})
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), "https://csaf.test/m.json") {
			t.Errorf("%s: error is %v", text, err)
		}
	}
}

// TestCSAFIndexOnly has no dates: what is new comes at once, what changed when
// its share is asked for, without being transferred where it did not change.
func TestCSAFIndexOnly(t *testing.T) {
	s := newCSAFSite(t)
	s.put("2024/a.json", content("1"), "2024/b.json", content("1"), "2025/c.json", content("1"),
		"index.txt", "2024/a.json\n./2024/b.json\r\n2025/none.json\nlist.csv\n../x.json\n2025/c.json\n")
	fetch := sources.CSAF("https://csaf.test")
	at := time.Now().Add(24 * time.Hour)
	step := func(docs, requests []string) {
		t.Helper()
		if err := s.fetchBy(fetch, at); err != nil {
			t.Fatal(err)
		}
		at = at.Add(24 * time.Hour)
		s.compare(docs, requests)
	}
	step([]string{"2024/a.json 1", "2024/b.json 1", "2025/c.json 1"}, []string{"2024/a.json", "2024/b.json", "2025/c.json", "2025/none.json 404"})
	s.put("2024/a.json", content("2"), "2025/none.json", content("1"), "index.txt", "2024/a.json\n2025/c.json\n2025/none.json\n")
	later := at.Add(time.Hour)
	setTime(t, s, "2024/a.json", later)
	var asked []string
	for range 31 {
		if err := s.fetchBy(fetch, at); err != nil {
			t.Fatal(err)
		}
		at = at.Add(24 * time.Hour)
		asked = append(asked, slices.DeleteFunc(slices.Clone(s.log), func(l string) bool { return !strings.HasPrefix(l, "20") })...)
	}
	slices.Sort(asked)
	if d := cmp.Diff([]string{"2024/a.json", "2025/c.json 304", "2025/none.json", "2025/none.json 304"}, asked); d != "" {
		t.Errorf("asked for (-want +got):\n%s", d)
	}
	s.log = nil
	s.compare([]string{"2024/a.json 2", "2025/c.json 1", "2025/none.json 1"}, nil)
	s.put("index.txt", "<html></html>")
	if err := s.fetchBy(fetch, at); !errors.Is(err, sources.ErrIncomplete) {
		t.Errorf("an index that is a page: %v", err)
	}
	s.put("index.txt", "EMPTY")
	if err := s.fetchBy(fetch, at); !errors.Is(err, sources.ErrIncomplete) {
		t.Errorf("an empty index: %v", err)
	}
	if len(s.docs.Reopen().Documents()) != 3 {
		t.Error("something was deleted")
	}
}

// TestCSAFArchived has an archive of one name and no date in it, which is
// fetched once, and again only when more is due than is asked for one by one.
func TestCSAFArchived(t *testing.T) {
	s := newCSAFSite(t)
	fetch := sources.CSAFArchived("https://csaf.test/vex", "https://csaf.test/all.tar.gz")
	s.archive("all.tar.gz", "vex/a.json", "1", "vex/b.json", "1", "vex/gone.json", "1", "vex/index.txt", "x")
	setTime(t, s, "all.tar.gz", time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC))
	s.put("vex/a.json", content("not to be seen"), "vex/b.json", content("2"), "vex/index.txt", "a.json\nb.json\n",
		"vex/changes.csv", "b.json,2026-01-11T00:00:00Z\na.json,2026-01-01T00:00:00Z\n")
	step := func(docs, requests []string) {
		t.Helper()
		if err := s.fetchBy(fetch, time.Time{}); err != nil {
			t.Fatal(err)
		}
		s.log = slices.DeleteFunc(s.log, func(l string) bool { return strings.HasPrefix(l, "vex/index.txt") })
		s.compare(docs, requests)
	}
	step([]string{"a.json 1", "b.json 2"}, []string{"all.tar.gz", "vex/b.json"})
	step([]string{"a.json 1", "b.json 2"}, nil)
	// One changes, one is new and one is listed no more; the archive is newer
	// as well, and not asked for.
	s.archive("all.tar.gz", "vex/a.json", "9", "vex/b.json", "9")
	s.put("vex/a.json", content("3"), "vex/c.json", content("1"), "vex/index.txt", "a.json\nc.json\n",
		"vex/changes.csv", "a.json,2026-01-12T00:00:00Z\nc.json,2026-01-12T00:00:00Z\n")
	step([]string{"a.json 3", "c.json 1"}, []string{"vex/a.json", "vex/c.json"})

	// Far more changed than is asked for one by one.
	var changes, index strings.Builder
	var entries []string
	for i := range 2100 {
		name := fmt.Sprintf("n%04d.json", i)
		entries = append(entries, "vex/"+name, "1")
		fmt.Fprintf(&changes, "%s,2026-02-01T00:00:00Z\n", name)
		fmt.Fprintln(&index, name)
	}
	s.archive("all.tar.gz", entries...)
	setTime(t, s, "all.tar.gz", time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC))
	s.put("vex/changes.csv", changes.String(), "vex/index.txt", index.String())
	if err := s.fetchBy(fetch, time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.log = slices.DeleteFunc(s.log, func(l string) bool { return strings.HasPrefix(l, "vex/index.txt") || strings.Contains(l, ".csv") })
	if d := cmp.Diff([]string{"all.tar.gz"}, s.log); d != "" {
		t.Errorf("asked for (-want +got):\n%s", d)
	}
	if n := len(s.docs.Reopen().Documents()); n != 2100 {
		t.Errorf("%d documents", n)
	}
}

func setTime(t *testing.T, s *csafSite, name string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(s.root, "csaf.test", name), at, at); err != nil {
		t.Fatal(err)
	}
}

// A site's own feed can be a ROLIE feed, or a provider that has only those.
func TestSiteROLIE(t *testing.T) {
	p := &csafProvider{csafSite: newCSAFSite(t)}
	p.publish(map[string]string{"2024/a.json": "2026-01-01"})
	list, err := sources.LoadSite(siteDir(t, map[string]string{
		"a.yaml": "name: a\nkind: rolie\nurl: " + providerFolder + "feed.json\necosystem: Acme\n",
		"b.yaml": "name: b\nkind: csaf\nurl: https://csaf.test/feeds.json\n",
	}))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, s := range list {
		p.csafSite.docs = &sourcetest.Memory{}
		if err := p.fetchBy(s.Fetch, time.Time{}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if got := p.csafSite.docs.Reopen().Documents(); len(got) != 1 || got["2024/a.json"] == nil || s.Format != "csaf" {
			t.Errorf("%s: %q", s.Name, got)
		}
	}
}
