package snapshot

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// A segmentReader reads a segment whose index is verified. Each block is
// verified by its own hash before it is decompressed.
type segmentReader struct {
	info  Segment
	src   io.ReaderAt
	dec   *zstd.Decoder
	parts []segmentTable // by name
}

// A segmentTable is what the index has of one collection.
type segmentTable struct {
	name       string
	entries    uint64
	transforms []transform
	blocks     []block
}

// openSegment reads the index of a segment. dict is the dictionary that it
// was written with, nil for none.
func openSegment(src io.ReaderAt, info Segment, dict *dictionary) (*segmentReader, error) {
	packed := make([]byte, info.Index.Size)
	if err := readFull(src, packed, info.Index.Offset); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if hashOf(packed) != info.Index.SHA256 {
		return nil, fmt.Errorf("index: %w", ErrMismatch)
	}
	dec, err := newDecoder(maxIndex, dict)
	if err != nil {
		return nil, err
	}
	raw, err := decodeFrame(dec, packed, uint64(info.Index.USize), nil)
	if err != nil {
		dec.Close()
		return nil, fmt.Errorf("index: %w", err)
	}
	s := &segmentReader{info: info, src: src, dec: dec}
	if err := s.readIndex(raw, dict); err != nil {
		dec.Close()
		return nil, fmt.Errorf("index: %w", err)
	}
	return s, nil
}

func newDecoder(limit uint64, dict *dictionary) (*zstd.Decoder, error) {
	opts := []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(limit), zstd.WithDecoderMaxWindow(128 << 20), zstd.WithDecoderLowmem(true),
	}
	if dict != nil {
		opts = append(opts, zstd.WithDecoderDictRaw(dict.id, dict.data))
	}
	return zstd.NewReader(nil, opts...)
}

func readFull(src io.ReaderAt, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return ErrTruncated
	}
	return err
}

// decodeFrame decompresses one frame that says, and has, exactly size bytes.
func decodeFrame(dec *zstd.Decoder, frame []byte, size uint64, dst []byte) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSegment, err)
	}
	if !h.HasFCS || h.FrameContentSize != size || h.Skippable {
		return nil, fmt.Errorf("frame of %d bytes, %d were signed: %w", h.FrameContentSize, size, ErrTooLarge)
	}
	out, err := dec.DecodeAll(frame, dst)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSegment, err)
	}
	if uint64(len(out)) != size {
		return nil, fmt.Errorf("%d bytes, %d were signed: %w", len(out), size, ErrTooLarge)
	}
	return out, nil
}

func (s *segmentReader) readIndex(raw []byte, dict *dictionary) error {
	r := &byteReader{b: raw}
	if v, from, to := r.uvarint(), r.uvarint(), r.uvarint(); v != 1 || from != s.info.From || to != s.info.To {
		return fmt.Errorf("%w: version %d, (%d,%d]", ErrSegment, v, from, to)
	}
	used := r.bytes()
	if dict == nil && len(used) > 0 || dict != nil && !bytes.Equal(used, dict.hash[:]) {
		return fmt.Errorf("%w: another dictionary", ErrSegment)
	}
	offset, total := int64(len(segmentMagic)), uint64(0)
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		t, err := s.readTable(r, &offset)
		if err != nil {
			return err
		}
		if k := len(s.parts); k > 0 && t.name <= s.parts[k-1].name {
			return fmt.Errorf("%w: collection %q is out of order", ErrSegment, t.name)
		}
		for _, b := range t.blocks {
			total += b.usize
		}
		s.parts = append(s.parts, t)
	}
	if r.bad || len(r.b) > 0 || offset != s.info.Index.Offset || total != uint64(s.info.USize) {
		return fmt.Errorf("%w: sizes", ErrSegment)
	}
	return nil
}

func (s *segmentReader) readTable(r *byteReader, offset *int64) (t segmentTable, err error) {
	t.name, t.entries = string(r.bytes()), r.uvarint()
	tr := &byteReader{b: r.bytes()}
	if r.bad {
		return t, ErrTruncated
	}
	if t.transforms, err = tr.transforms(s.info.From, s.info.To); err != nil {
		return t, fmt.Errorf("%s: %w", t.name, err)
	}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		b := block{offset: *offset, size: r.uvarint(), usize: r.uvarint(), entries: r.uvarint(), first: r.bytes()}
		copy(b.hash[:], r.take(sha256.Size))
		if b.usize > maxBlock || b.size > maxBlock || b.size > uint64(s.info.Size) {
			return t, fmt.Errorf("%s: block: %w", t.name, ErrTooLarge)
		}
		*offset += int64(b.size)
		t.blocks = append(t.blocks, b)
	}
	return t, nil
}

func (s *segmentReader) close() { s.dec.Close() }

// table returns what the segment has of a collection, nil for nothing.
func (s *segmentReader) table(name string) *segmentTable {
	i, ok := slices.BinarySearchFunc(s.parts, name, func(t segmentTable, n string) int { return bytes.Compare([]byte(t.name), []byte(n)) })
	if !ok {
		return nil
	}
	return &s.parts[i]
}

// A segmentCursor walks the entries of one collection.
type segmentCursor struct {
	s     *segmentReader
	t     *segmentTable
	at    int // the next block
	frame []byte
	raw   []byte
	rest  byteReader
	left  uint64 // entries of the block
	last  []byte
	e     entry
}

func (s *segmentReader) cursor(t *segmentTable) *segmentCursor { return &segmentCursor{s: s, t: t} }

// next moves to the next entry, c.e, which is good until the call after; it
// returns false at the end.
func (c *segmentCursor) next() (bool, error) {
	for c.left == 0 {
		if len(c.rest.b) > 0 {
			return false, fmt.Errorf("%s: %w: block has more entries than said", c.t.name, ErrSegment)
		}
		if c.at == len(c.t.blocks) {
			return false, nil
		}
		if err := c.load(); err != nil {
			return false, fmt.Errorf("%s: block %d: %w", c.t.name, c.at, err)
		}
	}
	c.left--
	e, err := c.rest.entry(c.s.info.From, c.s.info.To)
	if err != nil {
		return false, fmt.Errorf("%s: %w", c.t.name, err)
	}
	if c.last != nil && bytes.Compare(e.key, c.last) <= 0 {
		return false, fmt.Errorf("%s: %w: %q is out of order", c.t.name, ErrSegment, e.key)
	}
	c.last = append(c.last[:0], e.key...)
	c.e = e
	return true, nil
}

// load reads the next block.
func (c *segmentCursor) load() error {
	b := &c.t.blocks[c.at]
	c.frame = slices.Grow(c.frame[:0], int(b.size))[:b.size]
	if err := readFull(c.s.src, c.frame, b.offset); err != nil {
		return err
	}
	if sha256.Sum256(c.frame) != b.hash {
		return ErrMismatch
	}
	raw, err := decodeFrame(c.s.dec, c.frame, b.usize, c.raw[:0])
	if err != nil {
		return err
	}
	c.at++
	c.raw, c.rest, c.left = raw, byteReader{b: raw}, b.entries
	return nil
}
