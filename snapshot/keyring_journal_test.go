package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

var errKilled = errors.New("killed")

// dieAt lets the n-th step of writing keys, from 0, be the last that is not
// made. It notes the steps before.
func dieAt(n int, steps *[]string) func(string) error {
	return func(what string) error {
		if len(*steps) >= n {
			return errKilled
		}
		*steps = append(*steps, what)
		return nil
	}
}

// copyKeys copies the folder of the keys, so that one rotation can die at
// every step.
func copyKeys(t *testing.T, w *world) *Keyring {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.CopyFS(dir, os.DirFS(w.keys.dir)); err != nil {
		t.Fatal(err)
	}
	return openKeys(t, dir, w.keys)
}

// openKeys opens a folder. Of keys that known has opened already it does not
// try the passphrase again, which takes time by design.
func openKeys(t *testing.T, dir string, known *Keyring) *Keyring {
	t.Helper()
	k, err := OpenKeyring(dir, func() ([]byte, error) { return []byte("pass"), nil })
	if err != nil {
		t.Fatal(err)
	}
	k.cost = encrypted.Legacy
	if known != nil {
		k.secrets = maps.Clone(known.secrets)
	}
	return k
}

// leftovers are the temporary files of a folder, and the journal.
func leftovers(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".new") || e.Name() == journalName {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestRotateDies kills a rotation of each role between any two of its writes.
// Whoever opens the keys then has the ones of before or the ones of after, as
// the journal says; a release is signed, and a client of the first day arrives.
func TestRotateDies(t *testing.T) {
	w := newWorld(t, 61, 30)
	w.publish()
	first := w.client("first")
	w.pull(first)
	roles := []string{"", RoleRoot, RoleTargets, RoleReleases, RoleTimestamp}
	if testing.Short() {
		roles = []string{RoleReleases, RoleTimestamp}
	}
	for _, role := range roles {
		t.Run("role "+role, func(t *testing.T) {
			for n := 0; ; n++ {
				k := copyKeys(t, w)
				_, was, err := k.Root()
				if err != nil {
					t.Fatal(err)
				}
				var steps []string
				k.fault = dieAt(n, &steps)
				_, err = k.Rotate(role, "", w.now)
				if err == nil {
					if n < 6 {
						t.Errorf("only %d steps: %q", n, steps)
					}
					return
				}
				if !errors.Is(err, errKilled) {
					t.Fatalf("at %d: %v", n, err)
				}
				decided := len(steps) > 1 // the journal was written and renamed
				after := openKeys(t, k.dir, k)
				signs(t, after)
				if role == RoleTimestamp && n%3 == 1 {
					arrives(t, w, after, first, fmt.Sprintf("killed after %q", steps))
				}
				rotated := string(after.read) != string(w.keys.read)
				if _, now, err := after.Root(); err != nil || role != RoleReleases && (now > was) != decided || role != "" && rotated != decided {
					t.Errorf("killed after %q: root %d was %d, rotated %v (%v)", steps, now, was, rotated, err)
				}
				if n < 3 {
					if _, err := after.Rotate(role, "", w.now); err != nil {
						t.Fatalf("again: %v", err)
					}
				}
				if left := leftovers(t, k.dir); len(left) > 0 && n != 1 {
					t.Errorf("killed after %q: %q", steps, left)
				}
			}
		})
	}
}

// signs lets the keys sign metadata, follows the chain of roots from the first
// and verifies it by the last.
func signs(t *testing.T, k *Keyring) {
	t.Helper()
	first, err := k.FirstRoot()
	if err != nil {
		t.Fatal(err)
	}
	tm, err := trustedmetadata.New(first)
	if err != nil {
		t.Fatal(err)
	}
	_, last, err := k.Root()
	if err != nil {
		t.Fatal(err)
	}
	for v := int64(2); v <= last; v++ {
		data, err := k.tufFile("%d.root.json", v)
		if err == nil {
			_, err = tm.UpdateRoot(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.signRelease(testStart, &verified{}, map[string][]byte{manifestTarget: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
}

// arrives publishes with the keys and lets a copy of a client pull.
func arrives(t *testing.T, w *world, k *Keyring, c PullOptions, when string) {
	t.Helper()
	opt := w.publishOptions()
	defer opt.DB.Close()
	repo := copyRepo(t, w)
	opt.Repo, opt.Keys, opt.Force = repo, k, true
	if _, err := Publish(t.Context(), opt); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	dir := filepath.Join(t.TempDir(), "client")
	if err := os.CopyFS(dir, os.DirFS(c.Dir)); err != nil {
		t.Fatal(err)
	}
	c.Dir, c.Mirrors = dir, []Reader{repo}
	if got, err := Pull(t.Context(), c); err != nil || got.Version != 2 {
		t.Fatalf("%s: %+v %v", when, got, err)
	}
}

// TestInitDies kills the making of keys between any two writes: then there
// are none, or all.
func TestInitDies(t *testing.T) {
	// Of some forty writes that copy the journal, those at its ends.
	for _, n := range []int{1, 2, 20, 100} {
		dir := filepath.Join(t.TempDir(), "keys")
		var steps []string
		opt := KeyringOptions{Origin: "test.example/main", Passphrase: func() ([]byte, error) { return []byte("pass"), nil },
			Now: testStart, cost: encrypted.Legacy, fault: dieAt(n, &steps)}
		_, err := InitKeyring(dir, opt)
		if n == 100 {
			if err != nil || len(steps) < 21 || len(steps) > 99 {
				t.Errorf("%d steps: %v", len(steps), err)
			}
			continue
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		opt.fault = nil
		if len(steps) < 2 {
			if _, err := InitKeyring(dir, opt); err != nil {
				t.Fatalf("killed after %q: %v", steps, err)
			}
		} else if _, err := InitKeyring(dir, opt); !errors.Is(err, ErrKeys) {
			t.Fatalf("killed after %q: %v", steps, err)
		}
		k := openKeys(t, dir, nil)
		if _, v, err := k.Root(); err != nil || v != 1 {
			t.Fatalf("killed after %q: root %d %v", steps, v, err)
		}
		signs(t, k)
	}
}

// TestRotateTwice refuses keys that somebody else changed since they were
// opened, or is changing, and a rotation that fails leaves all as it was.
func TestRotateTwice(t *testing.T) {
	w := newWorld(t, 62, 10)
	a, b := openKeys(t, w.keys.dir, w.keys), openKeys(t, w.keys.dir, w.keys)
	if _, err := a.Rotate(RoleTimestamp, "", w.now); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Rotate(RoleTimestamp, "", w.now); !errors.Is(err, ErrKeys) {
		t.Errorf("keys that were changed since: %v", err)
	}
	unlock, err := a.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Rotate(RoleTimestamp, "", w.now); !errors.Is(err, ErrKeys) {
		t.Errorf("beside another: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	before := a.Role(RoleSnapshot).Keys
	if _, err := a.Rotate(RoleSnapshot, "no such key", w.now); !errors.Is(err, ErrKeys) {
		t.Error(err)
	}
	if _, err := a.Rotate("no such role", "", w.now); !errors.Is(err, ErrKeys) {
		t.Error(err)
	}
	// Without a root key nothing may change.
	for _, info := range a.Role(RoleRoot).Keys[:2] {
		if err := os.Remove(filepath.Join(a.dir, info.File)); err != nil {
			t.Fatal(err)
		}
	}
	a = openKeys(t, a.dir, nil)
	if _, err := a.Rotate(RoleSnapshot, "", w.now); !errors.Is(err, ErrKeys) {
		t.Error(err)
	}
	if now := a.Role(RoleSnapshot).Keys; len(now) != 1 || now[0] != before[0] {
		t.Errorf("keys %v, were %v", now, before)
	}
}

// TestRotatedMeanwhile lets keys be rotated while a release is made with those
// of before: nothing is announced that clients would refuse.
func TestRotatedMeanwhile(t *testing.T) {
	w := newWorld(t, 63, 10)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	stale := openKeys(t, w.keys.dir, w.keys)
	if _, err := w.keys.Rotate(RoleTimestamp, "", w.now); err != nil {
		t.Fatal(err)
	}
	w.churn()
	opt := w.publishOptions()
	opt.Keys = stale
	if _, err := Publish(t.Context(), opt); !errors.Is(err, ErrKeys) {
		t.Errorf("with keys of before: %v", err)
	}
	opt.DB.Close()
	c.Now = w.now
	if got := w.pull(c); got.Version != 1 {
		t.Errorf("%+v", got)
	}
	if out := w.publish(); out.Version != 2 {
		t.Errorf("%+v", out)
	}
	if got := w.pull(c); got.Version != 2 {
		t.Errorf("%+v", got)
	}
}

// TestJournalForeign refuses a journal that is none of ours.
func TestJournalForeign(t *testing.T) {
	w := newWorld(t, 64, 5)
	for _, text := range []string{`{`, `{"format":"advdb-keys-journal/2"}`, `{"format":"advdb-keys-journal/1","files":{"../x":""}}`} {
		path := filepath.Join(w.keys.dir, journalName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(w.keys.dir, nil); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
