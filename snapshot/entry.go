package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/advdb/advdb/normalize"
)

// Operations of a segment.
const (
	opPut    = 'P' // value: the record's or row's canonical JSON
	opDelete = 'D' // no value
	opTouch  = 'T' // value: the new modified of a record of which nothing else changed
)

// An entry is what a segment says of one key of one collection.
type entry struct {
	op      byte
	release uint64 // in which the key became what the entry says
	key     []byte
	value   []byte
}

// appendEntry appends the entry as a block of a segment up to release to has it.
func appendEntry(dst []byte, e entry, to uint64) []byte {
	dst = append(dst, e.op)
	dst = binary.AppendUvarint(dst, to-e.release)
	dst = appendBytes(dst, e.key)
	if e.op == opDelete {
		return dst
	}
	return appendBytes(dst, e.value)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// A byteReader takes values off a slice; after an error all are zero.
type byteReader struct {
	b   []byte
	bad bool
}

func (r *byteReader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *byteReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func (r *byteReader) bytes() []byte { return r.take(r.uvarint()) }

// entry reads one entry of a segment (from, to].
func (r *byteReader) entry(from, to uint64) (entry, error) {
	var e entry
	if op := r.take(1); len(op) == 1 {
		e.op = op[0]
	}
	age := r.uvarint()
	e.key = r.bytes()
	if e.op == opPut || e.op == opTouch {
		e.value = r.bytes()
	}
	switch {
	case r.bad:
		return e, fmt.Errorf("entry: %w", ErrTruncated)
	case e.op != opPut && e.op != opDelete && e.op != opTouch:
		return e, fmt.Errorf("%w: operation %q", ErrSegment, e.op)
	case age >= to-from || len(e.key) == 0 || len(e.value) > maxRecord || e.op == opPut && len(e.value) == 0:
		return e, fmt.Errorf("%w: entry %q", ErrSegment, e.key)
	}
	e.release = to - age
	return e, nil
}

// touch returns the record with another modified.
func touch(data []byte, modified string) ([]byte, error) {
	r, err := normalize.Decode(data)
	if err != nil {
		return nil, err
	}
	r.Modified = modified
	return normalize.AppendEncode(nil, r)
}

// valueHash is the hash by which a state knows a value.
func valueHash(v []byte) [sha256.Size]byte { return sha256.Sum256(v) }
