package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A finding is an ID that a scanner has for a package.
type finding struct {
	target
	id string
}

// A cost is what one run took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // bytes, the peak
}

func (c cost) Wall() string { return fmt.Sprintf("%.3f", c.wall.Seconds()) }
func (c cost) CPU() string  { return fmt.Sprintf("%.3f", c.cpu.Seconds()) }
func (c cost) MiB() int64   { return c.rss >> 20 }

// measured is set in the environment of a process of this test that runs one
// command and writes its cost to file 3. A child's peak begins with that of
// its parent, and the parent here is to be small.
const measured = "ADVDB_PEERS_MEASURE"

func TestMain(m *testing.M) {
	if os.Getenv(measured) == "" {
		os.Exit(m.Run())
	}
	os.Unsetenv(measured)
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	begin := time.Now()
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	wall, state := time.Since(begin), cmd.ProcessState
	rss := state.SysUsage().(*syscall.Rusage).Maxrss
	fmt.Fprintln(os.NewFile(3, "cost"), int64(wall), int64(state.UserTime()+state.SystemTime()), rss*1024)
	os.Exit(state.ExitCode())
}

// measure runs a command and returns what it printed. Exit status 1 is that of
// a scan with findings.
func measure(t *testing.T, cmd *exec.Cmd) (out []byte, c cost) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	var stdout, stderr bytes.Buffer
	cmd.Args = append([]string{self}, cmd.Args...)
	cmd.Path, cmd.Env, cmd.ExtraFiles = self, append(cmd.Env, measured+"=1"), []*os.File{w}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	w.Close()
	if err != nil && (cmd.ProcessState.ExitCode() != 1 || stdout.Len() == 0) {
		t.Fatalf("%v: %v\n%s", cmd.Args[1:], err, stderr.String())
	}
	var wall, cpu int64
	if _, err := fmt.Fscan(r, &wall, &cpu, &c.rss); err != nil {
		t.Fatalf("%v: cost: %v", cmd.Args[1:], err)
	}
	c.wall, c.cpu = time.Duration(wall), time.Duration(cpu)
	return stdout.Bytes(), c
}

// A scanner is what runs on an SBOM: a command, and a reader of its findings.
type scanner struct {
	name    string
	command func(t *testing.T, sbom string) *exec.Cmd
	read    func(t *testing.T, out []byte, packages map[string]target) map[finding]bool
}

// A peer is a scanner to compare with.
type peer struct {
	scanner
	covers  func(x target) bool // what it can read and find
	refuses func(x target) bool // what makes it refuse the SBOM; nil: nothing
	classes []class
}

// sbom writes the packages that the peer does not refuse.
func (p *peer) sbom(t *testing.T, list []target) string {
	t.Helper()
	if p.refuses != nil {
		list = slices.DeleteFunc(slices.Clone(list), p.refuses)
	}
	path := filepath.Join(t.TempDir(), "bom.cdx.json")
	writeSBOM(t, path, list)
	return path
}

// advdb scans with the database of a folder.
func advdb(bin, db string) scanner {
	return scanner{"advdb", func(t *testing.T, sbom string) *exec.Cmd {
		return exec.CommandContext(t.Context(), bin, "scan", "--db", db, "--json", sbom)
	}, readAdvdb}
}

func readAdvdb(t *testing.T, out []byte, packages map[string]target) map[finding]bool {
	var report struct {
		Matches []struct {
			Purl  string
			Vulns []struct {
				Records []struct{ ID, Verdict string }
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	found := map[finding]bool{}
	for _, m := range report.Matches {
		x, ok := packages[m.Purl]
		if !ok {
			t.Fatalf("advdb speaks of %q, which is not in the SBOM", m.Purl)
		}
		for _, v := range m.Vulns {
			for _, r := range v.Records {
				if r.Verdict == "affected" {
					found[finding{x, r.ID}] = true
				}
			}
		}
	}
	return found
}

const osvScannerModule = "github.com/google/osv-scanner/v2/cmd/osv-scanner@v2.5.0"

// osvScanner installs osv-scanner, once for all runs on this machine, and scans
// offline with the archives under local.
func osvScanner(t *testing.T, local string) peer {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "advdb-peers", strings.ReplaceAll(osvScannerModule, "/", "_"))
	path := filepath.Join(bin, "osv-scanner")
	if _, err := os.Stat(path); err != nil {
		cmd := exec.CommandContext(t.Context(), "go", "install", osvScannerModule)
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return peer{scanner{"osv-scanner", func(t *testing.T, sbom string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), path, "scan", "source", "--format", "json", "--all-vulns", "--no-resolve", "--offline",
			"--verbosity", "error", "--lockfile", sbom)
		cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY=" + local}
		return cmd
	}, readOSVScanner}, func(target) bool { return true }, nil, osvScannerClasses}
}

func readOSVScanner(t *testing.T, out []byte, packages map[string]target) map[finding]bool {
	var report struct {
		Results []struct {
			Packages []struct {
				Package         struct{ Name, Version, Ecosystem string }
				Vulnerabilities []struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	byName := map[string]target{}
	for _, x := range packages {
		byName[scannerKey(x.ecosystem, x.name, x.version)] = x
	}
	found := map[finding]bool{}
	for _, r := range report.Results {
		for _, p := range r.Packages {
			x, ok := byName[scannerKey(p.Package.Ecosystem, p.Package.Name, p.Package.Version)]
			if !ok {
				t.Fatalf("osv-scanner speaks of %+v, which is not in the SBOM", p.Package)
			}
			for _, v := range p.Vulnerabilities {
				found[finding{x, v.ID}] = true
			}
		}
	}
	return found
}

// scannerKey is how a package is found again in osv-scanner's report: it writes
// some names as purls do.
func scannerKey(ecosystem, name, version string) string {
	return fmt.Sprintf("%s %s %s", ecosystem, strings.ToLower(name), version)
}

// without are the findings that a has and b lacks, sorted.
func without(a, b map[finding]bool) (list []finding) {
	for f := range a {
		if !b[f] {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b finding) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}
