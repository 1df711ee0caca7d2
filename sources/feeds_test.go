package sources_test

import (
	"io"
	"testing"
	"time"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// fetchFrom fetches src from a tree.
func fetchFrom(t testing.TB, src sources.Source, docs sources.Documents, tree string) sources.Stats {
	t.Helper()
	client, err := sources.NewClient(sources.ClientOptions{Upstream: tree})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sources.NewMirror(docs, sources.MirrorOptions{
		Client: client,
		Now:    func() time.Time { return time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Fetch(t.Context(), m); err != nil {
		t.Fatalf("%s: %v", src.Name, err)
	}
	return m.Stats()
}

// feed is what fetching a whole feed of two days does.
type feed struct {
	one, two         int // documents after each day
	requests         int // of the second day
	changed, deleted int // documents, by the second day
}

var feeds = map[string]feed{
	"almalinux":  {5591, 5680, 1, 91, 0},
	"alpine":     {33, 41, 63, 41, 0},
	"azurelinux": {3, 3, 3, 0, 0},
	"bitnami":    {7444, 7444, 1, 0, 0},
	"debian":     {3, 3, 3, 1, 0},
	"dhi":        {693, 693, 1, 1, 0},
	"epss":       {1, 1, 1, 1, 0},
	"ghsa":       {100, 110, 1, 10, 0},
	"gitlab":     {11, 11, 1, 0, 0},
	"go":         {4134, 4291, 1, 164, 0},
	"kev":        {1, 1, 1, 1, 0},
	"malicious":  {33020, 33020, 1, 0, 0},
	"nvd":        {19, 19, 30, 4, 0},
	"oracle":     {1, 1, 1, 0, 0},
	"pypa":       {2641, 2661, 1, 27, 0},
	"redhat-vex": {52, 57, 9, 6, 1},
	"rustsec":    {1155, 1206, 1, 53, 0},
	"wolfi":      {1, 1, 1, 1, 0},
}

// TestFeeds fetches whole feeds of one day, of a later one, and of that day
// again, which must find nothing new. Sources of which the shared upstream has
// no whole feed are left out.
func TestFeeds(t *testing.T) {
	day1, day2 := sharedtest.Path(t, "upstream", "day1"), sharedtest.Path(t, "upstream", "day2")
	for name, want := range feeds {
		t.Run(name, func(t *testing.T) {
			src, ok := sources.ByName(name)
			if !ok {
				t.Fatal("no such source")
			}
			docs := &sourcetest.Memory{}
			fetchFrom(t, src, docs, day1)
			got := feed{one: len(docs.Documents())}
			s := fetchFrom(t, src, docs, day2)
			got.two, got.requests, got.changed, got.deleted = len(docs.Documents()), s.Requests, s.Changed, s.Deleted
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			writes := docs.Writes()
			s = fetchFrom(t, src, docs, day2)
			if docs.Writes() != writes || s.Bytes != 0 || s.Put != 0 || s.Deleted != 0 {
				t.Errorf("third fetch: %+v, %d writes", s, docs.Writes()-writes)
			}
		})
	}
}

// discard is a Documents that keeps nothing.
type discard struct{}

func (discard) Put(_ string, r io.Reader) (bool, error) {
	_, err := io.Copy(io.Discard, r)
	return true, err
}
func (discard) Delete(string) error           { return nil }
func (discard) Names(func(string) bool) error { return nil }
func (discard) Load() ([]byte, error)         { return nil, nil }
func (discard) Commit([]byte) error           { return nil }

// BenchmarkFetch reads feeds without keeping them.
func BenchmarkFetch(b *testing.B) {
	day1 := sharedtest.Path(b, "upstream", "day1")
	for _, name := range []string{"debian", "go", "malicious", "nvd", "redhat-vex"} {
		b.Run(name, func(b *testing.B) {
			src, _ := sources.ByName(name)
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(fetchFrom(b, src, discard{}, day1).Bytes)
			}
		})
	}
}
