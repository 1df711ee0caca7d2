package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Hash is a SHA-256, in JSON 64 hexadecimal digits.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 2*len(h) {
		return fmt.Errorf("hash %q: %d digits, want %d", b, len(b), 2*len(h))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

func hashOf(b []byte) Hash { return sha256.Sum256(b) }

const (
	manifestFormat = "advdb-manifest/1"
	leafFormat     = "advdb-release/1"

	// clientLevel is the highest min_client that this program understands.
	clientLevel = 1
)

// A Manifest is what a release says of itself: TUF target release.json.
type Manifest struct {
	Format        string              `json:"format"`
	Origin        string              `json:"origin"`
	Epoch         uint64              `json:"epoch"`
	Version       uint64              `json:"version"`
	Time          string              `json:"time"` // RFC 3339, UTC
	Records       uint64              `json:"records"`
	StateRoot     Hash                `json:"state_root"`
	EventsRoot    Hash                `json:"events_root"`  // over what changed in this release
	Collections   []Collection        `json:"collections"`  // by name
	Sources       []store.SourceState `json:"sources"`      // by name
	Dictionaries  []Dictionary        `json:"dictionaries"` // those that segments use, and the newest
	Base          Segment             `json:"base"`
	Bases         []KeptBase          `json:"bases,omitempty"` // that are kept, the newest included; ascending
	Segments      []Segment           `json:"segments"`        // by (to, from)
	Encoder       string              `json:"encoder"`
	MinClient     int                 `json:"min_client"`
	MaxOfflineAge int64               `json:"max_offline_age"` // seconds; an import refuses what is older
}

// A Collection is a part of a state that can be verified by itself.
type Collection struct {
	Name    string `json:"name"`
	Entries uint64 `json:"entries"`
	Root    Hash   `json:"root"`
}

// A Blob is an immutable file, named by its hash.
type Blob struct {
	SHA256 Hash  `json:"sha256"`
	Size   int64 `json:"size"`  // bytes as they are carried
	USize  int64 `json:"usize"` // bytes decompressed, without the index
}

// A Dictionary is what blocks of segments may refer to.
type Dictionary struct {
	Content Hash `json:"content_sha256"`
	Blob
}

// A Segment leads from any state in [From, To) to To. One of From 0 leads from
// nothing.
type Segment struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	Blob
	Entries uint64 `json:"entries"`
	Content Hash   `json:"content_sha256"` // over the blocks decompressed; the same for any encoder
	Index   Index  `json:"index"`

	Dictionary Hash `json:"dictionary,omitzero"` // of the dictionary's bytes, decompressed
}

// An Index is where the index of a segment is in its file, so that it can be
// fetched and verified alone.
type Index struct {
	Offset int64 `json:"offset"`
	Size   int64 `json:"size"`
	USize  int64 `json:"usize"`
	SHA256 Hash  `json:"sha256"`
}

// name is the path of a blob in a repository.
func (b Blob) name() string {
	h := b.SHA256.String()
	return "blob/" + h[:2] + "/" + h
}

// A Leaf is what the log of releases has of one.
type Leaf struct {
	Type       string `json:"type"`
	Origin     string `json:"origin"`
	Epoch      uint64 `json:"epoch"`
	Version    uint64 `json:"version"`
	Time       string `json:"time"`
	Records    uint64 `json:"records"`
	StateRoot  Hash   `json:"state_root"`
	EventsRoot Hash   `json:"events_root"`
	Manifest   Hash   `json:"manifest_sha256"`
}

// leaf returns the leaf of the release whose manifest is m with these bytes.
func (m *Manifest) leaf(data []byte) []byte {
	b, err := canonical(Leaf{leafFormat, m.Origin, m.Epoch, m.Version, m.Time, m.Records, m.StateRoot, m.EventsRoot, hashOf(data)})
	if err != nil {
		panic(err) // strings and numbers
	}
	return b
}

// canonical is the RFC 8785 form of v.
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), json.FormatNilSliceAsNull(false))
	if err != nil {
		return nil, err
	}
	x := jsontext.Value(b)
	err = x.Canonicalize(jsontext.AllowInvalidUTF8(true), jsontext.CanonicalizeRawInts(false))
	return x, err
}

// decodeManifest reads a manifest and checks that it holds together.
func decodeManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	switch _, err := time.Parse(time.RFC3339, m.Time); {
	case m.Format != manifestFormat || m.MinClient > clientLevel:
		return nil, fmt.Errorf("manifest %q, client %d: %w", m.Format, m.MinClient, ErrClient)
	case err != nil:
		return nil, fmt.Errorf("%w: time: %w", ErrManifest, err)
	case m.Version == 0 || m.Origin == "":
		return nil, fmt.Errorf("%w: no version or origin", ErrManifest)
	case topRoot(m.Collections) != m.StateRoot:
		return nil, fmt.Errorf("%w: state root is not that of the collections", ErrManifest)
	}
	for i, c := range m.Collections {
		if i > 0 && c.Name <= m.Collections[i-1].Name {
			return nil, fmt.Errorf("%w: collection %q is out of order", ErrManifest, c.Name)
		}
	}
	seen := map[Hash]bool{}
	for _, d := range m.Dictionaries {
		if seen[d.Content] {
			return nil, fmt.Errorf("%w: dictionary %s twice", ErrManifest, d.Content)
		}
		seen[d.Content] = true
	}
	for _, s := range append([]Segment{m.Base}, m.Segments...) {
		if err := s.check(m.Version); err != nil {
			return nil, err
		}
	}
	return m, m.checkBases()
}

// check refuses a segment that cannot be one.
func (s *Segment) check(head uint64) error {
	x := s.Index
	if s.From >= s.To || s.To > head || s.Size < segmentOverhead || x.Offset < 4 || x.Offset > s.Size || x.Size <= 0 || x.Size > min(s.Size, maxIndex) ||
		x.Offset+x.Size+footerSize != s.Size || x.USize <= 0 || x.USize > maxIndex || s.USize < 0 {
		return fmt.Errorf("%w: segment (%d,%d]", ErrManifest, s.From, s.To)
	}
	return nil
}

// time is when the release was made.
func (m *Manifest) time() time.Time {
	t, _ := time.Parse(time.RFC3339, m.Time)
	return t
}
