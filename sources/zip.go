package sources

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// zip reads an archive by way of a temporary file, since its directory is at
// its end. Checksums of entries are those of the zip.
func (u *unpacking) zip(body io.Reader) error {
	f, err := os.CreateTemp(u.m.opt.TempDir, "advdb-*.zip")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	size, err := io.Copy(f, body)
	if err != nil {
		return err
	}
	zr, err := zip.NewReader(f, size)
	if err != nil {
		return err
	}
	if err := zipEnd(f, size, zr.Comment); err != nil {
		return err
	}
	left := u.m.opt.MaxArchive
	for _, e := range zr.File {
		if err := u.zipEntry(e, &left); err != nil {
			return err
		}
	}
	return nil
}

// zipEnd makes sure that the archive's last record is the file's end: 22
// bytes and the comment (APPNOTE.TXT 6.3.10, 4.3.16).
func zipEnd(f io.ReaderAt, size int64, comment string) error {
	sig := make([]byte, 4)
	if _, err := f.ReadAt(sig, size-22-int64(len(comment))); err != nil {
		return err
	}
	if !bytes.Equal(sig, []byte("PK\x05\x06")) {
		return fmt.Errorf("%w: data after the end of the archive", ErrIncomplete)
	}
	return nil
}

func (u *unpacking) zipEntry(e *zip.File, left *int64) error {
	name, err := u.document(e.Name)
	if err != nil || name == "" || strings.HasSuffix(e.Name, "/") {
		return err
	}
	if !e.Mode().IsRegular() {
		return fmt.Errorf("entry %q is no plain file: %w", e.Name, ErrHostile)
	}
	r, err := e.Open()
	if err != nil {
		return prefixed(name, err)
	}
	defer r.Close()
	in := &limited{r: r, left: *left}
	err = u.put(name, in)
	*left = in.left
	return err
}
