package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// wholeSegment is up to which size a segment is read whole where only a few
// of its blocks are asked for.
const wholeSegment = 256 << 10

// pieces opens a segment for a few of its blocks, wherever it is: index and
// blocks have hashes of their own. It must be closed.
func (l *Releases) pieces(ctx context.Context, lib *library, s Segment) (*segmentReader, io.Closer, error) {
	src, shut, err := l.source(ctx, s.Blob)
	if err != nil {
		return nil, nil, err
	}
	dict, err := lib.dictionary(ctx, s.Dictionary)
	if err != nil {
		return nil, nil, errors.Join(err, shut.Close())
	}
	r, err := openSegment(src, s, dict)
	if err != nil {
		return nil, nil, errors.Join(err, shut.Close())
	}
	return r, closers{shut, r}, nil
}

// closers are closed together.
type closers struct {
	file    io.Closer
	segment *segmentReader
}

func (c closers) Close() error {
	c.segment.close()
	return c.file.Close()
}

// source returns the bytes of a blob: of a folder's file, of memory, or of
// ranges that are asked for as they are needed.
func (l *Releases) source(ctx context.Context, b Blob) (io.ReaderAt, io.Closer, error) {
	f, err := l.local(b)
	if err != nil {
		return nil, nil, err
	}
	if f != nil {
		return f, f, nil
	}
	if b.Size > wholeSegment {
		r := &ranges{ctx: ctx, r: l.r, b: b}
		return r, r, nil
	}
	data, err := readAll(ctx, l.r, b.name(), b.Size)
	if err != nil {
		return nil, nil, err
	}
	if hashOf(data) != b.SHA256 {
		return nil, nil, fmt.Errorf("%s: %w", b.name(), ErrMismatch)
	}
	return bytes.NewReader(data), io.NopCloser(nil), nil
}

// ranges reads a blob in ranges, or, where nobody sends these, out of a copy.
type ranges struct {
	ctx  context.Context
	r    Reader
	b    Blob
	dir  string   // of the copy, empty for none
	copy *os.File // nil for none
}

// ReadAt asks for a range.
func (r *ranges) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > r.b.Size {
		return 0, io.EOF
	}
	if r.copy != nil {
		return r.copy.ReadAt(p, off)
	}
	body, err := openRange(r.ctx, r.r, r.b.name(), off, int64(len(p)))
	if errors.Is(err, errNoRange) {
		if err := r.fetch(); err != nil {
			return 0, err
		}
		return r.copy.ReadAt(p, off)
	}
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// fetch copies the whole blob.
func (r *ranges) fetch() (err error) {
	if r.dir, err = os.MkdirTemp("", "advdb-segment-*"); err != nil {
		return err
	}
	f := &fetcher{mirrors: []Reader{r.r}, dir: r.dir, retries: 2}
	if err := f.fetch(r.ctx, r.b); err != nil {
		return err
	}
	r.copy, err = os.Open(f.path(r.b))
	return err
}

// Close deletes the copy.
func (r *ranges) Close() error {
	var err error
	if r.copy != nil {
		err = r.copy.Close()
	}
	if r.dir != "" {
		err = errors.Join(err, os.RemoveAll(r.dir))
	}
	return err
}
