package snapshot

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A fakeWitness answers add-checkpoint as https://c2sp.org/tlog-witness says.
type fakeWitness struct {
	t   *testing.T
	key cosigner
	log note.Verifier
	url string

	mu   sync.Mutex
	tree tlog.Tree
	down bool
	asks []int // statuses that were answered
}

func newFakeWitness(t *testing.T, name string, log note.Verifier) *fakeWitness {
	w := &fakeWitness{t: t, key: newCosigner(t, name), log: log}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	w.url = srv.URL + "/w"
	return w
}

func (w *fakeWitness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status, body := w.answer(r)
	w.asks = append(w.asks, status)
	rw.WriteHeader(status)
	rw.Write(body)
}

func (w *fakeWitness) answer(r *http.Request) (int, []byte) {
	if w.down {
		return http.StatusForbidden, nil
	}
	if r.Method != http.MethodPost || r.URL.Path != "/w/add-checkpoint" {
		return http.StatusNotFound, nil
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return http.StatusBadRequest, nil
	}
	head, checkpoint, ok := bytes.Cut(data, []byte("\n\n"))
	c, _, _, err := log.ParseCheckpoint(checkpoint, w.log.Name(), w.log)
	if err != nil || !ok {
		return http.StatusForbidden, nil
	}
	lines := strings.Split(string(head), "\n")
	var old int64
	if _, err := fmt.Sscanf(lines[0], "old %d", &old); err != nil || old > int64(c.Size) {
		return http.StatusBadRequest, nil
	}
	now := tlog.Tree{N: int64(c.Size)}
	copy(now.Hash[:], c.Hash)
	if old != w.tree.N || old == now.N && w.tree.Hash != now.Hash {
		return http.StatusConflict, fmt.Appendf(nil, "%d\n", w.tree.N)
	}
	var path tlog.TreeProof
	for _, l := range lines[1:] {
		b, err := base64.StdEncoding.DecodeString(l)
		if err != nil || len(b) != tlog.HashSize {
			return http.StatusBadRequest, nil
		}
		path = append(path, tlog.Hash(b))
	}
	if old > 0 && tlog.CheckTree(path, now.N, now.Hash, old, w.tree.Hash) != nil || old == 0 && len(path) > 0 {
		return http.StatusUnprocessableEntity, nil
	}
	w.tree = now
	v, err := parseWitnesses([]byte("witness W " + w.key.vkey + "\nquorum W\n"))
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, append([]byte("— somebody.else AAAAAAAA\n"), cosignature(w.key.cosign(w.t, checkpoint, w.log), v.witnesses[0].key)...)
}

// witnessed gives a world witnesses, all of whom it asks, and of whom n must
// cosign.
func witnessed(t *testing.T, w *world, n int, list ...*fakeWitness) []byte {
	t.Helper()
	text := "log " + w.keys.LogKey() + "\n"
	names := ""
	for i, f := range list {
		text += fmt.Sprintf("witness W%d %s %s\n", i, f.key.vkey, f.url)
		names += fmt.Sprintf(" W%d", i)
	}
	return []byte(text + fmt.Sprintf("group G %d%s\nquorum G\n", n, names))
}

// realTime makes a world of today, as the clocks of witnesses are.
func realTime(w *world) { w.now = time.Now().UTC().Truncate(time.Second) }

// TestWitnesses publishes with witnesses of whom two of three must cosign,
// each of whom may be away.
func TestWitnesses(t *testing.T) {
	w := newWorld(t, 81, 20)
	realTime(w)
	p, err := LogKey(w.keys.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := newFakeWitness(t, "a", p), newFakeWitness(t, "b", p), newFakeWitness(t, "c", p)
	w.publish() // before there are witnesses
	early := w.client("early")
	w.pull(early)
	if err := w.keys.SetPolicy(witnessed(t, w, 2, a, b, c), w.now); err != nil {
		t.Fatal(err)
	}
	if out := w.publish(); out.New || !out.Signed {
		t.Errorf("the new policy: %+v", out)
	}
	c.down = true
	w.churn()
	w.publish()
	early.Now = w.now
	w.pull(early)
	h := w.held(early.Dir)
	if at, err := time.Parse(time.RFC3339, h.Attested); err != nil || at.Before(h.m.time()) {
		t.Errorf("attested %s, made %s", h.Attested, h.Time)
	}
	checkpoint, err := readAll(t.Context(), w.repo, checkpointName, maxCheckpoint)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(checkpoint, []byte("\n— ")); n != 3 {
		t.Errorf("%d signatures on the checkpoint, want the log's and two:\n%s", n, checkpoint)
	}

	// One of three is not enough: nothing is announced until another is back,
	// and then the same release is.
	b.down = true
	w.churn()
	opt := w.publishOptions()
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrGate) || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "missing: W1, W2") {
		t.Errorf("one of three: %v", err)
	}
	opt.DB.Close()
	if got := w.pull(early); got.Version != 2 {
		t.Errorf("%+v", got)
	}
	c.down = false // it has seen the log of one release only
	if out := w.publish(); out.Version != 3 {
		t.Errorf("%+v", out)
	}
	if got := w.pull(early); got.Version != 3 {
		t.Errorf("%+v", got)
	}
	if want := []int{200, 403, 403, 409, 200}; fmt.Sprint(c.asks) != fmt.Sprint(want) {
		t.Errorf("C answered %v, want %v", c.asks, want)
	}
}

// TestWitnessRefuses reads a repository whose releases are not cosigned by
// those that a site wants.
func TestWitnessRefuses(t *testing.T) {
	w := newWorld(t, 82, 20)
	realTime(w)
	p, err := LogKey(w.keys.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	a, b := newFakeWitness(t, "a", p), newFakeWitness(t, "b", p)
	opt := w.publishOptions()
	opt.Witnesses = witnessed(t, w, 1, a)
	if _, err := Publish(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	c := w.client("replica")
	w.pull(c)
	before := w.fileHash(c.Dir)
	c.Witnesses = witnessed(t, w, 1, b)
	for range 2 { // with nothing new as well
		if _, err := Pull(t.Context(), c); !errors.Is(err, ErrWitness) || !errors.Is(err, ErrRefused) {
			t.Errorf("by another witness: %v", err)
		}
	}
	if w.fileHash(c.Dir) != before {
		t.Error("written to")
	}
	other := newWorld(t, 83, 1)
	c.Witnesses = []byte("log " + other.keys.LogKey() + "\nquorum none\n")
	if _, err := Pull(t.Context(), c); !errors.Is(err, ErrWitness) {
		t.Errorf("of another log: %v", err)
	}
	c.Witnesses = witnessed(t, w, 1, a)
	w.pull(c)
	c.Witnesses = nil // it is kept
	if again := w.pull(c); again.Changed || again.Requests != 2 {
		t.Errorf("%+v", again)
	}
	w.churn()
	w.publish() // asks nobody
	c.Now = w.now
	if _, err := Pull(t.Context(), c); !errors.Is(err, ErrWitness) || !strings.Contains(err.Error(), "own policy") {
		t.Errorf("nobody was asked: %v", err)
	}
	dir := c
	dir.Dir += "-fresh"
	dir.Witnesses = nil
	if got := w.pull(dir); got.Version != 2 {
		t.Errorf("without a policy: %+v", got)
	}
	root, err := w.keys.FirstRoot()
	if err != nil {
		t.Fatal(err)
	}
	bundle := w.bundle("b", BundleOptions{})
	if _, err := Import(t.Context(), ImportOptions{Dir: c.Dir, Bundle: bundle, Root: root, Now: w.now}); !errors.Is(err, ErrWitness) {
		t.Errorf("a bundle: %v", err)
	}
	if _, err := Import(t.Context(), ImportOptions{Dir: c.Dir, Bundle: bundle, Root: root, Now: w.now, Witnesses: []byte("quorum none\n")}); err != nil {
		t.Errorf("taken back: %v", err)
	}
}

// TestWitnessSeesFork asks a witness who saw another log under the same key:
// it refuses, and says so.
func TestWitnessSeesFork(t *testing.T) {
	w := newWorld(t, 84, 20)
	realTime(w)
	p, err := LogKey(w.keys.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	a := newFakeWitness(t, "a", p)
	if err := w.keys.SetPolicy(witnessed(t, w, 1, a), w.now); err != nil {
		t.Fatal(err)
	}
	w.publish()
	fork := newFork(t, w)
	for range 2 {
		w.churn()
		w.publish()
	}
	for _, x := range []struct {
		tree tlog.Tree
		want string
	}{
		{tlog.Tree{N: 3, Hash: a.tree.Hash}, "has seen 3 releases"},
		{tlog.Tree{N: 2, Hash: a.tree.Hash}, "another log of 2 releases"},
		{tlog.Tree{N: 1, Hash: a.tree.Hash}, "is no beginning of this one"},
	} {
		a.tree = x.tree
		other := *w
		other.repo = fork(0).(*Dir)
		other.now = w.now.Add(time.Hour)
		other.put(1)
		opt := other.publishOptions()
		opt.Gates.Accept = map[string]bool{"test": true, "churn": true}
		_, err := Publish(t.Context(), opt)
		opt.DB.Close()
		if !errors.Is(err, ErrGate) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v, want %q", err, x.want)
		}
	}
}
