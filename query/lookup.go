package query

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/advdb/advdb/store"
	"golang.org/x/sync/errgroup"
)

// perWorker is for how many records it is worth to have one more goroutine: it
// opens blocks that the one beside it opens too.
const perWorker = 256

// lookup is store.DB.Lookup on several processors: yield is called by several
// goroutines at once.
func lookup(db *store.DB, ids []string, yield func(id string, data []byte) error) error {
	n := min(runtime.GOMAXPROCS(0), max(1, len(ids)/perWorker))
	var g errgroup.Group
	for i := range n {
		part := ids[i*len(ids)/n : (i+1)*len(ids)/n]
		g.Go(func() error {
			for some := range slices.Chunk(part, 4*perWorker) {
				if err := cmp.Or(db.Lookup(some, yield), trim(db, len(some))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// trim gives back the memory of pages that a large question has read.
func trim(db *store.DB, asked int) error {
	if asked < perWorker {
		return nil
	}
	return db.Trim()
}
