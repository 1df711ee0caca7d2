package peers

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/advdb/advdb/normalize"
)

const grypeModule = "github.com/anchore/grype@v0.110.0"

// grypeEcosystems are the package types of grype, and the rule of versions that
// it has for each.
var grypeEcosystems = map[string][2]string{
	"ConanCenter": {"conan", "semver"}, "Go": {"go-module", "go"}, "Hex": {"hex", "semver"}, "Maven": {"java-archive", "maven"},
	"NuGet": {"dotnet", "semver"}, "Packagist": {"php-composer", "semver"}, "Pub": {"dart-pub", "semver"}, "PyPI": {"python", "python"},
	"RubyGems": {"gem", "gem"}, "SwiftURL": {"swift", "semver"}, "crates.io": {"rust-crate", "semver"}, "npm": {"npm", "semver"},
}

//go:embed testdata/grypedb.go.txt
var grypeDBProgram []byte

// grypePath builds grype and the program that writes its database, once for all
// runs on this machine.
func grypePath(t *testing.T) (grype, writer string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "advdb-peers", strings.ReplaceAll(grypeModule, "/", "_"))
	grype, writer = filepath.Join(bin, "grype"), filepath.Join(bin, "grypedb")
	dir := t.TempDir()
	for name, data := range map[string][]byte{"go.mod": []byte("module grypedb\n\ngo 1.26\n"), "main.go": grypeDBProgram} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	steps := [][]string{{"get", grypeModule}, {"build", "-mod=mod", "-o", writer, "."}}
	if _, err := os.Stat(grype); err != nil {
		steps = append(steps, []string{"build", "-mod=mod", "-o", grype, "github.com/anchore/grype/cmd/grype"})
	}
	for _, args := range steps {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v: %s", args, err, out)
		}
	}
	return grype, writer
}

// grype scans with a database made of ours in dir.
func grype(t *testing.T, db, dir string) peer {
	t.Helper()
	path, writer := grypePath(t)
	var lines bytes.Buffer
	eachRecord(t, db, func(r *normalize.Record) {
		if r.Withdrawn == "" {
			writeGrypeLines(&lines, r)
		}
	})
	out := filepath.Join(dir, "6")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), writer, out)
	cmd.Stdin = &lines
	if data, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	command := func(t *testing.T, sbom string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), path, "sbom:"+sbom, "-o", "json", "-q")
		cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "GRYPE_DB_CACHE_DIR=" + dir, "GRYPE_DB_AUTO_UPDATE=false",
			"GRYPE_DB_VALIDATE_AGE=false", "GRYPE_DB_VALIDATE_BY_HASH_ON_START=false", "GRYPE_CHECK_FOR_APP_UPDATE=false"}
		return cmd
	}
	covers := func(x target) bool { return grypeEcosystems[x.base()] != [2]string{} }
	return peer{scanner{"grype", command, readGrype}, covers, nil, grypeClasses}
}

// writeGrypeLines writes what the program reads of a record. Packages of a
// record that come in several entries have the constraints of all.
func writeGrypeLines(b *bytes.Buffer, r *normalize.Record) {
	type line struct {
		ID, Ecosystem, Name, Type string
		Constraints               []string
	}
	var order []string
	lines := map[string]*line{}
	for i := range r.Affected {
		a := &r.Affected[i]
		of := grypeEcosystems[a.Package.Ecosystem]
		list := constraints(a)
		if of[0] == "" || len(list) == 0 {
			continue
		}
		name := grypeName(a.Package.Ecosystem, a.Package.Name)
		key := of[0] + " " + name
		if lines[key] == nil {
			lines[key] = &line{ID: r.ID, Ecosystem: of[0], Name: name, Type: of[1]}
			order = append(order, key)
		}
		lines[key].Constraints = append(lines[key].Constraints, list...)
	}
	for _, key := range order {
		data, err := json.Marshal(lines[key])
		if err != nil {
			panic(err) // strings alone
		}
		b.Write(append(data, '\n'))
	}
}

// grypeName is the name under which grype looks for a package.
func grypeName(ecosystem, name string) string {
	switch ecosystem {
	case "PyPI":
		return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "_", "-"), ".", "-")
	case "SwiftURL":
		return strings.TrimSuffix(strings.TrimPrefix(name, "https://"), ".git")
	}
	return name
}

func readGrype(t *testing.T, out []byte, packages map[string]target) map[finding]bool {
	var report struct {
		Matches []struct {
			Vulnerability struct{ ID string }
			Artifact      struct{ Purl string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %.200s", err, out)
	}
	found := map[finding]bool{}
	for _, m := range report.Matches {
		x, ok := packages[m.Artifact.Purl]
		if !ok {
			t.Fatalf("grype speaks of %q, which is not in the SBOM", m.Artifact.Purl)
		}
		found[finding{x, m.Vulnerability.ID}] = true
	}
	return found
}
