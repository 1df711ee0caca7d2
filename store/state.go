package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
)

// stateFormat is raised when advdb.db changes shape.
const stateFormat = 1

// Buckets of advdb.db.
var (
	stateMeta       = []byte("meta")      // "state" → Meta
	sourceBucket    = []byte("source")    // name → SourceState
	ecosystemBucket = []byte("ecosystem") // ecosystem → number of entries in packageBucket
	packageBucket   = []byte("package")   // ecosystem NUL package key NUL ID → what of it is affected, see packageValue
	aliasBucket     = []byte("alias")     // other ID NUL ID → how ID names it, see Link
	cpeBucket       = []byte("cpe")       // part:vendor:product NUL ID → nothing
	gitBucket       = []byte("git")       // commit or repository NUL ID → nothing, see gitEntries
	binaryBucket    = []byte("binary")    // ecosystem NUL binary package NUL source package → nothing
)

const (
	recordTable  = "record"
	enrichPrefix = "enrich."
)

// Meta is what a state says of itself.
type Meta struct {
	Format     int    `json:"format"`
	KeyVersion int    `json:"key_version"` // versioncmp.KeyVersion of the package index
	Index      int    `json:"index"`       // indexVersion of all indexes
	Number     uint64 `json:"number"`      // one more than the state before
	Created    string `json:"created"`     // RFC 3339
	Records    int    `json:"records"`
	Entries    int    `json:"entries"` // records in blocks
	Overlay    int    `json:"overlay"` // upper bound of records in the overlay
}

// SourceState is what a state says of one source.
type SourceState struct {
	Name      string `json:"name"`
	Home      string `json:"home"`
	License   string `json:"license"`
	Credit    string `json:"credit,omitempty"`
	Format    string `json:"format"`
	Enrich    bool   `json:"enrich"`
	Records   int    `json:"records"`   // records that the source speaks of; rows of an enrichment table
	Documents int    `json:"documents"` // documents held
	FetchedAt string `json:"fetched_at,omitempty"`
	Newest    string `json:"newest,omitempty"` // the latest modified that upstream gave
	Status    string `json:"status"`           // "ok", "error", "never" (not fetched yet)
	Error     string `json:"error,omitempty"`
	Findings  int    `json:"findings"`
	Inputs    Inputs `json:"inputs,omitzero"` // of a state made from documents
}

// A DB is one state of the records, opened for reading. It stays what it was
// when opened, whatever is published meanwhile. It is safe for use by many
// goroutines.
type DB struct {
	db   *bolt.DB
	meta Meta

	once       sync.Once
	ecosystems []string
	ecoErr     error
}

// OpenDB opens the current state of a folder. It returns ErrNoData where there
// is none, and ErrFormat where another version of advdb wrote it.
func OpenDB(dir string) (*DB, error) {
	return openState(filepath.Join(dir, stateName))
}

func openState(path string) (*DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoData
	}
	db, err := bolt.Open(path, 0o444, &bolt.Options{ReadOnly: true, Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := &DB{db: db}
	if err := db.View(d.readMeta); err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func (d *DB) readMeta(tx *bolt.Tx) error {
	b := tx.Bucket(stateMeta)
	if b == nil {
		return fmt.Errorf("%w: no meta", ErrFormat)
	}
	if err := json.Unmarshal(b.Get([]byte("state")), &d.meta); err != nil {
		return fmt.Errorf("meta: %w", err)
	}
	if d.meta.Format != stateFormat || d.meta.KeyVersion != versioncmp.KeyVersion {
		return fmt.Errorf("%w: %d.%d, want %d.%d (advdb rebuild makes it anew)", ErrFormat,
			d.meta.Format, d.meta.KeyVersion, stateFormat, versioncmp.KeyVersion)
	}
	return nil
}

// Close closes the state.
func (d *DB) Close() error { return d.db.Close() }

// Meta returns what the state says of itself.
func (d *DB) Meta() Meta { return d.meta }

// Record returns the canonical JSON of a record, nil where there is none.
func (d *DB) Record(id string) (data []byte, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		t, ok := openTable(tx, recordTable)
		if !ok {
			return errCorrupt
		}
		data, err = t.get([]byte(id))
		return err
	})
	return data, err
}

// Lookup calls yield with the ID and canonical JSON of each of the records
// that is there, in order; ids must be sorted. It is cheaper than asking for
// one after the other. data is good until yield returns.
func (d *DB) Lookup(ids []string, yield func(id string, data []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		t, ok := openTable(tx, recordTable)
		if !ok {
			return errCorrupt
		}
		return t.lookup(ids, func(i int, v []byte) error { return yield(ids[i], v) })
	})
}

// Records calls yield with each record at or after the ID from, in the order
// of IDs, until it returns an error. data is good until the next call.
func (d *DB) Records(from string, yield func(id string, data []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		t, ok := openTable(tx, recordTable)
		if !ok {
			return errCorrupt
		}
		var terr error
		for k, v := range t.from([]byte(from), &terr) {
			if err := yield(string(k), v); err != nil {
				return err
			}
		}
		return terr
	})
}

// A Link is how one record names another ID.
type Link struct {
	ID       string // the record that names it
	Alias    bool
	Upstream bool
	Related  bool
}

// Bits of the values in aliasBucket.
const (
	aliasBit = 1 << iota
	upstreamBit
	relatedBit
)

// Links returns the records that name the ID, in the order of their IDs.
func (d *DB) Links(id string) (links []Link, err error) {
	err = d.scan(aliasBucket, append([]byte(id), 0), func(rest, v []byte) error {
		if len(v) != 1 {
			return errCorrupt
		}
		links = append(links, Link{string(rest), v[0]&aliasBit != 0, v[0]&upstreamBit != 0, v[0]&relatedBit != 0})
		return nil
	})
	return links, err
}

// scan calls f with the rest of each key that begins with prefix, and its value.
// errNoIndex says that the state is older than the bucket.
func (d *DB) scan(bucket, prefix []byte, f func(rest, v []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		if b == nil {
			return errNoIndex
		}
		c := b.Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if err := f(k[len(prefix):], v); err != nil {
				return fmt.Errorf("%s %q: %w", bucket, k, err)
			}
		}
		return nil
	})
}

// Enrichment returns what each enrichment table has of the CVE, by source.
func (d *DB) Enrichment(cve string) (rows map[string][]byte, err error) {
	rows = map[string][]byte{}
	err = d.db.View(func(tx *bolt.Tx) error {
		return eachTable(tx, func(source string, t table) error {
			v, err := t.get([]byte(cve))
			if v != nil {
				rows[source] = v
			}
			return err
		})
	})
	return rows, err
}

// LookupRows calls yield with the row of each of the CVEs that the enrichment table
// of a source has, in order; cves must be sorted. There may be no such table.
// row is good until yield returns.
func (d *DB) LookupRows(source string, cves []string, yield func(cve string, row []byte) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		t, ok := openTable(tx, enrichPrefix+source)
		if !ok {
			return nil
		}
		return t.lookup(cves, func(i int, v []byte) error { return yield(cves[i], v) })
	})
}

// eachTable calls f with each enrichment table.
func eachTable(tx *bolt.Tx, f func(source string, t table) error) error {
	c := tx.Cursor()
	prefix := []byte(enrichPrefix)
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		t, _ := openTable(tx, string(k))
		if err := f(string(k[len(prefix):]), t); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}

// Sources returns what the state says of each source, in the order of names.
func (d *DB) Sources() (list []SourceState, err error) {
	err = d.scan(sourceBucket, nil, func(_, v []byte) error {
		var s SourceState
		if err := json.Unmarshal(v, &s); err != nil {
			return err
		}
		list = append(list, s)
		return nil
	})
	return list, err
}

// Ecosystems returns the ecosystems of which the state has packages, with
// their suffixes, sorted.
func (d *DB) Ecosystems() ([]string, error) {
	d.once.Do(func() {
		d.ecoErr = d.scan(ecosystemBucket, nil, func(k, _ []byte) error {
			d.ecosystems = append(d.ecosystems, string(k))
			return nil
		})
	})
	return d.ecosystems, d.ecoErr
}
