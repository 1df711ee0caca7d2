package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// piecesSuffix is of the name of a file that has the index and some of the
// blocks of a segment, each where it is in the segment, and nothing between.
const piecesSuffix = ".pieces"

// worthPieces is the percentage of a segment up to which its pieces are
// fetched alone.
const worthPieces = 80

// A partFetcher brings of segments what a selection needs: their index, and
// the blocks of the collections that it wants. Index and blocks have hashes
// that are signed, and are verified before they are written.
type partFetcher struct {
	fetcher
	lib        *library // of dictionaries
	sel        selection
	wholeBelow int64 // segments of fewer bytes are fetched whole; 0: wholeSegment
	disk       disk
}

// fetch makes sure that what is needed of a segment is in the folder.
func (f *partFetcher) fetch(ctx context.Context, s Segment) error {
	least := f.wholeBelow
	if least == 0 {
		least = wholeSegment
	}
	if f.sel == nil || s.Size < least || f.has(s.Blob) {
		return f.fetcher.fetch(ctx, s.Blob)
	}
	enough, err := f.pieces(ctx, s)
	if enough && err == nil {
		return nil
	}
	if err != nil && !errors.Is(err, errNoRange) {
		return err
	}
	return errors.Join(f.fetcher.fetch(ctx, s.Blob), os.Remove(f.path(s.Blob)+piecesSuffix))
}

// pieces fetches the index and the blocks that are wanted. It returns false
// where these are so much that the whole is better.
func (f *partFetcher) pieces(ctx context.Context, s Segment) (enough bool, err error) {
	dict, err := f.lib.dictionary(ctx, s.Dictionary)
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return false, err
	}
	out, err := os.OpenFile(f.path(s.Blob)+piecesSuffix, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	index := block{offset: s.Index.Offset, size: uint64(s.Index.Size), hash: s.Index.SHA256}
	if err := f.run(ctx, s, out, missing(out, []block{index})); err != nil {
		return false, fmt.Errorf("index: %w", err)
	}
	r, err := openSegment(out, s, dict)
	if err != nil {
		return false, err
	}
	defer r.close()
	wanted := r.wanted(f.sel)
	if carried(wanted)*100 > s.Size*worthPieces {
		return false, nil
	}
	left := missing(out, wanted)
	if err := f.disk.check(f.dir, carried(left)); err != nil {
		return false, err
	}
	for _, run := range runs(left) {
		if err := f.run(ctx, s, out, run); err != nil {
			return false, err
		}
	}
	return true, nil
}

// wanted returns the blocks of the collections of a selection, in the order of
// the file.
func (s *segmentReader) wanted(sel selection) (list []block) {
	for i := range s.parts {
		if sel.wants(s.parts[i].name) {
			list = append(list, s.parts[i].blocks...)
		}
	}
	return list
}

// carried is the sum of the sizes of blocks in the file.
func carried(list []block) (n int64) {
	for _, b := range list {
		n += int64(b.size)
	}
	return n
}

// missing returns those of the blocks that a file does not have yet.
func missing(f io.ReaderAt, list []block) (out []block) {
	var frame []byte
	for _, b := range list {
		if frame = append(frame[:0], make([]byte, b.size)...); readFull(f, frame, b.offset) != nil || sha256.Sum256(frame) != b.hash {
			out = append(out, b)
		}
	}
	return out
}

// runs groups blocks that are fetched with one request: what lies between two
// of them costs less than another.
func runs(list []block) (out [][]block) {
	for i, b := range list {
		if i == 0 || b.offset-list[i-1].end() > fileCost {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], b)
	}
	return out
}

// end is the offset behind a block.
func (b *block) end() int64 { return b.offset + int64(b.size) }

// run fetches blocks with one request, or, after an error, those that are left
// with another.
func (f *partFetcher) run(ctx context.Context, s Segment, out *os.File, list []block) error {
	return f.try(ctx, s.Blob, func(m Reader) error {
		for len(list) > 0 {
			done, err := f.request(ctx, m, s, out, list)
			if list = list[done:]; err != nil {
				return err
			}
		}
		return nil
	})
}

// request asks a mirror for blocks, and writes each that is right. It returns
// how many those are.
func (f *partFetcher) request(ctx context.Context, m Reader, s Segment, out *os.File, list []block) (done int, err error) {
	at := list[0].offset
	in, err := openRange(ctx, m, s.name(), at, list[len(list)-1].end()-at)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	var frame []byte
	for i, b := range list {
		if _, err := io.CopyN(io.Discard, in, b.offset-at); err != nil {
			return i, short(err)
		}
		frame = append(frame[:0], make([]byte, b.size)...)
		if _, err := io.ReadFull(in, frame); err != nil {
			return i, short(err)
		}
		if at = b.end(); sha256.Sum256(frame) != b.hash {
			return i, fmt.Errorf("%d bytes from %d: %w", b.size, b.offset, ErrMismatch)
		}
		if _, err := out.WriteAt(frame, b.offset); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// short is err, or, of what ended early, ErrTruncated.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrTruncated
	}
	return err
}
