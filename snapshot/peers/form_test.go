package peers

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"github.com/advdb/advdb/snapshot"
)

// The forms of docs/formats.md, written down once more.

// jcs is the RFC 8785 form of a value of strings and small numbers: members
// sorted, no white space.
func jcs(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// topLeaf is the leaf of a collection in the state.
func topLeaf(c snapshot.Collection) []byte {
	b := binary.AppendUvarint(nil, uint64(len(c.Name)))
	b = binary.AppendUvarint(append(b, c.Name...), c.Entries)
	return append(b, c.Root[:]...)
}

// recordLeaf is the leaf of a record in its collection.
func recordLeaf(p *snapshot.Proof) []byte {
	key := p.Collection.Name + "\x00" + p.ID
	b := binary.AppendUvarint(nil, uint64(len(key)))
	h := sha256.Sum256(p.Record)
	return append(append(b, key...), h[:]...)
}
