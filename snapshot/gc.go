package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// defaultGrace is for how long a client may go on with a release that is no
// longer the newest.
const defaultGrace = 7 * 24 * time.Hour

// collectedPrefix begins the names of files that list what the next release
// may delete.
const collectedPrefix = "blob/gc-"

// A collection list is what a release found that no recent one refers to.
type collectionList struct {
	Version uint64   `json:"version"`
	Files   []string `json:"files"`
}

// collect deletes blobs, manifests and proofs that no release of the last
// grace refers to, and partial tiles of the log that are full by now, where
// the release before found so already: a clock that is wrong once deletes
// nothing. Roots, other metadata and all else of the log stay for ever. It
// returns the number of files deleted.
func (p *publisher) collect(ctx context.Context) (n int, err error) {
	drop, lists, err := p.unreferenced(ctx)
	if err != nil {
		return 0, err
	}
	found, err := p.found(ctx, lists)
	if err != nil {
		return 0, err
	}
	var later []string
	for _, name := range drop {
		if !found[name] {
			later = append(later, name)
			continue
		}
		if err := p.Repo.Delete(ctx, name); err != nil {
			return n, err
		}
		n++
	}
	if len(later) > 0 {
		data, err := canonical(collectionList{p.m.Version, later})
		if err != nil {
			return n, err
		}
		if err := p.put(ctx, fmt.Sprint(collectedPrefix, p.m.Version), data); err != nil {
			return n, err
		}
	}
	for _, name := range lists {
		if err := p.Repo.Delete(ctx, name); err != nil {
			return n, err
		}
	}
	return n, nil
}

// unreferenced returns the files that no recent release refers to, and those
// that list such files.
func (p *publisher) unreferenced(ctx context.Context) (drop, lists []string, err error) {
	keep, err := p.referenced(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, prefix := range []string{"blob/", "tuf/targets/"} {
		err := p.Repo.List(ctx, prefix, func(name string) error {
			switch {
			case strings.HasPrefix(name, collectedPrefix):
				lists = append(lists, name)
			case !keep[name] && !strings.HasSuffix(name, "."+policyTarget):
				drop = append(drop, name)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	var tiles []string
	err = p.Repo.List(ctx, "log/tile/", func(name string) error {
		tiles = append(tiles, name)
		return nil
	})
	return append(drop, superseded(tiles)...), lists, err
}

// superseded returns the partial tiles of which the full tile is there, too:
// clients fall back to it.
//
// Source: C2SP tlog-tiles, "Partial Tiles".
func superseded(tiles []string) (drop []string) {
	full := map[string]bool{}
	for _, name := range tiles {
		full[name] = true
	}
	for _, name := range tiles {
		if whole, _, partial := strings.Cut(name, ".p/"); partial && full[whole] {
			drop = append(drop, name)
		}
	}
	return drop
}

// found returns what earlier releases found.
func (p *publisher) found(ctx context.Context, lists []string) (map[string]bool, error) {
	found := map[string]bool{}
	for _, name := range lists {
		data, err := readAll(ctx, p.Repo, name, maxManifest)
		if err != nil {
			return nil, err
		}
		var l collectionList
		if err := decodeJSON(data, &l); err != nil {
			p.Log.Warn("collecting", "file", name, "error", err)
			continue
		}
		for _, f := range l.Files {
			found[f] = l.Version < p.m.Version
		}
	}
	return found, nil
}

// referenced returns the names of what recent releases refer to: the newest,
// and all that were the newest within the grace.
func (p *publisher) referenced(ctx context.Context) (map[string]bool, error) {
	keep := map[string]bool{
		targetPath(manifestTarget, hashOf(p.cur.files[keepManifest])): true,
		targetPath(proofTarget, hashOf(p.cur.files[keepProof])):       true,
	}
	checkpoint, err := readAll(ctx, p.Repo, checkpointName, maxCheckpoint)
	if err != nil {
		return nil, err
	}
	tree, err := checkpointOf(checkpoint, p.Keys.Origin(), p.cur.policy.key)
	if err != nil {
		return nil, err
	}
	since := p.Now.Add(-p.Grace).Format(time.RFC3339)
	for n := tree.N - 1; n >= 0; n-- {
		var l Leaf
		entry, err := logEntry(ctx, p.Repo, n, tree.N)
		if err == nil {
			err = decodeJSON(entry, &l)
		}
		if err != nil {
			return nil, fmt.Errorf("log entry %d: %w", n, err)
		}
		data, err := readAll(ctx, p.Repo, targetPath(manifestTarget, l.Manifest), maxManifest)
		if errors.Is(err, ErrNotFound) && n < tree.N-1 {
			break // collected before: so are those before it
		}
		if err != nil {
			return nil, err
		}
		m, err := decodeManifest(data)
		if err != nil {
			return nil, err
		}
		keep[targetPath(manifestTarget, l.Manifest)] = true
		m.refer(keep)
		if l.Time < since {
			break // it was the newest until the one behind it
		}
	}
	return keep, p.keepTargets(ctx, keep)
}

// refer adds the names of the blobs that a release needs.
func (m *Manifest) refer(keep map[string]bool) {
	keep[m.Base.name()] = true
	for _, b := range m.Bases {
		keep[b.name()] = true
	}
	for _, s := range m.Segments {
		keep[s.name()] = true
	}
	for _, d := range m.Dictionaries {
		keep[d.name()] = true
	}
}
