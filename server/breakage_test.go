package server

import (
	"os"
	"path/filepath"
	"testing"
)

// breakState puts a file that is no state in the place of the state.
func breakState(t *testing.T, dir string) {
	t.Helper()
	tmp := filepath.Join(dir, "advdb.db.new")
	if err := os.WriteFile(tmp, make([]byte, 64<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, "advdb.db")); err != nil {
		t.Fatal(err)
	}
}
