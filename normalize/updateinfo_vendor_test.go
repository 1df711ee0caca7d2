package normalize

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/versioncmp"
)

// An almaErratum is one of AlmaLinux's errata in JSON, in either of two forms.
type almaErratum struct {
	ID       string        `json:"id"`
	OldID    string        `json:"updateinfo_id"`
	Type     string        `json:"type"`
	Packages []almaPackage `json:"packages"`
	List     struct {
		Packages []almaPackage `json:"packages"`
	} `json:"pkglist"`
}

type almaPackage struct{ Name, Epoch, Version, Release, Arch string }

// text is the erratum as the repository's updateinfo has it.
func (e almaErratum) text() string {
	var pkgs strings.Builder
	for _, p := range append(e.Packages, e.List.Packages...) {
		pkgs.WriteString(updatePkg(html.EscapeString(p.Name), p.Epoch, p.Version, p.Release, p.Arch))
	}
	return updateText(e.ID+e.OldID, "x", e.Type, "", `<collection short="almalinux-8-for-x86_64-baseos-rpms">`+pkgs.String()+`</collection>`)
}

// almaDifferences are what is different between errata and OSV, and why.
var almaDifferences = map[string]string{
	"only OSV":    "the errata at hand are excerpts: one architecture, and cut",
	"only errata": "the OSV of ALSA-2021:3152 leaves out exiv2 and exiv2-libs, which the erratum has",
	"module builds": "an erratum is built again for each minor release: the OSV has an entry for each build, so that the highest decides; " +
		"a package of an older build is fixed all the same, and here the least decides",
}

// AlmaLinux's errata, read as updateinfo, and its own OSV of them: of each
// package that both have, the ranges decide alike the fixed versions of both
// and their neighbours.
func TestAlmaLinuxErrata(t *testing.T) {
	osv := map[string]string{}
	walkArchive(t, sharedtest.Path(t, "upstream", "day1", "github.com/AlmaLinux/osv-database/archive/refs/heads/master.tar.gz"), func(d sharedDoc) {
		if name := d.name[strings.LastIndexByte(d.name, '/')+1:]; strings.HasPrefix(name, "ALSA-") {
			osv[strings.TrimSuffix(name, ".json")] = string(d.data)
		}
	})
	compared, differ := 0, map[string]int{}
	for _, path := range []string{"vuln-list-update/alma/errata.json", "vdu/alma-errata/errata.full.json"} {
		for _, e := range almaErrata(t, sharedtest.Path(t, "corpus", "almalinux", "fixtures", path)) {
			text, ok := osv[e.ID+e.OldID]
			if !ok {
				continue // bug fixes
			}
			ours, _ := parseWhole(t, AlmaLinuxUpdateinfo, "updateinfo.xml", e.text())
			theirs, _ := parseWhole(t, AlmaLinux, "x.json", text)
			mine, other := boundsOf(ours[0]), boundsOf(theirs[0])
			for name, fixed := range other {
				if _, ok := mine[name]; !ok {
					differ["only OSV"]++
					continue
				}
				compared++
				if len(fixed) > 1 {
					differ["module builds"]++
					if !strings.Contains(fixed[0], ".module_el") || !slices.ContainsFunc(fixed, func(f string) bool {
						return decideAlike("AlmaLinux:8", mine[name][:1], []string{leastVersion("AlmaLinux:8", []string{f, mine[name][0]})}) == ""
					}) {
						t.Errorf("%s: %s: errata %v, OSV %v", e.ID+e.OldID, name, mine[name], fixed)
					}
					continue
				}
				if why := decideAlike("AlmaLinux:8", mine[name], fixed); why != "" {
					t.Errorf("%s: %s: errata %v, OSV %v: %s", e.ID+e.OldID, name, mine[name], fixed, why)
				}
			}
			for name := range mine {
				if _, ok := other[name]; !ok {
					differ["only errata"]++
					if !strings.HasPrefix(name, "exiv2") {
						t.Errorf("%s: %s: only in the errata", e.ID+e.OldID, name)
					}
				}
			}
		}
	}
	for kind := range differ {
		if almaDifferences[kind] == "" {
			t.Errorf("%s: %d, unexplained", kind, differ[kind])
		}
	}
	if compared != 13 {
		t.Errorf("%d packages compared", compared)
	}
}

// almaErrata reads a list of errata, bare or as the member "data".
func almaErrata(t *testing.T, path string) []almaErratum {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []almaErratum
	if json.Unmarshal(data, &list) != nil {
		var whole struct{ Data []almaErratum }
		if err := json.Unmarshal(data, &whole); err != nil {
			t.Fatal(err)
		}
		list = whole.Data
	}
	return list
}

// boundsOf returns the fixed versions of each package.
func boundsOf(r *Record) map[string][]string {
	out := map[string][]string{}
	for _, a := range r.Affected {
		for _, rg := range a.Ranges {
			for _, e := range rg.Events {
				if e.Fixed != "" {
					out[a.Package.Name] = addOnce(out[a.Package.Name], e.Fixed)
				}
			}
		}
	}
	return out
}

// decideAlike tells by which version two lists of fixed versions, each with a
// range from 0 on, decide differently; "" if by none.
func decideAlike(ecosystem string, a, b []string) string {
	probes := slices.Concat(a, b)
	for _, v := range slices.Concat(a, b) {
		probes = append(probes, v+".1", v+"~", strings.TrimPrefix(v, "0:"))
	}
	affected := func(fixed []string, v versioncmp.Version) map[bool]bool {
		out := map[bool]bool{}
		for _, f := range fixed {
			bound, err := versioncmp.Parse(ecosystem, f)
			if err != nil {
				panic(err)
			}
			out[v.Compare(bound) < 0] = true
		}
		return out
	}
	for _, p := range probes {
		v, err := versioncmp.Parse(ecosystem, p)
		if err != nil {
			return fmt.Sprintf("%s: %v", p, err)
		}
		if x, y := affected(a, v), affected(b, v); !maps.Equal(x, y) {
			return fmt.Sprintf("%s: %v and %v", p, x, y)
		}
	}
	return ""
}
