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
	"time"
)

// A hostile is a mirror that changes what it serves.
type hostile struct {
	Reader
	change func(name string, data []byte) []byte // nil: the file is not there
	pace   time.Duration                         // a byte in so much
}

func (h *hostile) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	f, err := h.Reader.Open(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	if h.change != nil {
		if data = h.change(name, data); data == nil {
			return nil, ErrNotFound
		}
	}
	var r io.Reader = bytes.NewReader(data[min(int(offset), len(data)):])
	if h.pace > 0 {
		r = &pacedReader{r, ctx, h.pace}
	}
	return io.NopCloser(r), nil
}

type pacedReader struct {
	r    io.Reader
	ctx  context.Context
	pace time.Duration
}

func (p *pacedReader) Read(b []byte) (int, error) {
	select {
	case <-time.After(p.pace):
		return p.r.Read(b[:1])
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

// copyRepo copies a repository as it is now.
func copyRepo(t *testing.T, w *world) *Dir {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	if err := os.CopyFS(dir, os.DirFS(w.repo.path)); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// refused pulls from a mirror, which must be refused for the reason, and must
// leave the replica as it was.
func refused(t *testing.T, w *world, opt PullOptions, m Reader, reason error) {
	t.Helper()
	before := w.fileHash(opt.Dir)
	opt.Mirrors = []Reader{m}
	_, err := Pull(t.Context(), opt)
	if !errors.Is(err, reason) {
		t.Errorf("error %v, want %v", err, reason)
	}
	if reason != ErrNotFound && !errors.Is(err, ErrRefused) {
		t.Errorf("%v is no refusal", err)
	}
	if w.fileHash(opt.Dir) != before {
		t.Error("the replica changed")
	}
}

// TestHostileMirror goes through the table of threats.
func TestHostileMirror(t *testing.T) {
	w := newWorld(t, 10, 120)
	w.publish()
	fork := newFork(t, w)
	c := w.client("replica")
	w.pull(c)
	one := copyRepo(t, w)
	w.churn()
	w.publish()
	two := copyRepo(t, w)
	c2 := w.client("second")
	c2.Now = w.now
	w.pull(c2)
	w.churn()
	w.publish()
	c.Now = w.now
	c3 := w.client("third")
	c3.Now = w.now
	w.pull(c3)

	change := func(part string, f func([]byte) []byte) Reader {
		return &hostile{Reader: w.repo, change: func(name string, data []byte) []byte {
			if strings.Contains(name, part) {
				return f(bytes.Clone(data))
			}
			return data
		}}
	}
	oldBytes := func(r Reader, name string) []byte {
		b, err := readAll(t.Context(), r, name, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("old", func(t *testing.T) {
		refused(t, w, c3, two, ErrRollback)
		refused(t, w, c3, one, ErrRollback)
	})
	t.Run("mixed", func(t *testing.T) {
		refused(t, w, c, change("3.snapshot.json", func([]byte) []byte { return oldBytes(two, "tuf/2.snapshot.json") }), ErrMismatch)
		refused(t, w, c, change("3.releases.json", func([]byte) []byte { return oldBytes(two, "tuf/2.releases.json") }), ErrMismatch)
		refused(t, w, c, change("blob/", func([]byte) []byte { return nil }), ErrNotFound)
	})
	t.Run("fork", func(t *testing.T) {
		refused(t, w, c2, fork(3), ErrFork)
	})
	t.Run("truncated", func(t *testing.T) {
		refused(t, w, c, change("blob/", func(b []byte) []byte { return b[:len(b)/2] }), ErrTruncated)
	})
	t.Run("oversized", func(t *testing.T) {
		refused(t, w, c, change("blob/", func(b []byte) []byte { return append(b, b...) }), ErrTooLarge)
		refused(t, w, c, change("timestamp", func([]byte) []byte { return make([]byte, 1<<20) }), ErrTooLarge)
		refused(t, w, c, change("release.json", func([]byte) []byte { return make([]byte, 8<<20) }), ErrTooLarge)
	})
	t.Run("slow", func(t *testing.T) {
		slow := c
		slow.MinSpeed, slow.Patience = 1000, 100*time.Millisecond
		refused(t, w, slow, &hostile{Reader: w.repo, pace: 5 * time.Millisecond}, ErrSlow)
	})
	t.Run("expired", func(t *testing.T) {
		late := c
		late.Now = w.now.AddDate(0, 0, 60)
		refused(t, w, late, w.repo, ErrExpired)
	})
	t.Run("wrong root", func(t *testing.T) {
		other := newWorld(t, 11, 5)
		fresh := w.client("fresh")
		fresh.Root, _ = other.keys.FirstRoot()
		refused(t, w, fresh, w.repo, ErrSignature)
		fresh.Root = nil
		refused(t, w, fresh, w.repo, ErrTrust)
	})
	t.Run("tampered", func(t *testing.T) { tampered(t, w, c) })
	if got := w.pull(c); got.Version != 3 || got.From != 1 {
		t.Errorf("after it all: %+v", got)
	}
}

// tampered changes one byte of each file that a pull reads, at its start, in
// its middle and at its end.
func tampered(t *testing.T, w *world, c PullOptions) {
	rec := &recorder{Reader: w.repo}
	probe := c
	probe.Dir = filepath.Join(w.temp, "probe")
	if err := os.CopyFS(probe.Dir, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	probe.Mirrors = []Reader{rec}
	if _, err := Pull(t.Context(), probe); err != nil {
		t.Fatal(err)
	}
	if len(rec.names) < 6 {
		t.Fatalf("a pull read %v only", rec.names)
	}
	for _, name := range rec.names {
		for _, at := range []float64{0, 0.3, 0.5, 0.7, 1} {
			m := &hostile{Reader: w.repo, change: func(n string, data []byte) []byte {
				if n == name {
					data = bytes.Clone(data)
					data[int(at*float64(len(data)-1))] ^= 1
				}
				return data
			}}
			before := w.fileHash(c.Dir)
			opt := c
			opt.Mirrors = []Reader{m}
			if _, err := Pull(t.Context(), opt); !errors.Is(err, ErrRefused) {
				t.Errorf("%s at %.1f: %v", name, at, err)
			}
			if w.fileHash(c.Dir) != before {
				t.Fatalf("%s at %.1f: the replica changed", name, at)
			}
		}
	}
}

// newFork keeps what is needed to publish another history with the same keys
// later.
func newFork(t *testing.T, w *world) func(releases int) Reader {
	repo := copyRepo(t, w)
	return func(releases int) Reader {
		other := *w
		other.repo = repo
		other.dir = filepath.Join(t.TempDir(), "publisher")
		for range releases {
			other.churn()
			other.publish()
		}
		return repo
	}
}

// TestSignedLie publishes, with all signatures in order, a release whose
// segments do not lead to its state.
func TestSignedLie(t *testing.T) {
	w := newWorld(t, 12, 80)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	w.churn()
	opt := w.publishOptions()
	p := &publisher{PublishOptions: opt, temp: t.TempDir()}
	p.BaseEvery, p.MaxOfflineAge = 512, time.Hour
	if err := p.current(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.lib = newLibrary(w.repo, p.cur.manifest, p.temp)
	defer p.lib.close()
	if err := p.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := &p.m.Collections[len(p.m.Collections)-1]
	last.Root[0] ^= 1
	p.m.StateRoot = topRoot(p.m.Collections)
	if err := p.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Now = w.now
	refused(t, w, c, w.repo, ErrState)
}
