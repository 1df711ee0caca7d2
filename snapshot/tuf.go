package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
	"golang.org/x/mod/sumdb/tlog"
)

// Limits of what is read before its size is signed.
const (
	maxRoot      = 512 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 64 << 10
	maxTargets   = 1 << 20
	maxManifest  = 4 << 20
	maxProof     = 64 << 10
	maxPolicy    = 64 << 10
	maxRotations = 256
)

// Names under which a replica keeps what it trusts.
const (
	keepRoot      = "root"
	keepTimestamp = "timestamp"
	keepSnapshot  = "snapshot"
	keepTargets   = "targets"
	keepReleases  = "releases"
	keepPolicy    = "policy"
	keepManifest  = "manifest"
	keepProof     = "proof"
	keepWitness   = "witness-policy" // the site's own, beside the publisher's
)

// verified is a release whose metadata was verified.
type verified struct {
	files map[string][]byte // by the names above
	tm    *trustedmetadata.TrustedMetadata

	rootVersion, timestampVersion, snapshotVersion, targetsVersion, releasesVersion int64

	unchanged  bool // the timestamp is the one that is held
	manifest   *Manifest
	policy     logPolicy
	checkpoint []byte
	tree       tlog.Tree
	attested   time.Time // by when the release was there, as far as is signed
}

// tufError makes an error of go-tuf one of ours.
func tufError(what string, err error) error {
	reason := ErrManifest
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		reason = ErrExpired
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		reason = ErrSignature
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		reason = ErrRollback
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}):
		reason = ErrMismatch
	case errors.Is(err, ErrRefused), errors.Is(err, ErrNotFound), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %w", what, reason, err)
}

// A refresher walks the update of TUF (specification 1.0.31, section 5) with
// files of a carrier, and what is held from before.
type refresher struct {
	ctx  context.Context
	r    Reader
	held map[string][]byte
	v    *verified
}

// refresh verifies what the repository offers. held is what was kept of the
// last time, with at least a root; now is the time by which metadata must not
// have expired.
func refresh(ctx context.Context, r Reader, held map[string][]byte, now time.Time) (*verified, error) {
	tm, err := trustedmetadata.New(held[keepRoot])
	if err != nil {
		return nil, tufError("root", err)
	}
	tm.RefTime = now.UTC()
	f := &refresher{ctx: ctx, r: r, held: held, v: &verified{tm: tm, files: map[string][]byte{keepRoot: held[keepRoot]}}}
	if own := held[keepWitness]; len(own) > 0 {
		f.v.files[keepWitness] = own
	}
	for _, step := range []func() error{f.roots, f.timestamp, f.snapshot, f.targets, f.release} {
		if err := step(); err != nil {
			return nil, err
		}
		if f.v.unchanged {
			break
		}
	}
	return f.v, nil
}

// roots follows the chain of roots to its end (5.3).
func (f *refresher) roots() error {
	for range maxRotations {
		n := f.v.tm.Root.Signed.Version + 1
		data, err := readOptional(f.ctx, f.r, fmt.Sprintf("tuf/%d.root.json", n), maxRoot)
		if err != nil {
			return err
		}
		if data == nil {
			f.v.rootVersion = f.v.tm.Root.Signed.Version
			return nil
		}
		if _, err := f.v.tm.UpdateRoot(data); err != nil {
			return tufError(fmt.Sprintf("root %d", n), err)
		}
		f.v.files[keepRoot] = data
	}
	return fmt.Errorf("root: more than %d rotations: %w", maxRotations, ErrTooLarge)
}

// timestamp follows 5.4. The one that is held counts against rollback, unless
// its keys were revoked since (5.3.11).
func (f *refresher) timestamp() error {
	tm := f.v.tm
	if held := f.held[keepTimestamp]; held != nil {
		if _, err := tm.UpdateTimestamp(held); err != nil && !errors.Is(err, &metadata.ErrExpiredMetadata{}) && !errors.Is(err, &metadata.ErrUnsignedMetadata{}) {
			return tufError("timestamp held", err)
		}
	}
	data, err := readAll(f.ctx, f.r, "tuf/timestamp.json", maxTimestamp)
	if err != nil {
		return err
	}
	f.v.files[keepTimestamp] = data
	_, err = tm.UpdateTimestamp(data)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		if tm.Timestamp.Signed.IsExpired(tm.RefTime) {
			return fmt.Errorf("timestamp: %w", ErrExpired)
		}
		f.v.files[keepTimestamp] = f.held[keepTimestamp]
		f.v.timestampVersion = tm.Timestamp.Signed.Version
		f.v.unchanged = string(f.v.files[keepRoot]) == string(f.held[keepRoot]) && f.held[keepManifest] != nil
		return nil
	}
	if err != nil {
		return tufError("timestamp", err)
	}
	f.v.timestampVersion = tm.Timestamp.Signed.Version
	return nil
}

// snapshot follows 5.5.
func (f *refresher) snapshot() error {
	tm := f.v.tm
	if held := f.held[keepSnapshot]; held != nil {
		if _, err := tm.UpdateSnapshot(held, true); err == nil {
			f.v.files[keepSnapshot] = held
			f.v.snapshotVersion = tm.Snapshot.Signed.Version
			return nil
		}
	}
	version := tm.Timestamp.Signed.Meta["snapshot.json"]
	if version == nil {
		return fmt.Errorf("timestamp: %w: names no snapshot", ErrManifest)
	}
	data, err := readAll(f.ctx, f.r, fmt.Sprintf("tuf/%d.snapshot.json", version.Version), limit(version, maxSnapshot))
	if err != nil {
		return err
	}
	if _, err := tm.UpdateSnapshot(data, false); err != nil {
		return tufError("snapshot", err)
	}
	f.v.files[keepSnapshot] = data
	f.v.snapshotVersion = tm.Snapshot.Signed.Version
	return nil
}

// limit is the signed size of a file, where it has one, and at most most.
func limit(m *metadata.MetaFiles, most int64) int64 {
	if m.Length > 0 && m.Length < most {
		return m.Length
	}
	return most
}

// targets follows 5.6, with the one delegation to releases.
func (f *refresher) targets() error {
	tm := f.v.tm
	for _, x := range []struct {
		role, parent, keep string
		version            *int64
	}{
		{RoleTargets, metadata.ROOT, keepTargets, &f.v.targetsVersion},
		{RoleReleases, RoleTargets, keepReleases, &f.v.releasesVersion},
	} {
		meta := tm.Snapshot.Signed.Meta[x.role+".json"]
		if meta == nil {
			return fmt.Errorf("snapshot: %w: names no %s", ErrManifest, x.role)
		}
		data := f.held[x.keep]
		if data == nil || meta.VerifyLengthHashes(data) != nil {
			var err error
			if data, err = readAll(f.ctx, f.r, fmt.Sprintf("tuf/%d.%s.json", meta.Version, x.role), limit(meta, maxTargets)); err != nil {
				return err
			}
		}
		got, err := tm.UpdateDelegatedTargets(data, x.role, x.parent)
		if err != nil {
			return tufError(x.role, err)
		}
		f.v.files[x.keep], *x.version = data, got.Signed.Version
	}
	return nil
}

// release reads manifest, proof and policy, and verifies that the release is
// in the log.
func (f *refresher) release() error {
	for _, x := range []struct {
		role, target, keep string
		most               int64
	}{
		{RoleTargets, policyTarget, keepPolicy, maxPolicy},
		{RoleReleases, manifestTarget, keepManifest, maxManifest},
		{RoleReleases, proofTarget, keepProof, maxProof},
	} {
		data, err := f.target(x.role, x.target, f.held[x.keep], x.most)
		if err != nil {
			return fmt.Errorf("%s: %w", x.target, err)
		}
		f.v.files[x.keep] = data
	}
	return f.v.checkRelease()
}

// target reads a target and verifies it.
func (f *refresher) target(role, name string, held []byte, most int64) ([]byte, error) {
	t := f.v.tm.Targets[role].Signed.Targets[name]
	if t == nil || len(t.Hashes["sha256"]) != len(Hash{}) {
		return nil, fmt.Errorf("%w: not signed by %s", ErrManifest, role)
	}
	if t.Length > most {
		return nil, ErrTooLarge
	}
	if held != nil && t.VerifyLengthHashes(held) == nil {
		return held, nil
	}
	data, err := readAll(f.ctx, f.r, targetPath(name, Hash(t.Hashes["sha256"])), t.Length)
	if err != nil {
		return nil, err
	}
	if err := t.VerifyLengthHashes(data); err != nil {
		return nil, tufError(name, err)
	}
	return data, nil
}

// checkRelease verifies manifest, policy and proof against one another.
func (v *verified) checkRelease() (err error) {
	if v.manifest, err = decodeManifest(v.files[keepManifest]); err != nil {
		return err
	}
	if v.policy, err = parsePolicy(v.files[keepPolicy]); err != nil {
		return err
	}
	leaf := v.manifest.leaf(v.files[keepManifest])
	if v.checkpoint, v.tree, err = checkProof(v.files[keepProof], leaf, v.manifest.Origin, v.policy.key); err != nil {
		return err
	}
	v.attested = v.manifest.time()
	if err := v.witnessed(v.policy); err != nil {
		return err
	}
	own := v.files[keepWitness]
	if len(own) == 0 {
		return nil
	}
	site, err := parseWitnesses(own)
	if err != nil {
		return fmt.Errorf("own %w", err)
	}
	if site.key != nil && site.vkey != v.policy.vkey {
		return fmt.Errorf("own policy: the log is not that of %s: %w", site.key.Name(), ErrWitness)
	}
	if err := v.witnessed(site); err != nil {
		return fmt.Errorf("own policy: %w", err)
	}
	return nil
}

// withWitnesses gives what is held a policy of the site's own. Where it is
// another one than before, what is held counts as not verified.
func withWitnesses(held map[string][]byte, policy []byte) map[string][]byte {
	if policy == nil || bytes.Equal(policy, held[keepWitness]) {
		return held
	}
	held = maps.Clone(held)
	held[keepWitness] = policy
	delete(held, keepManifest)
	return held
}

// witnessed verifies the quorum of a policy. The release was there when the
// quorum signed, which may be later than it was made.
func (v *verified) witnessed(p logPolicy) error {
	at, err := p.check(v.checkpoint)
	if err == nil && at.After(v.attested) {
		v.attested = at
	}
	return err
}
