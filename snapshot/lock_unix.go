//go:build unix

package snapshot

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks f until it is closed or the process ends.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrConflict
	}
	return err
}
