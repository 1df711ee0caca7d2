package snapshot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
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

// A failing is a repository whose disk is full after some writes.
type failing struct {
	*Dir
	left int
}

var errFull = errors.New("no space left on device")

func (f *failing) spend() error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return nil
}

func (f *failing) Create(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Dir.Create(ctx, name, size, r)
}

func (f *failing) Write(ctx context.Context, name string, data []byte) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Dir.Write(ctx, name, data)
}

func (f *failing) Swap(ctx context.Context, name string, data, was []byte) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Dir.Swap(ctx, name, data, was)
}

// TestPublishStops stops a publish at every write: clients see the release
// before, the next run goes on, and the log never tells two stories.
func TestPublishStops(t *testing.T) {
	w := newWorld(t, 14, 60)
	w.publish()
	watcher := w.client("watcher")
	w.pull(watcher)
	version := uint64(1)
	for stop := range 40 {
		w.churn()
		opt := w.publishOptions()
		opt.Repo = &failing{w.repo, stop}
		out, err := Publish(t.Context(), opt)
		opt.DB.Close()
		if err == nil {
			if stop < 8 {
				t.Errorf("only %d writes", stop)
			}
			return
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		watcher.Now = w.now
		if got := w.pull(watcher); got.Version != version {
			t.Fatalf("stopped at %d: clients see %d, want %d", stop, got.Version, version)
		}
		w.churn()
		out = w.publish()
		version = out.Version
		watcher.Now = w.now
		if got := w.pull(watcher); got.StateRoot != out.StateRoot {
			t.Fatalf("stopped at %d: %+v, published %+v", stop, got, out)
		}
	}
	t.Error("a publish of more than 40 writes")
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

// TestTwoPublishers lets two publish at once: one is told.
func TestTwoPublishers(t *testing.T) {
	w := newWorld(t, 16, 30)
	w.publish()
	w.churn()
	unlock, err := w.repo.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opt := w.publishOptions()
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrConflict) {
		t.Errorf("beside another: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := w.repo.Swap(t.Context(), "tuf/timestamp.json", []byte("x"), []byte("y")); !errors.Is(err, ErrConflict) {
		t.Errorf("swap of something else: %v", err)
	}
	if _, err := Publish(t.Context(), opt); err != nil {
		t.Error(err)
	}
}

// TestGates refuses to sign what does not look right.
func TestGates(t *testing.T) {
	w := newWorld(t, 17, 100)
	w.publish()
	for _, id := range slices.Collect(keysOf(w.records))[:15] {
		delete(w.records, id)
	}
	opt := w.publishOptions()
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrGate) {
		t.Errorf("a source that lost 15 of 100: %v", err)
	}
	opt.Gates.Accept = map[string]bool{"test": true}
	opt.Gates.Check = func(context.Context) error { return errors.New("lodash 4.17.20 is not affected") }
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrGate) {
		t.Errorf("a known answer that is wrong: %v", err)
	}
	opt.Gates.Check = nil
	if out, err := Publish(t.Context(), opt); err != nil || out.Deletes != 15 {
		t.Errorf("accepted: %+v %v", out, err)
	}
	for i := range 70 {
		w.put(i)
	}
	w.now = w.now.Add(time.Hour)
	opt = w.publishOptions()
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrGate) {
		t.Errorf("much change: %v", err)
	}
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
