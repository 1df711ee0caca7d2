package normalize

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/package-url/packageurl-go"

	"github.com/advdb/advdb/versioncmp"
)

// vexStatements is how many packages a record may list one by one as not
// affected. Some documents list thousands; those are grouped by product.
const vexStatements = 256

// affected makes the affected entries, in order.
//
// Of a package that is fixed in some module build, "affected" without a module
// means the versions before: it makes no entry, which would have no end.
func (v *vexRecord) affected() []Affected {
	var out []Affected
	fixed := map[vexKey]bool{}
	for k, e := range v.entries {
		if len(e.fixed) > 0 {
			fixed[vexKey{ecosystem: k.ecosystem, name: k.name}] = true
		}
	}
	for _, k := range v.sortedKeys() {
		e := v.entries[k]
		if len(e.fixed) == 0 && (!e.affected || k.module == "" && fixed[vexKey{ecosystem: k.ecosystem, name: k.name}]) {
			continue
		}
		out = append(out, Affected{
			Package: Package{
				Ecosystem: k.ecosystem,
				Name:      k.name,
				Purl:      packageurl.NewPackageURL("rpm", "redhat", k.name, "", nil, "").ToString(),
			},
			EcosystemSpecific: k.specific(),
			DatabaseSpecific:  e.specific(),
			Ranges:            e.ranges(k.ecosystem),
		})
	}
	return out
}

func (k vexKey) specific() []byte {
	m := map[string]string{}
	if k.module != "" {
		m["module"] = k.module
	}
	if k.build != "" {
		m["module_build"] = k.build
	}
	return vexJSON(m, len(m))
}

// specific names the advisories and the impact, where it is not the record's,
// and, where the range cannot say it, at which versions each advisory fixes.
func (e *vexEntry) specific() []byte {
	m := map[string]any{}
	if len(e.versions()) > 1 {
		m["fixed"] = e.fixed
	}
	if ids := slices.DeleteFunc(slices.Sorted(maps.Keys(e.fixed)), func(id string) bool { return id == "" }); len(ids) > 0 {
		m["advisories"] = ids
	}
	if len(e.impacts) > 0 {
		m["severity"] = slices.Sorted(slices.Values(e.impacts))
	}
	return vexJSON(m, len(m))
}

// versions returns the fixed versions of all advisories, each once.
func (e *vexEntry) versions() []string {
	var out []string
	for _, versions := range e.fixed {
		out = append(out, versions...)
	}
	return set(out)
}

func vexJSON(m any, n int) []byte {
	if n == 0 {
		return nil
	}
	b, err := json.Marshal(m, encodeOptions, json.Deterministic(true))
	if err != nil {
		return nil // maps of strings encode
	}
	return b
}

// ranges makes the ranges. One advisory can fix a package at several versions
// that differ in no more than the build of the architecture (module contexts
// are hashes): they are equally fixed, and the least counts. Of several
// advisories for one product the highest counts: minor releases share a CPE,
// so that a build of an earlier one can be fixed below it. Their versions stand in
// database_specific.fixed. That the vendor calls the package affected
// beside a fix means the versions before it.
func (e *vexEntry) ranges(ecosystem string) []Range {
	if len(e.fixed) == 0 {
		return []Range{{Type: Ecosystem, Events: []Event{{Introduced: "0"}}}}
	}
	var in []Interval
	for _, versions := range e.fixed {
		in = append(in, Interval{Introduced: "0", Fixed: leastVersion(ecosystem, versions)})
	}
	return Ranges(Ecosystem, ecosystem, in)
}

// leastVersion returns the least of versions, of equal ones the lexically
// smaller.
func leastVersion(ecosystem string, versions []string) string {
	return slices.MinFunc(versions, func(a, b string) int { return compareVersions(ecosystem, a, b) })
}

// compareVersions orders versions of an ecosystem; those that are equal, or
// that cannot be compared, as text.
func compareVersions(ecosystem, a, b string) int {
	va, erra := versioncmp.Parse(ecosystem, a)
	vb, errb := versioncmp.Parse(ecosystem, b)
	if erra == nil && errb == nil {
		if c := va.Compare(vb); c != 0 {
			return c
		}
	}
	return strings.Compare(a, b)
}

// statements makes the statements, in order: each package of each product
// once. A package of which some build is affected is not called unaffected.
func (v *vexRecord) statements() []Statement {
	var out []Statement
	for _, k := range v.sortedKeys() {
		e := v.entries[k]
		add := func(status, detail string) {
			s := Statement{Ecosystem: k.ecosystem, Package: k.name, Status: status, Detail: detail}
			if !slices.Contains(out[max(0, len(out)-16):], s) {
				out = append(out, s)
			}
		}
		if len(e.fixed) == 0 {
			for _, word := range slices.Sorted(maps.Keys(e.fate)) {
				add(e.fate[word], word)
			}
		}
		if e.investigated {
			add(UnderInvestigation, "")
		}
	}
	if listed := v.notAffected(); len(listed) <= vexStatements {
		for _, k := range listed {
			out = append(out, Statement{Ecosystem: k.ecosystem, Package: k.name, Status: NotAffected})
		}
	}
	return out
}

// notAffected returns the packages that are called unaffected and of which no
// build is affected, in order.
func (v *vexRecord) notAffected() []vexKey {
	hit := map[vexKey]bool{}
	var out []vexKey
	for k, e := range v.entries {
		if len(e.fixed) > 0 || e.affected {
			hit[vexKey{ecosystem: k.ecosystem, name: k.name}] = true
		}
	}
	for k, e := range v.entries {
		k = vexKey{ecosystem: k.ecosystem, name: k.name}
		if e.notAffected && !hit[k] {
			out = append(out, k)
		}
	}
	return setFunc(out, vexKey.compare)
}

// groupedNotAffected is notAffected by product, where it is too much for
// statements.
func (v *vexRecord) groupedNotAffected() map[string][]string {
	listed := v.notAffected()
	if len(listed) <= vexStatements {
		return nil
	}
	m := map[string][]string{}
	for _, k := range listed {
		m[k.ecosystem] = append(m[k.ecosystem], k.name)
	}
	return m
}
