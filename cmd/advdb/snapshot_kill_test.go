package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/advdb/advdb/sources/fixture"
)

// TestSnapshotKilled kills publish, pull and import of the real binary with
// SIGKILL at random moments: clients always find a whole release, what is
// left of a replica is whole, and the next run ends where an undisturbed one
// does.
func TestSnapshotKilled(t *testing.T) {
	temp := t.TempDir()
	up, bin := filepath.Join(temp, "up"), filepath.Join(temp, "advdb")
	if err := fixture.WriteUpstream(up, fixtureFiles("../../testdata/fixtures")...); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	k := &snapshotKiller{t: t, bin: bin, temp: temp}
	db := filepath.Join(temp, "db")
	syncWhole(t, bin, db, up, nil)
	want := digest(t, bin, db)
	repo, keys := filepath.Join(temp, "repo"), filepath.Join(temp, "keys")
	k.run("keys", "init", "--keys", keys, "--origin", "test.example/killed")
	root := filepath.Join(keys, "tuf", "1.root.json")
	publish := []string{"publish", "--db", db, "--repo", repo, "--keys", keys, "--force"}
	took := k.run(publish...)
	for i := range 8 {
		replica := filepath.Join(temp, "replica")
		os.RemoveAll(replica)
		k.kill(took, publish...)
		pull := []string{"pull", repo, "--db", replica, "--root", root}
		pullTook := k.run(pull...)
		if got := digest(t, bin, replica); got != want {
			t.Fatalf("kill %d: digest %s, want %s", i, got, want)
		}
		k.run(publish...)
		if i%2 == 0 {
			os.RemoveAll(replica)
		}
		k.kill(pullTook, pull...)
		if _, err := os.Stat(filepath.Join(replica, "advdb.db")); err == nil {
			digest(t, bin, replica)
		}
		bundle := filepath.Join(temp, "bundle")
		k.run("bundle", "create", "--repo", repo, "--full", "-o", bundle)
		load := []string{"bundle", "import", bundle, "--db", replica, "--root", root}
		k.kill(pullTook, load...)
		k.run(load...)
		if got := digest(t, bin, replica); got != want {
			t.Errorf("kill %d: digest %s, want %s", i, got, want)
		}
	}
}

type snapshotKiller struct {
	t         *testing.T
	bin, temp string
}

func (k *snapshotKiller) command(args ...string) *exec.Cmd {
	cmd := exec.Command(k.bin, args...)
	cmd.Env = append(testEnv(), "ADVDB_KEY_PASSPHRASE=killed", "TMPDIR="+k.temp)
	return cmd
}

// run runs a command to its end and returns how long it took.
func (k *snapshotKiller) run(args ...string) time.Duration {
	k.t.Helper()
	start := time.Now()
	if out, err := k.command(args...).CombinedOutput(); err != nil {
		k.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return time.Since(start)
}

// kill runs a command and kills it before it would end.
func (k *snapshotKiller) kill(took time.Duration, args ...string) {
	k.t.Helper()
	cmd := k.command(args...)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.Int64N(int64(took))))
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
}
