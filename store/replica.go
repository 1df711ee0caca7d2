package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// ErrNotReplica says that the folder syncs feeds itself: its state is made
// from its own documents and cannot become that of a snapshot.
var ErrNotReplica = errors.New("this folder syncs feeds itself; pull into another one")

const (
	replicaLock = "replica.lock"
	leafTable   = "leaf"
)

// snapshotBucket holds what a replica knows of the snapshot it stands for:
// name → bytes, written in the transaction that writes the records.
var snapshotBucket = []byte("snapshot")

// A Replica is a folder opened for writing states that come from snapshots.
// It holds no documents and no parts.
type Replica struct {
	s    *Store
	lock *bolt.DB
}

// OpenReplica opens the folder for writing and makes it where it is missing.
// It returns ErrBusy where another process writes to it, and ErrNotReplica
// where feeds are synced into it.
func OpenReplica(dir string) (*Replica, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, workName)); err == nil {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotReplica)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	path := filepath.Join(dir, replicaLock)
	lock, err := bolt.Open(path, 0o644, &bolt.Options{Timeout: 200 * time.Millisecond, PageSize: 4096, InitialMmapSize: 4096})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Replica{s: &Store{dir: dir}, lock: lock}, nil
}

// Close ends writing.
func (r *Replica) Close() error { return r.lock.Close() }

// Dir returns the folder.
func (r *Replica) Dir() string { return r.s.dir }

// Open opens the current state; ErrNoData where there is none yet.
func (r *Replica) Open() (*DB, error) { return OpenDB(r.s.dir) }

// A StateInfo is what a new state of a replica says of itself.
type StateInfo struct {
	Number   uint64            // the release it stands for
	Created  string            // RFC 3339, the release's time
	Sources  []SourceState     // Records is counted here, whatever it says
	Snapshot map[string][]byte // read again by [DB.Snapshot]; replaces what was there
}

// replicaWriter is what building and changing a state have in common.
type replicaWriter struct {
	w       stateWriter
	records map[string]int // source → records that name it
	rows    map[string]int // enrichment source → rows, of tables written in this run
}

func (r *Replica) newWriter(ctx context.Context) *replicaWriter {
	return &replicaWriter{w: stateWriter{s: r.s, ctx: ctx}, records: map[string]int{}, rows: map[string]int{}}
}

// open opens the file that becomes the new state.
func (w *replicaWriter) open(path string) (err error) {
	w.w.db, err = bolt.Open(path, 0o644, &bolt.Options{
		NoSync: true, FreelistType: bolt.FreelistMapType, PageSize: pageSize, NoGrowSync: true,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// info writes what the state says of itself.
func (w *replicaWriter) info(tx *bolt.Tx, info StateInfo) error {
	m := w.w.meta
	m.Format, m.KeyVersion, m.Number, m.Created = stateFormat, versioncmp.KeyVersion, info.Number, info.Created
	v, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := tx.Bucket(stateMeta).Put([]byte("state"), v); err != nil {
		return err
	}
	if err := emptyBucket(tx, sourceBucket); err != nil {
		return err
	}
	for _, st := range info.Sources {
		st.Records = w.records[st.Name]
		if st.Enrich {
			st.Records = w.rows[st.Name]
		}
		v, err := json.Marshal(st)
		if err != nil {
			return err
		}
		if err := tx.Bucket(sourceBucket).Put([]byte(st.Name), v); err != nil {
			return err
		}
	}
	if err := emptyBucket(tx, snapshotBucket); err != nil {
		return err
	}
	for k, v := range info.Snapshot {
		if err := tx.Bucket(snapshotBucket).Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

func emptyBucket(tx *bolt.Tx, name []byte) error {
	if tx.Bucket(name) != nil {
		if err := tx.DeleteBucket(name); err != nil {
			return err
		}
	}
	_, err := tx.CreateBucket(name)
	return err
}

// finish syncs the file and swaps it in; err is what went wrong before.
func (w *replicaWriter) finish(path string, err error) error {
	if err == nil {
		err = w.w.db.Sync()
	}
	if err := errors.Join(err, w.w.db.Close()); err != nil {
		return err
	}
	return w.w.s.swap(path)
}

// newPath is where a new state is written, with nothing there.
func (r *Replica) newPath() (string, error) {
	path := filepath.Join(r.s.dir, stateName+".new")
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return path, nil
}
