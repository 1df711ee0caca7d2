package snapshot

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// testReleases publishes a day, pulls it, publishes the next and pulls that,
// and makes a bundle of it.
func testReleases(t *testing.T, s *shelf) {
	w := newWorld(t, 21, 300)
	c := w.client("replica")
	for day := range 4 {
		if day > 0 {
			w.churn()
		}
		out, err := publishTo(t.Context(), w, s.open(t, "release"))
		if err != nil {
			t.Fatalf("day %d: %v", day, err)
		}
		c.Now = w.now
		c.Mirrors = []Reader{s.open(t, "release")}
		got := w.pull(c)
		if got.Version != uint64(day+1) || got.StateRoot != out.StateRoot || got.Full != (day == 0) {
			t.Errorf("day %d: pulled %+v, published %+v", day, got, out)
		}
		if a, b := w.digest(w.dir), w.digest(c.Dir); a != b {
			t.Errorf("day %d: digest %s, published %s", day, b, a)
		}
	}
	w.rows(c.Dir)
	if again := w.pull(c); again.Changed || again.Requests != 2 {
		t.Errorf("pulled with nothing new: %+v", again)
	}
	if out, err := publishTo(t.Context(), w, s.open(t, "release")); err != nil || out.New || out.Signed {
		t.Errorf("published with nothing new: %+v, %v", out, err)
	}
	b, err := CreateBundle(t.Context(), io.Discard, BundleOptions{Repo: s.open(t, "release"), Since: 2})
	if err != nil || b.Version != 4 {
		t.Errorf("bundle: %+v, %v", b, err)
	}
}

// publishTo publishes the world's state to a repository.
func publishTo(ctx context.Context, w *world, r Repository) (Published, error) {
	opt := w.publishOptions()
	defer opt.DB.Close()
	opt.Repo = r
	return Publish(ctx, opt)
}

// testPublishers lets two publishers publish different states at once: one
// wins, the other is told, and what is there is whole.
func testPublishers(t *testing.T, s *shelf) {
	w := newWorld(t, 22, 60)
	if _, err := publishTo(t.Context(), w, s.open(t, "publishers")); err != nil {
		t.Fatal(err)
	}
	c := w.client("replica")
	for round := range 3 {
		w.churn()
		first := w.publishOptions()
		w.dir += "-" // a database of its own
		w.churn()
		second := w.publishOptions()
		first.Repo, second.Repo = s.open(t, "publishers"), s.open(t, "publishers")
		var out [2]Published
		var errs [2]error
		var wg sync.WaitGroup
		for i, opt := range []PublishOptions{first, second} {
			wg.Go(func() { out[i], errs[i] = Publish(t.Context(), opt) })
		}
		wg.Wait()
		first.DB.Close()
		second.DB.Close()
		won := slices.Index(errs[:], nil)
		if won < 0 {
			t.Fatalf("round %d: nobody won: %v", round, errs)
		}
		if err := errs[1-won]; err != nil && !errors.Is(err, ErrConflict) {
			t.Errorf("round %d: %v, want ErrConflict", round, err)
		}
		last := out[won]
		if errs[1-won] == nil && out[1-won].Version > last.Version {
			last = out[1-won] // one after the other
		} else if errs[1-won] == nil && out[1-won].Version == last.Version {
			t.Errorf("round %d: both published release %d", round, last.Version)
		}
		c.Now, c.Mirrors = w.now, []Reader{s.open(t, "publishers")}
		if got := w.pull(c); got.StateRoot != last.StateRoot || got.Version != last.Version {
			t.Errorf("round %d: pulled %+v, published %+v", round, got, last)
		}
	}
}

// A stopping is a repository whose process ends before one of its writes.
type stopping struct {
	Repository
	left int
}

// errStopped is that end.
var errStopped = errors.New("killed")

func (s *stopping) step() error {
	if s.left--; s.left < 0 {
		return errStopped
	}
	return nil
}

func (s *stopping) Create(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Repository.Create(ctx, name, size, r)
}

func (s *stopping) Write(ctx context.Context, name string, data []byte) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Repository.Write(ctx, name, data)
}

func (s *stopping) Swap(ctx context.Context, name string, data, was []byte) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Repository.Swap(ctx, name, data, was)
}

func (s *stopping) Delete(ctx context.Context, name string) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.Repository.Delete(ctx, name)
}

// Lock is never given back: a process that is killed unlocks nothing. (A
// folder's lock ends with its process.)
func (s *stopping) Lock(ctx context.Context) (func() error, error) {
	unlock, err := s.Repository.Lock(ctx)
	if _, ok := s.Repository.(*Dir); ok || err != nil {
		return unlock, err
	}
	return func() error {
		if r, ok := s.Repository.(*S3); ok {
			r.held.stop()
			<-r.held.done
		}
		return nil
	}, nil
}

// testInterrupted kills a publisher before each of its writes. The next one
// takes over, and who pulls gets a whole release each time.
func testInterrupted(t *testing.T, s *shelf) {
	w := newWorld(t, 23, 40)
	open := func() Repository {
		r := s.open(t, "interrupted")
		if s3, ok := r.(*S3); ok {
			s3.lease = 300 * time.Millisecond
		}
		return r
	}
	if _, err := publishTo(t.Context(), w, open()); err != nil {
		t.Fatal(err)
	}
	c := w.client("replica")
	killed := 0
	for at := 0; ; at++ {
		w.churn()
		_, err := publishTo(t.Context(), w, &stopping{Repository: open(), left: at})
		if err == nil {
			break
		}
		killed++
		if !errors.Is(err, errStopped) {
			t.Fatalf("killed before write %d: %v", at, err)
		}
		c.Now, c.Mirrors = w.now, []Reader{open()}
		w.pull(c) // the release before
		out, err := publishTo(t.Context(), w, open())
		if err != nil {
			t.Fatalf("after the kill before write %d: %v", at, err)
		}
		c.Mirrors = []Reader{open()}
		if got := w.pull(c); got.StateRoot != out.StateRoot {
			t.Errorf("after the kill before write %d: pulled %+v, published %+v", at, got, out)
		}
	}
	if killed < 10 {
		t.Errorf("%d kills only", killed)
	}
}

// BenchmarkCarriers writes and reads a blob as large as a day's base, by each
// carrier's server on this machine.
func BenchmarkCarriers(b *testing.B) {
	for _, s := range []*shelf{dirShelf(b), s3Shelf(b), ociShelf(b)} {
		b.Run(s.name+"/create", func(b *testing.B) {
			r := s.open(b, "bench")
			b.SetBytes(32 << 20)
			for b.Loop() {
				b.StopTimer()
				name, data := blobOf(32 << 20)
				b.StartTimer()
				create(b, r, name, data)
			}
		})
		b.Run(s.name+"/open", func(b *testing.B) {
			name, data := blobOf(32 << 20)
			create(b, s.open(b, "bench-open"), name, data)
			r := s.open(b, "bench-open")
			b.SetBytes(32 << 20)
			b.ReportAllocs()
			for b.Loop() {
				f, err := r.Open(b.Context(), name, 0)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, f); err != nil || n != 32<<20 {
					b.Fatal(n, err)
				}
				f.Close()
			}
		})
	}
}
