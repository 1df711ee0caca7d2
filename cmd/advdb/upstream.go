package main

import (
	"os"
	"path/filepath"

	"github.com/advdb/advdb/sources/fixture"
)

// upstreamTree returns what --upstream means: a URL or a folder as it is; of a
// folder of fixtures (*.txtar) the tree that they serve, written to a folder
// of its own, which done takes away.
func upstreamTree(where string) (tree string, done func(), err error) {
	fixtures, _ := filepath.Glob(filepath.Join(where, "*.txtar"))
	if where == "" || len(fixtures) == 0 {
		return where, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "advdb-upstream-")
	if err != nil {
		return "", nil, err
	}
	done = func() { os.RemoveAll(dir) }
	if err := fixture.WriteUpstream(dir, fixtures...); err != nil {
		done()
		return "", nil, err
	}
	return dir, done, nil
}
