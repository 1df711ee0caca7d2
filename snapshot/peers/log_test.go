package peers

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// TestLog has others read the log of many releases: over HTTP every entry and
// its inclusion, the signature of the checkpoint of every size, the consistency
// of each two of them, and the proofs that "advdb prove" writes.
func TestLog(t *testing.T) {
	releases := 200
	if testing.Short() {
		releases = 20
	}
	p := newPublisher(t, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))
	for n := range releases {
		if out, err := p.publish(snapshot.PublishOptions{}); err != nil || !out.New || out.Version != uint64(n+1) {
			t.Fatalf("release %d: %+v %v", n+1, out, err)
		}
	}
	policy, err := torchwood.ParsePolicy([]byte("log " + p.keys.LogKey() + "\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(p.repo.String())))
	defer srv.Close()
	fetcher, err := torchwood.NewTileFetcher(srv.URL+"/log", torchwood.WithUserAgent("advdb-test (+https://peers.example)"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := fetcher.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil || head.N != int64(releases) || head.Origin != origin {
		t.Fatalf("checkpoint %+v: %v", head, err)
	}
	leaves := entries(t, fetcher, head.Tree)
	trees := checkpoints(t, p, policy, leaves)
	files, err := torchwood.NewTileFS(os.DirFS(filepath.Join(p.repo.String(), "log")))
	if err != nil {
		t.Fatal(err)
	}
	consistent(t, files, head.Tree, trees)
	proved(t, p, policy)
}

// entries reads all entries, and verifies each against the tree, by two
// implementations.
func entries(t *testing.T, r torchwood.TileReader, tree tlog.Tree) (leaves [][]byte) {
	t.Helper()
	client, err := torchwood.NewClient(r)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range client.AllEntries(t.Context(), tree, 0) {
		if i != int64(len(leaves)) {
			t.Fatalf("entry %d behind %d", i, len(leaves))
		}
		leaves = append(leaves, e)
	}
	if err := client.Err(); err != nil || int64(len(leaves)) != tree.N {
		t.Fatalf("%d entries of %d: %v", len(leaves), tree.N, err)
	}
	for i, leaf := range leaves {
		e, path, err := client.Entry(t.Context(), tree, int64(i))
		if err != nil || string(e) != string(leaf) {
			t.Fatalf("entry %d: %v", i, err)
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(tree.N), rfc6962.DefaultHasher.HashLeaf(leaf), hashes(path), tree.Hash[:]); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	return leaves
}

// checkpoints verifies the proof that each release was announced with, and
// returns the trees, by their sizes.
func checkpoints(t *testing.T, p *publisher, policy torchwood.Policy, leaves [][]byte) map[int64]tlog.Tree {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.repo.String(), "tuf/targets/*.release.tlog-proof"))
	if err != nil || len(files) != len(leaves) {
		t.Fatalf("%d proofs of %d releases: %v", len(files), len(leaves), err)
	}
	trees := map[int64]tlog.Tree{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, checkpoint, _ := strings.Cut(string(data), "\n\n")
		c, _, err := torchwood.VerifyCheckpoint([]byte(checkpoint), policy)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(leaves[c.N-1]), data); err != nil {
			t.Errorf("%s: release %d: %v", f, c.N, err)
		}
		if torchwood.VerifyProof(policy, tlog.RecordHash(append(leaves[c.N-1], ' ')), data) == nil {
			t.Errorf("%s proves something else as well", f)
		}
		trees[c.N] = c.Tree
	}
	if len(trees) != len(leaves) {
		t.Fatalf("%d sizes of %d", len(trees), len(leaves))
	}
	return trees
}

// consistent verifies that each log is the beginning of each later one. The
// proofs come out of the tiles as they are now.
func consistent(t *testing.T, r torchwood.TileReader, head tlog.Tree, trees map[int64]tlog.Tree) {
	t.Helper()
	hr := torchwood.TileHashReaderWithContext(t.Context(), head, r)
	n := 0
	for b := int64(1); b <= head.N; b++ {
		for a := int64(1); a <= b; a++ {
			path, err := tlog.ProveTree(b, a, hr)
			if err != nil {
				t.Fatalf("%d to %d: %v", a, b, err)
			}
			from, to := trees[a], trees[b]
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(a), uint64(b), hashes(path), from.Hash[:], to.Hash[:]); err != nil {
				t.Errorf("%d to %d: %v", a, b, err)
			}
			n++
		}
	}
	t.Logf("%d consistency proofs among %d sizes", n, head.N)
}

func hashes[T ~[]tlog.Hash](path T) [][]byte {
	out := [][]byte{}
	for _, h := range path {
		out = append(out, h[:])
	}
	return out
}

// proved verifies the place in the log that "advdb prove" writes.
func proved(t *testing.T, p *publisher, policy torchwood.Policy) {
	t.Helper()
	if _, err := p.pull("replica", snapshot.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenDB(filepath.Join(p.temp, "replica"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	x, err := snapshot.Prove(db, "PEER-2")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := jcs(x.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(leaf), []byte(x.Log)); err != nil {
		t.Error(err)
	}
	path := [][]byte{}
	for _, h := range x.TopPath {
		path = append(path, h[:])
	}
	if len(x.Path) == 0 || x.TopSize < 1 {
		t.Errorf("a proof without a path: %+v", x)
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(x.TopIndex), uint64(x.TopSize),
		rfc6962.DefaultHasher.HashLeaf(topLeaf(x.Collection)), path, x.Leaf.StateRoot[:]); err != nil {
		t.Errorf("collection in the state: %v", err)
	}
	path = path[:0]
	for _, h := range x.Path {
		path = append(path, h[:])
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(x.Index), x.Collection.Entries,
		rfc6962.DefaultHasher.HashLeaf(recordLeaf(x)), path, x.Collection.Root[:]); err != nil {
		t.Errorf("record in the collection: %v", err)
	}
}
