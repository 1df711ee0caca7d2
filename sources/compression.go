package sources

import (
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds what a zstd stream may make its reader hold. Archives made
// with "zstd --long" use 128 MiB.
const maxWindow = 128 << 20

// compression returns by which means the body of address is compressed, as its
// path's ending tells: "gz", "bz2", "zst", "xz" or "".
func compression(address string) string {
	p := address
	if u, err := url.Parse(address); err == nil {
		p = u.Path
	}
	switch ext := strings.TrimPrefix(path.Ext(p), "."); ext {
	case "gz", "bz2", "zst", "xz":
		return ext
	case "tgz":
		return "gz"
	}
	return ""
}

// decompress returns what r yields in plain. Its end is reached only where
// the checksum was right and nothing follows.
func decompress(kind string, r io.Reader) (io.Reader, error) {
	switch kind {
	case "":
		return r, nil
	case "gz":
		return &lazyGzip{r: r}, nil
	case "bz2":
		return bzip2.NewReader(r), nil
	case "xz":
		return newXZ(r), nil
	case "zst":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	}
	return nil, fmt.Errorf("%s compression: %w", kind, errors.ErrUnsupported)
}

// lazyGzip reads the header of the stream when the stream is read, so that
// its errors come where those of the rest come. An empty stream is an error.
type lazyGzip struct {
	r io.Reader
	z *gzip.Reader
}

func (g *lazyGzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.r)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, fmt.Errorf("gzip: %w", err)
		}
		g.z = z
	}
	n, err := g.z.Read(p)
	if err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("gzip: %w", err)
	}
	return n, err
}
