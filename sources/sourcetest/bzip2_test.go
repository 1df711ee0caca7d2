package sourcetest

import (
	"bytes"
	"compress/bzip2"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestBzip2Compress(t *testing.T) {
	random := make([]byte, 5000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	for _, in := range []string{
		"", "a", "aaaa", "abababab", strings.Repeat("a", 1000), "banana", string(random),
		strings.Repeat("<definition id=\"1\"/>\n", 300),
	} {
		got, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(bzip2Compress([]byte(in)))))
		if err != nil {
			t.Errorf("%.20q: %v", in, err)
		} else if string(got) != in {
			t.Errorf("%.20q: got %.20q", in, got)
		}
	}
}
