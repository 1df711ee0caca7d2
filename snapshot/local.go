package snapshot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// errStop ends a walk that nobody listens to any more.
var errStop = errors.New("stop")

// trimEvery is after how many bytes of values a walk gives back what it read
// of the file.
const trimEvery = 64 << 20

// trimmed is f for a walk over all of db.
func trimmed[K any](db *store.DB, f func(K, []byte) error) func(K, []byte) error {
	n := 0
	return func(k K, v []byte) error {
		if n += len(v); n > trimEvery {
			n = 0
			if err := db.Trim(); err != nil {
				return err
			}
		}
		return f(k, v)
	}
}

// replicaRecords are the records of a replica's state; its leaves say of
// which collection each is.
func replicaRecords(db *store.DB) items {
	return func(yield func(item, error) bool) {
		l := newPuller(db.Leaves)
		defer l.stop()
		err := db.Records("", trimmed(db, func(id string, data []byte) error {
			leafID, leaf, err := l.next()
			if err != nil {
				return err
			}
			collection, _, err := splitLeaf(leaf)
			if err != nil || leafID != id {
				return fmt.Errorf("%s: %w: leaf of %q", id, store.ErrFormat, leafID)
			}
			if !yield(item{collection, id, data}, nil) {
				return errStop
			}
			return nil
		}))
		if err != nil && err != errStop {
			yield(item{}, err)
		}
	}
}

// sourceRecords are the records of any state; each is decoded to know its
// collection.
func sourceRecords(db *store.DB) items {
	return func(yield func(item, error) bool) {
		err := db.Records("", trimmed(db, func(id string, data []byte) error {
			r, err := normalize.Decode(data)
			if err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			if !yield(item{collectionOf(r), id, data}, nil) {
				return errStop
			}
			return nil
		}))
		if err != nil && err != errStop {
			yield(item{}, err)
		}
	}
}

// tableRows are the rows of one enrichment table, by the collection's name.
func tableRows(db *store.DB, collection string) items {
	return func(yield func(item, error) bool) {
		err := db.Rows(strings.TrimPrefix(collection, enrichPrefix), trimmed(db, func(k, v []byte) error {
			if !yield(item{collection, string(k), v}, nil) {
				return errStop
			}
			return nil
		}))
		if err != nil && err != errStop {
			yield(item{}, err)
		}
	}
}

// tableCollections returns the enrichment collections of a state.
func tableCollections(db *store.DB) ([]string, error) {
	names, err := db.Tables()
	for i := range names {
		names[i] = enrichPrefix + names[i]
	}
	return names, err
}

// A leaf of a replica's state is the hash of the record, and its collection.
func appendReplicaLeaf(dst []byte, collection string, hash [sha256.Size]byte) []byte {
	return append(append(dst, hash[:]...), collection...)
}

func splitLeaf(leaf []byte) (collection string, hash [sha256.Size]byte, err error) {
	if copy(hash[:], leaf) < len(hash) {
		return "", hash, store.ErrFormat
	}
	return string(leaf[len(hash):]), hash, nil
}

// A puller turns a walk that calls back into one that is asked.
type puller struct {
	ask  func() (pulled, bool)
	stop func()
}

type pulled struct {
	id   string
	leaf []byte
	err  error
}

func newPuller(walk func(func(string, []byte) error) error) *puller {
	p := &puller{}
	p.ask, p.stop = iter.Pull(func(yield func(pulled) bool) {
		err := walk(func(id string, leaf []byte) error {
			if !yield(pulled{id, leaf, nil}) {
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(pulled{err: err})
		}
	})
	return p
}

func (p *puller) next() (string, []byte, error) {
	x, ok := p.ask()
	if !ok {
		return "", nil, fmt.Errorf("%w: too few leaves", store.ErrFormat)
	}
	return x.id, x.leaf, x.err
}
