package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// Parts are kept in a table of work.db under ID NUL source NUL document. A
// fold writes the table anew under the next name.

func partsTable(n int) string        { return fmt.Sprintf("parts.%d", n) }
func isPartsTable(name string) bool  { return strings.HasPrefix(name, "parts.") }
func nextPartsTable(n string) string { return partsTable(tableNumber(n) + 1) }

func tableNumber(name string) (n int) {
	fmt.Sscanf(name, "parts.%d", &n)
	return n
}

// currentParts returns the table of parts and its name.
func currentParts(tx *bolt.Tx) (table, string, error) {
	name := string(tx.Bucket(metaBucket).Get([]byte("parts")))
	t, ok := openTable(tx, name)
	if !ok {
		return t, name, fmt.Errorf("table %q is missing", name)
	}
	return t, name, nil
}

func partKey(id string, docKey []byte) []byte {
	k := make([]byte, 0, len(id)+1+len(docKey))
	return append(append(append(k, id...), 0), docKey...)
}

// splitPartKey returns what partKey joined.
func splitPartKey(k []byte) (id, source, doc string, err error) {
	i := bytes.IndexByte(k, 0)
	if i < 0 {
		return "", "", "", errCorrupt
	}
	j := bytes.IndexByte(k[i+1:], 0)
	if j < 0 {
		return "", "", "", errCorrupt
	}
	return string(k[:i]), string(k[i+1 : i+1+j]), string(k[i+2+j:]), nil
}

// A part's value: the day its content last changed, the day it went (both
// empty where they do not apply), the record as JSON.
func appendPart(dst []byte, day, gone string, json []byte) []byte {
	dst = appendBytes(dst, []byte(day))
	dst = appendBytes(dst, []byte(gone))
	return append(dst, json...)
}

func cutPart(v []byte) (day, gone string, json []byte, err error) {
	d, v, err := cutBytes(v)
	if err != nil {
		return "", "", nil, err
	}
	g, v, err := cutBytes(v)
	return string(d), string(g), v, err
}

// decodePart reads one entry of the table of parts.
func decodePart(k, v []byte) (p normalize.Part, id string, err error) {
	id, p.Source, p.Document, err = splitPartKey(k)
	if err != nil {
		return p, "", err
	}
	var json []byte
	if p.Day, p.Gone, json, err = cutPart(v); err == nil {
		p.Record, err = normalize.Decode(json)
	}
	if err != nil {
		return p, id, fmt.Errorf("part %s of %s: %s: %w", id, p.Source, p.Document, err)
	}
	return p, id, nil
}

// partHashSize is how much of a part's SHA-256 tells one content from another.
const partHashSize = 16

// A partRef names a part of a document and its content.
type partRef struct {
	id   string
	hash [partHashSize]byte
}

func hashPart(json []byte) (h [partHashSize]byte) {
	sum := sha256.Sum256(json)
	copy(h[:], sum[:])
	return h
}

// encodeList packs the parts of a document, sorted by ID: their number, then
// each ID and hash.
func encodeList(refs []partRef) []byte {
	b := binary.AppendUvarint(nil, uint64(len(refs)))
	for _, r := range refs {
		b = appendBytes(b, []byte(r.id))
		b = append(b, r.hash[:]...)
	}
	return b
}

func decodeList(b []byte) ([]partRef, error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := byteReader{b: b}
	n := r.uvarint()
	if n > uint64(len(b)) {
		return nil, errCorrupt
	}
	refs := make([]partRef, n)
	for i := range refs {
		refs[i].id = string(r.bytes(int(min(r.uvarint(), uint64(len(r.b)+1)))))
		copy(refs[i].hash[:], r.bytes(partHashSize))
	}
	return refs, r.err
}

// listSize returns the number of parts in an encoded list.
func listSize(b []byte) int {
	n, _ := binary.Uvarint(b)
	return int(n)
}

// A listJoin walks the parts that a document had beside those it has now.
type listJoin struct {
	prev []partRef // sorted by ID
	gone func(id string) error
}

// next takes the next part of now, in the order of IDs, and reports whether
// it is new or otherwise than before.
func (j *listJoin) next(ref partRef) (changed bool, err error) {
	for len(j.prev) > 0 && j.prev[0].id < ref.id {
		if err := j.gone(j.prev[0].id); err != nil {
			return false, err
		}
		j.prev = j.prev[1:]
	}
	if len(j.prev) > 0 && j.prev[0].id == ref.id {
		changed = j.prev[0].hash != ref.hash
		j.prev = j.prev[1:]
		return changed, nil
	}
	return true, nil
}

// end takes what is left of before as gone.
func (j *listJoin) end() error {
	for _, p := range j.prev {
		if err := j.gone(p.id); err != nil {
			return err
		}
	}
	return nil
}

// unitePieces makes one part's JSON of the pieces that a parser emitted for
// one ID. It returns json[0] as it is where there is only one.
func unitePieces(pieces [][]byte) ([]byte, error) {
	if len(pieces) == 1 {
		return pieces[0], nil
	}
	records := make([]*normalize.Record, len(pieces))
	for i, p := range pieces {
		r, err := normalize.Decode(p)
		if err != nil {
			return nil, err
		}
		records[i] = r
	}
	whole := records[0]
	if err := normalize.Unite(whole, records[1:]...); err != nil {
		return nil, err
	}
	return normalize.AppendEncode(nil, whole)
}

// encodeCount is the list of a document of which only the number of rows is
// kept.
func encodeCount(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
