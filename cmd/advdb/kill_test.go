package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/sources/fixture"
)

var kills = flag.Int("kills", 4, "how often TestKilledOnRealFeeds kills a sync")

// TestKilled kills the real binary with SIGKILL at random moments of a sync
// of the fixtures: whatever is left is whole, and the next run ends where an
// undisturbed one does.
func TestKilled(t *testing.T) {
	up := t.TempDir()
	if err := fixture.WriteUpstream(up, fixtureFiles("../../testdata/fixtures")...); err != nil {
		t.Fatal(err)
	}
	killTest(t, up, "", 20, nil)
}

// TestKilledOnRealFeeds does the same on real feeds, from nothing to the
// first day, and from there to the second.
func TestKilledOnRealFeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	day1, day2 := sharedtest.Path(t, "upstream", "day1"), sharedtest.Path(t, "upstream", "day2")
	killTest(t, day1, day2, *kills, realSources)
}

// killTest kills syncs of first or, where there is a second upstream, in
// turns those from first to second, of the sources named, or all.
func killTest(t *testing.T, first, second string, times int, sources []string) {
	bin := filepath.Join(t.TempDir(), "advdb")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	base := filepath.Join(t.TempDir(), "base")
	firstTook := syncWhole(t, bin, base, first, sources)
	want := []string{digest(t, bin, base), ""}
	var secondTook time.Duration
	if second != "" {
		whole := filepath.Join(t.TempDir(), "whole")
		copyTree(t, base, whole)
		secondTook = syncWhole(t, bin, whole, second, sources)
		want[1] = digest(t, bin, whole)
	}
	for i := range times {
		dir := filepath.Join(t.TempDir(), "db")
		up, took, end := first, firstTook, want[0]
		if second != "" && i%2 == 1 {
			copyTree(t, base, dir)
			up, took, end = second, secondTook, want[1]
		}
		after := time.Duration(rand.Int64N(int64(took)))
		cmd := exec.Command(bin, append([]string{"sync", "-q", "--db", dir, "--upstream", up}, sources...)...)
		cmd.Env = testEnv()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		if _, err := os.Stat(filepath.Join(dir, "advdb.db")); err == nil {
			digest(t, bin, dir)
		}
		syncWhole(t, bin, dir, up, sources)
		if got := digest(t, bin, dir); got != end {
			t.Errorf("kill %d after %v: digest %s, undisturbed %s", i, after, got, end)
		}
		t.Logf("kill %d of %s after %v of %v: whole, and the same in the end", i, filepath.Base(up), after, took)
		os.RemoveAll(dir)
	}
}

func testEnv() []string { return append(os.Environ(), "SOURCE_DATE_EPOCH=1785542400") }

func syncWhole(t *testing.T, bin, dir, upstream string, sources []string) time.Duration {
	t.Helper()
	start := time.Now()
	cmd := exec.Command(bin, append([]string{"sync", "--db", dir, "--upstream", upstream}, sources...)...)
	cmd.Env = testEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sync: %v\n%s", err, out)
	}
	return time.Since(start)
}

// digest verifies the database and returns its digest.
func digest(t *testing.T, bin, dir string) string {
	t.Helper()
	out, err := exec.Command(bin, "verify", "--json", "--db", dir).Output()
	var rep struct {
		OK       bool
		Digest   string
		Problems []string
	}
	if jerr := json.Unmarshal(out, &rep); err != nil || jerr != nil || !rep.OK {
		t.Fatalf("verify: %v %v: %s", err, jerr, strings.Join(rep.Problems, "\n"))
	}
	return rep.Digest
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(fmt.Errorf("copy: %w", err))
	}
}
