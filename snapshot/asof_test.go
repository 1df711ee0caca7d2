package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// TestRestore makes each release again, out of a folder and over HTTP.
func TestRestore(t *testing.T) {
	p := newPast(t, 23, 120, 14, 0, func(_ *past, o *PublishOptions) { o.BaseEvery = 9 })
	for name, r := range map[string]Reader{"folder": p.repo, "http": serve(t, http.FileServer(http.Dir(p.repo.path)))} {
		t.Run(name, func(t *testing.T) {
			l := p.open(t, r)
			p.finds(t, l)
			dir := t.TempDir()
			for v := uint64(1); v <= 14; v++ {
				at := filepath.Join(dir, fmt.Sprint(v))
				x := p.number(t, l, v)
				fresh, err := l.Restore(t.Context(), x, at, nil)
				if err != nil || !fresh {
					t.Fatalf("release %d: %v, %v", v, fresh, err)
				}
				p.restored(t, at, v)
				if fresh, err := l.Restore(t.Context(), x, at, nil); err != nil || fresh {
					t.Errorf("release %d again: %v, %v", v, fresh, err)
				}
				if _, err := os.Stat(filepath.Join(at, "staging")); err == nil {
					t.Error("segments were left behind")
				}
			}
			// A folder of another release becomes the one that is asked for.
			if fresh, err := l.Restore(t.Context(), p.number(t, l, 3), filepath.Join(dir, "7"), nil); err != nil || !fresh {
				t.Errorf("3 over 7: %v, %v", fresh, err)
			}
			p.restored(t, filepath.Join(dir, "7"), 3)
		})
	}
}

// TestRestoreOnly restores some ecosystems, proves a record of the past, and
// goes on from there to the newest release.
func TestRestoreOnly(t *testing.T) {
	p := newPast(t, 24, 120, 12, 0, nil)
	l := p.open(t)
	dir := filepath.Join(t.TempDir(), "asof")
	if _, err := l.Restore(t.Context(), p.number(t, l, 5), dir, []string{"npm"}); err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := db.Records("", func(id string, data []byte) error {
		n++
		if !bytes.Equal(data, p.record(5, id)) {
			t.Errorf("%s: %s", id, data)
		}
		return nil
	}); err != nil || n == 0 || n == len(p.states[4]) {
		t.Errorf("%d of %d records, %v", n, len(p.states[4]), err)
	}
	db.Close()
	if fresh, err := l.Restore(t.Context(), p.number(t, l, 5), dir, nil); err != nil || !fresh {
		t.Errorf("all instead of npm: %v, %v", fresh, err)
	}
	if db, err = store.OpenDB(dir); err != nil {
		t.Fatal(err)
	}
	proof, err := Prove(db, slices.Sorted(maps.Keys(p.states[4]))[0])
	db.Close()
	if err != nil || proof.Leaf.Version != 5 {
		t.Errorf("proof %+v, %v", proof, err)
	}
	c := p.client("unused")
	c.Dir = dir
	if got := p.pull(c); got.From != 5 || got.Version != 12 {
		t.Errorf("pulled %+v", got)
	}
	if p.digest(dir) != p.digests[11] {
		t.Error("pulling into a restored state: digests differ")
	}
}

// TestCollected asks for releases of which the repository has less and less.
func TestCollected(t *testing.T) {
	p := newPast(t, 25, 40, 62, 300<<10, func(p *past, o *PublishOptions) {
		o.Grace = 10 * time.Hour
	})
	l := p.open(t)
	can, err := l.Obtainable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	got := 0
	for v := uint64(1); v <= 62; v++ {
		at := filepath.Join(dir, fmt.Sprint(v))
		_, err := l.Restore(t.Context(), p.number(t, l, v), at, nil)
		switch want := slices.Contains(can, v); {
		case want && err != nil:
			t.Errorf("release %d: %v", v, err)
		case want:
			got++
			p.restored(t, at, v)
		case err == nil:
			t.Errorf("release %d was restored, and is not said to be obtainable", v)
		default:
			var gone *GoneError
			if !errors.As(err, &gone) || !errors.Is(err, ErrNotFound) || !slices.Equal(gone.Obtainable, can) {
				t.Errorf("release %d: %v", v, err)
			}
		}
	}
	// Eleven have their manifests; older ones at the ends of merged segments.
	if got < 13 || got > 40 || slices.Contains(can, 26) || !slices.Contains(can, 24) {
		t.Errorf("obtainable: %s", spansOf(can))
	}
	t.Logf("obtainable of 62: %s", spansOf(can))
	db, err := store.OpenDB(filepath.Join(dir, fmt.Sprint(can[0])))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Sources()
	if err != nil || len(list) != 2 || list[1].Status != "unknown" || list[1].License != "CC0-1.0" || list[1].FetchedAt != "" {
		t.Errorf("sources of a release whose manifest is gone: %+v, %v", list, err)
	}
}

// TestArchive takes what a repository has no more from a copy put away before.
func TestArchive(t *testing.T) {
	var old *Dir
	p := newPast(t, 26, 60, 24, 0, func(p *past, o *PublishOptions) {
		if o.Grace, o.BaseEvery = time.Hour, 6; len(p.out) == 10 {
			old = copyRepo(t, p.world)
		}
	})
	if _, err := p.open(t).Restore(t.Context(), p.number(t, p.open(t), 9), filepath.Join(t.TempDir(), "gone"), nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("without the copy: %v", err)
	}
	l := p.open(t, p.repo, old)
	dir := filepath.Join(t.TempDir(), "asof")
	if _, err := l.Restore(t.Context(), p.number(t, l, 9), dir, nil); err != nil {
		t.Fatal(err)
	}
	p.restored(t, dir, 9)
}
