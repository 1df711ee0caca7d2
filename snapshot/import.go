package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/advdb/advdb/store"
	"golang.org/x/mod/sumdb/tlog"
)

// timeOfSigning is a time at which nothing has expired: what is carried is
// judged by when it was made, and then by its age.
var timeOfSigning = time.Unix(0, 0)

// tile is a tile of the log.
func tile(level int, n int64, w int) tlog.Tile { return tlog.Tile{H: tileHeight, L: level, N: n, W: w} }

// A State is what an offline site hands out: what it holds, so that somebody
// online can make the bundle that it needs. After an import it is the receipt.
type State struct {
	Format  string   `json:"format"`
	Origin  string   `json:"origin"`
	Epoch   uint64   `json:"epoch"`
	Version uint64   `json:"version"`
	Time    string   `json:"time"`
	Only    []string `json:"only,omitempty"`
	LogSize int64    `json:"log_size"`
	LogRoot Hash     `json:"log_root"`
	Root    int64    `json:"root_version"`
}

const stateFormat = "advdb-state/1"

// ReadState returns what a replica holds.
func ReadState(db *store.DB) (*State, error) {
	h, err := ReadHeld(db)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, store.ErrNotReplica
	}
	tree, err := h.tree()
	if err != nil {
		return nil, err
	}
	var root struct {
		Version int64 `json:"version"`
	}
	if err := unmarshalSigned(h.files[keepRoot], &root); err != nil {
		return nil, err
	}
	return &State{stateFormat, h.Origin, h.Epoch, h.Version, h.Time, h.Only, tree.N, Hash(tree.Hash), root.Version}, nil
}

// Encode writes the state, canonical.
func (s *State) Encode() ([]byte, error) { return canonical(s) }

// DecodeState reads what Encode wrote.
func DecodeState(data []byte) (*State, error) {
	s := &State{}
	if err := decodeJSON(data, s); err != nil {
		return nil, fmt.Errorf("state: %w: %w", ErrManifest, err)
	}
	if s.Format != stateFormat || s.LogSize < 0 {
		return nil, fmt.Errorf("state: %w: format %q", ErrManifest, s.Format)
	}
	return s, nil
}

func (s *State) tree() tlog.Tree { return tlog.Tree{N: s.LogSize, Hash: tlog.Hash(s.LogRoot)} }

// ImportOptions are the options of [Import].
type ImportOptions struct {
	Dir    string
	Bundle *Bundle
	Root   []byte // as of [PullOptions]
	Only   []string
	Now    time.Time

	Witnesses []byte // as of [PullOptions]

	Warn        time.Duration // older than this is said; default 7 days
	Refuse      time.Duration // older than this is refused; default the release's own limit
	AcceptStale string        // why what is too old is imported all the same; kept and shown
}

// An Imported says what a run of [Import] did.
type Imported struct {
	Pulled
	Attested string  `json:"attested"`  // by when the release was there, as far as is signed
	AgeHours float64 `json:"age_hours"` // by the clock, or by the latest time that was seen here
	Warning  string  `json:"warning,omitempty"`
}

const defaultWarn = 7 * 24 * time.Hour

// Import makes a folder a replica of the release in a bundle. Signatures, the
// log, and what is older than what is held count as they do for [Pull], and
// no clock and no option changes that. Expiry counts by the time at which the
// release was made; how old that is, is the site's policy, which judges a
// release that is held already as well.
func Import(ctx context.Context, opt ImportOptions) (Imported, error) {
	var out Imported
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	if opt.Warn == 0 {
		opt.Warn = defaultWarn
	}
	p := PullOptions{Dir: opt.Dir, Mirrors: []Reader{opt.Bundle}, Root: opt.Root, Only: opt.Only, Now: opt.Now, MinSpeed: -1, Witnesses: opt.Witnesses, attested: true}
	judged := false
	p.accept = func(v *verified, next *Held) error {
		judged = true
		return opt.judge(v.attested, v.manifest, next, &out)
	}
	pulled, err := Pull(ctx, p)
	out.Pulled = pulled
	if err == nil && !judged {
		err = opt.judgeHeld(ctx, &out)
	}
	return out, err
}

// judgeHeld applies the age policy to what is held: nothing newer came. A
// reason to go on with it is kept.
func (o *ImportOptions) judgeHeld(ctx context.Context, out *Imported) error {
	rep, err := store.OpenReplica(o.Dir)
	if err != nil {
		return err
	}
	defer rep.Close()
	db, err := rep.Open()
	if err != nil {
		return err
	}
	defer db.Close()
	h, err := ReadHeld(db)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, h.Attested)
	if err != nil {
		return fmt.Errorf("%w: attested: %w", store.ErrFormat, err)
	}
	next := *h
	if err := o.judge(at, h.m, &next, out); err != nil || next.Stale == h.Stale {
		return err
	}
	keep, err := next.encode(h.files)
	if err != nil {
		return err
	}
	return rep.Change(ctx, func(*store.Changer) (store.StateInfo, error) {
		return store.StateInfo{Number: h.Version, Created: h.Time, Sources: h.m.Sources, Snapshot: keep}, nil
	})
}

// judge applies the age policy to a release that was there at a time.
func (o *ImportOptions) judge(at time.Time, m *Manifest, next *Held, out *Imported) error {
	out.Attested = at.Format(time.RFC3339)
	now := o.Now
	if seen, err := time.Parse(time.RFC3339, next.Seen); err == nil && seen.After(now) {
		if seen.Sub(now) > 24*time.Hour {
			out.Warning = fmt.Sprintf("the clock says %s, and %s was seen signed: the clock is wrong", now.Format(time.RFC3339), next.Seen)
		}
		now = seen
	}
	age := now.Sub(at)
	out.AgeHours = age.Hours()
	limit := o.Refuse
	if limit == 0 {
		limit = time.Duration(m.MaxOfflineAge) * time.Second
	}
	switch {
	case age > limit && o.AcceptStale == "":
		return fmt.Errorf("release %d is of %s, %.0f days ago, the limit is %.0f: %w", m.Version, out.Attested, age.Hours()/24, limit.Hours()/24, ErrStale)
	case age > limit:
		next.Stale = o.AcceptStale
		out.Warning = fmt.Sprintf("%.0f days old, accepted: %s", age.Hours()/24, o.AcceptStale)
	case age > o.Warn && out.Warning == "":
		out.Warning = fmt.Sprintf("%.0f days old", age.Hours()/24)
	}
	return nil
}

// Inspect says what a bundle holds; it is verified by its own first root.
func Inspect(ctx context.Context, b *Bundle) (Bundled, error) {
	root, err := readAll(ctx, b, "tuf/1.root.json", maxRoot)
	if err != nil {
		return Bundled{}, err
	}
	v, err := refresh(ctx, b, map[string][]byte{keepRoot: root}, timeOfSigning)
	if err != nil {
		return Bundled{}, err
	}
	m := v.manifest
	out := Bundled{Origin: m.Origin, Version: m.Version, From: m.Version, Time: m.Time, Records: m.Records, Files: len(b.names), Root: hashOf(root), State: m.StateRoot}
	if st, err := b.file.Stat(); err == nil {
		out.Bytes = st.Size()
	}
	var have []Segment
	for _, s := range append([]Segment{m.Base}, m.Segments...) {
		if f := b.files[s.name()]; f != nil && f.Size() == s.Size {
			have = append(have, s)
		}
	}
	for from := range m.Version {
		if _, cost := cheapest(sortedSegments(have), from, m.Version); cost >= 0 {
			out.From = from
			break
		}
	}
	return out, nil
}
