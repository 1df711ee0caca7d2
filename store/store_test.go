package store

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/google/go-cmp/cmp"
)

// parseLines is a format for tests: lines "ID TEXT [MODIFIED]", a line
// "broken" cannot be read.
func parseLines(d normalize.Doc, emit func(*normalize.Record) error) error {
	sc := bufio.NewScanner(d.Body)
	for n := 1; sc.Scan(); n++ {
		f := strings.Fields(sc.Text())
		if len(f) < 2 {
			return fmt.Errorf("line %d: not two fields", n)
		}
		r := &normalize.Record{ID: f[0], Details: f[1]}
		if len(f) > 2 {
			r.Modified = f[2]
		}
		r.Affected = []normalize.Affected{{
			Package: normalize.Package{Ecosystem: "npm", Name: "pkg-" + f[1]},
			Ranges:  []normalize.Range{{Type: normalize.Semver, Events: []normalize.Event{{Introduced: "0"}, {Fixed: "1.2.3"}}}},
		}}
		r.Aliases = []string{"ALIAS-" + f[0]}
		if err := emit(r); err != nil {
			return err
		}
	}
	return sc.Err()
}

var testDay = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)

// A testStore is a store with one feed "lines".
type testStore struct {
	t    *testing.T
	dir  string
	now  time.Time
	feed Feed
	*Store
}

func newTestStore(t *testing.T) *testStore {
	ts := &testStore{t: t, dir: t.TempDir(), now: testDay, feed: Feed{Name: "lines", Version: 1, Parse: parseLines}}
	ts.reopen()
	t.Cleanup(func() { ts.Store.Close() })
	return ts
}

func (ts *testStore) reopen() {
	ts.t.Helper()
	if ts.Store != nil {
		if err := ts.Store.Close(); err != nil {
			ts.t.Fatal(err)
		}
	}
	s, err := Open(ts.dir, Options{Now: func() time.Time { return ts.now }})
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.Store = s
}

// put commits documents; a nil text deletes.
func (ts *testStore) put(docs map[string]string) {
	ts.t.Helper()
	d := ts.Documents(ts.feed.Name)
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		var err error
		if text := docs[name]; text == "" {
			err = d.Delete(name)
		} else {
			_, err = d.Put(name, strings.NewReader(text))
		}
		if err != nil {
			ts.t.Fatal(err)
		}
	}
	if err := d.Commit([]byte(fmt.Sprint(len(docs), ts.now))); err != nil {
		ts.t.Fatal(err)
	}
}

func (ts *testStore) update(opt UpdateOptions) Outcome {
	ts.t.Helper()
	outs, err := ts.Update(ts.t.Context(), []Feed{ts.feed}, opt)
	if err != nil {
		ts.t.Fatal(err)
	}
	return outs[0]
}

// check verifies the folder and returns its digest and records, as ID → the
// texts in it, "-" before those of a withdrawn one.
func (ts *testStore) check() (string, map[string]string) {
	ts.t.Helper()
	if err := ts.Store.Close(); err != nil {
		ts.t.Fatal(err)
	}
	defer func() { ts.Store = nil; ts.reopen() }()
	db, err := OpenDB(ts.dir)
	if err != nil {
		ts.t.Fatal(err)
	}
	defer db.Close()
	rep, err := db.Check(ts.t.Context(), ts.dir)
	if err != nil {
		ts.t.Fatal(err)
	}
	if rep.Broken > 0 {
		ts.t.Fatalf("%d invariants are broken:\n%s", rep.Broken, strings.Join(rep.Problems, "\n"))
	}
	work, err := CheckWork(ts.t.Context(), ts.dir, ts.dir)
	if err != nil {
		ts.t.Fatal(err)
	}
	if work.Broken > 0 {
		ts.t.Fatalf("%d invariants of work.db are broken:\n%s", work.Broken, strings.Join(work.Problems, "\n"))
	}
	got := map[string]string{}
	err = db.Records("", func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		var texts []string
		for _, a := range r.Affected {
			texts = append(texts, strings.TrimPrefix(a.Package.Name, "pkg-"))
		}
		slices.Sort(texts)
		got[id] = strings.Join(texts, ",")
		if r.Withdrawn != "" {
			got[id] = "-" + got[id]
		}
		return nil
	})
	if err != nil {
		ts.t.Fatal(err)
	}
	return rep.Digest, got
}

func TestUpdateTouchesOnlyWhatChanged(t *testing.T) {
	ts := newTestStore(t)
	var a, b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&a, "A-%d text%d\n", i, i)
		if i == 500 {
			b.WriteString("A-500 other\n")
		} else {
			fmt.Fprintf(&b, "A-%d text%d\n", i, i)
		}
	}
	ts.put(map[string]string{"doc": a.String()})
	if out := ts.update(UpdateOptions{}); out.PartsChanged != 1000 || out.Records != 1000 {
		t.Fatalf("first update: %+v", out)
	}
	first, _ := ts.check()
	ts.now = ts.now.AddDate(0, 0, 1)
	ts.put(map[string]string{"doc": b.String()})
	out := ts.update(UpdateOptions{})
	if out.Parsed != 1 || out.PartsChanged != 1 || out.PartsGone != 0 || out.Records != 1 {
		t.Errorf("one line changed: %+v", out)
	}
	second, recs := ts.check()
	if first == second || recs["A-500"] != "other" {
		t.Errorf("the change is not in the records: %q", recs["A-500"])
	}
	if out := ts.update(UpdateOptions{}); out.Parsed != 0 || out.Records != 0 {
		t.Errorf("nothing new: %+v", out)
	}
	ts.now = ts.now.AddDate(0, 0, 1)
	if out := ts.update(UpdateOptions{Force: true}); out.Parsed != 1 || out.PartsChanged != 0 || out.Records != 0 {
		t.Errorf("rebuild: %+v", out)
	}
	if again, _ := ts.check(); again != second {
		t.Error("rebuild changed the records")
	}
}

func TestGoneIsWithdrawn(t *testing.T) {
	ts := newTestStore(t)
	ts.put(map[string]string{"a": "X one\nY one\n", "b": "X two\n"})
	ts.update(UpdateOptions{})
	ts.put(map[string]string{"a": "Y one\n"})
	ts.update(UpdateOptions{})
	if _, got := ts.check(); got["X"] != "two" {
		t.Errorf("X with one part left: %q", got["X"])
	}
	ts.put(map[string]string{"b": ""})
	if out := ts.update(UpdateOptions{}); out.PartsGone != 1 {
		t.Errorf("document deleted: %+v", out)
	}
	_, got := ts.check()
	if diff := cmp.Diff(map[string]string{"X": "-one,two", "Y": "one"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	ts.put(map[string]string{"b": "X two\n"})
	ts.update(UpdateOptions{})
	if _, got := ts.check(); got["X"] != "two" {
		t.Errorf("X said again: %q", got["X"])
	}
}

func TestSickDocumentKeepsLastGoodParts(t *testing.T) {
	ts := newTestStore(t)
	ts.put(map[string]string{"a": "X one\n", "b": "Y one\n"})
	ts.update(UpdateOptions{})
	ts.put(map[string]string{"a": "X two\nbroken\n", "b": "Y two\n"})
	out := ts.update(UpdateOptions{})
	if out.Failed != 1 || out.Err == nil || !strings.Contains(out.Err.Error(), "a: line 2") {
		t.Errorf("outcome: %+v", out)
	}
	want := map[string]string{"X": "one", "Y": "two"}
	if _, got := ts.check(); !cmp.Equal(want, got) {
		t.Errorf("records: %v", got)
	}
	out = ts.update(UpdateOptions{})
	if out.Parsed != 0 || out.Err == nil {
		t.Errorf("known to be sick: %+v", out)
	}
	ts.feed.Version++
	if out = ts.update(UpdateOptions{Force: true}); out.Parsed != 3 || out.PartsChanged != 0 {
		t.Errorf("rebuilt from the last good bytes: %+v", out)
	}
	if _, got := ts.check(); !cmp.Equal(want, got) {
		t.Errorf("records after rebuild: %v", got)
	}
}

func TestShrinkGuard(t *testing.T) {
	ts := newTestStore(t)
	text := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "A-%d t\n", i)
		}
		return b.String()
	}
	ts.put(map[string]string{"doc": text(100)})
	ts.update(UpdateOptions{})
	before, _ := ts.check()
	ts.put(map[string]string{"doc": text(50)})
	for range 2 {
		out := ts.update(UpdateOptions{})
		if !errors.Is(out.Err, ErrShrunk) || out.Parts != 100 || out.PartsGone != 0 {
			t.Errorf("half is gone: %+v", out)
		}
	}
	if after, _ := ts.check(); after != before {
		t.Error("records changed")
	}
	out := ts.update(UpdateOptions{AcceptShrink: map[string]bool{"lines": true}})
	if out.Err != nil || out.PartsGone != 50 {
		t.Errorf("insisted: %+v", out)
	}
	_, got := ts.check()
	if got["A-99"] != "-t" || got["A-0"] != "t" {
		t.Errorf("A-99 %q, A-0 %q", got["A-99"], got["A-0"])
	}
	ts.put(map[string]string{"doc": text(46)})
	if out := ts.update(UpdateOptions{}); out.Err != nil {
		t.Errorf("less than a tenth: %v", out.Err)
	}
}

// TestAgainstModel runs random operations against a map.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			ts := newTestStore(t)
			docs := map[string]string{}
			ever := map[string]bool{}
			for step := range 40 {
				changes := map[string]string{}
				for range 1 + rnd.IntN(8) {
					name := fmt.Sprintf("doc%d", rnd.IntN(12))
					if rnd.IntN(5) == 0 {
						changes[name] = ""
						delete(docs, name)
						continue
					}
					var b strings.Builder
					for range rnd.IntN(400) {
						fmt.Fprintf(&b, "ID-%d t%d\n", rnd.IntN(3000), rnd.IntN(3))
					}
					changes[name], docs[name] = b.String(), b.String()
					if b.Len() == 0 {
						delete(docs, name)
					}
				}
				ts.put(changes)
				ts.now = ts.now.Add(7 * time.Hour)
				ts.update(UpdateOptions{AcceptShrink: map[string]bool{"lines": true}})
				want := modelRecords(docs)
				for id := range want {
					ever[id] = true
				}
				if step%5 != 4 {
					continue
				}
				compareModel(t, ts, want, ever)
				if rnd.IntN(2) == 0 {
					if _, err := ts.Collect(); err != nil {
						t.Fatal(err)
					}
					ts.reopen()
				}
			}
			digest, _ := ts.check()
			ts.update(UpdateOptions{Force: true})
			if again, _ := ts.check(); again != digest {
				t.Error("rebuild gives other records")
			}
		})
	}
}

func modelRecords(docs map[string]string) map[string]string {
	texts := map[string]map[string]bool{}
	for _, text := range docs {
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if texts[f[0]] == nil {
				texts[f[0]] = map[string]bool{}
			}
			texts[f[0]][f[1]] = true
		}
	}
	want := map[string]string{}
	for id, set := range texts {
		want[id] = strings.Join(slices.Sorted(maps.Keys(set)), ",")
	}
	return want
}

// compareModel wants the records of the model, and those that were there
// once to be withdrawn.
func compareModel(t *testing.T, ts *testStore, want map[string]string, ever map[string]bool) {
	t.Helper()
	_, got := ts.check()
	for id, text := range got {
		switch {
		case want[id] == "" && (!ever[id] || !strings.HasPrefix(text, "-")):
			t.Fatalf("%s is %q, nobody says so", id, text)
		case want[id] != "" && want[id] != text:
			t.Fatalf("%s is %q, want %q", id, text, want[id])
		}
	}
	for id := range ever {
		if _, ok := got[id]; !ok {
			t.Fatalf("%s is forgotten", id)
		}
	}
}
