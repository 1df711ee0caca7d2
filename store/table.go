package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"
)

// A table is a sorted map from key to value in two buckets: blocks of about
// blockSize bytes under zstd, keyed by their first key, and an overlay that
// holds what changed since the blocks were written (an empty value is a
// deletion; no value of a table is empty). What the overlay has goes before
// what the blocks have.
type table struct {
	blocks, overlay *bolt.Bucket
}

// blockSize is the size of a block before compression. 64 KiB were measured to
// cost 39 µs a lookup and to compress as well as larger ones.
const blockSize = 64 << 10

var (
	errCorrupt = errors.New("corrupt block")
	errNoIndex = errors.New("no such index")
)

// openTable returns the table under the given name in tx, and whether it is there.
func openTable(tx *bolt.Tx, name string) (table, bool) {
	b := tx.Bucket([]byte(name))
	if b == nil {
		return table{}, false
	}
	return table{b.Bucket([]byte("blocks")), b.Bucket([]byte("overlay"))}, true
}

func createTable(tx *bolt.Tx, name string) (table, error) {
	b, err := tx.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return table{}, err
	}
	blocks, err := b.CreateBucketIfNotExists([]byte("blocks"))
	if err != nil {
		return table{}, err
	}
	overlay, err := b.CreateBucketIfNotExists([]byte("overlay"))
	return table{blocks, overlay}, err
}

// get returns the value of key, nil where there is none. It is a copy.
func (t table) get(key []byte) ([]byte, error) {
	if v := t.overlay.Get(key); v != nil {
		return decompressValue(v)
	}
	c := t.blocks.Cursor()
	k, v := c.Seek(key)
	if !bytes.Equal(k, key) {
		if k, v = c.Prev(); k == nil {
			return nil, nil
		}
	}
	raw := blockBuffers.Get().(*[]byte)
	defer blockBuffers.Put(raw)
	b, err := decoder().DecodeAll(v, (*raw)[:0])
	if err != nil {
		return nil, fmt.Errorf("block %q: %w", k, err)
	}
	*raw = b
	for len(b) > 0 {
		var ek, ev []byte
		if ek, ev, b, err = cutEntry(b); err != nil {
			return nil, fmt.Errorf("block %q: %w", k, err)
		}
		switch bytes.Compare(ek, key) {
		case 0:
			return bytes.Clone(ev), nil
		case 1:
			return nil, nil
		}
	}
	return nil, nil
}

// lookup calls yield with the index and value of each of the keys that is
// there; keys must ascend. It reads each block once. The value is good until
// yield returns.
func (t table) lookup(keys []string, yield func(i int, v []byte) error) error {
	blocks := blockReader{cur: t.blocks.Cursor()}
	var bk, bv []byte
	over := false
	for i, key := range keys {
		if v := t.overlay.Get([]byte(key)); v != nil {
			raw, err := decompressValue(v)
			if err == nil && raw != nil {
				err = yield(i, raw)
			}
			if err != nil {
				return err
			}
			continue
		}
		if over {
			continue
		}
		var err error
		if bk, bv, err = blocks.seek(bk, bv, key); err != nil {
			return err
		}
		over = bk == nil // there is nothing at this key or behind it
		if bk != nil && string(bk) == key {
			if err := yield(i, bv); err != nil {
				return err
			}
		}
	}
	return nil
}

// seek goes on from the entry k, v to the first at or behind key: within the
// block at hand where that may hold it.
func (r *blockReader) seek(k, v []byte, key string) ([]byte, []byte, error) {
	if k == nil || len(r.rest) == 0 || !r.holds(key) {
		r.start, r.begun, r.rest = []byte(key), false, nil
		return r.next()
	}
	var err error
	for k != nil && string(k) < key && err == nil {
		k, v, err = r.next()
	}
	return k, v, err
}

// holds reports whether the block at hand may hold key: the next begins
// behind it.
func (r *blockReader) holds(key string) bool {
	k, _ := r.cur.Next()
	r.cur.Prev()
	return k == nil || string(k) > key
}

// put makes v the value of key; v must not be empty.
func (t table) put(key, v []byte) error {
	return t.overlay.Put(key, fastEncoder().EncodeAll(v, nil))
}

// delete takes key away. The value is empty and not nil: within its own
// transaction bbolt gives back what was put, and nil would be "not there".
func (t table) delete(key []byte) error { return t.overlay.Put(key, []byte{}) }

// from yields the entries at or after key in order; key and value are good
// until the next step. After it *errp holds what went wrong.
func (t table) from(start []byte, errp *error) pairs {
	return func(yield func(k, v []byte) bool) {
		base := blockReader{cur: t.blocks.Cursor(), start: start}
		over := t.overlay.Cursor()
		ok, ov := over.Seek(start)
		bk, bv, err := base.next()
		for err == nil && (bk != nil || ok != nil) {
			c := -1
			if bk == nil {
				c = 1
			} else if ok != nil {
				c = bytes.Compare(bk, ok)
			}
			if c < 0 {
				if !yield(bk, bv) {
					return
				}
				bk, bv, err = base.next()
				continue
			}
			if len(ov) > 0 {
				var v []byte
				if v, err = decompressValue(ov); err != nil {
					err = fmt.Errorf("%q: %w", ok, err)
					break
				}
				if !yield(ok, v) {
					return
				}
			}
			ok, ov = over.Next()
			if c == 0 {
				bk, bv, err = base.next()
			}
		}
		*errp = err
	}
}

// blockReader walks the entries of the blocks from start on.
type blockReader struct {
	cur   *bolt.Cursor
	start []byte
	begun bool
	raw   []byte
	rest  []byte
}

// next returns a nil key at the end.
func (r *blockReader) next() (k, v []byte, err error) {
	for {
		for len(r.rest) == 0 {
			if k, v = r.step(); k == nil {
				return nil, nil, nil
			}
			if r.raw, err = decoder().DecodeAll(v, r.raw[:0]); err != nil {
				return nil, nil, fmt.Errorf("block %q: %w", k, err)
			}
			r.rest = r.raw
		}
		if k, v, r.rest, err = cutEntry(r.rest); err != nil {
			return nil, nil, err
		}
		if bytes.Compare(k, r.start) >= 0 {
			return k, v, nil
		}
	}
}

// step moves to the next block; the first is the one that may hold start.
func (r *blockReader) step() (k, v []byte) {
	if r.begun {
		return r.cur.Next()
	}
	r.begun = true
	k, v = r.cur.Seek(r.start)
	if bytes.Equal(k, r.start) && k != nil {
		return k, v
	}
	if pk, pv := r.cur.Prev(); pk != nil {
		return pk, pv
	}
	return r.cur.Seek(r.start)
}

// cutEntry splits the first entry off b: uvarint key size, key, uvarint value
// size, value.
func cutEntry(b []byte) (k, v, rest []byte, err error) {
	if k, b, err = cutBytes(b); err != nil {
		return nil, nil, nil, err
	}
	v, rest, err = cutBytes(b)
	return k, v, rest, err
}

func cutBytes(b []byte) (head, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, errCorrupt
	}
	end := w + int(n)
	return b[w:end:end], b[end:], nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// A blockWriter packs sorted entries into blocks.
type blockWriter struct {
	enc   *zstd.Encoder
	flush func(first, block []byte) error
	first []byte
	raw   []byte
	out   []byte
}

// add appends an entry; keys must ascend.
func (w *blockWriter) add(key, value []byte) error {
	if len(w.raw) == 0 {
		w.first = append(w.first[:0], key...)
	}
	w.raw = appendBytes(appendBytes(w.raw, key), value)
	if len(w.raw) >= blockSize {
		return w.end()
	}
	return nil
}

// end writes the block that is open.
func (w *blockWriter) end() error {
	if len(w.raw) == 0 {
		return nil
	}
	w.out = w.enc.EncodeAll(w.raw, w.out[:0])
	w.raw = w.raw[:0]
	return w.flush(w.first, w.out)
}

// maxValue bounds what one compressed value may decompress to.
const maxValue = 256 << 20

var (
	blockBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2*blockSize); return &b }}

	// fastEncoder packs what is written often, denseEncoder what is kept and
	// handed on.
	fastEncoder  = sync.OnceValue(func() *zstd.Encoder { return newEncoder(zstd.SpeedFastest) })
	denseEncoder = sync.OnceValue(func() *zstd.Encoder { return newEncoder(zstd.SpeedDefault) })

	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxValue))
		if err != nil {
			panic(err) // the options are constant
		}
		return d
	})
)

func newEncoder(level zstd.EncoderLevel) *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // the options are constant
	}
	return e
}

// decompressValue returns what an overlay value holds, nil for a deletion.
func decompressValue(v []byte) ([]byte, error) {
	if len(v) == 0 {
		return nil, nil
	}
	return decoder().DecodeAll(v, nil)
}
