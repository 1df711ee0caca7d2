package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/google/go-cmp/cmp"
)

// replicaRecord is a record of a replica's tests, and its canonical JSON.
func replicaRecord(t testing.TB, i, variant int) (*normalize.Record, []byte) {
	t.Helper()
	r := &normalize.Record{
		ID: fmt.Sprintf("R-%04d", i), Modified: "2026-08-01T00:00:00Z", Aliases: []string{fmt.Sprintf("CVE-2024-%04d", i%50)},
		DatabaseSpecific: fmt.Appendf(nil, `{"advdb":{"sources":["s%d"]}}`, variant%3),
		Affected: []normalize.Affected{{
			Package: normalize.Package{Ecosystem: []string{"npm", "PyPI"}[variant%2], Name: fmt.Sprint("p", i%20)},
			Ranges:  []normalize.Range{{Type: normalize.Ecosystem, Events: []normalize.Event{{Introduced: "0"}, {Fixed: fmt.Sprintf("1.%d.0", variant)}}}},
		}},
	}
	data, err := normalize.AppendEncode(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return r, data
}

var replicaSources = []SourceState{{Name: "e", Enrich: true}, {Name: "s0"}, {Name: "s1"}, {Name: "s2"}}

// TestReplica builds a state, and changes it at random, against a map.
func TestReplica(t *testing.T) {
	dir := t.TempDir()
	rep, err := OpenReplica(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rep.Close()
	if _, err := OpenReplica(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := rep.Open(); !errors.Is(err, ErrNoData) {
		t.Errorf("opened with nothing there: %v", err)
	}
	want := map[string]string{}
	info := func(n uint64) StateInfo {
		return StateInfo{Number: n, Created: "2026-08-01T00:00:00Z", Sources: replicaSources, Snapshot: map[string][]byte{"n": fmt.Append(nil, n)}}
	}
	err = rep.Build(t.Context(), func(b *Builder) (StateInfo, error) {
		for i := range 500 {
			r, data := replicaRecord(t, i, i)
			want[r.ID] = string(data)
			if err := b.Record(r, data, []byte("leaf"+r.ID)); err != nil {
				return StateInfo{}, err
			}
		}
		return info(1), errors.Join(b.Row("e", []byte("CVE-1"), []byte("{}")), b.Row("e", []byte("CVE-2"), []byte("{}")))
	})
	if err != nil {
		t.Fatal(err)
	}
	checkReplica(t, rep, want, 1, 2)
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := uint64(2); n < 12; n++ {
		rows := rnd.IntN(4)
		err := rep.Change(t.Context(), func(c *Changer) (StateInfo, error) {
			for range 80 {
				i := rnd.IntN(600)
				r, data := replicaRecord(t, i, rnd.IntN(9))
				var err error
				if rnd.IntN(4) == 0 {
					delete(want, r.ID)
					err = c.Delete(r.ID)
				} else {
					want[r.ID] = string(data)
					err = c.Put(r, data, []byte("leaf"+r.ID))
				}
				if err != nil {
					return StateInfo{}, err
				}
				got, _, err := c.Record(r.ID)
				if err != nil || string(got) != want[r.ID] {
					return StateInfo{}, fmt.Errorf("%s while changing: %s, %v", r.ID, got, err)
				}
			}
			return info(n), c.Table("e", func(yield func(k, v []byte) error) error {
				for i := range rows {
					if err := yield(fmt.Append(nil, "CVE-", i), []byte("{}")); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		checkReplica(t, rep, want, n, rows)
	}
}

// checkReplica compares a replica's state with a map, and verifies it.
func checkReplica(t *testing.T, rep *Replica, want map[string]string, number uint64, rows int) {
	t.Helper()
	db, err := rep.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.Check(t.Context(), t.TempDir())
	if err != nil || found.Broken > 0 {
		t.Fatalf("state %d: %v %v", number, err, found.Problems)
	}
	got, leaves := map[string]string{}, []string{}
	if err := db.Records("", func(id string, data []byte) error { got[id] = string(data); return nil }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("state %d: %s", number, d)
	}
	if err := db.Leaves(func(id string, leaf []byte) error {
		if string(leaf) != "leaf"+id {
			t.Errorf("leaf of %s: %s", id, leaf)
		}
		leaves = append(leaves, id)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(leaves, slices.Sorted(maps.Keys(want))) {
		t.Errorf("state %d: %d leaves of %d records", number, len(leaves), len(want))
	}
	n := 0
	if err := db.Rows("e", func(k, v []byte) error { n++; return nil }); err != nil || n != rows {
		t.Errorf("state %d: %d rows, want %d (%v)", number, n, rows, err)
	}
	if b, err := db.Snapshot("n"); err != nil || string(b) != fmt.Sprint(number) || db.Meta().Number != number {
		t.Errorf("state %d: snapshot %s, %v", number, b, err)
	}
}

// TestReplicaUnchanged: what fails leaves the file as it was, and no other.
func TestReplicaUnchanged(t *testing.T) {
	dir := t.TempDir()
	rep, err := OpenReplica(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer rep.Close()
	r, data := replicaRecord(t, 1, 1)
	build := func(b *Builder) (StateInfo, error) { return StateInfo{Number: 1}, b.Record(r, data, []byte("x")) }
	if err := rep.Build(t.Context(), build); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		t.Fatal(err)
	}
	fail := errors.New("fail")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, got := range map[string]error{
		"build": rep.Build(t.Context(), func(b *Builder) (StateInfo, error) {
			return StateInfo{}, errors.Join(b.Record(r, data, []byte("y")), fail)
		}),
		"disorder": rep.Build(t.Context(), func(b *Builder) (StateInfo, error) { build(b); return build(b) }),
		"change":   rep.Change(t.Context(), func(c *Changer) (StateInfo, error) { return StateInfo{}, errors.Join(c.Delete(r.ID), fail) }),
		"canceled": rep.Build(canceled, build),
	} {
		if got == nil {
			t.Errorf("%s: no error", name)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil || !slices.Equal(before, after) {
		t.Error("the state changed")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	own := t.TempDir()
	s, err := Open(own, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := OpenReplica(own); !errors.Is(err, ErrNotReplica) {
		t.Errorf("a folder that syncs: %v", err)
	}
}
