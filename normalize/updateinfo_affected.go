package normalize

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// An updateKey names one affected entry of an update but its architectures.
type updateKey struct{ ecosystem, name, module, repository string }

// affected makes the affected entries of an update.
func (p *updateParser) affected(r *Record, u *update) error {
	found := map[updateKey]map[string][]string{} // architectures by fixed version
	sources := u.onlySources()
	for i := range u.Collections {
		c := &u.Collections[i]
		if len(c.Packages) == 0 {
			continue
		}
		eco := p.vendor.ecosystem(p.doc, u, c)
		if eco == "" {
			p.report(u.ID, "no-release", fmt.Sprintf("collection %.80q", c.Short))
			continue
		}
		for j := range c.Packages {
			pkg := &c.Packages[j]
			if pkg.Arch == "src" && !sources {
				continue
			}
			if pkg.Name == "" || pkg.Version == "" || pkg.Release == "" {
				p.report(u.ID, "bad-package", fmt.Sprintf("%+v", *pkg))
				continue
			}
			k := updateKey{eco, pkg.Name, c.Module, ""}
			if p.vendor.repository != nil {
				k.repository = p.vendor.repository(p.doc)
			}
			if found[k] == nil {
				found[k] = map[string][]string{}
			}
			found[k][pkg.evr()] = addOnce(found[k][pkg.evr()], pkg.Arch)
		}
	}
	stream := ""
	if p.vendor.stream != nil {
		stream = p.vendor.stream(p.doc, u)
	}
	for k, versions := range found {
		entries, err := k.affected(versions, stream)
		if err != nil {
			return err
		}
		r.Affected = append(r.Affected, entries...)
	}
	slices.SortFunc(r.Affected, func(a, b Affected) int {
		return cmp.Or(strings.Compare(a.Package.Ecosystem, b.Package.Ecosystem), strings.Compare(a.Package.Name, b.Package.Name),
			compareValues(a.EcosystemSpecific, b.EcosystemSpecific))
	})
	if len(r.Affected) == 0 {
		p.report(u.ID, "no-packages", "the update names no package")
	}
	return nil
}

// onlySources reports whether the update has no packages but sources.
func (u *update) onlySources() bool {
	for i := range u.Collections {
		if slices.ContainsFunc(u.Collections[i].Packages, func(p updatePackage) bool { return p.Arch != "src" }) {
			return false
		}
	}
	return true
}

// affected makes the entries of a package: one for each set of architectures
// that is fixed at the same versions. Of several versions for one
// architecture the least fixes already.
func (k updateKey) affected(versions map[string][]string, stream string) ([]Affected, error) {
	fixed := map[string][]string{} // versions by architecture
	for evr, arches := range versions {
		for _, arch := range arches {
			fixed[arch] = append(fixed[arch], evr)
		}
	}
	byVersion := map[string][]string{} // architectures by least version
	for arch, evrs := range fixed {
		least := leastVersion(k.ecosystem, evrs)
		byVersion[least] = append(byVersion[least], arch)
	}
	var out []Affected
	for evr, arches := range byVersion {
		specific, err := json.Marshal(struct {
			Arch       []string `json:"arch,omitempty"`
			Module     string   `json:"module,omitempty"`
			Repository string   `json:"repository,omitempty"`
		}{slices.DeleteFunc(set(arches), func(s string) bool { return s == "" }), k.module, k.repository}, encodeOptions)
		if err != nil {
			return nil, err
		}
		if string(specific) == "{}" {
			specific = nil
		}
		iv := Interval{Introduced: streamStart(evr, stream), Fixed: evr}
		out = append(out, Affected{
			Package:           Package{Ecosystem: k.ecosystem, Name: k.name},
			EcosystemSpecific: specific,
			Ranges:            Ranges(Ecosystem, k.ecosystem, []Interval{iv}),
		})
	}
	return out, nil
}

// streamStart returns the first version of a stream for a package that is of
// it by its version: "0:6.12" for 0:6.12.22-27 and the stream "6.12"; "0",
// below all versions, for one that is not.
func streamStart(evr, stream string) string {
	epoch, version, ok := strings.Cut(evr, ":")
	rest, of := strings.CutPrefix(version, stream)
	if !ok || !of || stream == "" || rest == "" || rest[0] != '.' {
		return "0"
	}
	return epoch + ":" + stream
}
