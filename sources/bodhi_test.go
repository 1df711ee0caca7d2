package sources_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// fakeBodhi lists updates by the day on which they were pushed.
type fakeBodhi struct {
	pushed map[string]string
	total  int // said instead of the right one, if not 0
	log    []string
}

func (b *fakeBodhi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b.log = append(b.log, q.Get("page")+" "+q.Get("pushed_since"))
	if q.Get("status") != "stable" || q.Get("type") != "security" {
		http.Error(w, "status and type", http.StatusBadRequest)
		return
	}
	rows, _ := strconv.Atoi(q.Get("rows_per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	var all []string
	for _, id := range slices.Sorted(maps.Keys(b.pushed)) {
		if b.pushed[id] >= q.Get("pushed_since") {
			all = append(all, fmt.Sprintf(`{"alias":%q,"status":"stable","date_pushed":"%s 10:00:00","release":{"name":"F40"},"comments":[{"user":"x"}],"user":{},"bugs":[{"bug_id":1,"feedback":[1]}]}`, id, b.pushed[id]))
		}
	}
	total := len(all)
	if b.total != 0 {
		total = b.total
	}
	start := min((page-1)*rows, len(all))
	fmt.Fprintf(w, `{"updates":[%s],"page":%d,"pages":%d,"total":%d}`, strings.Join(all[start:min(start+rows, len(all))], ","), page, (len(all)+rows-1)/rows, total)
}

func (b *fakeBodhi) fetch(t *testing.T, docs *sourcetest.Memory, force bool) error {
	t.Helper()
	b.log = nil
	m := liveMirror(t, b, docs, sources.ClientOptions{Retries: -1}, sources.MirrorOptions{
		Force: force, Sleep: func(context.Context, time.Duration) error { return nil }})
	return sources.Bodhi("https://bodhi.test")(t.Context(), m)
}

func TestBodhi(t *testing.T) {
	b := &fakeBodhi{pushed: map[string]string{}}
	for i := range 150 {
		b.pushed[fmt.Sprintf("FEDORA-2024-%03d", i)] = time.Date(2024, 1, 1+i/10, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	docs := &sourcetest.Memory{}
	step := func(name string, force bool, want ...string) {
		t.Helper()
		docs = docs.Reopen()
		if err := b.fetch(t, docs, force); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, b.log); d != "" {
			t.Errorf("%s: requests -want +got:\n%s", name, d)
		}
		if n := len(docs.Reopen().Documents()); n != len(b.pushed) {
			t.Errorf("%s: %d documents, want %d", name, n, len(b.pushed))
		}
	}
	b.total = 151
	if err := b.fetch(t, docs, false); err == nil || !strings.Contains(err.Error(), "150 updates seen, 151 counted") {
		t.Errorf("fewer than counted: %v", err)
	}
	b.total = 0
	// What is pushed while pages are turned is caught by asking once more.
	step("all", false, "1 ", "2 ", "1 2024-01-14")
	step("nothing new", false, "1 2024-01-14")
	for i := range 120 {
		b.pushed[fmt.Sprintf("FEDORA-2024-9%03d", i)] = "2024-01-20"
	}
	step("many new", false, "1 2024-01-14", "2 2024-01-14", "1 2024-01-19", "2 2024-01-19")
	delete(b.pushed, "FEDORA-2024-000")
	step("forced", true, "1 ", "2 ", "3 ", "1 2024-01-19", "2 2024-01-19")
	got := string(docs.Reopen().Documents()["F40/FEDORA-2024-001.json"])
	if want := `{"alias":"FEDORA-2024-001","bugs":[{"bug_id":1}],"date_pushed":"2024-01-01 10:00:00","release":{"name":"F40"},"status":"stable"}`; got != want {
		t.Errorf("document %s, want %s", got, want)
	}
}
