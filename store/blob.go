package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"
)

// A blob is where the bytes of a document are: size bytes from offset of the
// first pack on.
type blob struct {
	hash   [sha256.Size]byte
	size   uint64
	offset uint64
	packs  []uint64
}

func (b *blob) exists() bool { return b.hash != [sha256.Size]byte{} }

// docEntry is what is known of a document: its bytes as last fetched, the
// bytes that its parts come from (the same, but for a document that no longer
// parses or is not believed), and how that went.
type docEntry struct {
	current blob   // does not exist for a document that upstream took away
	good    blob   // does not exist for a document never parsed
	version uint64 // the source's Version that good was parsed with
	failed  uint64 // 1 + the Version with which current did not parse; 0: not tried or parsed
	problem string // why current did not parse
	kept    bool   // a copy of another document as it was (Documents.Copy)
}

// Flags of a docEntry as it is stored.
const (
	goodIsCurrent = 1 << iota
	keptCopy
)

func (e *docEntry) append(dst []byte) []byte {
	dst = e.current.append(dst)
	flags := byte(0)
	if e.kept {
		flags |= keptCopy
	}
	if e.good.hash == e.current.hash {
		dst = append(dst, flags|goodIsCurrent)
	} else {
		dst = e.good.append(append(dst, flags))
	}
	dst = binary.AppendUvarint(dst, e.version)
	dst = binary.AppendUvarint(dst, e.failed)
	return append(dst, e.problem...)
}

func (b *blob) append(dst []byte) []byte {
	dst = append(dst, b.hash[:]...)
	dst = binary.AppendUvarint(dst, b.size)
	dst = binary.AppendUvarint(dst, b.offset)
	dst = binary.AppendUvarint(dst, uint64(len(b.packs)))
	for _, p := range b.packs {
		dst = binary.AppendUvarint(dst, p)
	}
	return dst
}

func decodeDocEntry(b []byte) (e docEntry, err error) {
	r := byteReader{b: b}
	e.current.read(&r)
	flags := r.byte()
	e.kept = flags&keptCopy != 0
	if flags&goodIsCurrent != 0 {
		e.good = e.current
	} else {
		e.good.read(&r)
	}
	e.version, e.failed = r.uvarint(), r.uvarint()
	e.problem = string(r.b)
	return e, r.err
}

func (b *blob) read(r *byteReader) {
	copy(b.hash[:], r.bytes(sha256.Size))
	b.size, b.offset = r.uvarint(), r.uvarint()
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.err = errCorrupt
		return
	}
	b.packs = make([]uint64, n)
	for i := range b.packs {
		b.packs[i] = r.uvarint()
	}
}

// A byteReader takes values off a slice; after an error all are zero.
type byteReader struct {
	b   []byte
	err error
}

func (r *byteReader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.err, r.b = errCorrupt, nil
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *byteReader) bytes(n int) []byte {
	if n > len(r.b) {
		r.err, r.b = errCorrupt, nil
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *byteReader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// blobReader reads a document out of its packs. It holds one pack at a time
// and keeps the last one for the next document.
type blobReader struct {
	s      *Store
	number uint64
	raw    []byte
	loaded bool
	left   uint64
	packs  []uint64
	off    int
}

// open starts on b.
func (r *blobReader) open(b blob) *blobReader {
	r.left, r.packs, r.off = b.size, b.packs, int(b.offset)
	return r
}

// Read is an io.Reader.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if len(r.packs) == 0 {
		return 0, errors.New("document is cut short in the store")
	}
	if err := r.load(r.packs[0]); err != nil {
		return 0, err
	}
	if r.off > len(r.raw) {
		return 0, errCorrupt
	}
	n := copy(p, r.raw[r.off:min(uint64(len(r.raw)), uint64(r.off)+r.left)])
	r.off += n
	r.left -= uint64(n)
	if r.off == len(r.raw) {
		r.packs, r.off = r.packs[1:], 0
	}
	return n, nil
}

func (r *blobReader) load(number uint64) error {
	if r.loaded && r.number == number {
		return nil
	}
	r.loaded = false
	err := r.s.db.View(func(tx *bolt.Tx) (err error) {
		v := tx.Bucket(packBucket).Get(binary.BigEndian.AppendUint64(nil, number))
		if v == nil {
			return fmt.Errorf("pack %d is missing", number)
		}
		r.raw, err = decoder().DecodeAll(v, r.raw[:0])
		return err
	})
	r.number, r.loaded = number, err == nil
	return err
}
