package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/mod/sumdb/tlog"
)

// PublishOptions are the options of [Publish]. DB, Repo and Keys are needed.
type PublishOptions struct {
	DB   *store.DB
	Repo Repository
	Keys *Keyring
	Now  time.Time // the release's time; default: now
	Temp string    // where segments are written first; default: the system's

	Gates         Gates
	BaseEvery     uint64        // a new base after so many releases; default 512
	MaxOfflineAge time.Duration // default 45 days
	Grace         time.Duration // blobs of a release stay so long after the next; default 7 days; negative: for ever
	Force         bool          // publish a release although nothing changed
	Log           *slog.Logger
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

	m     *Manifest // the new release
	blobs []stagedBlob
	diff  *differ
	out   Published
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

func (p *publisher) policy() (logPolicy, error) {
	data, err := p.Keys.tufFile(policyTarget)
	if err != nil {
		return logPolicy{}, err
	}
	return parsePolicy(data)
}

// resume takes up a release that was written to the log, whose checkpoint was
// signed, and that was not announced: a log must not tell two stories.
func (p *publisher) resume(ctx context.Context) error {
	checkpoint, err := readOptional(ctx, p.Repo, checkpointName, maxCheckpoint)
	if err != nil || checkpoint == nil {
		return err
	}
	tree, err := checkpointOf(checkpoint, p.Keys.Origin(), p.cur.policy.key)
	if err != nil || tree == p.cur.tree {
		return err
	}
	if tree.N != p.cur.tree.N+1 {
		return fmt.Errorf("log has %d entries, %d releases were announced: %w", tree.N, p.cur.tree.N, ErrFork)
	}
	if err := checkConsistent(ctx, p.Repo, p.cur.tree, tree); err != nil {
		return err
	}
	leaf, err := logEntry(ctx, p.Repo, tree.N-1, tree.N)
	if err != nil {
		return err
	}
	var l Leaf
	if err := decodeJSON(leaf, &l); err != nil {
		return fmt.Errorf("log entry %d: %w", tree.N-1, err)
	}
	data, err := readAll(ctx, p.Repo, targetPath(manifestTarget, l.Manifest), maxManifest)
	if err != nil {
		return err
	}
	m, err := decodeManifest(data)
	if err != nil {
		return err
	}
	if !bytes.Equal(m.leaf(data), leaf) {
		return fmt.Errorf("log entry %d: %w", tree.N-1, ErrMismatch)
	}
	p.Log.Warn("finishing a release that was not announced", "version", m.Version)
	proof, err := proveLeaf(ctx, p.Repo, tree.N-1, tree, checkpoint)
	if err != nil {
		return err
	}
	if err := p.announce(ctx, data, proof); err != nil {
		return err
	}
	p.cur.manifest, p.cur.tree, p.cur.checkpoint = m, tree, checkpoint
	return nil
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
	p.out.Signed = true
	return p.announce(ctx, p.cur.files[keepManifest], p.cur.files[keepProof])
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
	if err := p.Repo.Create(ctx, targetPath(manifestTarget, hashOf(data)), int64(len(data)), bytes.NewReader(data)); err != nil {
		return err
	}
	tree, err := appendLog(ctx, p.Repo, p.cur.tree, p.m.leaf(data))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	proof, err := p.checkpoint(ctx, tree)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return p.announce(ctx, data, proof)
}

// checkpoint signs the log. From here on the release is the one of its number.
func (p *publisher) checkpoint(ctx context.Context, tree tlog.Tree) ([]byte, error) {
	key, err := p.Keys.logSigner()
	if err != nil {
		return nil, err
	}
	checkpoint, err := signCheckpoint(p.Keys.Origin(), tree, key)
	if err != nil {
		return nil, err
	}
	proof, err := proveLeaf(ctx, p.Repo, tree.N-1, tree, checkpoint)
	if err != nil {
		return nil, err
	}
	return proof, p.Repo.Write(ctx, checkpointName, checkpoint)
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
func (p *publisher) announce(ctx context.Context, manifest, proof []byte) error {
	put := func(name string, data []byte) error {
		return p.Repo.Create(ctx, name, int64(len(data)), bytes.NewReader(data))
	}
	policy, err := p.Keys.tufFile(policyTarget)
	if err != nil {
		return err
	}
	signed, err := p.Keys.signRelease(p.Now, p.cur, map[string][]byte{manifestTarget: manifest, proofTarget: proof})
	if err != nil {
		return err
	}
	if err := errors.Join(
		put(targetPath(policyTarget, hashOf(policy)), policy),
		put(targetPath(manifestTarget, hashOf(manifest)), manifest),
		put(targetPath(proofTarget, hashOf(proof)), proof),
		p.roots(put),
	); err != nil {
		return err
	}
	for _, name := range signed.names {
		if err := p.Repo.Write(ctx, name, signed.files[name]); err != nil {
			return err
		}
	}
	if err := p.Repo.Swap(ctx, "tuf/timestamp.json", signed.stamp, p.cur.files[keepTimestamp]); err != nil {
		return err
	}
	p.cur.files[keepManifest], p.cur.files[keepProof], p.cur.files[keepTimestamp] = manifest, proof, signed.stamp
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
