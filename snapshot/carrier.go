package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
)

// A Reader reads the files of a repository from wherever it is carried.
type Reader interface {
	// Open opens a file, from an offset on. It returns ErrNotFound for one
	// that is not there, and nothing to read behind the end of one that is.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// String names the carrier for people.
	String() string
}

// A Repository is a carrier that can be published to.
//
// From Lock to unlock it may keep what was written from other readers, until
// tuf/timestamp.json or log/checkpoint is written: at each of these, all that
// was written before is there for everybody, whatever happens next.
type Repository interface {
	Reader
	// Create writes a file that never changes; one that is there stays.
	Create(ctx context.Context, name string, size int64, r io.Reader) error
	// Write writes a file, whether it is there or not.
	Write(ctx context.Context, name string, data []byte) error
	// Swap writes a file if it still has the bytes was (nil: if it is not
	// there), and returns ErrConflict otherwise.
	Swap(ctx context.Context, name string, data, was []byte) error
	// Lock keeps other publishers out, where the carrier can.
	Lock(ctx context.Context) (unlock func() error, err error)
	// List calls yield with the name of each file that begins with prefix.
	List(ctx context.Context, prefix string, yield func(name string) error) error
	// Delete takes a file away; one that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// fileName is what every file of a repository is called.
var fileName = regexp.MustCompile(`^(tuf|log|blob)/[0-9A-Za-z_][0-9A-Za-z._-]*(/[0-9A-Za-z_][0-9A-Za-z._-]*){0,8}$`)

// checkName refuses names that no repository has, such as those that leave it.
func checkName(name string) error {
	if len(name) > 200 || !fileName.MatchString(name) {
		return fmt.Errorf("file %.80q: %w", name, ErrManifest)
	}
	return nil
}

// readAll reads a whole file of at most limit bytes.
func readAll(ctx context.Context, r Reader, name string, limit int64) ([]byte, error) {
	f, err := r.Open(ctx, name, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("%s: %w", name, ErrTooLarge)
	}
	return b, nil
}

// readOptional is readAll, but nil for a file that is not there.
func readOptional(ctx context.Context, r Reader, name string, limit int64) ([]byte, error) {
	b, err := readAll(ctx, r, name, limit)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return b, err
}

// timestampName is the file that announces a release.
const timestampName = "tuf/timestamp.json"

// mutable reports whether a file is one that each release replaces.
func mutable(name string) bool { return name == timestampName || name == checkpointName }

// contentType is what a file is served as.
func contentType(name string) string {
	if path.Ext(name) == ".json" {
		return "application/json"
	}
	return "application/octet-stream"
}

// An upload is a file that can be read more than once, and its hash.
type upload struct {
	io.ReadSeeker
	size int64
	hash Hash
	temp *os.File // nil: ours to neither close nor delete
}

// newUpload reads what is to be written, of which there must be size bytes.
// What cannot be read twice goes through a temporary file.
func newUpload(size int64, r io.Reader) (*upload, error) {
	u := &upload{size: size}
	rs, ok := r.(io.ReadSeeker)
	if !ok {
		f, err := os.CreateTemp("", "advdb-upload-*")
		if err != nil {
			return nil, err
		}
		u.temp = f
		if _, err := io.Copy(f, r); err != nil {
			return nil, errors.Join(err, u.Close())
		}
		rs = f
	}
	u.ReadSeeker = rs
	_, err := rs.Seek(0, io.SeekStart)
	var n int64
	if h := sha256.New(); err == nil {
		if n, err = io.Copy(h, rs); err == nil && n != size {
			err = fmt.Errorf("%d bytes, %d were announced: %w", n, size, ErrMismatch)
		}
		h.Sum(u.hash[:0])
	}
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// Close deletes the temporary file, if there is one.
func (u *upload) Close() error {
	if u.temp == nil {
		return nil
	}
	return errors.Join(u.temp.Close(), os.Remove(u.temp.Name()))
}
