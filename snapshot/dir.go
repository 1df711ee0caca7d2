package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// A Dir is a repository in a folder. It may be on read-only media.
type Dir struct {
	root *os.Root
	path string
}

// OpenDir opens a repository in a folder that is there.
func OpenDir(dir string) (*Dir, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Dir{root, dir}, nil
}

// CreateDir opens a repository in a folder and makes it where it is missing.
func CreateDir(dir string) (*Dir, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return OpenDir(dir)
}

// Close closes the folder.
func (d *Dir) Close() error { return d.root.Close() }

func (d *Dir) String() string { return d.path }

// Open opens a file from an offset on; links are not followed out of the folder.
func (d *Dir) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("no regular file: %w", ErrMismatch)
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Create writes a file that never changes; one that is there stays.
func (d *Dir) Create(_ context.Context, name string, size int64, r io.Reader) error {
	if st, err := d.root.Stat(name); err == nil && st.Size() == size {
		return nil
	}
	return d.write(name, r)
}

// Write writes a file, whether it is there or not.
func (d *Dir) Write(_ context.Context, name string, data []byte) error {
	return d.write(name, bytes.NewReader(data))
}

// Swap compares and writes; the lock of Lock makes it one step.
func (d *Dir) Swap(ctx context.Context, name string, data, was []byte) error {
	now, err := readOptional(ctx, d, name, int64(len(was))+1)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return err
	}
	if err != nil || !bytes.Equal(now, was) {
		return ErrConflict
	}
	return d.write(name, bytes.NewReader(data))
}

// write makes the file appear whole: written beside, synced, renamed.
func (d *Dir) write(name string, r io.Reader) (err error) {
	if err := checkName(name); err != nil {
		return err
	}
	dir := path.Dir(name)
	if err := d.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp := name + ".new"
	f, err := d.root.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = d.root.Rename(tmp, name)
	}
	if err != nil {
		d.root.Remove(tmp)
		return fmt.Errorf("%s: %w", name, err)
	}
	return d.syncDir(dir)
}

func (d *Dir) syncDir(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// List calls yield with each file below prefix, in the order of names.
func (d *Dir) List(_ context.Context, prefix string, yield func(string) error) error {
	err := fs.WalkDir(d.root.FS(), strings.TrimSuffix(prefix, "/"), func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || checkName(p) != nil || strings.HasSuffix(p, ".new") {
			return err
		}
		return yield(p)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Delete takes a file away.
func (d *Dir) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := d.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Lock keeps other publishers of this machine out while a release is written.
func (d *Dir) Lock(context.Context) (func() error, error) {
	f, err := d.root.OpenFile("publish.lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f.Close, nil
}
