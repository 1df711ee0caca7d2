package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// TestImportAgain imports what is held already, as time goes by: how old it
// is, is judged each time, and a reason to accept it is kept.
func TestImportAgain(t *testing.T) {
	w := newWorld(t, 71, 30)
	w.publish()
	root, err := w.keys.FirstRoot()
	if err != nil {
		t.Fatal(err)
	}
	b := w.bundle("b", BundleOptions{})
	dir := filepath.Join(t.TempDir(), "site")
	digest := ""
	for _, x := range []struct {
		days   int
		accept string
		warned bool
		err    error
		stale  string // kept
	}{
		{0, "", false, nil, ""},
		{1, "", false, nil, ""},
		{8, "", true, nil, ""},
		{46, "", false, ErrStale, ""},
		{47, "courier is ill", true, nil, "courier is ill"},
		{48, "", false, ErrStale, "courier is ill"},
		{49, "courier is still ill", true, nil, "courier is still ill"},
	} {
		before := w.fileHash(dir)
		got, err := Import(t.Context(), ImportOptions{Dir: dir, Bundle: b, Root: root, Now: w.now.AddDate(0, 0, x.days), AcceptStale: x.accept})
		if !errors.Is(err, x.err) || (err == nil) != (x.err == nil) || (got.Warning != "") != x.warned {
			t.Errorf("after %d days: %+v %v", x.days, got, err)
		}
		if want := float64(24 * x.days); got.AgeHours != want || got.Attested != w.now.Format(time.RFC3339) {
			t.Errorf("after %d days: age %v, attested %s", x.days, got.AgeHours, got.Attested)
		}
		if h := w.held(dir); h.Stale != x.stale {
			t.Errorf("after %d days: %q is kept, want %q", x.days, h.Stale, x.stale)
		}
		if err != nil && w.fileHash(dir) != before {
			t.Errorf("after %d days: written to", x.days)
		}
		if digest == "" {
			digest = w.digest(dir)
		}
	}
	if w.digest(dir) != digest {
		t.Error("the records changed")
	}
}

// TestOnlyAgain changes the ecosystems that are held while the repository has
// nothing new: what is held says so afterwards.
func TestOnlyAgain(t *testing.T) {
	w := newWorld(t, 72, 40)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	for _, only := range [][]string{{"npm"}, {"Go", "npm"}, {}} {
		c.Only = only
		w.pull(c)
		if h := w.held(c.Dir); len(h.Only) != len(only) {
			t.Errorf("%q is held, want %q", h.Only, only)
		}
		before := w.fileHash(c.Dir)
		c.Only = nil
		if got := w.pull(c); got.Changed || w.fileHash(c.Dir) != before {
			t.Errorf("only %q: pulled again: %+v", only, got)
		}
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "advdb.db")); err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenDB(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := db.Meta().Records; got != len(w.records) {
		t.Errorf("%d records, want %d", got, len(w.records))
	}
}
