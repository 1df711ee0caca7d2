package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
)

// CycloneDX writes a report as a BOM of CycloneDX 1.6: bom, which is the SBOM
// of the report as it was read, with the vulnerabilities added. Without a bom
// it makes one of the SBOM's components. Vulnerabilities that bom has already
// are kept, but for those of which the report speaks.
//
// A vulnerability is there once for each thing that VEX statements say of it:
// CycloneDX has one analysis a vulnerability.
func CycloneDX(w io.Writer, r *Report, bom *cyclonedx.BOM) error {
	if bom == nil {
		bom = r.newBOM()
	}
	bom.BOMFormat, bom.XMLNS = cyclonedx.BOMFormat, "" // it may have been XML
	refs := newRefs(bom)
	vulns := r.cyclonedx(refs)
	if bom.Vulnerabilities != nil {
		spoken := map[string]bool{}
		for _, v := range vulns {
			spoken[v.ID] = true
		}
		for _, v := range *bom.Vulnerabilities {
			if !spoken[v.ID] {
				vulns = append(vulns, v)
			}
		}
	}
	bom.Vulnerabilities = &vulns
	return cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}

// newBOM makes a BOM of the components of an SBOM in another form.
func (r *Report) newBOM() *cyclonedx.BOM {
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + r.uuid("cyclonedx")
	bom.Metadata = &cyclonedx.Metadata{Timestamp: r.Time.UTC().Format(time.RFC3339), Tools: &cyclonedx.ToolsChoice{
		Components: &[]cyclonedx.Component{{Type: cyclonedx.ComponentTypeApplication, Name: "advdb", Version: r.Version}}}}
	if s := r.SBOM.Subject; s != (query.Component{}) {
		c := newComponent(s)
		c.Type = cyclonedx.ComponentTypeApplication
		bom.Metadata.Component = &c
	}
	list := make([]cyclonedx.Component, 0, len(r.SBOM.Components))
	for _, c := range r.SBOM.Components {
		list = append(list, newComponent(c))
	}
	bom.Components = &list
	return bom
}

func newComponent(c query.Component) cyclonedx.Component {
	return cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, Name: c.Name, Version: c.Version, PackageURL: c.Purl, CPE: c.CPE}
}

// refs finds the references of components in a BOM.
type refs struct {
	of    map[query.Component][]string
	taken map[string]bool
	made  int
}

// newRefs gives each component of a BOM that has none a reference.
func newRefs(bom *cyclonedx.BOM) *refs {
	f := &refs{map[query.Component][]string{}, map[string]bool{}, 0}
	visit(bom.Components, func(c *cyclonedx.Component) { f.taken[c.BOMRef] = true })
	if bom.Metadata != nil && bom.Metadata.Component != nil {
		f.taken[bom.Metadata.Component.BOMRef] = true
	}
	visit(bom.Components, func(c *cyclonedx.Component) {
		if c.BOMRef == "" {
			c.BOMRef = f.free(c)
		}
		name := c.Name
		if c.Group != "" {
			name = c.Group + "/" + name
		}
		key := query.Component{Name: name, Version: c.Version, Purl: c.PackageURL, CPE: c.CPE}
		f.of[key] = append(f.of[key], c.BOMRef)
	})
	return f
}

func visit(list *[]cyclonedx.Component, f func(*cyclonedx.Component)) {
	if list == nil {
		return
	}
	for i := range *list {
		f(&(*list)[i])
		visit((*list)[i].Components, f)
	}
}

// free is a reference that nothing has: the purl, or a number.
func (f *refs) free(c *cyclonedx.Component) string {
	ref := c.PackageURL
	for ref == "" || f.taken[ref] {
		f.made++
		ref = "component-" + strconv.Itoa(f.made)
	}
	f.taken[ref] = true
	return ref
}

// cyclonedx returns the vulnerabilities, in the order of IDs.
func (r *Report) cyclonedx(refs *refs) []cyclonedx.Vulnerability {
	all := r.cases()
	list := []cyclonedx.Vulnerability{}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].v.ID == all[0].v.ID && compareSuppressed(all[n].v.Suppressed, all[0].v.Suppressed) == 0 {
			n++
		}
		v := newVulnerability(all[:n])
		v.BOMRef = refs.vulnerability(v.ID)
		affects := []cyclonedx.Affects{}
		for _, f := range all[:n] {
			affects = append(affects, refs.affects(f)...)
		}
		v.Affects = &affects
		list = append(list, v)
		all = all[n:]
	}
	return list
}

func (f *refs) vulnerability(id string) string {
	ref := "vulnerability-" + id
	for n := 2; f.taken[ref]; n++ {
		ref = fmt.Sprintf("vulnerability-%s-%d", id, n)
	}
	f.taken[ref] = true
	return ref
}

func (f *refs) affects(x finding) (list []cyclonedx.Affects) {
	c := x.c
	c.Distro = ""
	status := cyclonedx.VulnerabilityStatusAffected
	switch {
	case x.v.Suppressed != nil:
		status = cyclonedx.VulnerabilityStatusNotAffected
	case x.v.Verdict != versioncmp.Affected:
		status = cyclonedx.VulnerabilityStatusUnknown
	}
	for _, ref := range f.of[c] {
		versions := []cyclonedx.AffectedVersions{{Version: cmp.Or(versionOf(c), "unknown"), Status: status}}
		list = append(list, cyclonedx.Affects{Ref: ref, Range: &versions})
	}
	return list
}

// newVulnerability makes one of the findings of a vulnerability of which the
// same is said; what differs from component to component is taken from the
// first that has it.
func newVulnerability(list []finding) cyclonedx.Vulnerability {
	first := list[0].v
	source, at := page(first.ID)
	v := cyclonedx.Vulnerability{ID: first.ID, Source: &cyclonedx.Source{Name: source, URL: at}, Description: first.Summary}
	var severity query.Severity
	var todo []string
	ids := map[string]bool{}
	for _, f := range list {
		if f.v.Severity.Score > severity.Score || severity == (query.Severity{}) {
			severity = f.v.Severity
		}
		if f.v.Verdict == versioncmp.Affected && f.v.Suppressed == nil {
			todo = append(todo, action(f.c, f.v))
		}
		for _, id := range records(f.v) {
			ids[id] = true
		}
	}
	slices.Sort(todo)
	v.Recommendation = strings.Join(slices.Compact(todo), " ")
	v.Ratings = ratings(severity)
	v.CWEs = weaknesses(first.CWEs)
	v.References, v.Advisories = references(ids, at)
	v.Properties = threat(&first.Threat)
	v.Analysis = analysis(first.Suppressed)
	return v
}
