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

// collect deletes blobs, manifests and proofs that no release of the last
// grace refers to. Roots, other metadata and the log stay for ever. It returns
// the number of files deleted.
func (p *publisher) collect(ctx context.Context) (n int, err error) {
	keep, err := p.referenced(ctx)
	if err != nil {
		return 0, err
	}
	var drop []string
	for _, prefix := range []string{"blob/", "tuf/targets/"} {
		err := p.Repo.List(ctx, prefix, func(name string) error {
			if !keep[name] && !strings.HasSuffix(name, "."+policyTarget) {
				drop = append(drop, name)
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	for _, name := range drop {
		if err := p.Repo.Delete(ctx, name); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
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
	for _, s := range m.Segments {
		keep[s.name()] = true
	}
	for _, d := range m.Dictionaries {
		keep[d.name()] = true
	}
}
