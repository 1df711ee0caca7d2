package snapshot

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

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
