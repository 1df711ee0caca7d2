package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// A treeHasher computes the root of an RFC 6962 Merkle tree, leaf by leaf, in
// memory that grows with the logarithm of their number.
type treeHasher struct {
	stack []tlog.Hash // roots of the perfect subtrees, the largest first
	n     uint64
}

// add appends a leaf by its hash.
func (t *treeHasher) add(h tlog.Hash) {
	for n := t.n; n&1 == 1; n >>= 1 {
		top := len(t.stack) - 1
		h = tlog.NodeHash(t.stack[top], h)
		t.stack = t.stack[:top]
	}
	t.stack = append(t.stack, h)
	t.n++
}

// root returns the root of the leaves so far; of none the SHA-256 of nothing.
func (t *treeHasher) root() tlog.Hash {
	if len(t.stack) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.stack[len(t.stack)-1]
	for _, left := range slices.Backward(t.stack[:len(t.stack)-1]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// A forest is one tree a collection.
type forest struct {
	trees map[string]*treeHasher
	buf   []byte
}

func newForest() *forest { return &forest{trees: map[string]*treeHasher{}} }

func (f *forest) tree(collection string) *treeHasher {
	t, ok := f.trees[collection]
	if !ok {
		t = &treeHasher{}
		f.trees[collection] = t
	}
	return t
}

// add appends the leaf of a key; keys of one collection must come in order.
func (f *forest) add(collection, key string, hash [sha256.Size]byte) {
	f.buf = appendLeaf(f.buf[:0], collection, key, hash)
	f.tree(collection).add(tlog.RecordHash(f.buf))
}

// appendLeaf appends what a leaf of a state tree hashes: the size of the full
// key, the full key (collection NUL key), and the hash of the value.
func appendLeaf(dst []byte, collection, key string, hash [sha256.Size]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(collection)+1+len(key)))
	dst = append(append(dst, collection...), 0)
	dst = append(dst, key...)
	return append(dst, hash[:]...)
}

// collections returns the sub-roots of collections that are not empty, by name.
func (f *forest) collections() []Collection {
	var list []Collection
	for _, name := range slices.Sorted(maps.Keys(f.trees)) {
		if t := f.trees[name]; t.n > 0 {
			list = append(list, Collection{Name: name, Entries: t.n, Root: Hash(t.root())})
		}
	}
	return list
}

// topRoot is the root over collections: the RFC 6962 tree over, for each in
// the order of names, the size of its name, its name, its number of entries,
// and its sub-root.
func topRoot(list []Collection) Hash {
	return Hash(topTree(list).root())
}

func topTree(list []Collection) *treeHasher {
	t := &treeHasher{}
	for _, c := range list {
		t.add(tlog.RecordHash(appendTopLeaf(nil, c)))
	}
	return t
}

func appendTopLeaf(dst []byte, c Collection) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.Name)))
	dst = append(dst, c.Name...)
	dst = binary.AppendUvarint(dst, c.Entries)
	return append(dst, c.Root[:]...)
}
