package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A fetcher brings blobs of mirrors into a folder. What was cut off goes on
// where it stopped, from whichever mirror.
type fetcher struct {
	mirrors []Reader
	dir     string
	retries int // of one mirror, after the first try
}

func (f *fetcher) path(b Blob) string { return filepath.Join(f.dir, b.SHA256.String()) }

// staged is how much of a blob is in the folder.
func (f *fetcher) staged(b Blob) int64 {
	for _, path := range []string{f.path(b), f.path(b) + ".part"} {
		if st, err := os.Stat(path); err == nil {
			return min(st.Size(), b.Size)
		}
	}
	return 0
}

// has reports whether a blob is in the folder, and whole.
func (f *fetcher) has(b Blob) bool {
	st, err := os.Stat(f.path(b))
	if err != nil || st.Size() != b.Size {
		return false
	}
	h, err := hashFile(f.path(b))
	return err == nil && h == b.SHA256
}

// fetch makes sure that a blob is in the folder, and whole.
func (f *fetcher) fetch(ctx context.Context, b Blob) error {
	if f.has(b) {
		return nil
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	return f.try(ctx, b, func(m Reader) error { return f.from(ctx, m, b) })
}

// try asks one mirror after the other, and again where that may help.
func (f *fetcher) try(ctx context.Context, b Blob, ask func(m Reader) error) error {
	var errs []error
	for _, m := range f.mirrors {
		for range f.retries + 1 {
			err := ask(m)
			if err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if isFull(err) {
				return err
			}
			errs = append(errs, fmt.Errorf("%s: %s: %w", m, b.name(), err))
			if errors.Is(err, ErrRefused) && !errors.Is(err, ErrTruncated) || errors.Is(err, ErrNotFound) || errors.Is(err, errNoRange) {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// from fetches what is missing of a blob from one mirror.
func (f *fetcher) from(ctx context.Context, m Reader, b Blob) error {
	part := f.path(b) + ".part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	h := sha256.New()
	have, err := io.Copy(h, out)
	if err != nil {
		return err
	}
	resumed := have > 0
	if have > b.Size {
		return errors.Join(os.Remove(part), ErrTooLarge)
	}
	if have < b.Size {
		in, err := m.Open(ctx, b.name(), have)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, b.Size-have+1))
		in.Close()
		switch have += n; {
		case err != nil:
			return err
		case have > b.Size:
			return errors.Join(os.Remove(part), ErrTooLarge)
		case have < b.Size:
			return fmt.Errorf("%d of %d bytes: %w", have, b.Size, ErrTruncated)
		}
	}
	if !slices.Equal(h.Sum(nil), b.SHA256[:]) {
		if err := os.Remove(part); err != nil || !resumed {
			return errors.Join(err, ErrMismatch)
		}
		// The first bytes may be another mirror's: once more, from the start.
		return f.from(ctx, m, b)
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return os.Rename(part, f.path(b))
}

func hashFile(path string) (h Hash, err error) {
	f, err := os.Open(path)
	if err != nil {
		return h, err
	}
	defer f.Close()
	s := sha256.New()
	if _, err := io.Copy(s, f); err != nil {
		return h, err
	}
	s.Sum(h[:0])
	return h, nil
}
