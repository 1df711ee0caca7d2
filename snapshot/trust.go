package snapshot

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"
)

// keepState is the name under which a replica keeps what it knows of itself.
const keepState = "state"

// A Held is what a replica knows of the release that it stands for.
type Held struct {
	Origin   string   `json:"origin"`
	Epoch    uint64   `json:"epoch"`
	Version  uint64   `json:"version"`
	Time     string   `json:"time"`           // the release's
	Only     []string `json:"only,omitempty"` // ecosystems; none: all
	Attested string   `json:"attested"`       // RFC 3339: by when the release was there, as far as is signed
	Seen     string   `json:"seen"`           // the latest time that was ever believed here
	Stale    string   `json:"stale,omitempty"`
	Repo     string   `json:"repo,omitempty"` // where the release came from, as OpenReader reads it

	files map[string][]byte
	m     *Manifest
}

// ReadHeld returns what the state of a replica stands for, nil for a state
// that comes from no snapshot.
func ReadHeld(db *store.DB) (*Held, error) {
	files, err := db.Snapshots()
	if err != nil || len(files[keepState]) == 0 {
		return nil, err
	}
	h := &Held{files: files}
	if err := decodeJSON(files[keepState], h); err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrFormat, err)
	}
	if h.m, err = decodeManifest(files[keepManifest]); err != nil {
		return nil, err
	}
	return h, nil
}

// Manifest returns the manifest of the release.
func (h *Held) Manifest() *Manifest { return h.m }

// tree is the log as it was last seen.
func (h *Held) tree() (t tlog.Tree, err error) {
	var p proof.TLogProof
	if err := p.Unmarshal(h.files[keepProof]); err != nil {
		return t, err
	}
	var c log.Checkpoint
	if _, err := c.Unmarshal(p.Checkpoint); err != nil {
		return t, err
	}
	t.N = int64(c.Size)
	copy(t.Hash[:], c.Hash)
	return t, nil
}

func (h *Held) selection() selection {
	if len(h.Only) == 0 {
		return nil
	}
	return selection(h.Only)
}

// encode returns what a state keeps.
func (h *Held) encode(files map[string][]byte) (map[string][]byte, error) {
	state, err := canonical(h)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(files)
	out[keepState] = state
	return out, nil
}

// later returns the later of two RFC 3339 times, of which either may be empty.
func later(a string, b time.Time) string {
	if t, err := time.Parse(time.RFC3339, a); err == nil && t.After(b) {
		return a
	}
	return b.UTC().Format(time.RFC3339)
}

// normalizeOnly sorts a choice of ecosystems.
func normalizeOnly(only []string) []string {
	list := slices.Clone(only)
	slices.Sort(list)
	return slices.Compact(list)
}
