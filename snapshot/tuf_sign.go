package snapshot

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
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
	return k.writeFile(fmt.Sprintf("tuf/%d.root.json", version), data)
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
	return k.writeFile("tuf/targets.json", data)
}

// targets reads the targets that the keys signed.
func (k *Keyring) targets() (*metadata.Metadata[metadata.TargetsType], error) {
	data, err := k.tufFile("targets.json")
	if err != nil {
		return nil, err
	}
	return metadata.Targets().FromBytes(data)
}

func (k *Keyring) writePolicy() error {
	return k.writeFile("tuf/"+policyTarget, newPolicy(k.cfg.Log.Public))
}

// Rotate gives a role a new key in place of an old one (the first, where drop
// names none), or, where role is empty, signs root and targets again for a
// new term. The next publish carries it to the repository.
func (k *Keyring) Rotate(role, drop string, now time.Time) (fresh KeyInfo, err error) {
	before, err := k.signers(RoleRoot)
	if err != nil {
		return fresh, err
	}
	r := k.cfg.Roles[role]
	switch {
	case role == "":
	case r == nil:
		return fresh, fmt.Errorf("%w: no role %q", ErrKeys, role)
	default:
		at := 0
		for i, info := range r.Keys {
			if info.ID == drop || drop == "" && i == 0 {
				at = i
			}
		}
		if drop != "" && r.Keys[at].ID != drop {
			return fresh, fmt.Errorf("%w: %s has no key %s", ErrKeys, role, drop)
		}
		if fresh, err = k.newKey(role); err != nil {
			return fresh, err
		}
		r.Keys = append(r.Keys[:at:at], r.Keys[at+1:]...)
	}
	if role != RoleReleases {
		if err := k.signRoot(now, before); err != nil {
			return fresh, err
		}
	}
	if role == "" || role == RoleReleases || role == RoleTargets {
		if err := k.signTargets(now); err != nil {
			return fresh, err
		}
	}
	return fresh, k.save()
}

// A signedRelease is the metadata of one release, ready to be written.
type signedRelease struct {
	names []string // in the order in which they are written, but for the timestamp
	files map[string][]byte
	stamp []byte
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
	out.add(fmt.Sprintf("tuf/%d.targets.json", topMeta.Signed.Version), top)
	out.add(fmt.Sprintf("tuf/%d.releases.json", rel.Signed.Version), relData)
	out.add(fmt.Sprintf("tuf/%d.snapshot.json", snap.Signed.Version), snapData)
	return out, nil
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
