//go:build !(linux || darwin || freebsd)

package snapshot

// freeSpace is not known.
func freeSpace(string) (int64, bool) { return 0, false }
