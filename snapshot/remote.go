package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
		return &ranges{ctx, l.r, b}, io.NopCloser(nil), nil
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

// ranges reads a blob in ranges.
type ranges struct {
	ctx context.Context
	r   Reader
	b   Blob
}

// ReadAt asks for what is behind off, and stops when it has enough.
func (r *ranges) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > r.b.Size {
		return 0, io.EOF
	}
	body, err := r.r.Open(r.ctx, r.b.name(), off)
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
