package snapshot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/advdb/advdb/store"
)

// PullOptions are the options of [Pull]. Dir and one mirror are needed, and
// Root the first time.
type PullOptions struct {
	Dir     string   // the replica's folder
	Mirrors []Reader // of one repository, the best first
	Root    []byte   // a root of the publisher; only read where the replica trusts none yet
	Only    []string // hold these ecosystems only; nil: as before, or all; empty: all

	// Witnesses is a C2SP tlog-policy whose quorum must have cosigned each
	// release beside that of the publisher's policy; the replica keeps it. Nil:
	// as before, or none.
	Witnesses []byte

	Now      time.Time     // the clock; default: now
	MinSpeed int64         // bytes a second below which a mirror is left; default 1 KiB; negative: none
	Patience time.Duration // for how long a mirror may be slower; default 30 s
	Log      *slog.Logger

	accept   func(v *verified, h *Held) error // the age policy of a bundle
	attested bool                             // expiry counts by the release's own time, not by Now

	wholeBelow int64 // segments of fewer bytes are fetched whole; default wholeSegment
	disk       disk  // default: the system's
}

// A Pulled says what a run of [Pull] did.
type Pulled struct {
	Version   uint64 `json:"version"`
	From      uint64 `json:"from"` // the release that was held, 0 for none
	Changed   bool   `json:"changed"`
	Full      bool   `json:"full"` // by way of the base
	Files     int    `json:"files"`
	Requests  int    `json:"requests"`
	Bytes     int64  `json:"bytes"`
	Records   uint64 `json:"records"`
	StateRoot Hash   `json:"state_root"`
	Time      string `json:"time"`
	Mirror    string `json:"mirror"`
}

// Pull makes a folder a replica of the newest release of a repository. The
// replica is that release afterwards, or, with an error, what it was. An
// error that is ErrRefused says that no mirror offered anything to be trusted.
func Pull(ctx context.Context, opt PullOptions) (Pulled, error) {
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	rep, err := store.OpenReplica(opt.Dir)
	if err != nil {
		return Pulled{}, err
	}
	defer rep.Close()
	p := &pulling{PullOptions: opt, rep: rep}
	for i, m := range p.Mirrors {
		p.Mirrors[i] = watch(m, opt.MinSpeed, opt.Patience, &p.count)
	}
	err = p.run(ctx)
	p.out.Requests, p.out.Bytes = int(p.count.requests.Load()), p.count.bytes.Load()
	return p.out, err
}

// A pulling is one run of Pull.
type pulling struct {
	PullOptions
	rep   *store.Replica
	db    *store.DB // the state held, nil for none
	held  *Held     // nil for none
	count traffic
	out   Pulled
}

func (p *pulling) run(ctx context.Context) error {
	if err := p.open(); err != nil {
		return err
	}
	if p.db != nil {
		defer p.db.Close()
	}
	trusted := map[string][]byte{keepRoot: p.Root}
	if p.held != nil {
		trusted = p.held.files
		p.out.From, p.out.Version = p.held.Version, p.held.Version
	}
	if len(trusted[keepRoot]) == 0 {
		return ErrTrust
	}
	trusted = withWitnesses(trusted, p.Witnesses)
	var errs []error
	for i, m := range p.Mirrors {
		err := p.from(ctx, i, trusted)
		if err == nil {
			p.out.Mirror = m.String()
			return nil
		}
		if isFull(err) {
			return err
		}
		errs = append(errs, fmt.Errorf("%s: %w", m, err))
		if ctx.Err() != nil {
			break
		}
		p.Log.Warn("mirror", "mirror", m.String(), "error", err)
	}
	return errors.Join(errs...)
}

// open opens what is held.
func (p *pulling) open() error {
	db, err := p.rep.Open()
	switch {
	case errors.Is(err, store.ErrNoData):
		return nil
	case err != nil:
		return err
	}
	if p.held, err = ReadHeld(db); err != nil || p.held == nil {
		db.Close()
		if err == nil {
			err = store.ErrNotReplica
		}
		return fmt.Errorf("%s: %w", p.Dir, err)
	}
	p.db = db
	return nil
}

// from pulls what the mirror of that number says is the newest release; blobs
// may come from the others.
func (p *pulling) from(ctx context.Context, mirror int, trusted map[string][]byte) error {
	r := p.Mirrors[mirror]
	now := p.Now
	if p.attested {
		now = time.Unix(0, 0)
	}
	v, err := refresh(ctx, r, trusted, now)
	if err != nil {
		return err
	}
	if v.unchanged && p.sameOnly() {
		p.out.Version, p.out.Records, p.out.StateRoot, p.out.Time = p.held.Version, p.held.m.held(p.held.selection()), p.held.m.StateRoot, p.held.Time
		return nil
	}
	if v.unchanged {
		v.files, v.manifest = p.held.files, p.held.m
		if err := v.checkRelease(); err != nil {
			return err
		}
	}
	if p.attested && !v.unchanged {
		if err := v.checkValid(v.attested); err != nil {
			return err
		}
	}
	if err := p.compare(ctx, r, v); err != nil {
		return err
	}
	next := p.next(v)
	next.Repo = address(r)
	if p.accept != nil {
		if err := p.accept(v, next); err != nil {
			return err
		}
	}
	mirrors := append([]Reader{r}, slices.Delete(slices.Clone(p.Mirrors), mirror, mirror+1)...)
	return p.move(ctx, v, next, mirrors)
}

// sameOnly reports whether the ecosystems asked for are those that are held.
func (p *pulling) sameOnly() bool {
	return p.held != nil && (p.Only == nil || slices.Equal(normalizeOnly(p.Only), p.held.Only))
}

// compare checks a release against the one that is held.
func (p *pulling) compare(ctx context.Context, r Reader, v *verified) error {
	h, m := p.held, v.manifest
	if h == nil {
		return nil
	}
	switch {
	case m.Origin != h.Origin:
		return fmt.Errorf("%q, %q is held: %w", m.Origin, h.Origin, ErrOrigin)
	case m.Epoch < h.Epoch || m.Epoch == h.Epoch && m.Version < h.Version:
		return fmt.Errorf("release %d.%d, %d.%d is held: %w", m.Epoch, m.Version, h.Epoch, h.Version, ErrRollback)
	case m.Epoch > h.Epoch:
		return nil
	case m.Version == h.Version && m.StateRoot != h.m.StateRoot:
		return fmt.Errorf("release %d: %w", m.Version, ErrFork)
	}
	old, err := h.tree()
	if err != nil {
		return fmt.Errorf("%w: checkpoint held: %w", store.ErrFormat, err)
	}
	return checkConsistent(ctx, r, old, v.tree)
}

// next is what the replica will know of itself.
func (p *pulling) next(v *verified) *Held {
	m := v.manifest
	h := &Held{Origin: m.Origin, Epoch: m.Epoch, Version: m.Version, Time: m.Time, Only: normalizeOnly(p.Only),
		Attested: v.attested.UTC().Format(time.RFC3339), Seen: v.attested.UTC().Format(time.RFC3339)}
	if p.held != nil {
		if p.Only == nil {
			h.Only = p.held.Only
		}
		h.Seen = later(p.held.Seen, v.attested)
	}
	if len(h.Only) == 0 {
		h.Only = nil
	}
	if !p.attested {
		h.Seen = later(h.Seen, p.Now)
	}
	return h
}

// move fetches what leads to a release and makes it the state.
func (p *pulling) move(ctx context.Context, v *verified, next *Held, mirrors []Reader) error {
	m := v.manifest
	from := uint64(0)
	if p.held != nil && p.held.Epoch == m.Epoch && slices.Equal(p.held.Only, next.Only) {
		from = p.held.Version
	}
	way, err := m.plan(from)
	if err != nil {
		return err
	}
	err = p.take(ctx, v, next, way, from, mirrors)
	if err != nil && !way.base && from > 0 && from < m.Version && (errors.Is(err, ErrState) || errors.Is(err, ErrSegment)) {
		p.Log.Warn("the delta does not lead to the signed state; starting from the base", "error", err)
		full, ferr := m.plan(0)
		if ferr != nil {
			return err
		}
		return p.take(ctx, v, next, full, 0, mirrors)
	}
	return err
}

// take fetches the segments of a way, applies them, and commits.
func (p *pulling) take(ctx context.Context, v *verified, next *Held, way cover, from uint64, mirrors []Reader) error {
	dir := filepath.Join(p.Dir, "staging")
	lib := newLibrary(mirrors[0], v.manifest, dir).staged(dir)
	defer lib.close()
	f := &partFetcher{fetcher{mirrors: mirrors, dir: dir, retries: 2}, lib, next.selection(), p.wholeBelow, p.disk}
	if err := p.room(f, way); err != nil {
		return err
	}
	for _, s := range way.segments {
		if err := f.fetch(ctx, s); err != nil {
			return fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
		}
		p.out.Files++
	}
	segs, err := lib.segments(ctx, way.segments)
	if err != nil {
		return err
	}
	info, err := v.info(next)
	if err != nil {
		return err
	}
	a := &applying{ctx: ctx, m: v.manifest, sel: next.selection(), segs: segs, info: info}
	if !way.base && from > 0 {
		a.db, a.head, a.held = p.db, from, p.held
	}
	if err := p.disk.check(p.Dir, p.stateNeeds(way, wantedSize(segs, a.sel))); err != nil {
		return err
	}
	if err := a.run(p.rep); err != nil {
		return err
	}
	p.out.Version, p.out.Changed, p.out.Full = v.manifest.Version, true, way.base
	p.out.Records, p.out.StateRoot, p.out.Time = v.manifest.held(next.selection()), v.manifest.StateRoot, v.manifest.Time
	return os.RemoveAll(dir)
}

// info is what the new state says of itself.
func (v *verified) info(next *Held) (store.StateInfo, error) {
	keep, err := next.encode(v.files)
	return store.StateInfo{Number: v.manifest.Version, Created: v.manifest.Time, Sources: v.manifest.Sources, Snapshot: keep}, err
}

// held is the number of records of a selection.
func (m *Manifest) held(sel selection) (n uint64) {
	for _, c := range sel.pick(m.Collections) {
		if isRecord(c.Name) {
			n += c.Entries
		}
	}
	return n
}
