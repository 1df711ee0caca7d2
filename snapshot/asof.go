package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/store"
)

// A GoneError says that a release can no longer be made out of what the
// repository has. It is ErrNotFound.
type GoneError struct {
	Version    uint64
	Obtainable []uint64 // the releases that can, ascending
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("release %d was collected; releases that can be had: %s", e.Version, spansOf(e.Obtainable))
}

// Unwrap makes the error ErrNotFound.
func (*GoneError) Unwrap() error { return ErrNotFound }

// spansOf writes ascending numbers in short: "8, 16, 20 to 31".
func spansOf(list []uint64) string {
	var out []string
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j] == list[j-1]+1 {
			j++
		}
		switch j - i {
		case 1:
			out = append(out, fmt.Sprint(list[i]))
		case 2:
			out = append(out, fmt.Sprint(list[i]), fmt.Sprint(list[i+1]))
		default:
			out = append(out, fmt.Sprintf("%d to %d", list[i], list[j-1]))
		}
		i = j
	}
	return strings.Join(out, ", ")
}

// A way is what leads to a release from nothing.
type way struct {
	leaf     Leaf
	own      *Manifest // of the release; nil where it was collected
	data     []byte    // its bytes
	by       *Manifest // names the segments: own, or that of a later release
	segments []Segment
}

// way finds what leads to a release: by its own manifest, or, where that was
// collected, by the next one that is there.
func (l *Releases) way(ctx context.Context, x Leaf) (*way, error) {
	m, data, err := l.manifest(ctx, x)
	if err == nil {
		c, err := m.plan(0)
		return &way{x, m, data, m, c.segments}, err
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if m, err = l.later(ctx, x); err != nil {
		return nil, err
	}
	if m != nil {
		if segs, ok := m.reach(x.Version); ok {
			return &way{leaf: x, by: m, segments: segs}, nil
		}
	}
	list, err := l.Obtainable(ctx)
	return nil, errors.Join(err, &GoneError{x.Version, list})
}

// later returns the manifest of the first later release that has one, nil for
// none of the same epoch.
func (l *Releases) later(ctx context.Context, x Leaf) (*Manifest, error) {
	had, err := l.available(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range had {
		y, err := l.entry(ctx, n)
		if err != nil {
			return nil, err
		}
		if y.Epoch == x.Epoch && y.Version > x.Version {
			m, _, err := l.manifest(ctx, y)
			return m, err
		}
	}
	return nil, nil
}

// Obtainable returns the numbers of the releases, of the newest epoch, that
// can be made out of what the repository has, ascending.
func (l *Releases) Obtainable(ctx context.Context) ([]uint64, error) {
	had, err := l.available(ctx)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for i, n := range had {
		x, err := l.entry(ctx, n)
		if err != nil {
			return nil, err
		}
		if x.Epoch != l.v.manifest.Epoch {
			continue
		}
		if i == 0 || had[i-1] != n-1 {
			m, _, err := l.manifest(ctx, x)
			if err != nil {
				return nil, err
			}
			for _, b := range m.Bases {
				out = append(out, b.To)
			}
			list := sortedSegments(m.Segments)
			for v := m.Base.To; v < m.Version; v++ {
				if _, cost := cheapest(list, m.Base.To, v); cost >= 0 {
					out = append(out, v)
				}
			}
		}
		out = append(out, x.Version)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// keepRelease is the name under which a restored state keeps its entry of the log.
const keepRelease = "release"

// Restored returns the log's entry of the release that [Releases.Restore]
// made this state of, nil where it is another's work.
func Restored(db *store.DB) (*Leaf, error) {
	data, err := db.Snapshot(keepRelease)
	if err != nil || data == nil {
		return nil, err
	}
	x := &Leaf{}
	if err := decodeJSON(data, x); err != nil {
		return nil, fmt.Errorf("%w: release: %w", store.ErrFormat, err)
	}
	return x, nil
}

// Restore makes a folder the state of a past release, of all ecosystems or of
// those named, and reports whether that was not what it was already. Its
// root is that of the release's entry in the log; where the
// release's manifest was collected, it is of all ecosystems, and what it
// knew of its sources is not known any more. Where another process restores
// into the folder it waits.
func (l *Releases) Restore(ctx context.Context, x Leaf, dir string, only []string) (fresh bool, err error) {
	rep, err := openWaiting(ctx, dir)
	if err != nil {
		return false, err
	}
	defer rep.Close()
	if restoredAs(rep, x, normalizeOnly(only)) {
		return false, nil
	}
	w, err := l.way(ctx, x)
	if err != nil {
		return false, err
	}
	stage := filepath.Join(dir, "staging")
	lib := l.library(w.by, stage)
	defer lib.close()
	segs, err := lib.segments(ctx, w.segments)
	if err != nil {
		return false, fmt.Errorf("release %d: %w", x.Version, err)
	}
	a := &applying{ctx: ctx, segs: segs}
	if err := l.prepare(ctx, w, normalizeOnly(only), a); err != nil {
		return false, fmt.Errorf("release %d: %w", x.Version, err)
	}
	if err := a.run(rep); err != nil {
		return false, fmt.Errorf("release %d: %w", x.Version, err)
	}
	return true, os.RemoveAll(stage)
}

// openWaiting opens a replica when nobody else writes to it.
func openWaiting(ctx context.Context, dir string) (*store.Replica, error) {
	for {
		rep, err := store.OpenReplica(dir)
		if !errors.Is(err, store.ErrBusy) {
			return rep, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// restoredAs reports whether a folder is the state of the release already.
func restoredAs(rep *store.Replica, x Leaf, only []string) bool {
	db, err := rep.Open()
	if err != nil {
		return false
	}
	defer db.Close()
	have, err := Restored(db)
	if err != nil || have == nil || *have != x {
		return false
	}
	held, err := ReadHeld(db)
	return err == nil && (held == nil || slices.Equal(held.Only, only))
}

// prepare says what the state is to be, and what it is to know of itself.
func (l *Releases) prepare(ctx context.Context, w *way, only []string, a *applying) error {
	entry, err := canonical(w.leaf)
	if err != nil {
		return err
	}
	a.info = store.StateInfo{Number: w.leaf.Version, Created: w.leaf.Time, Snapshot: map[string][]byte{keepRelease: entry}}
	if w.own == nil {
		a.bare, a.m = true, &Manifest{StateRoot: w.leaf.StateRoot}
		a.info.Sources = unknownSources(w.by.Sources)
		return nil
	}
	n, err := l.search(ctx, func(y Leaf) bool {
		return y.Epoch > w.leaf.Epoch || y.Epoch == w.leaf.Epoch && y.Version >= w.leaf.Version
	})
	if err != nil {
		return err
	}
	proof, err := proveLeaf(ctx, l.r, n, l.v.tree, l.v.checkpoint)
	if err != nil {
		return err
	}
	files := maps.Clone(l.v.files)
	files[keepManifest], files[keepProof], files[keepRelease] = w.data, proof, entry
	// The metadata is of the newest release: without it, whoever pulls into
	// this folder goes on from here.
	for _, name := range []string{keepTimestamp, keepSnapshot, keepTargets, keepReleases, keepState} {
		delete(files, name)
	}
	h := &Held{Origin: w.leaf.Origin, Epoch: w.leaf.Epoch, Version: w.leaf.Version, Time: w.leaf.Time, Attested: w.leaf.Time, Seen: w.leaf.Time}
	if len(only) > 0 {
		h.Only = only
	}
	a.m, a.sel, a.info.Sources = w.own, h.selection(), w.own.Sources
	a.info.Snapshot, err = h.encode(files)
	return err
}

// unknownSources are the sources of a later release, of which it is not known
// how they stood before.
func unknownSources(list []store.SourceState) []store.SourceState {
	out := slices.Clone(list)
	for i := range out {
		s := &out[i]
		s.Records, s.Documents, s.Findings, s.FetchedAt, s.Newest, s.Status, s.Error = 0, 0, 0, "", "", "unknown", ""
	}
	return out
}

// library opens segments where they are, in folders, or by way of a copy in
// stage.
func (l *Releases) library(m *Manifest, stage string) *library {
	lib := newLibrary(l.r, m, stage)
	lib.file = func(ctx context.Context, s Segment) (*os.File, error) {
		if f, err := l.local(s.Blob); f != nil || err != nil {
			return f, err
		}
		f := &fetcher{mirrors: []Reader{l.r}, dir: stage, retries: 2}
		if err := f.fetch(ctx, s.Blob); err != nil {
			return nil, err
		}
		return os.Open(f.path(s.Blob))
	}
	return lib
}

// local opens a blob of a repository that is a folder, nil where none has it.
func (l *Releases) local(b Blob) (*os.File, error) {
	for _, r := range l.repos {
		d, ok := r.(*watched).Reader.(*Dir)
		if !ok {
			continue
		}
		f, err := d.root.Open(b.name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() || st.Size() != b.Size {
			f.Close()
			return nil, errors.Join(err, fmt.Errorf("%s: %w", b.name(), ErrMismatch))
		}
		return f, nil
	}
	return nil, nil
}

// address is how a repository is found again: what [OpenReader] reads. It is
// empty for a bundle, which was carried, and for what has a password in it.
func address(r Reader) string {
	if w, ok := r.(*watched); ok {
		r = w.Reader
	}
	switch r := r.(type) {
	case *Bundle:
		return ""
	case *Dir:
		path, err := filepath.Abs(r.path)
		if err != nil {
			return ""
		}
		return path
	case *HTTP:
		if r.base.User != nil || r.base.RawQuery != "" {
			return ""
		}
	}
	return r.String()
}
