package sources_test

import (
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// fetchFrom fetches src from a tree.
func fetchFrom(t *testing.T, src sources.Source, docs sources.Documents, tree string) sources.Stats {
	t.Helper()
	client, err := sources.NewClient(sources.ClientOptions{Upstream: tree})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sources.NewMirror(docs, sources.MirrorOptions{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Fetch(t.Context(), m); err != nil {
		t.Fatalf("%s: %v", src.Name, err)
	}
	return m.Stats()
}

// feeds says what fetching the whole feeds of two days does: documents after
// each day, and of the second day requests, documents changed and deleted.
var feeds = map[string]struct{ one, two, requests, changed, deleted int }{}

func TestFeeds(t *testing.T) {
	day1, day2 := sharedtest.Path(t, "upstream", "day1"), sharedtest.Path(t, "upstream", "day2")
	for _, src := range sources.All {
		t.Run(src.Name, func(t *testing.T) {
			docs := &sourcetest.Memory{}
			fetchFrom(t, src, docs, day1)
			one := len(docs.Documents())
			s2 := fetchFrom(t, src, docs, day2)
			two := len(docs.Documents())
			writes := docs.Writes()
			s3 := fetchFrom(t, src, docs, day2)
			if docs.Writes() != writes || s3.Changed != 0 || s3.Deleted != 0 {
				t.Errorf("third fetch: %+v, %d writes", s3, docs.Writes()-writes)
			}
			if got, want := (struct{ one, two, requests, changed, deleted int }{one, two, s2.Requests, s2.Changed, s2.Deleted}), feeds[src.Name]; got != want {
				t.Errorf("got %+v, want %+v; third: %+v", got, want, s3)
			}
		})
	}
}
