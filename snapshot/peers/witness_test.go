package peers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"github.com/advdb/advdb/snapshot"
	"golang.org/x/crypto/ssh/agent"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// A litewitness is the program, running.
type litewitness struct {
	dir, name, addr, key string
	vkey                 string
	cmd                  *exec.Cmd
	log                  bytes.Buffer
}

// buildWitness builds the program.
func buildWitness(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "litewitness")
	if out, err := exec.Command("go", "build", "-o", path, "filippo.io/torchwood/cmd/litewitness").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// newWitness makes a witness with a key in an SSH agent of its own, and lets
// it know the log.
func newWitness(t *testing.T, bin, name, logKey string) *litewitness {
	t.Helper()
	// The path of a Unix socket is short.
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: priv}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, c)
		}
	}()
	sum := sha256.Sum256(pub)
	w := &litewitness{dir: dir, name: name, key: hex.EncodeToString(sum[:]), addr: freeAddr(t)}
	signer, err := torchwood.NewCosignatureSigner(name, priv)
	if err != nil {
		t.Fatal(err)
	}
	w.vkey = signer.Verifier().String()
	w.start(t, bin)
	w.know(t, logKey)
	return w
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *litewitness) start(t *testing.T, bin string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.cmd = exec.CommandContext(ctx, bin, "-name", w.name, "-db", filepath.Join(w.dir, "db"),
		"-ssh-agent", filepath.Join(w.dir, "agent"), "-listen", w.addr, "-key", w.key)
	w.cmd.Stdout, w.cmd.Stderr = &w.log, &w.log
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		w.cmd.Wait()
	})
	for range 200 {
		resp, err := http.Get("http://" + w.addr + "/")
		if err == nil {
			page, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if !strings.Contains(string(page), "litewitness") {
				t.Fatalf("who answers? %s", page)
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("no litewitness")
}

func (w *litewitness) stop(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	w.cmd.Wait()
}

// know adds a log to the database, as its witnessctl does.
func (w *litewitness) know(t *testing.T, logKey string) {
	t.Helper()
	db, err := sqlite.OpenConn(filepath.Join(w.dir, "db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	empty := sha256.Sum256(nil)
	if err := errors.Join(
		sqlitex.Execute(db, "INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)",
			&sqlitex.ExecOptions{Args: []any{origin, base64.StdEncoding.EncodeToString(empty[:])}}),
		sqlitex.Execute(db, "INSERT INTO key (origin, key) VALUES (?, ?)", &sqlitex.ExecOptions{Args: []any{origin, logKey}}),
	); err != nil {
		t.Fatal(err)
	}
}

// TestLitewitness publishes with two real witnesses, one of whom is killed and
// comes back, and lets torchwood judge the quorum.
func TestLitewitness(t *testing.T) {
	bin := buildWitness(t)
	p := newPublisher(t, time.Now().UTC().Truncate(time.Second))
	a, b := newWitness(t, bin, "a.example/witness", p.keys.LogKey()), newWitness(t, bin, "b.example/witness", p.keys.LogKey())
	both := fmt.Sprintf("log %s\nwitness A %s http://%s\nwitness B %s http://%s\ngroup G all A B\nquorum G\n", p.keys.LogKey(), a.vkey, a.addr, b.vkey, b.addr)
	if err := p.keys.SetPolicy([]byte(both), p.now); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, err := p.publish(snapshot.PublishOptions{}); err != nil {
			t.Fatalf("release %d: %v\n%s\n%s", n+1, err, &a.log, &b.log)
		}
	}
	policy, err := torchwood.ParsePolicy([]byte(both))
	if err != nil {
		t.Fatal(err)
	}
	check := func(size int64) {
		t.Helper()
		signed, err := os.ReadFile(filepath.Join(p.repo.String(), "log/checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		if c, n, err := torchwood.VerifyCheckpoint(signed, policy); err != nil || c.N != size || len(n.Sigs) != 3 {
			t.Errorf("checkpoint of %d: %+v %v\n%s", size, c, err, signed)
		}
	}
	check(3)
	h, err := p.pull("replica", snapshot.PullOptions{Witnesses: []byte(both)})
	if err != nil || h.Version != 3 {
		t.Fatalf("%+v %v", h, err)
	}

	b.stop(t)
	if _, err := p.publish(snapshot.PublishOptions{}); !errors.Is(err, snapshot.ErrGate) {
		t.Errorf("with one of two: %v", err)
	}
	if h, err := p.pull("replica", snapshot.PullOptions{}); err != nil || h.Version != 3 {
		t.Errorf("%+v %v", h, err)
	}
	b.start(t, bin)
	if out, err := p.publish(snapshot.PublishOptions{}); err != nil || out.Version != 5 {
		t.Fatalf("%+v %v", out, err)
	}
	check(5)
	if h, err := p.pull("replica", snapshot.PullOptions{}); err != nil || h.Version != 5 {
		t.Errorf("%+v %v", h, err)
	}

	// Other history under the same keys: the witnesses have seen this one.
	fork := *p
	if fork.repo, err = snapshot.CreateDir(filepath.Join(p.temp, "fork")); err != nil {
		t.Fatal(err)
	}
	defer fork.repo.Close()
	if _, err := fork.publish(snapshot.PublishOptions{}); !errors.Is(err, snapshot.ErrGate) || !strings.Contains(err.Error(), "it has seen 5 releases") {
		t.Errorf("a fork: %v", err)
	}
}
