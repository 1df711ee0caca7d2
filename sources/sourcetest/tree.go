package sourcetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// touch gives every file below dir that time.
func touch(dir string, at time.Time) error {
	return filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return os.Chtimes(p, at, at)
	})
}
