package sources

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// withGoogleSum returns a reader of body that ends in ErrChecksum unless the bytes
// have the CRC-32C that Google Cloud Storage publishes with an object, as
// X-Goog-Hash: crc32c=<base64, big-endian>. An answer that has none, or whose
// bytes are not those of the object as stored, is read as it is.
func withGoogleSum(resp *http.Response, body io.Reader) io.Reader {
	want, ok := googleSum(resp.Header)
	stored := resp.Header.Get("X-Goog-Stored-Content-Encoding")
	encoded := stored != "" && stored != "identity"
	if !ok || resp.Uncompressed || encoded || resp.StatusCode != http.StatusOK {
		return body
	}
	return &googleSummed{r: body, want: want}
}

// googleSum reads the header, which may be repeated and hold several sums.
func googleSum(h http.Header) (uint32, bool) {
	for _, line := range h.Values("X-Goog-Hash") {
		for field := range strings.SplitSeq(line, ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(field), "crc32c=")
			if !ok {
				continue
			}
			if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) == 4 {
				return binary.BigEndian.Uint32(b), true
			}
		}
	}
	return 0, false
}

type googleSummed struct {
	r         io.Reader
	want, sum uint32
}

func (s *googleSummed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum = crc32.Update(s.sum, castagnoli, p[:n])
	if err == io.EOF && s.sum != s.want {
		err = fmt.Errorf("CRC-32C %08x, published %08x: %w", s.sum, s.want, ErrChecksum)
	}
	return n, err
}
