package snapshot

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

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
	rel := releaseFiles{manifest: data}
	if rel.proof, err = p.witnessedProof(ctx, tree, checkpoint); err != nil {
		return err
	}
	if rel.provenance, err = p.findProvenance(ctx, data, m); err != nil {
		return err
	}
	if err := p.announce(ctx, rel); err != nil {
		return err
	}
	p.cur.manifest, p.cur.tree, p.cur.checkpoint = m, tree, checkpoint
	return nil
}

// checkpoint signs the log. From here on the release is the one of its number.
func (p *publisher) checkpoint(ctx context.Context, tree tlog.Tree) (proof []byte, err error) {
	key, err := p.Keys.logSigner()
	if err != nil {
		return nil, err
	}
	checkpoint, err := signCheckpoint(p.Keys.Origin(), tree, key)
	if err != nil {
		return nil, err
	}
	if err := p.Repo.Write(ctx, checkpointName, checkpoint); err != nil {
		return nil, err
	}
	return p.witnessedProof(ctx, tree, checkpoint)
}

// witnessedProof has witnesses cosign a checkpoint that is written already,
// and returns the proof that the newest release is in that log.
func (p *publisher) witnessedProof(ctx context.Context, tree tlog.Tree, checkpoint []byte) ([]byte, error) {
	cosigned, err := p.cosign(ctx, tree, checkpoint)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(cosigned, checkpoint) {
		if err := p.Repo.Write(ctx, checkpointName, cosigned); err != nil {
			return nil, err
		}
	}
	return proveLeaf(ctx, p.Repo, tree.N-1, tree, cosigned)
}

func (p *publisher) policy() (logPolicy, error) {
	data, err := p.Keys.tufFile(policyTarget)
	if err != nil {
		return logPolicy{}, err
	}
	return parsePolicy(data)
}
