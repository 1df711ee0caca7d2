package snapshot

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plant withdraws, revives, deletes and makes again one record among the churn.
func plant(p *past) {
	switch id := "TEST-00007"; len(p.out) + 1 {
	case 3:
		r := *p.records[id]
		r.Withdrawn, r.Modified = "2026-08-01T03:00:00Z", "2026-08-01T03:00:00Z"
		p.records[id] = &r
	case 5:
		r := *p.records[id]
		r.Withdrawn, r.Modified = "", "2026-08-01T05:00:00Z"
		p.records[id] = &r
	case 6:
		r := *p.records[id]
		r.Modified = "2026-08-01T06:00:00Z"
		p.records[id] = &r
	case 8:
		delete(p.records, id)
	case 10:
		p.put(7)
	}
}

// TestHistory lists exactly what was planted.
func TestHistory(t *testing.T) {
	w := newWorld(t, 31, 40)
	p := &past{world: w}
	for range 12 {
		w.now = w.now.Add(time.Hour)
		plant(p)
		w.put(20 + len(p.out)) // another record
		p.out = append(p.out, w.publish())
	}
	l := p.open(t)
	got, err := l.History(t.Context(), "TEST-00007", HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Version, After uint64
		Exact          bool
		Time, Kind     string
	}
	var rows []row
	for _, x := range got {
		rows = append(rows, row{x.Version, x.After, x.Exact, x.Time, x.Kind})
	}
	want := []row{
		{1, 0, true, "2026-08-01T01:00:00Z", ChangeAdded},
		{3, 2, true, "2026-08-01T03:00:00Z", ChangeWithdrawn},
		{5, 4, true, "2026-08-01T05:00:00Z", ChangeRevived},
		{6, 5, true, "2026-08-01T06:00:00Z", ChangeTouched},
		{8, 7, true, "2026-08-01T08:00:00Z", ChangeDeleted},
		{10, 9, true, "2026-08-01T10:00:00Z", ChangeAdded},
	}
	if d := cmp.Diff(want, rows); d != "" {
		t.Error(d)
	}
	fields := []Difference{
		{Field: "withdrawn", Added: []string{"2026-08-01T03:00:00Z"}},
		{Field: "modified", Removed: []string{"2026-08-01T00:00:00Z"}, Added: []string{"2026-08-01T03:00:00Z"}},
	}
	if d := cmp.Diff(fields, got[1].Fields); d != "" {
		t.Error(d)
	}
	if got, err := l.History(t.Context(), "TEST-00007", HistoryOptions{To: p.number(t, l, 5)}); err != nil || len(got) != 3 {
		t.Errorf("up to release 5: %d revisions, %v", len(got), err)
	}
	if got, err := l.History(t.Context(), "NO-SUCH-ID", HistoryOptions{Enrichment: true}); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %+v, %v", got, err)
	}
}

// serve is a repository that a web server serves.
func serve(t *testing.T, h http.Handler) Reader {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return NewHTTP(u, srv.Client())
}

// revisionsOf is the history that a past has of a record.
func (p *past) revisionsOf(id string) (out []uint64) {
	for v := uint64(1); v <= uint64(len(p.states)); v++ {
		if !bytes.Equal(p.record(v-1, id), p.record(v, id)) {
			out = append(out, v)
		}
	}
	return out
}

// TestHistoryOfAll compares the history of every record and row with what was
// published, where all segments are there.
func TestHistoryOfAll(t *testing.T) {
	p := newPast(t, 32, 80, 24, 600<<10, func(_ *past, o *PublishOptions) { o.BaseEvery = 13 })
	files := http.FileServer(http.Dir(p.repo.path))
	whole := func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Range")
		files.ServeHTTP(w, r)
	}
	for name, r := range map[string]Reader{"folder": p.repo, "http": serve(t, files), "http without ranges": serve(t, http.HandlerFunc(whole))} {
		t.Run(name, func(t *testing.T) {
			l := p.open(t, r)
			trail, err := l.trail(t.Context(), l.Newest())
			if err != nil || trail.base.Size <= wholeSegment {
				t.Fatalf("a base of %d bytes, that is read whole: %v", trail.base.Size, err)
			}
			p.followRows(t, l)
			for i, id := range p.ids() {
				if name != "folder" && i%10 > 0 {
					continue
				}
				got, err := l.History(t.Context(), id, HistoryOptions{Like: p.record(24, id)})
				if err != nil {
					t.Fatal(err)
				}
				var versions []uint64
				for _, x := range got {
					versions = append(versions, x.Version)
					if !x.Exact || x.After != x.Version-1 {
						t.Errorf("%s: %+v is not exact", id, x)
					}
					want, err := newChange(id, p.record(x.Version-1, id), p.record(x.Version, id))
					want.Before, want.After = nil, nil
					if d := cmp.Diff(want, x.Change); err != nil || d != "" {
						t.Errorf("%s in release %d: %s %v", id, x.Version, d, err)
					}
				}
				if want := p.revisionsOf(id); !slices.Equal(versions, want) {
					t.Errorf("%s: changed in releases %v, want %v", id, versions, want)
				}
			}
		})
	}
}

// followRows follows rows through what releases do to all of a table.
func (p *past) followRows(t *testing.T, l *Releases) {
	cves := map[string]bool{"CVE-2024-0001": true, "CVE-2024-0033": true, "CVE-2024-0049": true}
	for cve := range p.tables[len(p.tables)-1] {
		if cve > "CVE-2025" {
			cves[cve] = true
		}
	}
	for cve := range cves {
		got, err := l.History(t.Context(), cve, HistoryOptions{Enrichment: true})
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for v := 1; v <= len(p.tables); v++ {
			var before []byte
			if v > 1 {
				before = p.tables[v-2][cve]
			}
			if bytes.Equal(before, p.tables[v-1][cve]) {
				continue
			}
			if at == len(got) {
				t.Fatalf("%s: release %d is missing", cve, v)
			}
			want := Revision{Version: uint64(v), After: uint64(v - 1), Exact: true, Time: p.times[v-1].Format(time.RFC3339),
				Change: newRowChange("epss", cve, before, p.tables[v-1][cve])}
			want.Before, want.Change.After = nil, nil
			if before == nil {
				want.Fields = RowDifferences(nil, p.tables[v-1][cve])
			}
			if d := cmp.Diff(want, got[at]); d != "" {
				t.Errorf("%s, release %d: %s", cve, v, d)
			}
			at++
		}
		if at != len(got) {
			t.Errorf("%s: %d revisions too many: %+v", cve, len(got)-at, got[at:])
		}
	}
}

// TestHistoryOfCollected has merged segments alone of most releases: what it
// says is true, and what it does not say it says that it does not know.
func TestHistoryOfCollected(t *testing.T) {
	for seed := range uint64(2) {
		p := newPast(t, 40+seed, 25, 45, 300<<10, func(_ *past, o *PublishOptions) { o.Grace = 5 * time.Hour })
		l := p.open(t)
		trail, err := l.trail(t.Context(), l.Newest())
		if err != nil {
			t.Fatal(err)
		}
		base, hidden, exact := trail.base.To, 0, 0
		for _, id := range p.ids() {
			got, err := l.History(t.Context(), id, HistoryOptions{})
			if err != nil {
				t.Fatal(err)
			}
			spoken := map[uint64]bool{}
			for _, x := range got {
				if x.Kind == ChangeFirst {
					if x.Version != base || p.record(base, id) == nil {
						t.Errorf("%s: %+v", id, x)
					}
					continue
				}
				if bytes.Equal(p.record(x.Version-1, id), p.record(x.Version, id)) {
					t.Errorf("%s did not change in release %d: %+v", id, x.Version, x)
				}
				for v := x.After + 1; v <= x.Version; v++ {
					spoken[v] = true
				}
				if x.Exact {
					exact++
					want, _ := newChange(id, p.record(x.Version-1, id), p.record(x.Version, id))
					want.Before, want.After = nil, nil
					if d := cmp.Diff(want, x.Change); d != "" {
						t.Errorf("%s in release %d: %s", id, x.Version, d)
					}
					continue
				}
				hidden++
				if x.Kind == ChangeTouched && len(x.Fields) == 1 && x.Fields[0].Removed == nil {
					continue // of which content is not known
				}
				want, _ := newChange(id, p.record(x.After, id), p.record(x.Version, id))
				want.Before, want.After = nil, nil
				if d := cmp.Diff(want, x.Change); d != "" {
					t.Errorf("%s from release %d to %d: %s", id, x.After, x.Version, d)
				}
			}
			for _, v := range p.revisionsOf(id) {
				if v > base && !spoken[v] {
					t.Errorf("%s changed in release %d: not told", id, v)
				}
			}
		}
		if hidden == 0 || exact == 0 {
			t.Errorf("seed %d: %d exact revisions, %d that hide others", seed, exact, hidden)
		}
	}
}
