package sources

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ulikunitz/xz"
)

// lazyXZ reads the header of the stream when the stream is read, so that its
// errors come where those of the rest come. Checksums are compared, and nothing
// but padding may follow the stream.
//
// The dictionary, as large as the stream says, is held in memory: a first
// block that wants more than maxWindow is refused.
type lazyXZ struct {
	r *bufio.Reader
	z *xz.Reader
}

func newXZ(r io.Reader) *lazyXZ { return &lazyXZ{r: bufio.NewReaderSize(r, 64<<10)} }

func (x *lazyXZ) Read(p []byte) (int, error) {
	if x.z == nil {
		if err := x.open(); err != nil {
			return 0, fmt.Errorf("xz: %w", err)
		}
	}
	n, err := x.z.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("xz: %w", err)
	}
	return n, err
}

func (x *lazyXZ) open() error {
	head, err := x.r.Peek(xzHeader + 1024)
	if len(head) < xzHeader {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if size := xzDictionary(head[xzHeader:]); size > maxWindow {
		return fmt.Errorf("dictionary of %d bytes: %w", size, ErrTooLarge)
	}
	x.z, err = xz.ReaderConfig{DictCap: 1 << 16}.NewReader(x.r)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// xzHeader is the size of a stream's header.
const xzHeader = 12

// xzDictionary returns the size of the dictionary, in bytes, that the LZMA2
// filter of a block wants; 0 where the header does not say, for the decoder
// to refuse.
//
// Source: The .xz File Format 1.2.1, 3.1 and 5.3.1.
func xzDictionary(header []byte) int64 {
	if len(header) < 2 || header[0] == 0 {
		return 0
	}
	flags, rest := header[1], header[2:]
	for _, present := range []byte{0x40, 0x80} {
		if flags&present != 0 {
			_, n := binary.Uvarint(rest)
			if n <= 0 {
				return 0
			}
			rest = rest[n:]
		}
	}
	for range flags&3 + 1 {
		id, n := binary.Uvarint(rest)
		size, m := binary.Uvarint(rest[max(n, 0):])
		if n <= 0 || m <= 0 || uint64(len(rest)-n-m) < size {
			return 0
		}
		rest = rest[n+m:]
		if id == 0x21 && size == 1 {
			bits := rest[0] & 0x3f
			return int64(2|bits&1) << (bits/2 + 11)
		}
		rest = rest[size:]
	}
	return 0
}
