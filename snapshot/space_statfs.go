//go:build linux || darwin || freebsd

package snapshot

import "syscall"

// freeSpace is what a file system has for whoever is not root.
func freeSpace(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || st.Bsize <= 0 || int64(st.Bavail) < 0 {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
