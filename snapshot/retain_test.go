package snapshot

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKeepBases(t *testing.T) {
	list := func(days ...string) (out []KeptBase) {
		for i, d := range days {
			out = append(out, KeptBase{d + "T00:00:00Z", Segment{To: uint64(i + 1)}})
		}
		return out
	}
	all := list("2025-01-05", "2025-02-01", "2025-03-31", "2025-04-01", "2025-06-30", "2026-01-01", "2026-02-01", "2026-03-01", "2026-03-20")
	tests := []struct {
		quarters int
		want     []uint64
	}{
		{0, []uint64{1, 4, 6, 8, 9}},
		{-1, []uint64{8, 9}},
		{1, []uint64{6, 8, 9}},
		{4, []uint64{4, 6, 8, 9}},
		{5, []uint64{1, 4, 6, 8, 9}},
	}
	for _, test := range tests {
		kept := keepBases(all, test.quarters, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC))
		var got []uint64
		for _, b := range kept {
			got = append(got, b.To)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%d quarters: %s", test.quarters, diff)
		}
		if again := keepBases(kept, test.quarters, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)); !slices.Equal(again, kept) {
			t.Errorf("%d quarters: another time: %+v", test.quarters, again)
		}
	}
}

// TestRetention publishes for two years, with a base every other release. What
// stays is what is recent, the newest two bases, and one a quarter, from which
// the state of its release can be had.
func TestRetention(t *testing.T) {
	for _, keep := range []int{0, 3, -1} {
		w := newWorld(t, 61, 40)
		roots := map[uint64]Hash{}
		quarters := map[int]bool{}
		var m, before *Manifest
		for v := uint64(1); v <= 24; v++ {
			w.churn()
			w.now = w.now.AddDate(0, 0, 30)
			if v%8 == 0 {
				if _, err := w.keys.Rotate("", "", w.now); err != nil { // for another year
					t.Fatal(err)
				}
			}
			opt := w.publishOptions()
			opt.BaseEvery, opt.Keep, opt.Gates.Churn, opt.Gates.Shrink = 2, keep, 1, 1
			out, err := Publish(t.Context(), opt)
			opt.DB.Close()
			if err != nil {
				t.Fatal(err)
			}
			roots[v] = out.StateRoot
			before, m = m, w.manifest()
			if out.Base {
				quarters[m.Bases[len(m.Bases)-1].quarter()] = true
			}
		}
		want, may := map[string]bool{}, map[string]bool{}
		m.refer(want)
		before.refer(may) // was the newest within the grace
		w.blobsAre(want, may, m.Version)
		kept := map[int]bool{}
		for i := range m.Bases {
			b := &m.Bases[i]
			if i > 0 && i < len(m.Bases)-2 && b.quarter() == m.Bases[i-1].quarter() {
				t.Errorf("keep %d: two of a quarter: %s, %s", keep, m.Bases[i-1].Time, b.Time)
			}
			kept[b.quarter()] = true
			got := w.rootOf(m, b.To)
			if got != roots[b.To] {
				t.Errorf("keep %d: base of release %d leads to %s, signed was %s", keep, b.To, got, roots[b.To])
			}
		}
		if keep == 0 && len(kept) != len(quarters) || keep > 0 && len(kept) != keep || keep < 0 && len(m.Bases) != 2 || len(quarters) < 8 {
			t.Errorf("keep %d: %d bases of %d quarters, there were %d", keep, len(m.Bases), len(kept), len(quarters))
		}
		if keep == 0 {
			w.restores(m.Bases[1].To, roots)
		}
	}
}

// manifest is that of the newest release.
func (w *world) manifest() *Manifest {
	w.t.Helper()
	root, _ := w.keys.FirstRoot()
	v, err := refresh(w.t.Context(), w.repo, map[string][]byte{keepRoot: root}, timeOfSigning)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.manifest
}

// blobsAre checks that a repository has the blobs that it must have, and of
// others that it may have or that the next release may delete.
func (w *world) blobsAre(want, may map[string]bool, version uint64) {
	w.t.Helper()
	found := map[string]bool{}
	err := w.repo.List(w.t.Context(), "blob/", func(name string) error {
		found[name] = true
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for name := range want {
		if !found[name] {
			w.t.Errorf("%s is not there", name)
		}
	}
	for name := range found {
		if strings.HasPrefix(name, collectedPrefix) {
			data, err := readAll(w.t.Context(), w.repo, name, maxManifest)
			var l collectionList
			if err == nil {
				err = decodeJSON(data, &l)
			}
			if err != nil || l.Version != version {
				w.t.Errorf("%s: %+v, %v", name, l, err)
			}
			for _, f := range l.Files {
				delete(found, f)
			}
			delete(found, name)
		}
	}
	for name := range found {
		if !want[name] && !may[name] {
			w.t.Errorf("%s is there still", name)
		}
	}
}

// rootOf applies what a manifest has of a past release.
func (w *world) rootOf(m *Manifest, version uint64) Hash {
	w.t.Helper()
	way, ok := m.reach(version)
	if !ok {
		w.t.Fatalf("release %d cannot be reached", version)
	}
	lib := newLibrary(w.repo, m, w.temp)
	defer lib.close()
	segs, err := lib.segments(w.t.Context(), way)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := rootsOf(segs, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return topRoot(got)
}

// restores makes a past release out of what is kept.
func (w *world) restores(version uint64, roots map[uint64]Hash) {
	w.t.Helper()
	root, _ := w.keys.FirstRoot()
	l, err := OpenReleases(w.t.Context(), ReleasesOptions{Repos: []Reader{w.repo}, Root: root})
	if err != nil {
		w.t.Fatal(err)
	}
	x, err := l.Number(w.t.Context(), version)
	if err != nil || x.StateRoot != roots[version] {
		w.t.Fatalf("release %d: %+v, %v", version, x, err)
	}
	dir := filepath.Join(w.temp, "restored")
	if fresh, err := l.Restore(w.t.Context(), x, dir, nil); err != nil || !fresh {
		w.t.Errorf("release %d: %v", version, err)
	}
	w.digest(dir)
	list, err := l.Obtainable(w.t.Context())
	if err != nil || !slices.Contains(list, version) {
		w.t.Errorf("obtainable: %v, %v", list, err)
	}
}

// TestWrongClockCollects publishes once with a clock that is half a year ahead:
// nothing is deleted that was needed a moment ago.
func TestWrongClockCollects(t *testing.T) {
	w := newWorld(t, 62, 60)
	for range 6 {
		w.churn()
		opt := w.publishOptions()
		opt.BaseEvery = 3
		if _, err := Publish(t.Context(), opt); err != nil {
			t.Fatal(err)
		}
		opt.DB.Close()
	}
	before := w.manifest()
	w.churn()
	opt := w.publishOptions()
	opt.Now, opt.BaseEvery = w.now.AddDate(0, 6, 0), 1
	out, err := Publish(t.Context(), opt)
	if err != nil || out.Collected != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	need := map[string]bool{}
	before.refer(need)
	for name := range need {
		if _, err := w.repo.root.Stat(name); err != nil {
			t.Error(err)
		}
	}
	w.now = opt.Now
	w.churn()
	if out := w.publish(); out.Collected == 0 {
		t.Errorf("the next release collected nothing: %+v", out)
	}
}
