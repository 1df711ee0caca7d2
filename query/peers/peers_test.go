package peers

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// sizes are those of the SBOMs.
var sizes = []int{10, 500, 5000}

var peerNames = flag.String("peers", "osv-scanner", "scanners to run, of osv-scanner, grype and trivy; the last two take minutes to build")

// chosen are the peers that the flag names, with databases made of db; the
// archives for osv-scanner are in local.
func chosen(t *testing.T, db, local string) (list []peer) {
	t.Helper()
	for name := range strings.SplitSeq(*peerNames, ",") {
		switch name {
		case "osv-scanner":
			list = append(list, osvScanner(t, local))
		case "grype":
			list = append(list, grype(t, db, t.TempDir()))
		case "trivy":
			list = append(list, trivy(t, db, t.TempDir()))
		default:
			t.Fatalf("-peers: no scanner %q", name)
		}
	}
	return list
}

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

// TestScanner has advdb and its peers scan the same SBOMs with the same
// records. Every finding that only one of them has fits a class of the peer, and
// no class more often than it says.
func TestScanner(t *testing.T) {
	if testing.Short() {
		t.Skip("other scanners are built from hundreds of modules")
	}
	bin := build(t)
	db, local := database(t, bin), t.TempDir()
	inv, records := readDB(t, db, local)
	peers := chosen(t, db, local)
	rep := newReport(t, db, records, peers)
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
		ours, base := scan(t, advdb(bin, db), sbom, packages)
		rep.Scans = append(rep.Scans, scanRow{Scanner: "**advdb**", Packages: n, Findings: len(ours), Cost: base, CPURatio: 1})
		for i, p := range peers {
			theirs, c := scan(t, p.scanner, p.sbom(t, list), packages)
			row := scanRow{Scanner: p.name, Packages: n, Findings: len(theirs), Cost: c, CPURatio: c.cpu.Seconds() / base.cpu.Seconds()}
			rep.compare(t, p, i, row, ours, theirs)
		}
	}
	rep.limits(t, peers)
	rep.write(t)
}

// scan runs a scanner on an SBOM, several times where the cost is reported.
func scan(t *testing.T, s scanner, sbom string, packages map[string]target) (found map[finding]bool, c cost) {
	t.Helper()
	var costs []cost
	for range rounds() {
		out, c := measure(t, s.command(t, sbom))
		found = s.read(t, out, packages)
		costs = append(costs, c)
	}
	if len(found) == 0 {
		t.Fatalf("%s finds nothing", s.name)
	}
	return found, median(costs)
}
