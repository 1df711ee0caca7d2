package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
)

// A Reader reads the files of a repository from wherever it is carried.
type Reader interface {
	// Open opens a file, from an offset on. It returns ErrNotFound for one
	// that is not there.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// String names the carrier for people.
	String() string
}

// A Repository is a carrier that can be published to.
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

// OpenReader returns the carrier of a repository: a folder, or the URL of one
// that any HTTP server serves.
func OpenReader(target string) (Reader, error) {
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		u, err := url.Parse(target)
		if err != nil {
			return nil, err
		}
		return NewHTTP(u, nil), nil
	}
	return OpenDir(strings.TrimPrefix(target, "file://"))
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
