package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// PublishOptions are the options of [Publish]. DB, Repo and Keys are needed.
type PublishOptions struct {
	DB   *store.DB
	Repo Repository
	Keys *Keyring
	Now  time.Time // the release's time; default: now
	Temp string    // where segments are written first; default: the system's

	Builder   string       // URI of who builds (SLSA builder.id); default: https:// and the origin
	Witnesses []byte       // C2SP tlog-policy of witnesses to ask, and of their quorum, beside those of the signed policy
	Client    *http.Client // for witnesses; default: one with a deadline of 10 s

	Gates         Gates
	BaseEvery     uint64        // a new base after so many releases; default 512
	MaxOfflineAge time.Duration // default 45 days
	Keep          int           // of how many quarters the first base is kept; 0: of all, negative: of none
	Grace         time.Duration // blobs of a release stay so long after the next; default 7 days; negative: for ever
	Force         bool          // publish a release although nothing changed
	Log           *slog.Logger

	disk disk // default: the system's
}

const (
	defaultBaseEvery     = 512
	defaultMaxOfflineAge = 45 * 24 * time.Hour

	// baseShare is the percentage of the base's size beyond which what leads
	// from it to the newest release makes a new base worth its bytes.
	baseShare = 25
)

// A Published says what a run of [Publish] did.
type Published struct {
	Version   uint64 `json:"version"`
	New       bool   `json:"new"`    // a release was made; else nothing had changed
	Signed    bool   `json:"signed"` // metadata was signed, for a new term at least
	Base      bool   `json:"base"`   // the release has a base of its own
	StateRoot Hash   `json:"state_root"`
	Records   uint64 `json:"records"`
	Puts      int    `json:"puts"`
	Deletes   int    `json:"deletes"`
	Touches   int    `json:"touches"`
	Changed   int    `json:"changed"` // values, those that a transform of a table changed included
	Delta     int64  `json:"delta_bytes"`
	BaseSize  int64  `json:"base_bytes"` // of the newest base
	Collected int    `json:"collected"`  // files that no recent release refers to, deleted
	Cover     int    `json:"checked"`    // covers that were applied and compared before signing
}

// Publish writes the state of a database into a repository as its next
// release. Where nothing changed since the last one it signs the same release
// for a new term when the old one is half over, and else does nothing.
//
// It may stop anywhere: what is written before timestamp.json is seen by
// nobody, and the next run takes it up.
func Publish(ctx context.Context, opt PublishOptions) (Published, error) {
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	opt.Now = opt.Now.UTC().Truncate(time.Second)
	if opt.BaseEvery == 0 {
		opt.BaseEvery = defaultBaseEvery
	}
	if opt.MaxOfflineAge == 0 {
		opt.MaxOfflineAge = defaultMaxOfflineAge
	}
	if opt.Grace == 0 {
		opt.Grace = defaultGrace
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	unlock, err := opt.Repo.Lock(ctx)
	if err != nil {
		return Published{}, fmt.Errorf("%s: %w", opt.Repo, err)
	}
	defer unlock()
	temp, err := os.MkdirTemp(opt.Temp, "advdb-publish-*")
	if err != nil {
		return Published{}, err
	}
	defer os.RemoveAll(temp)
	p := &publisher{PublishOptions: opt, temp: temp}
	return p.run(ctx)
}

// A publisher makes one release.
type publisher struct {
	PublishOptions
	temp string

	cur *verified // what the repository has; its manifest is nil for nothing
	lib *library  // of cur

	m       *Manifest           // the new release
	sources []store.SourceState // of the database, with their inputs
	blobs   []stagedBlob
	diff    *differ
	out     Published
}

// A stagedBlob is a blob that is written before anything is signed.
type stagedBlob struct {
	blob Blob
	path string
}

func (p *publisher) run(ctx context.Context) (Published, error) {
	err := p.current(ctx)
	if err != nil {
		return p.out, fmt.Errorf("%s: %w", p.Repo, err)
	}
	if p.cur.manifest != nil {
		p.lib = newLibrary(p.Repo, p.cur.manifest, p.temp)
		defer p.lib.close()
	}
	if err := p.build(ctx); err != nil {
		return p.out, err
	}
	if p.m == nil {
		return p.out, p.renew(ctx)
	}
	if err := p.write(ctx); err != nil {
		return p.out, fmt.Errorf("%s: %w", p.Repo, err)
	}
	p.out.New, p.out.Signed = true, true
	if p.Grace > 0 {
		if p.out.Collected, err = p.collect(ctx); err != nil {
			// The release is out; the next run collects.
			p.Log.Warn("collecting", "error", err)
		}
	}
	return p.out, nil
}

// current reads what the repository has. Of its own metadata a publisher
// believes the signatures, whether they have expired or not.
func (p *publisher) current(ctx context.Context) error {
	root, err := p.Keys.FirstRoot()
	if err != nil {
		return err
	}
	stamp, err := readOptional(ctx, p.Repo, "tuf/timestamp.json", maxTimestamp)
	if err != nil {
		return err
	}
	if stamp != nil {
		if p.cur, err = refresh(ctx, p.Repo, map[string][]byte{keepRoot: root}, time.Unix(0, 0)); err != nil {
			return err
		}
		if p.cur.manifest.Origin != p.Keys.Origin() {
			return fmt.Errorf("%q: %w", p.cur.manifest.Origin, ErrOrigin)
		}
	} else {
		tm := &metadata.Metadata[metadata.RootType]{}
		if _, err := tm.FromBytes(root); err != nil {
			return err
		}
		p.cur = &verified{files: map[string][]byte{}}
		if p.cur.policy, err = p.policy(); err != nil {
			return err
		}
	}
	return p.resume(ctx)
}

// renew signs the release that is there for a new term, where that is due.
func (p *publisher) renew(ctx context.Context) error {
	m := p.cur.manifest
	p.out.Version, p.out.StateRoot, p.out.Records, p.out.BaseSize = m.Version, m.StateRoot, m.Records, m.Base.Size
	due := p.Now.AddDate(0, 0, (p.Keys.Role(RoleTimestamp).Days+1)/2)
	_, rootVersion, err := p.Keys.Root()
	if err != nil {
		return err
	}
	top, err := p.Keys.tufFile("targets.json")
	if err != nil {
		return err
	}
	if p.cur.tm.Timestamp.Signed.Expires.After(due) && p.cur.rootVersion == rootVersion && bytes.Equal(top, p.cur.files[keepTargets]) {
		return nil
	}
	if check := p.Gates.Check; check != nil {
		if err := check(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrGate, err)
		}
	}
	rel := releaseFiles{manifest: p.cur.files[keepManifest]}
	checkpoint, err := p.cosign(ctx, p.cur.tree, p.cur.checkpoint)
	if err != nil {
		return err
	}
	if rel.proof, err = replaceCheckpoint(p.cur.files[keepProof], checkpoint); err != nil {
		return err
	}
	if rel.provenance, err = p.announced(ctx); err != nil {
		return err
	}
	if err := p.Repo.Write(ctx, checkpointName, checkpoint); err != nil {
		return err
	}
	p.out.Signed = true
	return p.announce(ctx, rel)
}

// write writes the release: first what nobody refers to, last the timestamp.
func (p *publisher) write(ctx context.Context) error {
	for _, b := range p.blobs {
		if err := p.create(ctx, b); err != nil {
			return err
		}
	}
	data, err := canonical(p.m)
	if err != nil {
		return err
	}
	if _, err := decodeManifest(data); err != nil {
		return fmt.Errorf("manifest just made: %w", err)
	}
	if err := p.put(ctx, targetPath(manifestTarget, hashOf(data)), data); err != nil {
		return err
	}
	rel := releaseFiles{manifest: data}
	if rel.provenance, err = p.provenance(data); err != nil {
		return fmt.Errorf("provenance: %w", err)
	}
	if err := p.put(ctx, targetPath(provenanceTarget, hashOf(rel.provenance)), rel.provenance); err != nil {
		return err
	}
	tree, err := appendLog(ctx, p.Repo, p.cur.tree, p.m.leaf(data))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if rel.proof, err = p.checkpoint(ctx, tree); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return p.announce(ctx, rel)
}

// put writes a small file that never changes.
func (p *publisher) put(ctx context.Context, name string, data []byte) error {
	return p.Repo.Create(ctx, name, int64(len(data)), bytes.NewReader(data))
}

// releaseFiles are the targets of a release; provenance is nil for one that
// was made without.
type releaseFiles struct{ manifest, proof, provenance []byte }

func (r releaseFiles) targets() map[string][]byte {
	t := map[string][]byte{manifestTarget: r.manifest, proofTarget: r.proof}
	if r.provenance != nil {
		t[provenanceTarget] = r.provenance
	}
	return t
}

func (p *publisher) create(ctx context.Context, b stagedBlob) error {
	f, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return p.Repo.Create(ctx, b.blob.name(), b.blob.Size, f)
}

// announce signs a release and writes its metadata, the timestamp last.
func (p *publisher) announce(ctx context.Context, rel releaseFiles) error {
	put, targets := func(name string, data []byte) error { return p.put(ctx, name, data) }, rel.targets()
	policy, err := p.Keys.tufFile(policyTarget)
	if err != nil {
		return err
	}
	signed, err := p.Keys.signRelease(p.Now, p.cur, targets)
	if err != nil {
		return err
	}
	if err := errors.Join(put(targetPath(policyTarget, hashOf(policy)), policy), p.roots(put)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if err := put(targetPath(name, hashOf(targets[name])), targets[name]); err != nil {
			return err
		}
	}
	for _, name := range signed.names {
		if err := p.Repo.Write(ctx, name, signed.files[name]); err != nil {
			return err
		}
	}
	if err := p.Repo.Swap(ctx, "tuf/timestamp.json", signed.stamp, p.cur.files[keepTimestamp]); err != nil {
		return err
	}
	p.cur.files[keepManifest], p.cur.files[keepProof], p.cur.files[keepTimestamp] = rel.manifest, rel.proof, signed.stamp
	p.cur.files[keepReleases], p.cur.files[keepTargets] = signed.releases, signed.targets
	p.cur.timestampVersion, p.cur.snapshotVersion, p.cur.releasesVersion = p.cur.timestampVersion+1, p.cur.snapshotVersion+1, p.cur.releasesVersion+1
	return nil
}

// roots writes every root that the keys signed.
func (p *publisher) roots(put func(string, []byte) error) error {
	_, last, err := p.Keys.Root()
	for n := int64(1); n <= last && err == nil; n++ {
		var data []byte
		if data, err = p.Keys.tufFile("%d.root.json", n); err == nil {
			err = put(fmt.Sprintf("tuf/%d.root.json", n), data)
		}
	}
	return err
}

// sameSources reports whether the sources stand as they did.
func sameSources(a, b []store.SourceState) bool { return slices.Equal(a, b) }

// withoutInputs leaves out what the provenance says of sources and readers do
// not need.
func withoutInputs(list []store.SourceState) []store.SourceState {
	out := slices.Clone(list)
	for i := range out {
		out[i].Inputs = store.Inputs{}
	}
	return out
}
