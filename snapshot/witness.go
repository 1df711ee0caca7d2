package snapshot

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	maxCosignatures = 64 << 10 // of an answer of a witness
	witnessPatience = 10 * time.Second
)

// An asking asks witnesses for their cosignatures on one checkpoint, by
// add-checkpoint of https://c2sp.org/tlog-witness.
type asking struct {
	client     *retryablehttp.Client
	repo       Reader
	tree       tlog.Tree
	checkpoint []byte // under the log's signature alone
}

// newWitnessClient returns a client that gives a witness up after three tries.
func newWitnessClient(plain *http.Client) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.RetryMax, c.RetryWaitMin, c.RetryWaitMax, c.Logger = 2, 250*time.Millisecond, 2*time.Second, nil
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	if plain != nil {
		c.HTTPClient = plain
	} else {
		c.HTTPClient.Timeout = witnessPatience
	}
	return c
}

// witnesses returns those who can be asked, each once: of the policy that is
// signed, and of the publisher's own.
func (p *publisher) witnesses(policies []logPolicy) (list []witness) {
	for _, policy := range policies {
		for _, w := range policy.witnesses {
			same := func(x witness) bool { return x.key.Name() == w.key.Name() && x.key.KeyHash() == w.key.KeyHash() }
			if w.url != "" && !slices.ContainsFunc(list, same) {
				list = append(list, w)
			}
		}
	}
	return list
}

// policies returns the policy that clients are given, and the publisher's own
// where there is one.
func (p *publisher) policies() ([]logPolicy, error) {
	signed, err := p.policy()
	if err != nil || p.Witnesses == nil {
		return []logPolicy{signed}, err
	}
	own, err := parseWitnesses(p.Witnesses)
	if err == nil && own.key != nil && own.vkey != signed.vkey {
		err = fmt.Errorf("policy: %w: its log is not that of the keys", ErrKeys)
	}
	return []logPolicy{signed, own}, err
}

// cosign returns a checkpoint with the cosignatures of the witnesses; one who
// does not answer keeps the cosignature that is there. It returns ErrGate
// where a quorum is not reached.
func (p *publisher) cosign(ctx context.Context, tree tlog.Tree, checkpoint []byte) ([]byte, error) {
	policies, err := p.policies()
	if err != nil {
		return nil, err
	}
	n, err := note.Open(checkpoint, note.VerifierList(policies[0].key))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w: %w", ErrSignature, err)
	}
	plain := slices.Concat([]byte(n.Text+"\n"), signatureLine(n.Sigs[0]))
	list := p.witnesses(policies)
	a := &asking{client: newWitnessClient(p.Client), repo: p.Repo, tree: tree, checkpoint: plain}
	lines, errs := make([][]byte, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	for i, w := range list {
		wg.Go(func() {
			if lines[i], errs[i] = a.ask(ctx, w); errs[i] != nil {
				errs[i] = fmt.Errorf("witness %s: %w", w.name, errs[i])
				p.Log.Warn("cosignature", "error", errs[i])
				lines[i] = cosignature(checkpoint, w.key)
			}
		})
	}
	wg.Wait()
	out := slices.Concat(plain, slices.Concat(lines...))
	for _, policy := range policies {
		if _, err := policy.check(out); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrGate, errors.Join(append([]error{err}, errs...)...))
		}
	}
	return out, nil
}

func signatureLine(s note.Signature) []byte { return fmt.Appendf(nil, "— %s %s\n", s.Name, s.Base64) }

// cosignature is the line of a witness on a checkpoint, nil for none.
func cosignature(checkpoint []byte, key note.Verifier) []byte {
	n, err := note.Open(checkpoint, note.VerifierList(key))
	if err != nil {
		return nil
	}
	return signatureLine(n.Sigs[0])
}

// ask returns the cosignature line of one witness. What it knows of the log is
// guessed first, and learned from its answer where the guess was wrong.
func (a *asking) ask(ctx context.Context, w witness) ([]byte, error) {
	old := a.tree.N - 1
	for range 3 {
		status, answer, err := a.post(ctx, w, old)
		if err != nil {
			return nil, err
		}
		switch status {
		case http.StatusOK:
			if line := cosignature(slices.Concat(a.checkpoint, answer), w.key); line != nil {
				return line, nil
			}
			return nil, fmt.Errorf("answer without its cosignature: %w", ErrSignature)
		case http.StatusConflict:
			size, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
			switch {
			case err != nil || size < 0:
				return nil, fmt.Errorf("conflict %.100q", answer)
			case size > a.tree.N:
				return nil, fmt.Errorf("it has seen %d releases, this log has %d: %w", size, a.tree.N, ErrFork)
			case size == old:
				return nil, fmt.Errorf("it has seen another log of %d releases: %w", size, ErrFork)
			}
			old = size
		case http.StatusUnprocessableEntity:
			return nil, fmt.Errorf("its log of %d releases is no beginning of this one: %w", old, ErrFork)
		case http.StatusNotFound:
			return nil, errors.New("it does not know this log")
		case http.StatusForbidden:
			return nil, errors.New("it does not know the key of this log")
		default:
			return nil, fmt.Errorf("status %d: %.200q", status, answer)
		}
	}
	return nil, errors.New("it says another size each time")
}

// post sends one add-checkpoint request.
func (a *asking) post(ctx context.Context, w witness, old int64) (status int, answer []byte, err error) {
	body, err := a.body(ctx, old)
	if err != nil {
		return 0, nil, err
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, w.url+"/add-checkpoint", body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("User-Agent", "advdb")
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxCosignatures))
	return resp.StatusCode, answer, err
}

// body is an old size, the proof that the log of that size is the beginning
// of this one, and the checkpoint.
func (a *asking) body(ctx context.Context, old int64) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	if old > 0 {
		path, err := tlog.ProveTree(a.tree.N, old, hashReader(ctx, a.repo, a.tree))
		if err != nil {
			return nil, err
		}
		for _, h := range path {
			fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h[:]))
		}
	}
	b.WriteByte('\n')
	b.Write(a.checkpoint)
	return b.Bytes(), nil
}

// replaceCheckpoint returns a tlog-proof with another checkpoint of the same
// tree.
func replaceCheckpoint(data, checkpoint []byte) ([]byte, error) {
	var p proof.TLogProof
	if err := p.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("tlog-proof: %w: %w", ErrManifest, err)
	}
	p.Checkpoint = checkpoint
	return p.Marshal(), nil
}
