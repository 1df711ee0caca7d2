package snapshot

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Targets of the repository.
const (
	manifestTarget   = "release.json"
	proofTarget      = "release.tlog-proof"
	provenanceTarget = "provenance.json"
	policyTarget     = "policy"
)

// sign encodes metadata under the signatures of signers.
func sign[T metadata.Roles](m *metadata.Metadata[T], signers []signature.Signer) ([]byte, error) {
	m.ClearSignatures()
	for _, s := range signers {
		if _, err := m.Sign(s); err != nil {
			return nil, err
		}
	}
	return m.ToBytes(false)
}

// expiry is when what a role signs now expires.
func (k *Keyring) expiry(role string, now time.Time) time.Time {
	return now.UTC().Truncate(time.Second).AddDate(0, 0, k.cfg.Roles[role].Days)
}

// tufKey returns a key as TUF metadata has it.
func tufKey(info KeyInfo) (*metadata.Key, error) {
	raw, err := hex.DecodeString(info.Public)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("%w: key %s", ErrKeys, info.ID)
	}
	k := &metadata.Key{Type: metadata.KeyTypeEd25519, Scheme: metadata.KeySchemeEd25519}
	k.Value.PublicKey = info.Public
	id, err := k.ID()
	if err != nil || id != info.ID {
		return nil, fmt.Errorf("%w: key %s has the ID %s", ErrKeys, info.ID, id)
	}
	return k, nil
}

// signRoot writes the next root. It is signed by the keys of the root role as
// they are, and by before: enough keys of the root before.
func (k *Keyring) signRoot(now time.Time, before []signature.Signer) error {
	version := int64(1)
	if _, v, err := k.Root(); err == nil {
		version = v + 1
	} else if before != nil {
		return err
	}
	root := metadata.Root(k.expiry(RoleRoot, now))
	root.Signed.Version, root.Signed.ConsistentSnapshot = version, true
	for _, role := range []string{RoleRoot, RoleTargets, RoleSnapshot, RoleTimestamp} {
		r := k.cfg.Roles[role]
		for _, info := range r.Keys {
			key, err := tufKey(info)
			if err != nil {
				return err
			}
			if err := root.Signed.AddKey(key, role); err != nil {
				return err
			}
		}
		root.Signed.Roles[role].Threshold = r.Threshold
	}
	signers, err := k.signers(RoleRoot)
	if err != nil {
		return err
	}
	data, err := sign(root, distinct(append(signers, before...)))
	if err != nil {
		return err
	}
	k.stage(fmt.Sprintf("tuf/%d.root.json", version), data)
	return nil
}

// distinct drops signers of a key that signs already.
func distinct(list []signature.Signer) []signature.Signer {
	seen := map[string]bool{}
	var out []signature.Signer
	for _, s := range list {
		pub, err := s.PublicKey()
		if err != nil {
			out = append(out, s)
			continue
		}
		if id := fmt.Sprint(pub); !seen[id] {
			seen[id] = true
			out = append(out, s)
		}
	}
	return out
}

// signTargets writes the next targets: the policy, and who signs releases.
func (k *Keyring) signTargets(now time.Time) error {
	version := int64(1)
	if old, err := k.targets(); err == nil {
		version = old.Signed.Version + 1
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	policy, err := k.tufFile(policyTarget)
	if err != nil {
		return err
	}
	t := metadata.Targets(k.expiry(RoleTargets, now))
	t.Signed.Version = version
	file, err := metadata.TargetFile().FromBytes(policyTarget, policy, "sha256")
	if err != nil {
		return err
	}
	t.Signed.Targets = map[string]*metadata.TargetFiles{policyTarget: file}
	r := k.cfg.Roles[RoleReleases]
	d := &metadata.Delegations{Keys: map[string]*metadata.Key{}}
	role := metadata.DelegatedRole{Name: RoleReleases, Threshold: r.Threshold, Terminating: true,
		Paths: []string{manifestTarget, proofTarget, provenanceTarget}}
	for _, info := range r.Keys {
		key, err := tufKey(info)
		if err != nil {
			return err
		}
		d.Keys[info.ID] = key
		role.KeyIDs = append(role.KeyIDs, info.ID)
	}
	d.Roles = []metadata.DelegatedRole{role}
	t.Signed.Delegations = d
	signers, err := k.signers(RoleTargets)
	if err != nil {
		return err
	}
	data, err := sign(t, signers)
	if err != nil {
		return err
	}
	k.stage("tuf/targets.json", data)
	return nil
}

// targets reads the targets that the keys signed.
func (k *Keyring) targets() (*metadata.Metadata[metadata.TargetsType], error) {
	data, err := k.tufFile("targets.json")
	if err != nil {
		return nil, err
	}
	return metadata.Targets().FromBytes(data)
}

// Rotate gives a role a new key in place of an old one (the first, where drop
// names none), or, where role is empty, signs root and targets again for a
// new term: all of it, or, with an error, nothing. The next publish carries it
// to the repository.
func (k *Keyring) Rotate(role, drop string, now time.Time) (fresh KeyInfo, err error) {
	err = k.change(func() error {
		before, err := k.signers(RoleRoot)
		if err != nil {
			return err
		}
		if role != "" {
			if fresh, err = k.replaceKey(role, drop); err != nil {
				return err
			}
		}
		if role != RoleReleases {
			if err := k.signRoot(now, before); err != nil {
				return err
			}
		}
		if role == "" || role == RoleReleases || role == RoleTargets {
			return k.signTargets(now)
		}
		return nil
	})
	return fresh, err
}

// replaceKey makes a new key in place of one of a role.
func (k *Keyring) replaceKey(role, drop string) (fresh KeyInfo, err error) {
	r := k.cfg.Roles[role]
	if r == nil {
		return fresh, fmt.Errorf("%w: no role %q", ErrKeys, role)
	}
	at := 0
	if drop != "" {
		if at = slices.IndexFunc(r.Keys, func(info KeyInfo) bool { return info.ID == drop }); at < 0 {
			return fresh, fmt.Errorf("%w: %s has no key %s", ErrKeys, role, drop)
		}
	}
	if fresh, err = k.newKey(role); err != nil {
		return fresh, err
	}
	r.Keys = append(r.Keys[:at:at], r.Keys[at+1:]...)
	return fresh, nil
}

// SetPolicy makes a C2SP tlog-policy the one that clients are given: who signs
// the log, which witnesses are asked, and how many of them must cosign. Its
// log must be that of the keys. Targets is signed anew; the next publish
// carries it to the repository.
func (k *Keyring) SetPolicy(policy []byte, now time.Time) error {
	p, err := parsePolicy(policy)
	if err != nil {
		return err
	}
	if p.vkey != k.cfg.Log.Public {
		return fmt.Errorf("%w: the policy's log is not %s", ErrKeys, k.cfg.Log.Public)
	}
	if len(policy) > maxPolicy {
		return fmt.Errorf("policy: %w", ErrTooLarge)
	}
	return k.change(func() error {
		k.stage("tuf/"+policyTarget, policy)
		return k.signTargets(now)
	})
}

// Policy returns the policy that clients are given.
func (k *Keyring) Policy() ([]byte, error) { return k.tufFile(policyTarget) }

// A signedRelease is the metadata of one release, ready to be written.
type signedRelease struct {
	names []string // in the order in which they are written, but for the timestamp
	files map[string][]byte
	stamp []byte

	targets, releases, snapshot []byte // of files
}

func (s *signedRelease) add(name string, data []byte) {
	s.names = append(s.names, name)
	s.files[name] = data
}

// signRelease signs releases, snapshot and timestamp over some targets; old is
// what the repository has now, its fields nil for nothing.
func (k *Keyring) signRelease(now time.Time, old *verified, targets map[string][]byte) (*signedRelease, error) {
	out := &signedRelease{files: map[string][]byte{}}
	rel := metadata.Targets(k.expiry(RoleReleases, now))
	rel.Signed.Version = nextVersion(old.releasesVersion)
	rel.Signed.Targets = map[string]*metadata.TargetFiles{}
	for name, data := range targets {
		f, err := metadata.TargetFile().FromBytes(name, data, "sha256")
		if err != nil {
			return nil, err
		}
		rel.Signed.Targets[name] = f
	}
	relData, err := signAs(k, RoleReleases, rel)
	if err != nil {
		return nil, err
	}
	top, err := k.tufFile("targets.json")
	if err != nil {
		return nil, err
	}
	topMeta, err := metadata.Targets().FromBytes(top)
	if err != nil {
		return nil, err
	}
	snap := metadata.Snapshot(k.expiry(RoleSnapshot, now))
	snap.Signed.Version = nextVersion(old.snapshotVersion)
	snap.Signed.Meta = map[string]*metadata.MetaFiles{
		"targets.json":  metaFile(topMeta.Signed.Version, top),
		"releases.json": metaFile(rel.Signed.Version, relData),
	}
	snapData, err := signAs(k, RoleSnapshot, snap)
	if err != nil {
		return nil, err
	}
	stamp := metadata.Timestamp(k.expiry(RoleTimestamp, now))
	stamp.Signed.Version = nextVersion(old.timestampVersion)
	stamp.Signed.Meta = map[string]*metadata.MetaFiles{"snapshot.json": metaFile(snap.Signed.Version, snapData)}
	if out.stamp, err = signAs(k, RoleTimestamp, stamp); err != nil {
		return nil, err
	}
	out.targets, out.releases, out.snapshot = top, relData, snapData
	out.add(fmt.Sprintf("tuf/%d.targets.json", topMeta.Signed.Version), top)
	out.add(fmt.Sprintf("tuf/%d.releases.json", rel.Signed.Version), relData)
	out.add(fmt.Sprintf("tuf/%d.snapshot.json", snap.Signed.Version), snapData)
	return out, out.check(k, now.UTC())
}

// check verifies what is about to be announced as a client would, by the
// newest root: keys that were rotated meanwhile must not sign.
func (s *signedRelease) check(k *Keyring, now time.Time) error {
	root, _, err := k.Root()
	if err != nil {
		return err
	}
	tm, err := trustedmetadata.New(root)
	if err != nil {
		return err
	}
	tm.RefTime = now
	for _, step := range []func() error{
		func() error { _, err := tm.UpdateTimestamp(s.stamp); return err },
		func() error { _, err := tm.UpdateSnapshot(s.snapshot, false); return err },
		func() error { _, err := tm.UpdateTargets(s.targets); return err },
		func() error { _, err := tm.UpdateDelegatedTargets(s.releases, RoleReleases, RoleTargets); return err },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("%w: what they signed does not verify by root: %v", ErrKeys, err)
		}
	}
	return nil
}

func nextVersion(v int64) int64 { return v + 1 }

func signAs[T metadata.Roles](k *Keyring, role string, m *metadata.Metadata[T]) ([]byte, error) {
	signers, err := k.signers(role)
	if err != nil {
		return nil, err
	}
	return sign(m, signers)
}

func metaFile(version int64, data []byte) *metadata.MetaFiles {
	h := hashOf(data)
	return &metadata.MetaFiles{Version: version, Length: int64(len(data)), Hashes: metadata.Hashes{"sha256": h[:]}}
}

// targetPath is where a target is, by its hash (consistent snapshots).
func targetPath(name string, hash Hash) string {
	return path.Join("tuf/targets", hash.String()+"."+name)
}

// unmarshalSigned reads a part of signed metadata without verifying it.
func unmarshalSigned(data []byte, v any) error {
	var m struct {
		Signed json.RawMessage `json:"signed"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	return json.Unmarshal(m.Signed, v)
}
