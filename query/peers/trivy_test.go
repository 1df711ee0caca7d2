package peers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"go.etcd.io/bbolt"
)

const trivyModule = "github.com/aquasecurity/trivy@v0.69.3"

// trivyEcosystems are the names of ecosystems that trivy reads from purls and
// has rules of versions for. It takes the distribution from the one component
// that is the operating system: Debian and Alpine are left out.
var trivyEcosystems = map[string]string{
	"ConanCenter": "conan", "Go": "go", "Hex": "erlang", "Maven": "maven", "NuGet": "nuget", "Packagist": "composer", "Pub": "pub", "PyPI": "pip",
	"RubyGems": "rubygems", "SwiftURL": "swift", "crates.io": "cargo", "npm": "npm",
}

// trivyPath builds trivy, once for all runs on this machine. Its command has
// to be built inside a module: its path has none of its own.
func trivyPath(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cache, "advdb-peers", strings.ReplaceAll(trivyModule, "/", "_"), "trivy")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module trivy\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"get", trivyModule}, {"build", "-mod=mod", "-o", path, "github.com/aquasecurity/trivy/cmd/trivy"}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOEXPERIMENT=jsonv2", "GOFLAGS=", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v: %s", args, err, out)
		}
	}
	return path
}

// trivy scans with a database made of ours in dir.
func trivy(t *testing.T, db, dir string) peer {
	t.Helper()
	path := trivyPath(t)
	writeTrivyDB(t, db, filepath.Join(dir, "db"))
	command := func(t *testing.T, sbom string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), path, "sbom", "--cache-dir", dir, "--cache-backend", "memory", "--format", "json", "--quiet",
			"--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--scanners", "vuln", "--disable-telemetry", sbom)
		cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
		return cmd
	}
	covers := func(x target) bool { return trivyEcosystems[x.base()] != "" }
	// It takes no SBOM with packages of two systems.
	refuses := func(x target) bool { return x.base() == "Debian" || x.base() == "Alpine" }
	return peer{scanner{"trivy", command, readTrivy}, covers, refuses, trivyClasses}
}

func readTrivy(t *testing.T, out []byte, packages map[string]target) map[finding]bool {
	var report struct {
		Results []struct {
			Vulnerabilities []struct {
				VulnerabilityID string
				PkgIdentifier   struct{ PURL, BOMRef string }
			}
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	byRef := map[string]target{}
	for _, x := range packages {
		byRef[x.ref()] = x
	}
	found := map[finding]bool{}
	for _, r := range report.Results {
		for _, v := range r.Vulnerabilities {
			x, ok := byRef[v.PkgIdentifier.BOMRef]
			if !ok {
				t.Fatalf("trivy speaks of %+v, which is not in the SBOM", v.PkgIdentifier)
			}
			found[finding{x, v.VulnerabilityID}] = true
		}
	}
	return found
}

// A trivyAdvisory is the value of trivy-db under source, package and ID.
type trivyAdvisory struct {
	VulnerableVersions []string
}

// writeTrivyDB writes the records of the ecosystems that trivy knows as
// trivy-db keeps them: buckets "ecosystem::source", package, ID. Each range is
// a constraint, each listed version one of its own.
func writeTrivyDB(t *testing.T, db, dir string) {
	t.Helper()
	advisories := map[[3]string]trivyAdvisory{}
	ids := map[string]bool{}
	eachRecord(t, db, func(r *normalize.Record) {
		if r.Withdrawn != "" {
			return
		}
		for i := range r.Affected {
			a := &r.Affected[i]
			eco := trivyEcosystems[a.Package.Ecosystem]
			if list := constraints(a); eco != "" && len(list) > 0 {
				key := [3]string{eco + "::advdb", trivyName(eco, a.Package.Name), r.ID}
				advisories[key] = trivyAdvisory{append(advisories[key].VulnerableVersions, list...)}
				ids[r.ID] = true
			}
		}
	})
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	meta, err := json.Marshal(map[string]any{"Version": 2, "NextUpdate": now.AddDate(1, 0, 0), "UpdatedAt": now, "DownloadedAt": now})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "metadata.json"), meta, 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := bbolt.Open(filepath.Join(dir, "trivy.db"), 0o644, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = b.Update(func(tx *bbolt.Tx) error {
		for key, a := range advisories {
			if err := putJSON(tx, key[:2], key[2], a); err != nil {
				return err
			}
			if err := putJSON(tx, []string{"data-source"}, key[0], map[string]string{"ID": "advdb", "Name": "advdb"}); err != nil {
				return err
			}
		}
		for id := range ids {
			if err := putJSON(tx, []string{"vulnerability"}, id, map[string]string{"Title": id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// putJSON puts a value into nested buckets.
func putJSON(tx *bbolt.Tx, path []string, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b, err := tx.CreateBucketIfNotExists([]byte(path[0]))
	for _, name := range path[1:] {
		if err != nil {
			return err
		}
		b, err = b.CreateBucketIfNotExists([]byte(name))
	}
	if err != nil {
		return err
	}
	return b.Put([]byte(key), data)
}

// trivyName is the name under which trivy looks for a package, as trivy-db
// normalizes those of its feeds.
func trivyName(ecosystem, name string) string {
	switch ecosystem {
	case "go":
		return name
	case "pip":
		name = strings.ReplaceAll(name, "_", "-")
	case "swift":
		return strings.TrimSuffix(strings.TrimPrefix(name, "https://"), ".git")
	}
	return strings.ToLower(name)
}

// constraints are the ranges and versions of an entry as comparisons: ">=1,
// <2", "=1.5".
func constraints(a *normalize.Affected) (list []string) {
	for _, r := range a.Ranges {
		if r.Type == normalize.Git {
			continue
		}
		low := ""
		for _, e := range r.Events {
			switch {
			case e.Introduced != "":
				if low != "" {
					list = append(list, low)
				}
				low = ">=" + e.Introduced
			case e.Fixed != "" && low != "":
				list, low = append(list, fmt.Sprintf("%s, <%s", low, e.Fixed)), ""
			case e.LastAffected != "" && low != "":
				list, low = append(list, fmt.Sprintf("%s, <=%s", low, e.LastAffected)), ""
			}
		}
		if low != "" {
			list = append(list, low)
		}
	}
	for _, v := range a.Versions {
		list = append(list, "="+v)
	}
	return list
}

// eachRecord reads all records of a database.
func eachRecord(t *testing.T, dir string, yield func(r *normalize.Record)) {
	t.Helper()
	d, err := store.OpenDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Records("", func(_ string, data []byte) error {
		r, err := normalize.Decode(data)
		if err == nil {
			yield(r)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
