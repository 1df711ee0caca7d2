package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// statusName is the file that says when each source was last asked. It stands
// beside the databases so that asking in vain writes to neither, and so that
// it can be read while a sync runs.
const statusName = "status.json"

// A Status is how the last attempts to fetch a source went.
type Status struct {
	TriedAt   string `json:"tried_at"`             // RFC 3339
	FetchedAt string `json:"fetched_at,omitempty"` // when it last went well: what is held was current then
	Error     string `json:"error,omitempty"`      // of the last attempt, fetching and parsing
}

// ReadStatus returns the status of each source; empty before the first sync
// and on a replica.
func ReadStatus(dir string) (map[string]Status, error) {
	path := filepath.Join(dir, statusName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Status{}, nil
	}
	if err != nil {
		return nil, err
	}
	m := map[string]Status{}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// WriteStatus replaces the status of the sources in m and keeps that of others.
func (s *Store) WriteStatus(m map[string]Status) error {
	all, err := ReadStatus(s.dir)
	if err != nil {
		s.opt.Log.Warn("status is written anew", "error", err)
		all = map[string]Status{}
	}
	for k, v := range m {
		all[k] = v
	}
	data, err := json.Marshal(all, json.Deterministic(true), jsontext.Multiline(true))
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, statusName)
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
