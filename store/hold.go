package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Hold gives the current state of a folder a further name in another folder
// beside it, from which [OpenDB] opens it whatever is published meanwhile: a
// new state replaces the file, and not its bytes. It returns ErrNoData where
// there is none.
func Hold(dir, folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	err := os.Link(filepath.Join(dir, stateName), filepath.Join(folder, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrNoData, os.RemoveAll(folder))
	}
	return err
}

// SameState reports whether two folders have one and the same file as their
// state.
func SameState(a, b string) bool {
	x, err := os.Stat(filepath.Join(a, stateName))
	if err != nil {
		return false
	}
	y, err := os.Stat(filepath.Join(b, stateName))
	return err == nil && os.SameFile(x, y)
}
