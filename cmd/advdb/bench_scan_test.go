package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// BenchmarkScan runs the real binary on SBOMs of packages that the real feeds
// name, of old versions, so that many are affected (sick), and of versions that
// nothing affects but one in twenty (well). It prints processor seconds, wall
// time, peak memory and the findings.
func BenchmarkScan(b *testing.B) {
	day1 := sharedtest.Path(b, "upstream", "day1")
	bin, dir := filepath.Join(b.TempDir(), "advdb"), filepath.Join(b.TempDir(), "db")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	var setup measure
	setup.run(b, bin, dir, day1)
	purls := purlsOf(b, dir)
	for _, state := range []string{"sick", "well"} {
		for _, n := range []int{10, 500, 5000} {
			if n > len(purls) {
				b.Fatalf("%d packages, want %d", len(purls), n)
			}
			sbom := filepath.Join(b.TempDir(), "sbom.json")
			if err := os.WriteFile(sbom, sbomOf(purls[:n], state == "well"), 0o666); err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s-%d", state, n), func(b *testing.B) {
				var m measure
				var wall time.Duration
				for b.Loop() {
					start := time.Now()
					m.command(b, exec.Command(bin, "scan", "-q", "--db", dir, sbom))
					wall += time.Since(start)
				}
				m.report(b)
				b.ReportMetric(float64(wall.Milliseconds())/float64(b.N), "wall-ms")
				out, err := exec.Command(bin, "scan", "-q", "--db", dir, sbom).Output()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(strings.Count(string(out), "\n")), "findings")
			})
		}
	}
}

// purlsOf returns the purls of packages of a state, with versions that are
// old, in an order that is always the same.
func purlsOf(b *testing.B, dir string) (purls []string) {
	b.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	forms := map[string]string{"Go": "pkg:golang/%s@v1.%d.0", "npm": "pkg:npm/%s@1.%d.0", "PyPI": "pkg:pypi/%s@1.%d.0",
		"crates.io": "pkg:cargo/%s@0.%d.0", "Debian:12": "pkg:deb/debian/%s@2.%d-1?distro=debian-12"}
	seen := map[string]bool{}
	n := 0
	err = db.Records("", func(_ string, data []byte) error {
		// Linux counts the peak of the process that starts another one as
		// the other's: this one must stay small.
		if n++; n%1000 == 0 {
			if err := db.Trim(); err != nil {
				return err
			}
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		for _, a := range r.Affected {
			p := a.Package
			if form := forms[p.Ecosystem]; form != "" && !seen[p.Ecosystem+p.Name] && !strings.ContainsAny(p.Name, "@ %") {
				seen[p.Ecosystem+p.Name] = true
				purls = append(purls, fmt.Sprintf(form, p.Name, len(purls)%10))
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(purls), func(i, j int) { purls[i], purls[j] = purls[j], purls[i] })
	return purls
}

// sbomOf is a CycloneDX document of packages.
func sbomOf(purls []string, well bool) []byte {
	var s strings.Builder
	s.WriteString(`{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[`)
	for i, p := range purls {
		if i > 0 {
			s.WriteByte(',')
		}
		if well && i%20 != 0 {
			at := strings.LastIndexByte(p, '@')
			_, qualifiers, _ := strings.Cut(p[at:], "?")
			p = p[:at] + "@999.0.0?" + qualifiers
			p = strings.TrimSuffix(p, "?")
			if strings.HasPrefix(p, "pkg:golang/") {
				p = strings.Replace(p, "@999", "@v999", 1)
			}
		}
		fmt.Fprintf(&s, `{"type":"library","bom-ref":"c%d","name":"c%d","purl":%q}`, i, i, p)
	}
	s.WriteString("]}")
	return []byte(s.String())
}
