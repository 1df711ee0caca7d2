package snapshot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Proof shows, to anybody who trusts the key of the log, that a record was
// part of a release: the record, its path to the root of its collection, that
// one's path to the root of the state, and the release's place in the log.
type Proof struct {
	Format     string         `json:"format"`
	ID         string         `json:"id"`
	Record     jsontext.Value `json:"record"` // canonical
	Collection Collection     `json:"collection"`
	Index      int64          `json:"index"` // of the record in its collection
	Path       []Hash         `json:"path"`
	TopIndex   int64          `json:"top_index"` // of the collection among all
	TopSize    int64          `json:"top_size"`
	TopPath    []Hash         `json:"top_path"`
	Leaf       Leaf           `json:"leaf"`
	Log        string         `json:"log"` // C2SP tlog-proof
	Policy     string         `json:"policy"`
}

const proofFormat = "advdb-proof/1"

// Prove makes the proof of a record of a replica. It returns ErrNotFound where
// there is no such record.
func Prove(db *store.DB, id string) (*Proof, error) {
	held, err := ReadHeld(db)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, fmt.Errorf("%w: no release is held; pull one", store.ErrNotReplica)
	}
	data, err := db.Record(id)
	if err != nil || data == nil {
		return nil, errors.Join(err, ErrNotFound)
	}
	m := held.m
	p := &Proof{Format: proofFormat, ID: id, Record: data, Log: string(held.files[keepProof]), Policy: string(held.files[keepPolicy])}
	if err := decodeJSON(m.leaf(held.files[keepManifest]), &p.Leaf); err != nil {
		return nil, err
	}
	leaves, err := p.leaves(db)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(m.Collections, func(c Collection) bool { return c.Name == p.Collection.Name })
	if i < 0 || m.Collections[i].Entries != uint64(len(leaves)) {
		return nil, fmt.Errorf("%s: %w", p.Collection.Name, ErrState)
	}
	p.Collection, p.Path = m.Collections[i], auditPath(leaves, p.Index)
	var top []tlog.Hash
	for _, c := range m.Collections {
		top = append(top, tlog.RecordHash(appendTopLeaf(nil, c)))
	}
	p.TopIndex, p.TopSize, p.TopPath = int64(i), int64(len(top)), auditPath(top, int64(i))
	key, err := parsePolicy(held.files[keepPolicy])
	if err != nil {
		return nil, err
	}
	return p, p.Verify(key.key)
}

// leaves returns the leaves of the record's collection, and notes which it is.
func (p *Proof) leaves(db *store.DB) ([]tlog.Hash, error) {
	byName := map[string][]tlog.Hash{}
	err := db.Leaves(func(id string, leaf []byte) error {
		collection, h, err := splitLeaf(leaf)
		if err != nil {
			return err
		}
		if id == p.ID {
			p.Collection.Name, p.Index = collection, int64(len(byName[collection]))
		}
		byName[collection] = append(byName[collection], tlog.RecordHash(appendLeaf(nil, collection, id, h)))
		return nil
	})
	return byName[p.Collection.Name], err
}

// auditPath is the Merkle audit path of leaf i (RFC 6962, section 2.1.1).
func auditPath(leaves []tlog.Hash, i int64) []Hash {
	n := int64(len(leaves))
	if n <= 1 {
		return []Hash{}
	}
	k := int64(1)
	for k*2 < n {
		k *= 2
	}
	if i < k {
		return append(auditPath(leaves[:k], i), treeRoot(leaves[k:]))
	}
	return append(auditPath(leaves[k:], i-k), treeRoot(leaves[:k]))
}

func treeRoot(leaves []tlog.Hash) Hash {
	t := &treeHasher{}
	for _, h := range leaves {
		t.add(h)
	}
	return Hash(t.root())
}

// Verify checks a proof against the verifier key of the log.
func (p *Proof) Verify(key note.Verifier) error {
	if p.Format != proofFormat || p.Leaf.Type != leafFormat {
		return fmt.Errorf("proof %q: %w", p.Format, ErrClient)
	}
	if !isRecord(p.Collection.Name) || recordID(p.Record) != p.ID {
		return fmt.Errorf("proof of %q: %w: another record", p.ID, ErrState)
	}
	leaf := tlog.RecordHash(appendLeaf(nil, p.Collection.Name, p.ID, valueHash(p.Record)))
	if !checkPath(p.Path, int64(p.Collection.Entries), p.Index, leaf, p.Collection.Root) {
		return fmt.Errorf("%s in %s: %w", p.ID, p.Collection.Name, ErrState)
	}
	top := tlog.RecordHash(appendTopLeaf(nil, p.Collection))
	if !checkPath(p.TopPath, p.TopSize, p.TopIndex, top, p.Leaf.StateRoot) {
		return fmt.Errorf("%s in release %d: %w", p.Collection.Name, p.Leaf.Version, ErrState)
	}
	entry, err := canonical(p.Leaf)
	if err != nil {
		return err
	}
	_, _, err = checkProof([]byte(p.Log), entry, p.Leaf.Origin, key)
	return err
}

func checkPath(path []Hash, size, index int64, leaf tlog.Hash, root Hash) bool {
	rp := make(tlog.RecordProof, len(path))
	for i, h := range path {
		rp[i] = tlog.Hash(h)
	}
	return index >= 0 && index < size && tlog.CheckRecord(rp, size, tlog.Hash(root), index, leaf) == nil
}

// recordID is the ID in a record, as far as it can be read.
func recordID(data []byte) string {
	var r struct {
		ID string `json:"id"`
	}
	if decodeJSON(data, &r) != nil {
		return ""
	}
	return r.ID
}

// Encode writes the proof. The record stands in it byte for byte.
func (p *Proof) Encode() ([]byte, error) { return canonical(p) }

// DecodeProof reads what Encode wrote.
func DecodeProof(data []byte) (*Proof, error) {
	p := &Proof{}
	if err := decodeJSON(data, p); err != nil {
		return nil, fmt.Errorf("proof: %w: %w", ErrManifest, err)
	}
	return p, nil
}

// LogKey reads the verifier key of a log, as "advdb keys show" prints it.
func LogKey(vkey string) (note.Verifier, error) { return note.NewVerifier(vkey) }

// LogKey is the verifier key of the log that a replica trusts.
func (h *Held) LogKey() (string, error) {
	for line := range strings.Lines(string(h.files[keepPolicy])) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "log" {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("policy: %w: names no log", ErrManifest)
}
