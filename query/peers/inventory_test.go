package peers

import (
	"archive/zip"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// purlTypes are the ecosystems of which packages are scanned: those that
// osv-scanner tells apart by purl, in the order of their names. It reads none
// of rpm's.
var purlTypes = map[string]string{
	"Alpine": "apk/alpine", "CRAN": "cran", "ConanCenter": "conan", "Debian": "deb/debian", "Go": "golang", "Hex": "hex", "Maven": "maven",
	"NuGet": "nuget", "Packagist": "composer", "Pub": "pub", "PyPI": "pypi", "RubyGems": "gem", "SwiftURL": "swift", "crates.io": "cargo",
	"npm": "npm",
}

// A target is a package at a version. The ecosystem has its release.
type target struct{ ecosystem, name, version string }

func (x target) base() string {
	base, _, _ := strings.Cut(x.ecosystem, ":")
	return base
}

var purlEscapes = strings.NewReplacer("%", "%25", "@", "%40", " ", "%20", "+", "%2B", "?", "%3F", "#", "%23", ":", "%3A")

func (x target) purl() string {
	name := x.name
	if x.base() == "Maven" {
		name = strings.Replace(name, ":", "/", 1)
	}
	purl := "pkg:" + purlTypes[x.base()] + "/" + purlEscapes.Replace(name) + "@" + purlEscapes.Replace(x.version)
	switch _, release, _ := strings.Cut(x.ecosystem, ":"); x.base() {
	case "Alpine":
		purl += "?distro=alpine-" + strings.TrimPrefix(release, "v")
	case "Debian":
		purl += "?distro=debian-" + release
	}
	return purl
}

// ref names the component in an SBOM.
func (x target) ref() string { return x.ecosystem + " " + x.name + " " + x.version }

// An inventory is what records say there is: the versions of packages that
// bound a range or are listed.
type inventory map[string]map[target]bool // by ecosystem without its release

// add takes the packages of a record at up to four versions of an entry.
func (inv inventory) add(r *normalize.Record) {
	for i := range r.Affected {
		a := &r.Affected[i]
		x := target{ecosystem: a.Package.Ecosystem, name: a.Package.Name}
		if purlTypes[x.base()] == "" || x.base() == "Packagist" && x.ecosystem != "Packagist" {
			continue
		}
		if inv[x.base()] == nil {
			inv[x.base()] = map[target]bool{}
		}
		for _, x.version = range versionsNear(a) {
			inv[x.base()][x] = true
		}
	}
}

// versionsNear are versions at which what an entry says changes, and one that
// it lists.
func versionsNear(a *normalize.Affected) (list []string) {
	for _, r := range a.Ranges {
		if r.Type == normalize.Git {
			continue
		}
		for _, e := range r.Events {
			for _, v := range []string{e.Introduced, e.Fixed, e.LastAffected} {
				if v != "" && v != "0" && len(list) < 3 {
					list = append(list, v)
				}
			}
		}
	}
	if n := len(a.Versions); n > 0 {
		list = append(list, a.Versions[n/2])
	}
	return list
}

// sample picks n packages, as many of each ecosystem as there are, always the
// same of the same inventory. No package is in it at two versions.
func (inv inventory) sample(n int) []target {
	rng := rand.New(rand.NewPCG(uint64(n), 6))
	queues := map[string][]target{}
	for base, all := range inv {
		list := slices.SortedFunc(maps.Keys(all), func(a, b target) int {
			return strings.Compare(a.ecosystem+"\x00"+a.name+"\x00"+a.version, b.ecosystem+"\x00"+b.name+"\x00"+b.version)
		})
		queues[base] = list
	}
	bases := slices.Sorted(maps.Keys(queues))
	for _, base := range bases {
		list := queues[base]
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	rng.Shuffle(len(bases), func(i, j int) { bases[i], bases[j] = bases[j], bases[i] })
	var picked []target
	seen := map[string]bool{}
	for more := true; more; {
		more = false
		for _, base := range bases {
			for len(queues[base]) > 0 {
				x := queues[base][0]
				queues[base] = queues[base][1:]
				if key := x.base() + " " + strings.ToLower(x.name); !seen[key] {
					seen[key], more = true, true
					picked = append(picked, x)
					break
				}
			}
			if len(picked) == n {
				return picked
			}
		}
	}
	return picked
}

// writeSBOM writes packages as a CycloneDX file.
func writeSBOM(t *testing.T, path string, list []target) {
	t.Helper()
	type component struct {
		Ref     string `json:"bom-ref"`
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		Purl    string `json:"purl"`
	}
	bom := struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Components []component `json:"components"`
	}{"CycloneDX", "1.5", 1, nil}
	for _, x := range list {
		bom.Components = append(bom.Components, component{x.ref(), "library", x.name, x.version, x.purl()})
	}
	data, err := json.Marshal(bom)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// archives are the records as osv-scanner keeps them for use offline: an
// all.zip of each ecosystem.
type archives struct {
	dir  string
	zips map[string]*zip.Writer
}

// add writes a record to the archives of its ecosystems. Of unregistered
// ecosystems osv-scanner can read no entry: they are left out.
func (z *archives) add(r *normalize.Record) error {
	r.Affected = slices.DeleteFunc(r.Affected, func(a normalize.Affected) bool {
		return !a.Package.IsZero() && !normalize.IsRegistered(a.Package.Ecosystem)
	})
	in := map[string]bool{}
	for i := range r.Affected {
		if base, _, _ := strings.Cut(r.Affected[i].Package.Ecosystem, ":"); purlTypes[base] != "" {
			in[base] = true
		}
	}
	if len(in) == 0 {
		return nil
	}
	data, err := normalize.AppendEncode(nil, r)
	if err != nil {
		return err
	}
	for base := range in {
		if z.zips[base] == nil {
			path := filepath.Join(z.dir, base, "all.zip")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			z.zips[base] = zip.NewWriter(f)
		}
		w, err := z.zips[base].Create(r.ID + ".json")
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func (z *archives) close() error {
	for _, w := range z.zips {
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

// readDB takes the inventory of a database and writes its records to
// dir/osv-scalibr, where osv-scanner looks for them.
func readDB(t *testing.T, db, dir string) (inv inventory, records int) {
	t.Helper()
	d, err := store.OpenDB(db)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inv = inventory{}
	z := &archives{filepath.Join(dir, "osv-scalibr"), map[string]*zip.Writer{}}
	err = d.Records("", func(_ string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		records++
		inv.add(r)
		return z.add(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := z.close(); err != nil {
		t.Fatal(err)
	}
	return inv, records
}
