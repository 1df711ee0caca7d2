package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// ErrUnknown says that the inventory has no such SBOM.
var ErrUnknown = errors.New("no such SBOM in the inventory")

// Buckets of the shelf.
const (
	sbomBucket    = "sbom"    // name → sbom, JSON under zstd
	nameBucket    = "name"    // plain package name NUL SBOM
	vulnBucket    = "vuln"    // vulnerability ID NUL SBOM
	eventBucket   = "event"   // sequence, 16 hexadecimal digits → Event
	cursorBucket  = "cursor"  // receiver → the last sequence that it took
	dueBucket     = "due"     // SBOMs that were never matched
	settingBucket = "setting" // "epss" → the limit that findings were judged by
)

// An Inventory is the SBOMs that are watched, in the folder watch of a
// database's folder.
type Inventory struct {
	dir   string // of the database
	shelf *store.Shelf
	enc   *zstd.Encoder
	dec   *zstd.Decoder
}

// lockWait is how long another process may hold the inventory.
const lockWait = 10 * time.Second

// Open opens the inventory of a database's folder and makes it where it is
// missing.
func Open(dir string) (*Inventory, error) {
	folder := filepath.Join(dir, "watch")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	shelf, err := store.OpenShelf(filepath.Join(folder, "inventory.db"), lockWait,
		sbomBucket, nameBucket, vulnBucket, eventBucket, cursorBucket, dueBucket, settingBucket)
	if err != nil {
		return nil, err
	}
	v := &Inventory{dir: dir, shelf: shelf}
	if v.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err == nil {
		v.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
	}
	if err != nil {
		shelf.Close()
		return nil, err
	}
	return v, nil
}

// Close closes the inventory.
func (v *Inventory) Close() error {
	v.dec.Close()
	return errors.Join(v.enc.Close(), v.shelf.Close())
}

// An sbom is what is kept of an SBOM.
type sbom struct {
	Added      string               `json:"added"` // RFC 3339
	Components []query.Component    `json:"components"`
	Findings   map[string][]Finding `json:"findings"` // by purl, in the order of IDs
	Matched    uint64               `json:"matched"`  // number of the state
}

// An Entry says of an SBOM of the inventory what is in it.
type Entry struct {
	Name       string `json:"name"`
	Added      string `json:"added"`
	Components int    `json:"components"`
	Findings   int    `json:"findings"`
	Due        bool   `json:"due"` // it was not matched yet
}

// Add puts an SBOM into the inventory, or another version of it. What it finds
// at first is no event; of another version of an SBOM the differences are.
func (v *Inventory) Add(name string, components []query.Component, now time.Time) error {
	if name == "" || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%q is no name for an SBOM", name)
	}
	return v.shelf.Update(func(tx store.ShelfTx) error {
		old, err := v.load(tx, name)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		doc := &sbom{Added: now.UTC().Format(time.RFC3339), Components: components, Findings: map[string][]Finding{}}
		var was map[indexKey]bool
		if old != nil {
			was = old.index()
			doc.Findings, doc.Matched = old.Findings, old.Matched
		}
		if err := tx.Put(dueBucket, name, []byte{1}); err != nil {
			return err
		}
		return v.save(tx, name, doc, was)
	})
}

// Remove takes an SBOM out of the inventory.
func (v *Inventory) Remove(name string) error {
	return v.shelf.Update(func(tx store.ShelfTx) error {
		doc, err := v.load(tx, name)
		if err != nil {
			return err
		}
		if err := forget(tx, name, doc.index(), nil); err != nil {
			return err
		}
		return errors.Join(tx.Delete(sbomBucket, name), tx.Delete(dueBucket, name))
	})
}

// Entries returns the SBOMs of the inventory, by name.
func (v *Inventory) Entries() (list []Entry, err error) {
	err = v.shelf.View(func(tx store.ShelfTx) error {
		var failed error
		tx.Scan(sbomBucket, "", "", func(name string, value []byte) bool {
			doc, err := v.decode(name, value)
			if err != nil {
				failed = err
				return false
			}
			e := Entry{Name: name, Added: doc.Added, Components: len(doc.Components), Due: tx.Get(dueBucket, name) != nil}
			for _, f := range doc.Findings {
				e.Findings += len(f)
			}
			list = append(list, e)
			return true
		})
		return failed
	})
	return list, err
}

// load reads an SBOM; ErrUnknown where there is none.
func (v *Inventory) load(tx store.ShelfTx, name string) (*sbom, error) {
	value := tx.Get(sbomBucket, name)
	if value == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	return v.decode(name, value)
}

func (v *Inventory) decode(name string, value []byte) (*sbom, error) {
	data, err := v.dec.DecodeAll(value, nil)
	if err != nil {
		return nil, fmt.Errorf("inventory: %s: %w", name, err)
	}
	doc := new(sbom)
	if err := json.Unmarshal(data, doc); err != nil {
		return nil, fmt.Errorf("inventory: %s: %w", name, err)
	}
	return doc, nil
}

// save writes an SBOM, and its index where that differs from was, the form
// before; nil for none.
func (v *Inventory) save(tx store.ShelfTx, name string, doc *sbom, was map[indexKey]bool) error {
	data, err := json.Marshal(doc, json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := tx.Put(sbomBucket, name, v.enc.EncodeAll(data, nil)); err != nil {
		return err
	}
	now := doc.index()
	for k := range now {
		if !was[k] {
			if err := tx.Put(k.bucket, k.key+"\x00"+name, nil); err != nil {
				return err
			}
		}
	}
	return forget(tx, name, was, now)
}

// forget takes the keys of was away that now lacks.
func forget(tx store.ShelfTx, name string, was, now map[indexKey]bool) error {
	for k := range was {
		if !now[k] {
			if err := tx.Delete(k.bucket, k.key+"\x00"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// An indexKey is a key by which an SBOM is found.
type indexKey struct{ bucket, key string }

// index returns the keys by which an SBOM is found.
func (s *sbom) index() map[indexKey]bool {
	keys := make(map[indexKey]bool, 2*len(s.Components))
	for _, c := range s.Components {
		for _, plain := range componentNames(c) {
			keys[indexKey{nameBucket, plain}] = true
		}
	}
	for _, list := range s.Findings {
		for _, f := range list {
			keys[indexKey{vulnBucket, f.Vulnerability}] = true
		}
	}
	return keys
}

// componentNames are the plain names under which records may speak of a
// component: its own and its source package's.
func componentNames(c query.Component) []string {
	q, err := query.ParsePurl(c.Purl)
	if err != nil {
		return nil
	}
	names := []string{plainName(q.Name)}
	if q.Source != "" {
		names = append(names, plainName(q.Source))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// plainName makes names alike that one ecosystem or another takes for one:
// it is coarser than each of their rules, and of no ecosystem. That may match
// a component once too often, never too seldom.
func plainName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
}
