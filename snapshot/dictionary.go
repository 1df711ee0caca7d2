package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
)

// A dictionary is bytes that the blocks of segments may refer to: records of
// the base, so that a delta of a few need not say again what all have.
type dictionary struct {
	data []byte
	hash [sha256.Size]byte
	id   uint32
}

// dictionarySize is how many bytes a dictionary has at most: 112 KiB is what
// zstd's own trainer aims at.
const dictionarySize = 112 << 10

// newDictionary returns the dictionary of these bytes. Its ID, which stands
// in each frame, is of its hash; zstd keeps those below 32768 and above 2^31
// for itself.
func newDictionary(data []byte) *dictionary {
	d := &dictionary{data: data, hash: sha256.Sum256(data)}
	d.id = 1<<15 + binary.LittleEndian.Uint32(d.hash[:])%(1<<31-1<<15)
	return d
}
