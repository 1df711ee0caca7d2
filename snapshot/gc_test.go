package snapshot

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

func TestSuperseded(t *testing.T) {
	got := superseded([]string{
		"log/tile/0/000", "log/tile/0/000.p/255", "log/tile/0/000.p/3", "log/tile/0/001.p/7", "log/tile/1/000.p/1",
		"log/tile/entries/000", "log/tile/entries/000.p/12", "log/tile/entries/x001/000.p/1",
	})
	want := []string{"log/tile/0/000.p/255", "log/tile/0/000.p/3", "log/tile/entries/000.p/12"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLogWithoutPartialTiles takes the partial tiles away that are full by
// now: a client that still holds an older checkpoint finds the same.
func TestLogWithoutPartialTiles(t *testing.T) {
	ctx := t.Context()
	repo, err := CreateDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	var tree, early tlog.Tree
	for i := range 300 {
		if tree, err = appendLog(ctx, repo, tree, fmt.Append(nil, "release ", i)); err != nil {
			t.Fatal(err)
		}
		if tree.N == 200 {
			early = tree
		}
	}
	var tiles []string
	if err := repo.List(ctx, "log/tile/", func(name string) error { tiles = append(tiles, name); return nil }); err != nil {
		t.Fatal(err)
	}
	drop := superseded(tiles)
	if len(drop) < 500 {
		t.Errorf("%d of %d tiles are superseded", len(drop), len(tiles))
	}
	for _, name := range drop {
		if err := repo.Delete(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []tlog.Tree{early, tree} {
		checkTree(ctx, t, repo, at)
	}
}

func checkTree(ctx context.Context, t *testing.T, repo Reader, at tlog.Tree) {
	t.Helper()
	hash, err := tlog.TreeHash(at.N, hashReader(ctx, repo, at))
	if err != nil || hash != at.Hash {
		t.Errorf("the tree of %d entries: %v, %v; want %v", at.N, hash, err, at.Hash)
	}
	for n := range at.N {
		entry, err := logEntry(ctx, repo, n, at.N)
		if want := fmt.Sprint("release ", n); err != nil || string(entry) != want {
			t.Fatalf("entry %d of %d: %q, %v", n, at.N, entry, err)
		}
	}
}
