package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The log of releases is a C2SP tiled log (https://c2sp.org/tlog-tiles) under
// log/: one entry a release, see [Leaf].
const (
	tileHeight     = 8
	checkpointName = "log/checkpoint"
	maxCheckpoint  = 64 << 10
	maxTile        = 1 << tileHeight * tlog.HashSize
	maxEntries     = 1 << 24
)

// tilePath is where a tile is; level -1 is the entries themselves.
func tilePath(t tlog.Tile) string {
	n := fmt.Sprintf("%03d", t.N%1000)
	for rest := t.N / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	level := "entries"
	if t.L >= 0 {
		level = fmt.Sprint(t.L)
	}
	p := "log/tile/" + level + "/" + n
	if t.W < 1<<t.H {
		p += fmt.Sprintf(".p/%d", t.W)
	}
	return p
}

// readTile reads a tile, in place of a partial one that is gone the full one,
// which begins with it.
//
// Source: C2SP tlog-tiles, "Partial Tiles".
func readTile(ctx context.Context, r Reader, t tlog.Tile, most int64) ([]byte, error) {
	data, err := readAll(ctx, r, tilePath(t), most)
	if t.W == 1<<t.H || !errors.Is(err, ErrNotFound) {
		return data, err
	}
	t.W = 1 << t.H
	if whole, failed := readAll(ctx, r, tilePath(t), most); failed == nil {
		return whole, nil
	}
	return nil, err
}

// A tileReader reads tiles of a repository for tlog, which verifies them.
type tileReader struct {
	ctx context.Context
	r   Reader
	err error // of reading
}

func (t *tileReader) Height() int { return tileHeight }

func (t *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, x := range tiles {
		b, err := readTile(t.ctx, t.r, x, maxTile)
		if err != nil {
			t.err = err
			return nil, err
		}
		out[i] = b[:min(len(b), x.W*tlog.HashSize)]
	}
	return out, nil
}

func (*tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// hashReader returns the hashes of the log of the given tree, verified.
func hashReader(ctx context.Context, r Reader, tree tlog.Tree) tlog.HashReader {
	if tree.N == 0 {
		return tlog.HashReaderFunc(func(i []int64) ([]tlog.Hash, error) {
			if len(i) > 0 {
				return nil, fmt.Errorf("hashes %v of an empty log", i)
			}
			return nil, nil
		})
	}
	return tlog.TileHashReader(tree, &tileReader{ctx: ctx, r: r})
}

// checkpointOf reads a checkpoint and verifies the log's signature.
func checkpointOf(data []byte, origin string, key note.Verifier) (tlog.Tree, error) {
	c, _, _, err := log.ParseCheckpoint(data, origin, key)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint: %w: %w", ErrSignature, err)
	}
	t := tlog.Tree{N: int64(c.Size)}
	if copy(t.Hash[:], c.Hash) != len(t.Hash) || t.N < 0 {
		return t, fmt.Errorf("checkpoint: %w", ErrManifest)
	}
	return t, nil
}

// appendLog writes the tiles and the entry of a release behind a log, and
// returns the tree with it. Nothing of it counts before a checkpoint is signed.
func appendLog(ctx context.Context, repo Repository, old tlog.Tree, leaf []byte) (tlog.Tree, error) {
	base := hashReader(ctx, repo, old)
	hashes, err := tlog.StoredHashes(old.N, leaf, base)
	if err != nil {
		return old, err
	}
	first := tlog.StoredHashIndex(0, old.N)
	all := tlog.HashReaderFunc(func(index []int64) ([]tlog.Hash, error) {
		return overlayHashes(index, first, hashes, base)
	})
	tree := tlog.Tree{N: old.N + 1}
	if tree.Hash, err = tlog.TreeHash(tree.N, all); err != nil {
		return old, err
	}
	for _, t := range tlog.NewTiles(tileHeight, old.N, tree.N) {
		data, err := tlog.ReadTileData(t, all)
		if err != nil {
			return old, err
		}
		if err := repo.Write(ctx, tilePath(t), data); err != nil {
			return old, err
		}
	}
	return tree, appendEntries(ctx, repo, old.N, leaf)
}

// overlayHashes reads hashes from first on out of fresh, others from base.
func overlayHashes(index []int64, first int64, fresh []tlog.Hash, base tlog.HashReader) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(index))
	var ask []int64
	for i, x := range index {
		if x >= first && x-first < int64(len(fresh)) {
			out[i] = fresh[x-first]
		} else {
			ask = append(ask, x)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	got, err := base.ReadHashes(ask)
	if err != nil {
		return nil, err
	}
	for i, x := range index {
		if x < first || x-first >= int64(len(fresh)) {
			out[i], got = got[0], got[1:]
		}
	}
	return out, nil
}

// appendEntries writes the bundle of entries that has entry n: for each its
// size in two bytes, and the entry.
func appendEntries(ctx context.Context, repo Repository, n int64, leaf []byte) error {
	t := tlog.Tile{H: tileHeight, L: -1, N: n >> tileHeight, W: int(n & (1<<tileHeight - 1))}
	var data []byte
	if t.W > 0 {
		var err error
		if data, err = readAll(ctx, repo, tilePath(t), maxEntries); err != nil {
			return err
		}
	}
	if len(leaf) > 1<<16-1 {
		return fmt.Errorf("log entry: %w", ErrTooLarge)
	}
	t.W++
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(leaf))), leaf...)
	return repo.Write(ctx, tilePath(t), data)
}

// logEntry reads entry n of a log of the given size. It is not verified.
func logEntry(ctx context.Context, r Reader, n, size int64) ([]byte, error) {
	t := tlog.Tile{H: tileHeight, L: -1, N: n >> tileHeight, W: int(min(size-n>>tileHeight<<tileHeight, 1<<tileHeight))}
	data, err := readTile(ctx, r, t, maxEntries)
	if err != nil {
		return nil, err
	}
	for i := n & (1<<tileHeight - 1); ; i-- {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s: %w", tilePath(t), ErrTruncated)
		}
		size := 2 + int(binary.BigEndian.Uint16(data))
		if i == 0 {
			return data[2:size], nil
		}
		data = data[size:]
	}
}

// signCheckpoint signs a tree.
func signCheckpoint(origin string, tree tlog.Tree, key note.Signer) ([]byte, error) {
	text := log.Checkpoint{Origin: origin, Size: uint64(tree.N), Hash: tree.Hash[:]}.Marshal()
	return note.Sign(&note.Note{Text: string(text)}, key)
}

// proveLeaf returns the tlog-proof (https://c2sp.org/tlog-proof) of entry n.
func proveLeaf(ctx context.Context, r Reader, n int64, tree tlog.Tree, checkpoint []byte) ([]byte, error) {
	path, err := tlog.ProveRecord(tree.N, n, hashReader(ctx, r, tree))
	if err != nil {
		return nil, err
	}
	p := proof.TLogProof{Index: uint64(n), Checkpoint: checkpoint}
	for _, h := range path {
		p.Hashes = append(p.Hashes, h)
	}
	return p.Marshal(), nil
}

// checkProof verifies that a leaf is in the log whose checkpoint the proof
// carries, and returns the checkpoint and its tree.
func checkProof(data, leaf []byte, origin string, key note.Verifier) (checkpoint []byte, tree tlog.Tree, err error) {
	var p proof.TLogProof
	if err := p.Unmarshal(data); err != nil {
		return nil, tree, fmt.Errorf("tlog-proof: %w: %w", ErrManifest, err)
	}
	if tree, err = checkpointOf(p.Checkpoint, origin, key); err != nil {
		return nil, tree, err
	}
	path := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		path[i] = h
	}
	if int64(p.Index) < 0 || int64(p.Index) >= tree.N ||
		tlog.CheckRecord(path, tree.N, tree.Hash, int64(p.Index), tlog.RecordHash(leaf)) != nil {
		return nil, tree, fmt.Errorf("tlog-proof: the release is not in the log: %w", ErrFork)
	}
	return p.Checkpoint, tree, nil
}

// checkConsistent verifies that the log of tree now goes on where that of old
// stopped.
func checkConsistent(ctx context.Context, r Reader, old, now tlog.Tree) error {
	switch {
	case now.N < old.N:
		return fmt.Errorf("log of %d releases, %d were seen: %w", now.N, old.N, ErrRollback)
	case now.N == old.N && now.Hash != old.Hash:
		return fmt.Errorf("log of %d releases: %w", now.N, ErrFork)
	case now.N == old.N || old.N == 0:
		return nil
	}
	tiles := &tileReader{ctx: ctx, r: r}
	h, err := tlog.TreeHash(old.N, tlog.TileHashReader(now, tiles))
	switch {
	case tiles.err != nil:
		return fmt.Errorf("log: %w", tiles.err)
	case err != nil:
		return fmt.Errorf("log: %w: %w", ErrMismatch, err)
	case h != old.Hash:
		return fmt.Errorf("log of %d releases does not contain the %d seen: %w", now.N, old.N, ErrFork)
	}
	return nil
}
