package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// free is a disk with so much room on the file systems below a folder.
func free(below string, n int64) disk {
	return func(dir string) (int64, bool) { return n, strings.HasPrefix(dir, below) }
}

// TestNoRoomToPull refuses to begin what the disk has no room for, by what was
// signed: nothing but metadata is fetched.
func TestNoRoomToPull(t *testing.T) {
	w := newWorld(t, 51, 3000)
	first := w.publish()
	tests := []struct {
		name string
		only []string
		free int64
		ok   bool
	}{
		{"all, none", nil, 0, false},
		{"all, the base alone", nil, first.BaseSize + spaceSlack, false},
		{"all, enough", nil, 8 << 20, true},
		{"part, none", []string{"PyPI"}, 0, false},
		{"part, the blocks alone", []string{"PyPI"}, first.BaseSize, false},
		{"part, enough", []string{"PyPI"}, 4 << 20, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := w.client(strings.ReplaceAll(test.name, " ", "-"))
			c.Only, c.wholeBelow, c.disk = test.only, 1, free(c.Dir, test.free)
			got, err := Pull(t.Context(), c)
			if test.ok {
				if err != nil || !got.Changed {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if !errors.Is(err, ErrSpace) || errors.Is(err, ErrRefused) || got.Files > 0 && test.only == nil {
				t.Errorf("%+v, %v", got, err)
			}
			if _, err := os.Stat(filepath.Join(c.Dir, "advdb.db")); err == nil {
				t.Error("there is a replica")
			}
		})
	}
}

// TestNoRoomForDelta leaves a replica as it was.
func TestNoRoomForDelta(t *testing.T) {
	w := newWorld(t, 52, 300)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	before := w.fileHash(c.Dir)
	w.churn()
	w.publish()
	c.Now, c.disk = w.now, free(c.Dir, 300<<10)
	if _, err := Pull(t.Context(), c); !errors.Is(err, ErrSpace) || w.fileHash(c.Dir) != before {
		t.Errorf("error %v", err)
	}
	b := w.bundle("b", BundleOptions{})
	opt := PullOptions{Dir: c.Dir, Mirrors: []Reader{b}, Now: w.now, MinSpeed: -1, attested: true, disk: c.disk}
	if _, err := Pull(t.Context(), opt); !errors.Is(err, ErrSpace) || w.fileHash(c.Dir) != before {
		t.Errorf("bundle: error %v", err)
	}
	c.disk = nil
	if got := w.pull(c); got.Version != 2 {
		t.Errorf("pulled %+v", got)
	}
}

// TestNoRoomToPublish refuses before it writes, in the folder for temporary
// files and in the repository's.
func TestNoRoomToPublish(t *testing.T) {
	w := newWorld(t, 53, 300)
	for _, dir := range []string{filepath.Join(w.temp, "advdb-publish-"), w.repo.path} {
		opt := w.publishOptions()
		opt.disk = free(dir, 100<<10)
		_, err := Publish(t.Context(), opt)
		if !errors.Is(err, ErrSpace) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
		if names, _ := os.ReadDir(w.repo.path); len(names) > 1 { // the lock
			t.Errorf("%s: the repository has %v", dir, names)
		}
	}
	if out := w.publish(); out.Version != 1 {
		t.Errorf("published %+v", out)
	}
}
