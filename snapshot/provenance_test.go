package snapshot

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
	"github.com/google/go-cmp/cmp"
)

// held opens what a folder stands for.
func (w *world) held(dir string) *Held {
	w.t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	h, err := ReadHeld(db)
	if err != nil || h == nil {
		w.t.Fatal(h, err)
	}
	return h
}

// verifyDSSE verifies an envelope by the keys of the releases role, by what
// https://github.com/secure-systems-lab/dsse (protocol.md) says.
func verifyDSSE(t *testing.T, k *Keyring, data []byte) []byte {
	t.Helper()
	var e struct {
		PayloadType string `json:"payloadType"`
		Payload     []byte `json:"payload"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   []byte `json:"sig"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
	good := 0
	for _, info := range k.Role(RoleReleases).Keys {
		pub, err := hex.DecodeString(info.Public)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Signatures {
			if s.KeyID == info.ID && ed25519.Verify(pub, []byte(signed), s.Sig) {
				good++
			}
		}
	}
	if want := k.Role(RoleReleases).Threshold; good != want || len(e.Signatures) != want {
		t.Fatalf("%d of %d signatures hold, want %d", good, len(e.Signatures), want)
	}
	return e.Payload
}

// TestProvenance reads what a release was made from, as a client, out of the
// repository and out of a bundle.
func TestProvenance(t *testing.T) {
	w := newWorld(t, 51, 60)
	opt := w.publishOptions()
	opt.Builder, opt.Gates.Accept = "https://ci.example/publish", map[string]bool{"test": true, "churn": true}
	if _, err := Publish(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	c := w.client("replica")
	w.pull(c)
	h := w.held(c.Dir)
	s, data, err := h.FetchProvenance(t.Context(), w.repo)
	if err != nil {
		t.Fatal(err)
	}
	payload := verifyDSSE(t, w.keys, data)
	if again, err := canonical(s); err != nil || !bytes.Equal(again, payload) {
		t.Errorf("statement %s, signed %s (%v)", again, payload, err)
	}
	if want := []Resource{
		{Name: "release.json", Digest: map[string]string{"sha256": hashOf(h.files[keepManifest]).String()}},
		{Name: "state", Digest: map[string]string{"advdbStateRoot": h.m.StateRoot.String()}},
	}; !cmp.Equal(s.Subject, want) {
		t.Error(cmp.Diff(want, s.Subject))
	}
	def := s.Predicate.BuildDefinition
	if want := (Parameters{Origin: "test.example/main", Epoch: 1, Version: 1, Accept: []string{"churn", "test"}}); !cmp.Equal(def.ExternalParameters, want) {
		t.Error(cmp.Diff(want, def.ExternalParameters))
	}
	at := w.now.Format(time.RFC3339)
	if want := []Resource{
		{Name: "epss", Annotations: map[string]string{"documents": "0", "fetchedAt": at}},
		{Name: "test", URI: "https://feeds.example/test.zip", Digest: map[string]string{"dirHash": hashOf([]byte(w.now.String())).String(), "gitCommit": "c0ffee"},
			Annotations: map[string]string{"documents": "3", "fetchedAt": at}},
	}; !cmp.Equal(def.ResolvedDependencies, want) {
		t.Error(cmp.Diff(want, def.ResolvedDependencies))
	}
	if run := s.Predicate.RunDetails; run.Builder.ID != "https://ci.example/publish" || run.Builder.Version["go"] == "" || run.Metadata.FinishedOn != at {
		t.Errorf("%+v", run)
	}
	if _, _, err := h.FetchProvenance(t.Context(), w.bundle("b", BundleOptions{})); err != nil {
		t.Errorf("out of a bundle: %v", err)
	}
	for _, src := range h.Manifest().Sources {
		if src.Inputs != (store.Inputs{}) {
			t.Errorf("the manifest carries inputs of %s", src.Name)
		}
	}
}

// TestProvenanceForged refuses what does not hold, by name.
func TestProvenanceForged(t *testing.T) {
	w := newWorld(t, 52, 30)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	h := w.held(c.Dir)
	_, first, err := h.FetchProvenance(t.Context(), w.repo)
	if err != nil {
		t.Fatal(err)
	}
	w.churn()
	w.publish()
	c.Now = w.now
	w.pull(c)
	next := w.held(c.Dir)
	_, second, err := next.FetchProvenance(t.Context(), w.repo)
	if err != nil {
		t.Fatal(err)
	}
	// The one before is kept with its release.
	if _, again, err := h.FetchProvenance(t.Context(), w.repo); err != nil || !bytes.Equal(again, first) {
		t.Errorf("of the release before: %v", err)
	}
	other := newWorld(t, 53, 30)
	signers, err := other.keys.signers(RoleReleases)
	if err != nil {
		t.Fatal(err)
	}
	payload := verifyDSSE(t, w.keys, second)
	stranger, err := sealEnvelope(payloadType, payload, signers)
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.keys.signers(RoleReleases)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(kind, text string) []byte {
		data, err := sealEnvelope(kind, []byte(text), own)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, x := range []struct {
		name string
		data []byte
		want error
	}{
		{"of the release before", first, ErrMismatch},
		{"by a stranger", stranger, ErrSignature},
		{"another payload", bytes.Replace(second, []byte(`"payload":"`), []byte(`"payload":"AAAA`), 1), ErrSignature},
		{"no signature", []byte(`{"payloadType":"` + payloadType + `","payload":"e30=","signatures":[]}`), ErrSignature},
		{"another type of payload", seal("text/plain", string(payload)), ErrManifest},
		{"another statement", seal(payloadType, strings.Replace(string(payload), statementType, "https://in-toto.io/Statement/v9", 1)), ErrClient},
		{"no statement", seal(payloadType, "[]"), ErrManifest},
		{"no subject", seal(payloadType, `{"_type":"`+statementType+`","predicateType":"`+provenanceType+`"}`), ErrMismatch},
		{"no envelope", []byte("{"), ErrManifest},
	} {
		if _, err := next.VerifyProvenance(x.data); !errors.Is(err, x.want) || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
	// A file that is not the one that was signed for.
	repo := copyRepo(t, w)
	name := targetPath(provenanceTarget, hashOf(second))
	if err := os.WriteFile(filepath.Join(repo.String(), name), append(second[:len(second)-1:len(second)-1], ' '), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := next.FetchProvenance(t.Context(), repo); !errors.Is(err, ErrMismatch) {
		t.Errorf("tampered in the repository: %v", err)
	}
}

// TestProvenanceStays is taken up with a release that was not announced, and
// follows a rotation of the keys that sign it.
func TestProvenanceStays(t *testing.T) {
	w := newWorld(t, 54, 30)
	w.publish()
	w.churn()
	opt := w.publishOptions()
	opt.Repo = &noSwap{w.repo}
	if _, err := Publish(t.Context(), opt); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	opt.DB.Close()
	if _, err := w.keys.Rotate(RoleReleases, "", w.now); err != nil {
		t.Fatal(err)
	}
	if out := w.publish(); out.Version != 2 {
		t.Fatalf("%+v", out)
	}
	c := w.client("replica")
	c.Now = w.now
	w.pull(c)
	s, data, err := w.held(c.Dir).FetchProvenance(t.Context(), w.repo)
	if err != nil || s.Predicate.BuildDefinition.ExternalParameters.Version != 2 {
		t.Fatalf("of a release that was taken up: %v", err)
	}
	payload := verifyDSSE(t, w.keys, data)
	if _, err := w.keys.Rotate(RoleReleases, "", w.now); err != nil {
		t.Fatal(err)
	}
	if out := w.publish(); out.New || !out.Signed {
		t.Fatalf("%+v", out)
	}
	w.pull(c)
	if _, data, err = w.held(c.Dir).FetchProvenance(t.Context(), w.repo); err != nil {
		t.Fatal(err)
	}
	if again := verifyDSSE(t, w.keys, data); !bytes.Equal(again, payload) {
		t.Errorf("signed anew: %s, was %s", again, payload)
	}
}

// A noSwap is a repository that fills up before the timestamp is written.
type noSwap struct{ Repository }

func (*noSwap) Swap(context.Context, string, []byte, []byte) error { return errFull }

// TestSameProvenance signs the same bytes for the same inputs at the same time.
func TestSameProvenance(t *testing.T) {
	w := newWorld(t, 55, 30)
	var list [][]byte
	for i := range 2 {
		repo, err := CreateDir(filepath.Join(t.TempDir(), "repo"))
		if err != nil {
			t.Fatal(err)
		}
		defer repo.Close()
		w.repo = repo
		w.publish()
		c := w.client([]string{"a", "b"}[i])
		w.pull(c)
		_, data, err := w.held(c.Dir).FetchProvenance(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	if !bytes.Equal(list[0], list[1]) {
		t.Errorf("%s\n%s", list[0], list[1])
	}
}
