package sources_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
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

// csafSite is a CSAF provider's folder on disk, and a mirror of it.
type csafSite struct {
	t    *testing.T
	root string
	docs *sourcetest.Memory
	log  []string // paths asked for and their status, if not 200
}

func newCSAFSite(t *testing.T) *csafSite {
	return &csafSite{t: t, root: t.TempDir(), docs: &sourcetest.Memory{}}
}

// put writes files; an empty content removes one.
func (s *csafSite) put(files ...string) {
	s.t.Helper()
	for i := 0; i < len(files); i += 2 {
		p := filepath.Join(s.root, "csaf.test", files[i])
		if files[i+1] == "" {
			if err := os.Remove(p); err != nil {
				s.t.Fatal(err)
			}
			continue
		}
		writeTree(s.t, s.root, map[string]string{"csaf.test/" + files[i]: strings.TrimPrefix(files[i+1], "EMPTY")})
	}
}

// archive writes an archive of {"at":VALUE} files and names it the latest.
func (s *csafSite) archive(name string, files ...string) {
	s.t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		body := content(files[i+1])
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(body))}); err != nil {
			s.t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.put(name, string(gzipped(s.t, buf.Bytes())), "archive_latest.txt", name+"\n")
}

func content(at string) string { return fmt.Sprintf("{%q:%q}", "at", at) }

func (s *csafSite) fetch() error {
	s.t.Helper()
	return s.fetchBy(sources.CSAF("https://csaf.test"), time.Time{})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// want fetches and compares documents, as "name content", and requests
// besides those of the lists.
func (s *csafSite) want(docs, requests []string) {
	s.t.Helper()
	if err := s.fetch(); err != nil {
		s.t.Fatal(err)
	}
	s.compare(docs, requests)
}

func (s *csafSite) compare(docs, requests []string) {
	s.t.Helper()
	var got []string
	have := s.docs.Reopen().Documents()
	for _, name := range slices.Sorted(maps.Keys(have)) {
		got = append(got, name+" "+strings.Trim(strings.TrimPrefix(string(have[name]), `{"at":`), `}"`))
	}
	if d := cmp.Diff(docs, got); d != "" {
		s.t.Errorf("documents (-want +got):\n%s", d)
	}
	var asked []string
	for _, r := range s.log {
		if !strings.Contains(r, ".csv") && !strings.HasPrefix(r, "archive_latest") && !strings.HasPrefix(r, "index.txt") {
			asked = append(asked, r)
		}
	}
	if d := cmp.Diff(requests, asked); d != "" {
		s.t.Errorf("requests (-want +got):\n%s", d)
	}
}

const (
	archive1 = "vex_2026-01-10.tar.gz"
	archive2 = "vex_2026-01-20.tar.gz"
)

func TestCSAFChanges(t *testing.T) {
	s := newCSAFSite(t)
	s.archive(archive1, "2024/a.json", "1", "2024/b.json", "1", "vex/2025/c.json", "1", "README", "1")
	s.put("2024/b.json", content("2"), "2025/new.json", content("1"),
		"changes.csv", "\"2024/b.json\",\"2026-01-10T03:00:00Z\"\n\"2025/new.json\",\"2020-01-01T00:00:00Z\"\n\"2025/none.json\",\"2026-01-10T01:00:00Z\"\n\"2024/a.json\",\"2026-01-08T00:00:00Z\"\n",
		"deletions.csv", "2001/never.json,2025-01-01T00:00:00Z\n2025/c.json,2025-12-01T00:00:00Z\n2024/a.json,2025-01-01T00:00:00Z\n")
	s.want([]string{"2024/a.json 1", "2024/b.json 2", "2025/new.json 1"},
		[]string{archive1, "2025/new.json", "2025/none.json 404", "2024/b.json"})
	s.want([]string{"2024/a.json 1", "2024/b.json 2", "2025/new.json 1"}, nil)
	if d := cmp.Diff([]string{"archive_latest.txt 304", "changes.csv 304", "deletions.csv 304"}, s.log); d != "" {
		t.Errorf("with nothing new: %s", d)
	}

	// One row is newer, in another time zone; one is late, two hours older
	// than the newest of before; one is there at last; one comes back; one
	// that was done is not fetched again though its file changed.
	s.put("2024/b.json", content("3"), "2024/a.json", content("2"), "2025/none.json", content("1"), "2025/c.json", content("2"),
		"changes.csv", "2024/b.json,2026-01-11T01:00:00+02:00\n2025/c.json,2026-01-10T04:00:00Z\n2024/a.json,2026-01-10T02:00:00Z\n2025/new.json,2020-01-01T00:00:00Z\n2025/none.json,2026-01-10T01:00:00Z\n")
	s.put("2025/new.json", content("not to be seen"))
	s.want([]string{"2024/a.json 2", "2024/b.json 3", "2025/c.json 2", "2025/new.json 1", "2025/none.json 1"},
		[]string{"2025/none.json", "2024/a.json", "2025/c.json", "2024/b.json"})

	// Only deletions.csv changes.
	s.put("deletions.csv", "2024/b.json,2026-01-12T00:00:00Z\n")
	s.want([]string{"2024/a.json 2", "2025/c.json 2", "2025/new.json 1", "2025/none.json 1"}, nil)
	// Only changes.csv does, and still names what was deleted.
	s.put("changes.csv", "2024/b.json,2026-01-11T01:00:00+02:00\n2024/a.json,2026-01-12T00:00:00Z\n", "2024/a.json", content("4"))
	s.want([]string{"2024/a.json 4", "2025/c.json 2", "2025/new.json 1", "2025/none.json 1"}, []string{"2024/a.json"})
}

// TestCSAFArchiveReplaced resyncs with a new archive that is older than some
// of what is held.
func TestCSAFArchiveReplaced(t *testing.T) {
	s := newCSAFSite(t)
	s.archive(archive1, "2024/a.json", "1", "2024/b.json", "1", "2024/c.json", "1")
	s.put("changes.csv", "2024/a.json,2026-01-01T00:00:00Z\n", "deletions.csv", "EMPTY")
	s.want([]string{"2024/a.json 1", "2024/b.json 1", "2024/c.json 1"}, []string{archive1})

	s.put("2024/b.json", content("3"), "changes.csv", "2024/b.json,2026-01-21T00:00:00Z\n2024/a.json,2026-01-01T00:00:00Z\n")
	s.archive(archive2, "2024/a.json", "2", "2024/b.json", "2", "2024/d.json", "1")
	s.put("deletions.csv", "2024/d.json,2026-01-21T00:00:00Z\n")
	s.want([]string{"2024/a.json 2", "2024/b.json 3"}, []string{archive2, "2024/b.json"})
	s.want([]string{"2024/a.json 2", "2024/b.json 3"}, nil)
}

// TestCSAFBroken lists a file that is no document: it keeps its last
// content, is reported, asked for again, and holds up no other.
func TestCSAFBroken(t *testing.T) {
	s := newCSAFSite(t)
	s.archive(archive1, "2024/a.json", "1", "2024/b.json", "1")
	s.put("2024/a.json", "<html></html>", "2024/b.json", content("2"), "changes.csv", "2024/b.json,2026-01-11T00:00:00Z\n2024/a.json,2026-01-11T00:00:00Z\n")
	for range 2 {
		err := s.fetch()
		if !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), "https://csaf.test/2024/a.json") {
			t.Errorf("error is %v", err)
		}
	}
	s.compare([]string{"2024/a.json 1", "2024/b.json 2"}, []string{"2024/a.json"})
	s.put("2024/a.json", content("2"))
	s.want([]string{"2024/a.json 2", "2024/b.json 2"}, []string{"2024/a.json"})
	s.want([]string{"2024/a.json 2", "2024/b.json 2"}, nil)
}

// TestCSAFWithout has no archive, or no lists.
func TestCSAFWithout(t *testing.T) {
	s := newCSAFSite(t)
	s.put("2024/a.json", content("1"), "2024/b.json", content("1"), "changes.csv", "2024/b.json,2026-01-11T00:00:00Z\n2024/a.json,2020-01-11T00:00:00Z\n")
	s.want([]string{"2024/a.json 1", "2024/b.json 1"}, []string{"2024/a.json", "2024/b.json"})
	s.want([]string{"2024/a.json 1", "2024/b.json 1"}, nil)

	s = newCSAFSite(t)
	s.archive(archive1, "2024/a.json", "1")
	s.want([]string{"2024/a.json 1"}, []string{archive1})
	s.want([]string{"2024/a.json 1"}, nil)
}

// TestCSAFLies has lists that cannot be followed.
func TestCSAFLies(t *testing.T) {
	for name, list := range map[string]string{
		"empty":      "EMPTY",
		"a web page": "<html><body>busy</body></html>",
		"no date":    "2024/a.json\n",
		"bad date":   "2024/a.json,yesterday\n",
	} {
		s := newCSAFSite(t)
		s.archive(archive1, "2024/a.json", "1")
		s.put("changes.csv", list)
		if err := s.fetch(); !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), "https://csaf.test/changes.csv") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	s := newCSAFSite(t)
	s.archive(archive1, "2024/a.json", "1")
	s.put("changes.csv", "../../etc/passwd,2026-01-11T00:00:00Z\n/etc/x.json,2026-01-11T00:00:00Z\n2024/../../x.json,2026-01-11T00:00:00Z\n2024/a.json,2020-01-01T00:00:00Z\n")
	s.want([]string{"2024/a.json 1"}, []string{archive1})
	s.put("archive_latest.txt", "../../other.tar.gz\n")
	if err := s.fetch(); !errors.Is(err, sources.ErrIncomplete) {
		t.Errorf("an archive elsewhere: %v", err)
	}
}
