package store

import (
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// Trim gives back the memory of the pages that were read. Whoever walks over a
// whole state calls it now and then, so that the process does not grow to the
// size of the file; the system still has the pages in its cache. It may be
// called while others read.
func (d *DB) Trim() error {
	return d.db.View(func(tx *bolt.Tx) error {
		// A file that is read only stays mapped where it is until it is closed.
		_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, d.db.Info().Data, uintptr(tx.Size()), syscall.MADV_DONTNEED)
		if errno != 0 {
			return errno
		}
		return nil
	})
}
