package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMirrors goes on to the next mirror, and mixes what two of them have.
func TestMirrors(t *testing.T) {
	w := newWorld(t, 13, 200)
	w.publish()
	c := w.client("replica")
	bad := &hostile{Reader: w.repo, change: func(name string, data []byte) []byte {
		if strings.HasPrefix(name, "blob/") {
			return append(bytes.Clone(data[:len(data)/2]), make([]byte, len(data)-len(data)/2)...)
		}
		return data
	}}
	short := &hostile{Reader: w.repo, change: func(name string, data []byte) []byte {
		if strings.HasPrefix(name, "blob/") {
			return data[:len(data)/3]
		}
		return data
	}}
	c.Mirrors = []Reader{short, bad, w.repo}
	if got := w.pull(c); got.Version != 1 {
		t.Errorf("pulled %+v", got)
	}
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "staging")); err == nil {
		t.Error("staging is still there")
	}
}

// TestPullStops lets a pull fail at every file that it opens; each time the
// replica is what it was, and in the end it arrives.
func TestPullStops(t *testing.T) {
	w := newWorld(t, 15, 100)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	w.churn()
	w.publish()
	c.Now = w.now
	broken := errors.New("connection reset")
	for n := range 100 {
		before := w.fileHash(c.Dir)
		opt := c
		opt.Mirrors = []Reader{&counted{w.repo, n, broken}}
		_, err := Pull(t.Context(), opt)
		if err == nil {
			if n < 5 {
				t.Errorf("only %d files", n)
			}
			break
		}
		if !errors.Is(err, broken) || w.fileHash(c.Dir) != before {
			t.Fatalf("file %d: %v", n, err)
		}
	}
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
}

// A counted fails once some files were opened.
type counted struct {
	Reader
	left int
	err  error
}

func (c *counted) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	if c.left--; c.left < 0 {
		return nil, c.err
	}
	return c.Reader.Open(ctx, name, offset)
}
