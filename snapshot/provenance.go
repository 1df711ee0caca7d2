package snapshot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/advdb/advdb/store"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Types of a provenance, see docs/formats.md.
const (
	statementType  = "https://in-toto.io/Statement/v1"
	provenanceType = "https://slsa.dev/provenance/v1"
	buildType      = "https://github.com/advdb/advdb/blob/main/docs/formats.md#provenance"
	payloadType    = "application/vnd.in-toto+json"
	maxProvenance  = 4 << 20
)

// A Statement says what a release was made from and by whom: an in-toto
// Statement v1 (in-toto/attestation, spec/v1/statement.md) whose predicate is
// SLSA Provenance v1 (https://slsa.dev/spec/v1.0/provenance).
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"` // the manifest, and the state that it names
	PredicateType string     `json:"predicateType"`
	Predicate     Provenance `json:"predicate"`
}

// A Resource is an in-toto ResourceDescriptor.
type Resource struct {
	Name        string            `json:"name,omitempty"`
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"` // algorithm → hexadecimal
	Annotations map[string]string `json:"annotations,omitempty"`
}

// A Provenance is the predicate.
type Provenance struct {
	BuildDefinition struct {
		BuildType          string     `json:"buildType"`
		ExternalParameters Parameters `json:"externalParameters"`
		InternalParameters struct {
			Encoder string `json:"encoder"`
		} `json:"internalParameters"`
		ResolvedDependencies []Resource `json:"resolvedDependencies"` // the sources, by name
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID      string            `json:"id"`
			Version map[string]string `json:"version"` // of advdb, its commit, and Go
		} `json:"builder"`
		Metadata struct {
			InvocationID string `json:"invocationId"`
			FinishedOn   string `json:"finishedOn"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

// Parameters are what whoever publishes decides.
type Parameters struct {
	Origin  string   `json:"origin"`
	Epoch   uint64   `json:"epoch"`
	Version uint64   `json:"version"`
	Accept  []string `json:"accept,omitempty"` // gates that were lifted
}

// Names and digests of the subjects. stateDigest is no hash of bytes: it is
// the root of docs/formats.md, "Roots".
const (
	subjectManifest = "release.json"
	subjectState    = "state"
	stateDigest     = "advdbStateRoot"
)

// provenance makes and signs the provenance of the release whose manifest has
// these bytes.
func (p *publisher) provenance(manifest []byte) ([]byte, error) {
	m := p.m
	s := Statement{Type: statementType, PredicateType: provenanceType, Subject: []Resource{
		{Name: subjectManifest, Digest: map[string]string{"sha256": hashOf(manifest).String()}},
		{Name: subjectState, Digest: map[string]string{stateDigest: m.StateRoot.String()}},
	}}
	def, run := &s.Predicate.BuildDefinition, &s.Predicate.RunDetails
	def.BuildType = buildType
	def.ExternalParameters = Parameters{Origin: m.Origin, Epoch: m.Epoch, Version: m.Version, Accept: slices.Sorted(maps.Keys(p.Gates.Accept))}
	def.InternalParameters.Encoder = m.Encoder
	for _, src := range p.sources {
		if src.Documents > 0 || src.Records > 0 {
			def.ResolvedDependencies = append(def.ResolvedDependencies, sourceResource(src))
		}
	}
	up, err := upstreamRelease(p.DB)
	if err != nil {
		return nil, err
	}
	def.ResolvedDependencies = append(def.ResolvedDependencies, up...)
	run.Builder.ID, run.Builder.Version = p.builderID(), builderVersion()
	run.Metadata.InvocationID, run.Metadata.FinishedOn = fmt.Sprintf("%s/%d.%d", m.Origin, m.Epoch, m.Version), m.Time
	return p.seal(&s)
}

// sourceResource says what a source contributed: the digest of its documents,
// or of the only one, and the commit that they are of.
func sourceResource(src store.SourceState) Resource {
	r := Resource{Name: src.Name, URI: src.Inputs.URL, Digest: map[string]string{}, Annotations: map[string]string{
		"documents": fmt.Sprint(src.Documents), "fetchedAt": src.FetchedAt,
	}}
	if r.URI == "" {
		r.URI = src.Home
	}
	for name, hash := range map[string]string{"dirHash": src.Inputs.DirHash, "sha256": src.Inputs.SHA256, "gitCommit": src.Inputs.Commit} {
		if hash != "" {
			r.Digest[name] = hash
		}
	}
	return r
}

// upstreamRelease is, of a state that comes from a snapshot, the release that
// it stands for.
func upstreamRelease(db *store.DB) ([]Resource, error) {
	h, err := ReadHeld(db)
	if err != nil || h == nil {
		return nil, err
	}
	return []Resource{{Name: h.Origin, Digest: map[string]string{"sha256": hashOf(h.files[keepManifest]).String()},
		Annotations: map[string]string{"epoch": fmt.Sprint(h.Epoch), "version": fmt.Sprint(h.Version), "fetchedAt": h.Seen}}}, nil
}

func (p *publisher) builderID() string {
	if p.Builder != "" {
		return p.Builder
	}
	return "https://" + p.Keys.Origin()
}

// builderVersion is what this program says of itself.
func builderVersion() map[string]string {
	v := map[string]string{"advdb": "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v["go"] = info.GoVersion
	if info.Main.Version != "" {
		v["advdb"] = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v["commit"] = s.Value
		}
	}
	return v
}

// IsProvenance reports whether data looks like an envelope, for a reader of
// several kinds of file.
func IsProvenance(data []byte) bool {
	var e dsse.Envelope
	return decodeJSON(data, &e) == nil && e.PayloadType != ""
}

// FetchProvenance reads the provenance of the release that a replica holds
// from a repository, and verifies it. It returns the DSSE envelope too, and
// ErrNotFound for a release that has none.
func (h *Held) FetchProvenance(ctx context.Context, r Reader) (*Statement, []byte, error) {
	if h.files[keepReleases] == nil {
		return nil, nil, fmt.Errorf("the database is of a past release: %w", ErrNotFound)
	}
	t, err := releaseTarget(h.files[keepReleases], provenanceTarget)
	if err != nil {
		return nil, nil, err
	}
	data, err := readAll(ctx, r, targetPath(provenanceTarget, Hash(t.Hashes["sha256"])), min(t.Length, maxProvenance))
	if err != nil {
		return nil, nil, err
	}
	if err := t.VerifyLengthHashes(data); err != nil {
		return nil, nil, tufError(provenanceTarget, err)
	}
	s, err := h.VerifyProvenance(data)
	return s, data, err
}

// releaseTarget is a target of metadata that was verified.
func releaseTarget(releases []byte, name string) (*metadata.TargetFiles, error) {
	m, err := metadata.Targets().FromBytes(releases)
	if err != nil {
		return nil, tufError(RoleReleases, err)
	}
	t := m.Signed.Targets[name]
	if t == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	if len(t.Hashes["sha256"]) != len(Hash{}) {
		return nil, fmt.Errorf("%s: %w", name, ErrManifest)
	}
	return t, nil
}

// VerifyProvenance verifies a DSSE envelope against the keys that a replica
// trusts, and that it is of the release that it holds.
func (h *Held) VerifyProvenance(data []byte) (*Statement, error) {
	if h.files[keepTargets] == nil {
		return nil, fmt.Errorf("the database is of a past release: %w", ErrNotFound)
	}
	top, err := metadata.Targets().FromBytes(h.files[keepTargets])
	if err != nil {
		return nil, tufError(RoleTargets, err)
	}
	s, err := openProvenance(data, top)
	if err != nil {
		return nil, fmt.Errorf("provenance: %w", err)
	}
	if !s.about(h.files[keepManifest], h.m) {
		return nil, fmt.Errorf("provenance of %s: release %d of %s is held: %w",
			s.Predicate.RunDetails.Metadata.InvocationID, h.Version, h.Origin, ErrMismatch)
	}
	return s, nil
}

// openProvenance verifies an envelope against those to whom targets delegates.
func openProvenance(data []byte, top *metadata.Metadata[metadata.TargetsType]) (*Statement, error) {
	d := top.Signed.Delegations
	if d == nil {
		return nil, fmt.Errorf("%w: targets delegates to nobody", ErrManifest)
	}
	i := slices.IndexFunc(d.Roles, func(r metadata.DelegatedRole) bool { return r.Name == RoleReleases })
	if i < 0 {
		return nil, fmt.Errorf("%w: targets names no %s", ErrManifest, RoleReleases)
	}
	payload, err := openEnvelope(data, payloadType, &d.Roles[i], d.Keys)
	if err != nil {
		return nil, err
	}
	s := &Statement{}
	if err := decodeJSON(payload, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if s.Type != statementType || s.PredicateType != provenanceType {
		return nil, fmt.Errorf("statement %.100q of %.100q: %w", s.Type, s.PredicateType, ErrClient)
	}
	return s, nil
}

// about reports whether a statement is of that release.
func (s *Statement) about(manifest []byte, m *Manifest) bool {
	names := 0
	for _, r := range s.Subject {
		switch {
		case r.Name == subjectManifest && r.Digest["sha256"] == hashOf(manifest).String(),
			r.Name == subjectState && r.Digest[stateDigest] == m.StateRoot.String():
			names++
		default:
			return false
		}
	}
	return names == 2
}

// announced returns the provenance of the announced release, nil for none.
func (p *publisher) announced(ctx context.Context) ([]byte, error) {
	t, err := releaseTarget(p.cur.files[keepReleases], provenanceTarget)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := readAll(ctx, p.Repo, targetPath(provenanceTarget, Hash(t.Hashes["sha256"])), min(t.Length, maxProvenance))
	if err == nil && t.VerifyLengthHashes(data) != nil {
		err = fmt.Errorf("%s: %w", provenanceTarget, ErrMismatch)
	}
	if err != nil {
		return nil, err
	}
	_, data, err = p.sealed(data)
	return data, err
}

// sealed opens a provenance of this publisher. Where its keys were rotated
// since, it returns it under those of now.
func (p *publisher) sealed(data []byte) (*Statement, []byte, error) {
	now, err := p.Keys.targets()
	if err != nil {
		return nil, nil, err
	}
	s, err := openProvenance(data, now)
	if err == nil || p.cur.files[keepTargets] == nil {
		return s, data, err
	}
	before, err := metadata.Targets().FromBytes(p.cur.files[keepTargets])
	if err != nil {
		return nil, nil, err
	}
	if s, err = openProvenance(data, before); err != nil {
		return nil, nil, err
	}
	data, err = p.seal(s)
	return s, data, err
}

func (p *publisher) seal(s *Statement) ([]byte, error) {
	payload, err := canonical(s)
	if err != nil {
		return nil, err
	}
	signers, err := p.Keys.signers(RoleReleases)
	if err != nil {
		return nil, err
	}
	return sealEnvelope(payloadType, payload, signers)
}

// findProvenance looks among the targets for the provenance of a release that
// was not announced; nil for none.
func (p *publisher) findProvenance(ctx context.Context, manifest []byte, m *Manifest) (found []byte, err error) {
	err = p.Repo.List(ctx, "tuf/targets/", func(name string) error {
		if found != nil || !strings.HasSuffix(name, "."+provenanceTarget) {
			return nil
		}
		data, err := readAll(ctx, p.Repo, name, maxProvenance)
		if err != nil {
			return err
		}
		// One that does not verify was signed by keys of before, or by nobody.
		if s, data, err := p.sealed(data); err == nil && s.about(manifest, m) {
			found = data
		}
		return nil
	})
	return found, err
}

// keepTargets adds the names of targets of releases to those of which a
// manifest is kept already: what was signed of them last is found through
// their metadata, which stays for ever.
func (p *publisher) keepTargets(ctx context.Context, keep map[string]bool) error {
	for v := p.cur.releasesVersion; v > 0; v-- {
		data, err := readOptional(ctx, p.Repo, fmt.Sprintf("tuf/%d.releases.json", v), maxTargets)
		if err != nil || data == nil {
			return err
		}
		m, err := metadata.Targets().FromBytes(data)
		if err != nil {
			return tufError(fmt.Sprintf("releases %d", v), err)
		}
		t := m.Signed.Targets[manifestTarget]
		if t == nil || len(t.Hashes["sha256"]) != len(Hash{}) || !keep[targetPath(manifestTarget, Hash(t.Hashes["sha256"]))] {
			return nil
		}
		for name, t := range m.Signed.Targets {
			if len(t.Hashes["sha256"]) == len(Hash{}) {
				keep[targetPath(name, Hash(t.Hashes["sha256"]))] = true
			}
		}
	}
	return nil
}
