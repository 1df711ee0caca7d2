package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrBusy says that another process writes to the folder.
	ErrBusy = errors.New("another advdb is writing to this database")
	// ErrNoData says that the folder holds no database yet.
	ErrNoData = errors.New("no data: run \"advdb sync\" first")
	// ErrShrunk says that a source lost so much that it is not believed.
	ErrShrunk = errors.New("lost more than a tenth of its entries")
	// ErrFormat says that the file was written by another version of advdb.
	ErrFormat = errors.New("another database format")
)

const (
	workName  = "work.db"
	stateName = "advdb.db"

	// workFormat is raised when work.db changes shape.
	workFormat = 1
)

// Buckets of work.db.
var (
	metaBucket    = []byte("meta")
	packBucket    = []byte("pack")    // pack number (8 bytes, big endian) → zstd of up to packSize bytes
	docBucket     = []byte("doc")     // source NUL name → docEntry
	listBucket    = []byte("list")    // source NUL name → the parts of the document, see partList
	stateBucket   = []byte("state")   // source → the state given to the last Commit
	findingBucket = []byte("finding") // source NUL name → findings of the last parse, see docFindings
	dirtyBucket   = []byte("dirty")   // IDs of which a part changed since records were made
)

// Options are the options of [Open]; the zero value works.
type Options struct {
	// Now is the clock, by which content is dated that upstream does not
	// date. Default: time.Now.
	Now func() time.Time
	// Log takes what is worth knowing of a run; default: nothing.
	Log *slog.Logger
}

// A Store is a folder opened for writing: documents, parts, and the making of
// new states.
type Store struct {
	dir string
	opt Options
	db  *bolt.DB

	mu       sync.Mutex
	nextPack uint64
}

// Open opens the folder for writing and makes it where it is missing. It
// returns ErrBusy where another process writes to it.
func Open(dir string, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, workName)
	db, err := bolt.Open(path, 0o644, &bolt.Options{
		Timeout:        200 * time.Millisecond,
		FreelistType:   bolt.FreelistMapType,
		NoFreelistSync: true,
		PageSize:       pageSize,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &Store{dir: dir, opt: opt, db: db}
	if err := s.init(); err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// pageSize is the page size of new files: with values of 2 KB, pages of
// 16 KiB waste 15 %, pages of 4 KiB 55 %.
const pageSize = 16 << 10

// init makes what a new file lacks and clears what a killed run left; on a
// whole file it writes nothing.
func (s *Store) init() error {
	var fresh bool
	var leftover []string
	err := s.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			fresh = true
			return nil
		}
		if f := meta.Get([]byte("format")); len(f) != 1 || f[0] != workFormat {
			return fmt.Errorf("%w: %v, want %d", ErrFormat, f, workFormat)
		}
		if k, _ := tx.Bucket(packBucket).Cursor().Last(); k != nil {
			s.nextPack = binary.BigEndian.Uint64(k) + 1
		}
		current := string(meta.Get([]byte("parts")))
		return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			if n := string(name); isPartsTable(n) && n != current {
				leftover = append(leftover, n)
			}
			return nil
		})
	})
	if err != nil || (!fresh && len(leftover) == 0) {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, n := range leftover {
			if err := tx.DeleteBucket([]byte(n)); err != nil {
				return err
			}
		}
		if !fresh {
			return nil
		}
		for _, n := range [][]byte{metaBucket, packBucket, docBucket, listBucket, stateBucket, findingBucket, dirtyBucket} {
			if _, err := tx.CreateBucketIfNotExists(n); err != nil {
				return err
			}
		}
		if _, err := createTable(tx, partsTable(0)); err != nil {
			return err
		}
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Put([]byte("parts"), []byte(partsTable(0))), meta.Put([]byte("format"), []byte{workFormat}))
	})
}

// Close ends writing.
func (s *Store) Close() error { return s.db.Close() }

// Dir returns the folder.
func (s *Store) Dir() string { return s.dir }

// today is the day on which content changes, as an RFC 3339 time.
func (s *Store) today() string {
	return s.opt.Now().UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
}

// docKey is the key of a document in the buckets that are kept by document.
func docKey(source, name string) []byte {
	k := make([]byte, 0, len(source)+1+len(name))
	k = append(append(k, source...), 0)
	return append(k, name...)
}
