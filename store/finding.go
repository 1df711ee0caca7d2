package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// DocumentFindings are the findings of one document: how many, and the first.
type DocumentFindings struct {
	Document string              `json:"document"`
	Count    int                 `json:"count"`
	First    []normalize.Finding `json:"first"`
}

// openWork opens work.db for reading; nil where there is none. It returns
// ErrBusy while the folder is written to.
func openWork(dir string) (*bolt.DB, error) {
	path := filepath.Join(dir, workName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	db, err := bolt.Open(path, 0o444, &bolt.Options{ReadOnly: true, Timeout: 200 * time.Millisecond})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return db, nil
}

// ReadFindings returns the findings of a source's documents, in the order of
// names; none where feeds are not synced. It returns ErrBusy while the folder
// is written to.
func ReadFindings(dir, source string) (list []DocumentFindings, err error) {
	db, err := openWork(dir)
	if err != nil || db == nil {
		return nil, err
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		prefix := docKey(source, "")
		c := tx.Bucket(findingBucket).Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var f docFindings
			if err := json.Unmarshal(v, &f); err != nil {
				return fmt.Errorf("findings of %s: %w", k[len(prefix):], err)
			}
			list = append(list, DocumentFindings{string(k[len(prefix):]), f.Count, f.First})
		}
		return nil
	})
	return list, err
}
