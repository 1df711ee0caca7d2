package snapshot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// unknownDisk makes pulls and publishes find out themselves.
func unknownDisk(string) (int64, bool) { return 0, false }

// smallDisk mounts a file system of so many KiB; where that is not allowed the
// test is skipped.
func smallDisk(t *testing.T, kib int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kib)); err != nil {
		t.Skipf("mounting a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// TestFullDisk fills a real file system at many points of a pull, of a whole
// state and of a delta: each time the replica is what it was, and with room
// the next pull arrives.
func TestFullDisk(t *testing.T) {
	w := newWorld(t, 54, 600)
	w.publish()
	disk := smallDisk(t, 8<<10)
	c := w.client("unused")
	c.Dir, c.disk = filepath.Join(disk, "replica"), unknownDisk
	full := 0
	step := func(before string) {
		for room := 40 << 10; ; room += 120 << 10 {
			ballast := fill(t, disk, room)
			_, err := Pull(t.Context(), c)
			if err == nil {
				os.Remove(ballast)
				return
			}
			if full++; !errors.Is(err, syscall.ENOSPC) || w.fileHash(c.Dir) != before {
				t.Errorf("%d bytes free: %v", room, err)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}
	}
	step(w.fileHash(c.Dir))
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
	w.churn()
	w.publish()
	c.Now = w.now
	step(w.fileHash(c.Dir))
	if w.digest(c.Dir) != w.digest(w.dir) {
		t.Error("digests differ")
	}
	if full < 6 {
		t.Errorf("the disk was full %d times", full)
	}
}

// TestFullRepository fills the file system of a repository while a release is
// written: clients see the one before, and with room the next run goes on.
func TestFullRepository(t *testing.T) {
	w := newWorld(t, 55, 600)
	disk := smallDisk(t, 8<<10)
	repo, err := CreateDir(filepath.Join(disk, "repo"))
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	w.repo = repo
	w.publish()
	c := w.client("replica")
	w.pull(c)
	for i := range 300 {
		w.put(i)
	}
	w.now = c.Now.AddDate(0, 0, 1)
	c.Now = w.now
	for room, full := 4<<10, 0; ; room += 4 << 10 {
		ballast := fill(t, disk, room)
		opt := w.publishOptions()
		opt.disk, opt.Gates.Churn = unknownDisk, 1
		_, err := Publish(t.Context(), opt)
		opt.DB.Close()
		os.Remove(ballast)
		if err == nil {
			if full < 2 {
				t.Errorf("the disk was full %d times", full)
			}
			break
		}
		if full++; !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d bytes free: %v", room, err)
		}
		if got := w.pull(c); got.Version != 1 {
			t.Errorf("%d bytes free: clients see %+v", room, got)
		}
	}
	if got := w.pull(c); got.Version != 2 || w.digest(c.Dir) != w.digest(w.dir) {
		t.Errorf("pulled %+v", got)
	}
}

// fill leaves so many bytes free on a file system, and returns the file that
// takes the others.
func fill(t *testing.T, dir string, room int) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	free, ok := freeSpace(dir)
	if !ok || free < int64(room) {
		t.Fatalf("%d bytes are free, %d are to be left", free, room)
	}
	if err := os.WriteFile(path, make([]byte, free-int64(room)), 0o644); err != nil {
		t.Fatal(err)
	}
	if left, _ := freeSpace(dir); left > int64(room)+8192 {
		t.Fatalf("%d bytes are left, want %d", left, room)
	}
	return path
}
