package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// A segment file is
//
//	"ASG1" frame… index footer
//
// see docs/formats.md.
const (
	segmentMagic    = "ASG1"
	footerSize      = 20
	segmentOverhead = 4 + footerSize

	blockSize = 256 << 10 // a block ends with the entry that reaches this size
	maxRecord = 16 << 20  // a value is no longer
	maxBlock  = maxRecord + blockSize + 64<<10
	maxIndex  = 64 << 20 // an index is no longer, decompressed

	// encoderName is in each manifest: the compressed bytes are those of this
	// encoder, the content is the same for any.
	encoderName = "klauspost/compress v1.20.3 zstd best"

	spoolLimit  = 256 << 10 // bytes of a collection's frames that are kept in memory
	pendingJobs = 8         // blocks that are being compressed
)

// A block is what the index has of one.
type block struct {
	offset  int64 // in the file; not written, follows from the sizes
	size    uint64
	usize   uint64
	entries uint64
	first   []byte
	hash    [sha256.Size]byte // of the frame
}

// A segmentWriter writes a segment. Collections may be filled side by side;
// keys of each must ascend.
type segmentWriter struct {
	from, to uint64
	dict     *dictionary // nil for none
	enc      *zstd.Encoder
	temp     string // where frames wait for the others; default: the system's
	parts    map[string]*segmentPart
	pending  []*blockJob
	entries  uint64
}

// A segmentPart is one collection of a segment being written.
type segmentPart struct {
	raw        []byte
	first      []byte
	last       []byte
	count      uint64 // entries in raw
	entries    uint64
	blocks     []block
	frames     spool
	content    hash.Hash
	transforms []transform
}

type blockJob struct {
	part  *segmentPart
	block block
	frame []byte
	done  chan struct{}
}

func newSegmentWriter(from, to uint64, dict *dictionary) (*segmentWriter, error) {
	// Each of the encoder's workers takes 64 MiB, and as much again with a
	// dictionary; segments with one are small.
	workers := 2
	if dict != nil {
		workers = 1
	}
	opts := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(workers),
		zstd.WithWindowSize(1 << 20), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true),
	}
	if dict != nil {
		opts = append(opts, zstd.WithEncoderDictRaw(dict.id, dict.data))
	}
	enc, err := zstd.NewWriter(nil, opts...)
	if err != nil {
		return nil, err
	}
	return &segmentWriter{from: from, to: to, dict: dict, enc: enc, parts: map[string]*segmentPart{}}, nil
}

func (w *segmentWriter) part(collection string) *segmentPart {
	p, ok := w.parts[collection]
	if !ok {
		p = &segmentPart{content: sha256.New(), frames: spool{dir: w.temp}}
		w.parts[collection] = p
	}
	return p
}

// setTransforms gives a collection its transforms, in the order of releases.
func (w *segmentWriter) setTransforms(collection string, list []transform) {
	if len(list) > 0 {
		w.part(collection).transforms = list
	}
}

// add appends an entry to a collection.
func (w *segmentWriter) add(collection string, e entry) error {
	p := w.part(collection)
	if p.entries > 0 && bytes.Compare(e.key, p.last) <= 0 {
		return fmt.Errorf("%s: %q is not behind %q", collection, e.key, p.last)
	}
	if len(e.value) > maxRecord {
		return fmt.Errorf("%s: %q: %w", collection, e.key, ErrTooLarge)
	}
	p.last = append(p.last[:0], e.key...)
	if len(p.raw) == 0 {
		p.first = bytes.Clone(e.key)
	}
	p.raw = appendEntry(p.raw, e, w.to)
	p.count++
	p.entries++
	w.entries++
	if len(p.raw) >= blockSize {
		return w.cut(p)
	}
	return nil
}

// cut sends the open block of a part to be compressed.
func (w *segmentWriter) cut(p *segmentPart) error {
	if len(p.raw) == 0 {
		return nil
	}
	p.content.Write(p.raw)
	j := &blockJob{part: p, block: block{usize: uint64(len(p.raw)), entries: p.count, first: p.first}, done: make(chan struct{})}
	raw := p.raw
	p.raw, p.count = nil, 0
	go func() {
		defer close(j.done)
		j.frame = w.enc.EncodeAll(raw, nil)
		j.block.size, j.block.hash = uint64(len(j.frame)), sha256.Sum256(j.frame)
	}()
	w.pending = append(w.pending, j)
	if len(w.pending) < pendingJobs {
		return nil
	}
	return w.collect()
}

// collect takes the oldest block that was sent.
func (w *segmentWriter) collect() error {
	j := w.pending[0]
	w.pending = w.pending[1:]
	<-j.done
	j.part.blocks = append(j.part.blocks, j.block)
	_, err := j.part.frames.Write(j.frame)
	return err
}

// close frees what the writer holds on disk.
func (w *segmentWriter) close() error {
	var errs []error
	for _, p := range w.parts {
		errs = append(errs, p.frames.close())
	}
	return errors.Join(append(errs, w.enc.Close())...)
}

// finish writes the segment to dst.
func (w *segmentWriter) finish(dst io.Writer) (Segment, error) {
	s := Segment{From: w.from, To: w.to, Entries: w.entries}
	if w.dict != nil {
		s.Dictionary = w.dict.hash
	}
	names := slices.Sorted(maps.Keys(w.parts))
	for _, n := range names {
		if err := w.cut(w.parts[n]); err != nil {
			return s, err
		}
	}
	for len(w.pending) > 0 {
		if err := w.collect(); err != nil {
			return s, err
		}
	}
	h, content := sha256.New(), sha256.New()
	out := &countWriter{w: io.MultiWriter(dst, h)}
	out.Write([]byte(segmentMagic))
	for _, n := range names {
		p := w.parts[n]
		if err := p.frames.copy(out); err != nil {
			return s, err
		}
		content.Write(appendBytes(nil, []byte(n)))
		content.Write(p.content.Sum(nil))
		for _, b := range p.blocks {
			s.USize += int64(b.usize)
		}
	}
	raw := w.index(names)
	index := w.enc.EncodeAll(raw, nil)
	s.Index = Index{Offset: out.n, Size: int64(len(index)), USize: int64(len(raw)), SHA256: hashOf(index)}
	out.Write(index)
	foot := binary.LittleEndian.AppendUint64(nil, uint64(s.Index.Offset))
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(index)))
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(raw)))
	out.Write(append(foot, segmentMagic...))
	s.Size = out.n
	h.Sum(s.SHA256[:0])
	content.Sum(s.Content[:0])
	return s, out.err
}

// index writes the index.
func (w *segmentWriter) index(names []string) []byte {
	b := binary.AppendUvarint(nil, 1)
	b = binary.AppendUvarint(b, w.from)
	b = binary.AppendUvarint(b, w.to)
	var dict []byte
	if w.dict != nil {
		dict = w.dict.hash[:]
	}
	b = appendBytes(b, dict)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, n := range names {
		p := w.parts[n]
		b = appendBytes(b, []byte(n))
		b = binary.AppendUvarint(b, p.entries)
		b = appendBytes(b, appendTransforms(nil, p.transforms, w.to))
		b = binary.AppendUvarint(b, uint64(len(p.blocks)))
		for _, x := range p.blocks {
			b = binary.AppendUvarint(b, x.size)
			b = binary.AppendUvarint(b, x.usize)
			b = binary.AppendUvarint(b, x.entries)
			b = appendBytes(b, x.first)
			b = append(b, x.hash[:]...)
		}
	}
	return b
}

// A countWriter counts what is written and keeps the first error.
type countWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countWriter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.err = err
	return n, err
}

// A spool holds bytes in memory and, beyond spoolLimit, in a file.
type spool struct {
	dir  string
	buf  bytes.Buffer
	file *os.File
}

func (s *spool) Write(b []byte) (int, error) {
	if s.buf.Len()+len(b) > spoolLimit {
		if s.file == nil {
			f, err := os.CreateTemp(s.dir, "segment-*.part")
			if err != nil {
				return 0, err
			}
			// Unlinked at once: a killed process leaves nothing behind.
			if err := os.Remove(f.Name()); err != nil {
				f.Close()
				return 0, err
			}
			s.file = f
		}
		if _, err := s.buf.WriteTo(s.file); err != nil {
			return 0, err
		}
	}
	return s.buf.Write(b)
}

func (s *spool) copy(w io.Writer) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w, s.file); err != nil {
			return err
		}
	}
	_, err := w.Write(s.buf.Bytes())
	return err
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
