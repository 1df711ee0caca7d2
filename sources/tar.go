package sources

import (
	"archive/tar"
	"fmt"
	"io"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// commitComment is what git archive writes into a tar's global header.
var commitComment = lazyregexp.New(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

func (u *unpacking) tar(plain io.Reader) error {
	end := &zeroEnd{r: &limited{r: plain, left: u.m.opt.MaxArchive}}
	tr := tar.NewReader(end)
	for first := true; ; first = false {
		h, err := tr.Next()
		if err == io.EOF {
			return end.check()
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			if err := u.global(h, first); err != nil {
				return err
			}
			continue
		}
		if err := u.tarEntry(h, tr); err != nil {
			return err
		}
	}
}

// global reads the commit from the header with which git archive begins.
func (u *unpacking) global(h *tar.Header, first bool) error {
	c := h.PAXRecords["comment"]
	if !first || !commitComment.MatchString(c) {
		return nil
	}
	u.commit = c
	if c == u.known {
		return errSameCommit
	}
	return nil
}

func (u *unpacking) tarEntry(h *tar.Header, r io.Reader) error {
	name, err := u.document(h.Name)
	if err != nil || name == "" || h.Typeflag == tar.TypeDir {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("entry %q is no plain file: %w", h.Name, ErrHostile)
	}
	if h.Size > u.m.opt.MaxDocument {
		return fmt.Errorf("%s: %w", name, ErrTooLarge)
	}
	return u.put(name, r)
}

// zeroEnd counts the zero bytes at the end of what was read.
type zeroEnd struct {
	r     io.Reader
	zeros int64
}

func (z *zeroEnd) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	i := n
	for i > 0 && p[i-1] == 0 {
		i--
	}
	if i > 0 {
		z.zeros = 0
	}
	z.zeros += int64(n - i)
	return n, err
}

// check reads what is left behind the last entry, which brings the
// decompressor to its checksum: only zeros may follow, of which a tar has at
// least one block of 512 (POSIX.1-2024, pax, ustar Interchange Format).
func (z *zeroEnd) check() error {
	before := z.zeros
	n, err := io.Copy(io.Discard, struct{ io.Reader }{z})
	switch {
	case err != nil:
		return err
	case z.zeros < before+n || z.zeros < n:
		return fmt.Errorf("%w: data after the end of the archive", ErrIncomplete)
	case z.zeros < 512:
		return fmt.Errorf("%w: the archive has no end", ErrIncomplete)
	}
	return nil
}
