package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// sizes are those of the SBOMs.
var sizes = []int{10, 500, 5000}

// build builds the command at hand.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "advdb")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/advdb")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// database is a folder with the records of real feeds.
func database(t *testing.T, bin string) string {
	t.Helper()
	if dir := os.Getenv("ADVDB_BENCH_DB"); dir != "" {
		return dir
	}
	up, dir := sharedtest.Path(t, "upstream", "day1"), t.TempDir()
	cmd := exec.CommandContext(t.Context(), bin, "sync", "-q", "--db", dir, "--upstream", up)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// TestScanner has osv-scanner and advdb scan the same SBOMs with the same
// records. Every finding that only one of them has fits a class of classes, and
// no class more often than it says.
func TestScanner(t *testing.T) {
	if testing.Short() {
		t.Skip("osv-scanner is built from a hundred modules")
	}
	bin := build(t)
	db, local := database(t, bin), t.TempDir()
	inv, records := readDB(t, db, local)
	rep := &report{records: records}
	both := []scanner{advdb(t, bin, db), osvScanner(t, local)}
	for _, n := range sizes {
		list := inv.sample(n)
		if len(list) != n {
			t.Fatalf("%d packages of %d", len(list), n)
		}
		sbom := filepath.Join(t.TempDir(), "bom.cdx.json")
		writeSBOM(t, sbom, list)
		packages := map[string]target{}
		for _, x := range list {
			packages[x.purl()] = x
		}
		var found [2]map[finding]bool
		for i, s := range both {
			for range rounds() {
				out, c := measure(t, s.command(t, sbom))
				found[i] = s.read(t, out, packages)
				rep.add(s.name, n, c)
			}
		}
		ours, theirs := difference(found[0], found[1]), difference(found[1], found[0])
		t.Logf("%d packages: %d findings of advdb, %d of osv-scanner; only in one %d, %d", n, len(found[0]), len(found[1]), len(ours), len(theirs))
		if len(found[0]) == 0 || len(found[1]) == 0 {
			t.Fatal("nothing is found")
		}
		rep.classify(t, n, len(found[0]), len(found[1]), ours, theirs)
	}
	rep.write(t)
}
