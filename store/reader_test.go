package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/versioncmp"
)

// TestReadersNeverBlock opens a state, publishes others beside it, and finds
// each reader with the state it opened.
func TestReadersNeverBlock(t *testing.T) {
	ts := newTestStore(t)
	ts.put(map[string]string{"a": "X one\n"})
	ts.update(UpdateOptions{})
	first, err := OpenDB(ts.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, text := range []string{"X two\n", "X three\n"} {
		ts.put(map[string]string{"a": text})
		ts.update(UpdateOptions{})
	}
	now, err := OpenDB(ts.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer now.Close()
	for db, want := range map[*DB]string{first: `"one"`, now: `"three"`} {
		data, err := db.Record("X")
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s, %v: want %s", data, err, want)
		}
	}
	if n := now.Meta().Number - first.Meta().Number; n != 2 {
		t.Errorf("the state's number moved by %d, want 2", n)
	}
	prev, err := openState(ts.dir + "/" + stateName + ".prev")
	if err != nil {
		t.Fatal(err)
	}
	defer prev.Close()
	if data, err := prev.Record("X"); err != nil || !strings.Contains(string(data), `"two"`) {
		t.Errorf("the state before: %s, %v", data, err)
	}
}

func TestOneWriter(t *testing.T) {
	ts := newTestStore(t)
	if _, err := Open(ts.dir, Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("second writer: %v, want ErrBusy", err)
	}
	if _, err := OpenDB(t.TempDir()); !errors.Is(err, ErrNoData) {
		t.Errorf("empty folder: %v, want ErrNoData", err)
	}
}

// TestLookup asks for sorted IDs, there or not, in blocks and in the overlay,
// and wants what asking one by one gives.
func TestLookup(t *testing.T) {
	ts := newTestStore(t)
	var b strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&b, "ID-%05d text%d\n", i*2, i)
	}
	ts.put(map[string]string{"a": b.String()})
	ts.update(UpdateOptions{})
	ts.put(map[string]string{"b": "ID-00007 odd\nID-00100 even\n"})
	ts.update(UpdateOptions{})
	db, err := OpenDB(ts.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 10, 1000, 20_000} {
		ids := []string{"", "ID-00007", "ID-00100", "ZZZ"}
		for range n {
			ids = append(ids, fmt.Sprintf("ID-%05d", rnd.IntN(12_100)))
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		got := map[string]string{}
		if err := db.Lookup(ids, func(id string, data []byte) error { got[id] = string(data); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			want, err := db.Record(id)
			if err != nil || got[id] != string(want) {
				t.Fatalf("%d IDs: %s is %.60s, want %.60s, %v", n, id, got[id], want, err)
			}
		}
	}
}

func TestIndexes(t *testing.T) {
	ts := newTestStore(t)
	ts.put(map[string]string{"a": "X one\nY one\nZ two\n"})
	ts.update(UpdateOptions{})
	db, err := OpenDB(ts.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got []string
	err = db.Package("npm", "pkg-one", func(a Affected) error {
		for _, v := range []string{"1.2.2", "1.2.3", "latest"} {
			got = append(got, a.ID+" "+v+" "+a.Sets[0].AffectedText(v).Verdict.String())
		}
		return nil
	})
	want := "X 1.2.2 affected, X 1.2.3 not affected, X latest unknown, Y 1.2.2 affected, Y 1.2.3 not affected, Y latest unknown"
	if s := strings.Join(got, ", "); err != nil || s != want {
		t.Errorf("package: %s, %v\nwant %s", s, err, want)
	}
	links, err := db.Links("ALIAS-Y")
	if err != nil || len(links) != 1 || links[0] != (Link{ID: "Y", Alias: true}) {
		t.Errorf("links: %v, %v", links, err)
	}
	if eco, err := db.Ecosystems(); err != nil || len(eco) != 1 || eco[0] != "npm" {
		t.Errorf("ecosystems: %v, %v", eco, err)
	}
}

// TestCheckFindsWhatIsBroken breaks a state in each way that Check is there for.
func TestCheckFindsWhatIsBroken(t *testing.T) {
	for name, breakIt := range breakages {
		t.Run(name, func(t *testing.T) {
			ts := newTestStore(t)
			ts.put(map[string]string{"a": "X one\nY two\n"})
			ts.update(UpdateOptions{})
			breakState(t, ts.dir, breakIt)
			db, err := OpenDB(ts.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			rep, err := db.Check(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if rep.Broken == 0 {
				t.Error("nothing is reported")
			}
		})
	}
}

func BenchmarkIndexEntries(b *testing.B) {
	r := &normalize.Record{ID: "X", Aliases: []string{"CVE-2021-1", "GHSA-a"}, Affected: []normalize.Affected{{
		Package: normalize.Package{Ecosystem: "npm", Name: "left-pad"},
		Ranges:  []normalize.Range{{Type: normalize.Semver, Events: []normalize.Event{{Introduced: "0"}, {Fixed: "1.2.3"}}}},
	}}}
	if versioncmp.For("npm") == nil {
		b.Fatal("no scheme")
	}
	b.ReportAllocs()
	for b.Loop() {
		indexEntries(r)
	}
}
