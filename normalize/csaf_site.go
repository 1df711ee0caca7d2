package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/advdb/advdb/versioncmp"
)

// A csafVendor is what differs between CSAF providers whose documents need no
// more than a table.
type csafVendor struct {
	prefix string // of records that are about one CVE, with its hyphen
	// pkg returns the package that a product ID of a status stands for, and
	// its version, "" where it names none.
	pkg func(at csafPlace, status string) (Package, string, error)
	// statuses are the statuses that the vendor uses in another sense than the
	// standard: what each means.
	statuses map[string]string
	// settle, unless nil, decides between what is said of one package in
	// several ways, when all was read.
	settle func(c *csafReading)
	// mend, unless nil, changes the record at the end.
	mend func(c *csafReading, r *Record) error
}

// CSAF returns the parser of any provider's CSAF 2.0, security advisories and
// VEX. A document is one record: <prefix>-CVE-… where it is about one CVE and
// its tracking ID names that, else the tracking ID; CVEs are upstream.
//
// Packages are products with a package URL: of the ecosystem that its type
// stands for, or of ecosystem, if not empty, for types that many distributions
// share (rpm, deb, apk) and generic. "fixed" is [0, that version); "known
// affected" is the one version, the range of a product_version_range
// (vers:…), or, where neither is said and nothing fixes it, every version.
// Products without a package URL make no package: they are reported.
//
// Source: CSAF 2.0, 3.2.3.9 product_status; VERS specification.
func CSAF(ecosystem, prefix string) Parser {
	return csafVendor{prefix: prefix + "-", pkg: func(at csafPlace, _ string) (Package, string, error) {
		return csafPurl(at, ecosystem)
	}}.parse
}

// OpenEulerCSAF reads openEuler's CSAF, by CVE and by advisory: products are
// RPM files as components of a release.
func OpenEulerCSAF(d Doc, emit func(*Record) error) error {
	return csafVendor{prefix: "OPENEULER-", pkg: openEulerPackage}.parse(d, emit)
}

func (v csafVendor) parse(d Doc, emit func(*Record) error) error {
	doc, err := readCSAF(d)
	if err != nil {
		return err
	}
	c := &csafReading{vendor: v, doc: doc, index: doc.Tree.index(), places: map[csafKey]*csafSaid{}, nameless: map[string][]string{}}
	for i := range doc.Vulnerabilities {
		c.vulnerability(&doc.Vulnerabilities[i])
	}
	r, err := c.record()
	if err != nil {
		return fmt.Errorf("%s: %w", doc.Document.Tracking.ID, err)
	}
	for _, why := range slices.Sorted(maps.Keys(c.nameless)) {
		ids := set(c.nameless[why])
		d.report(Finding{Place: r.ID, Rule: "no-package", Message: fmt.Sprintf("%s: %s (%d products)", ids[0], why, len(ids))})
	}
	return emit(r)
}

// A csafReading is a record in the making.
type csafReading struct {
	vendor   csafVendor
	doc      *csafDocument
	index    *csafIndex
	cves     []string
	places   map[csafKey]*csafSaid
	nameless map[string][]string // product IDs, by why they name no package
}

// A csafKey names a package.
type csafKey struct{ ecosystem, name, purl string }

// csafSaid is what a document says of one package.
type csafSaid struct {
	fixed    []Interval
	versions []string
	spans    []versioncmp.Span
	all      bool // known affected, without a version
	said     []Statement
	other    []string // versions that fix it as well, where one had to be chosen
}

// csafStatuses are the statuses of CSAF 2.0, 3.2.3.9, but for "recommended",
// which says nothing of a vulnerability.
var csafStatuses = map[string]func(s *csafSaid, version string){
	"fixed":               (*csafSaid).fixedIn,
	"first_fixed":         (*csafSaid).fixedIn,
	"known_affected":      (*csafSaid).affectedIn,
	"first_affected":      (*csafSaid).affectedIn,
	"last_affected":       (*csafSaid).affectedIn,
	"known_not_affected":  func(s *csafSaid, _ string) { s.say(NotAffected, "") },
	"under_investigation": func(s *csafSaid, _ string) { s.say(UnderInvestigation, "") },
}

func (s *csafSaid) fixedIn(version string) {
	if version != "" {
		s.fixed = append(s.fixed, Interval{Introduced: "0", Fixed: version})
	}
}

func (s *csafSaid) affectedIn(version string) {
	if version == "" {
		s.all = true
	} else {
		s.versions = append(s.versions, version)
	}
}

func (s *csafSaid) say(status, detail string) {
	if st := (Statement{Status: status, Detail: detail}); !slices.Contains(s.said, st) {
		s.said = append(s.said, st)
	}
}

func (c *csafReading) vulnerability(v *csafVulnerability) {
	if isCVE(v.CVE) {
		c.cves = addOnce(c.cves, v.CVE)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Status)) {
		status := cmp.Or(c.vendor.statuses[name], name)
		if csafStatuses[status] == nil {
			continue
		}
		for _, id := range v.Status[name] {
			c.product(id, status, "")
		}
	}
	for i := range v.Remediations {
		if m := &v.Remediations[i]; m.Category == "no_fix_planned" {
			for _, id := range c.index.members(m.Products, m.Groups) {
				c.product(id, "", m.Details)
			}
		}
	}
}

// product notes a status of a product, or, with none, that it will not be
// fixed.
func (c *csafReading) product(id, status, detail string) {
	at, ok := c.index.resolve(id)
	if !ok {
		c.unnamed(id, "not in the product tree")
		return
	}
	p, version, err := c.vendor.pkg(at, status)
	if err != nil {
		c.unnamed(id, err.Error())
		return
	}
	key := csafKey{p.Ecosystem, p.Name, p.Purl}
	said := c.places[key]
	if said == nil {
		said = &csafSaid{}
		c.places[key] = said
	}
	text := at.inner().versions
	switch {
	case status == "":
		said.say(WillNotFix, detail)
	case strings.HasPrefix(text, "vers:") && strings.HasSuffix(status, "affected") && status != "known_not_affected":
		spans, err := versioncmp.ParseRequirement("vers", text)
		if err != nil {
			c.unnamed(id, err.Error())
			return
		}
		said.spans = append(said.spans, spans...)
	case text != "" && status != "known_not_affected" && status != "under_investigation":
		c.unnamed(id, fmt.Sprintf("versions %q", text))
	default:
		csafStatuses[status](said, version)
	}
}

func (c *csafReading) unnamed(id, why string) { c.nameless[why] = append(c.nameless[why], id) }

// inner is the component that the place is about, or the product itself.
func (at csafPlace) inner() *csafProduct {
	if len(at.components) > 0 {
		return at.components[0]
	}
	return at.product
}

func (c *csafReading) record() (*Record, error) {
	if c.vendor.settle != nil {
		c.vendor.settle(c)
	}
	d := &c.doc.Document
	r := &Record{ID: d.Tracking.ID, Upstream: c.cves, Summary: d.Title, Published: csafTime(d.Tracking.Initial), Modified: csafTime(d.Tracking.Current)}
	if len(c.cves) == 1 && strings.Contains(strings.ToUpper(r.ID), c.cves[0]) {
		r.ID = c.vendor.prefix + c.cves[0]
	}
	r.ID = strings.Map(func(c rune) rune {
		if c <= ' ' || c == '/' || c == '\\' || c == 0x7f {
			return '-'
		}
		return c
	}, r.ID)
	r.Details = noteOf(d.Notes, "description", "")
	for i := range c.doc.Vulnerabilities {
		v := &c.doc.Vulnerabilities[i]
		r.Details = longer(r.Details, v.note("description", ""))
		if s, _ := v.severity(); len(c.doc.Vulnerabilities) == 1 {
			r.Severity = s
		}
	}
	for _, ref := range d.References {
		if isURI(ref.URL) {
			r.References = append(r.References, Reference{Type: map[bool]string{true: "ADVISORY", false: "WEB"}[ref.Category == "self"], URL: ref.URL})
		}
	}
	statements := c.say(r)
	if d.Severity.Text != "" {
		if err := r.SetSpecific(map[string]any{"severity": d.Severity.Text}); err != nil {
			return nil, err
		}
	}
	if err := r.AddStatements(statements...); err != nil || c.vendor.mend == nil {
		return r, err
	}
	return r, c.vendor.mend(c, r)
}

// say makes r's affected entries and returns the statements, both in the
// order of packages.
func (c *csafReading) say(r *Record) (statements []Statement) {
	keys := slices.SortedFunc(maps.Keys(c.places), func(a, b csafKey) int {
		return cmp.Or(strings.Compare(a.ecosystem, b.ecosystem), strings.Compare(a.name, b.name), strings.Compare(a.purl, b.purl))
	})
	for _, k := range keys {
		s, p := c.places[k], Package{Ecosystem: k.ecosystem, Name: k.name, Purl: k.purl}
		if a := s.affected(p); len(a.Ranges)+len(a.Versions) > 0 {
			r.Affected = append(r.Affected, a)
		}
		for _, st := range s.said {
			st.Ecosystem, st.Package = p.Ecosystem, p.Name
			statements = append(statements, st)
		}
	}
	return statements
}

// affected makes the entry of a package.
func (s *csafSaid) affected(p Package) Affected {
	a := Affected{Package: p, Versions: set(s.versions)}
	a.fill(s.spans)
	in := s.fixed
	if s.all && len(in) == 0 && len(s.spans) == 0 && len(s.versions) == 0 {
		in = []Interval{{Introduced: "0"}}
	}
	if len(in) > 0 {
		a.Ranges = append(a.Ranges, Ranges(Ecosystem, p.Ecosystem, in)...)
	}
	a.DatabaseSpecific = vexJSON(map[string][]string{"fixed": s.other}, len(s.other))
	return a
}

var errNoPurl = errors.New("no package URL")

// csafPurl reads the package URL of a place.
func csafPurl(at csafPlace, ecosystem string) (Package, string, error) {
	inner := at.inner()
	if inner.Helper.Purl == "" {
		return Package{}, "", errNoPurl
	}
	u, err := packageurl.FromString(inner.Helper.Purl)
	if err != nil {
		return Package{}, "", err
	}
	version := u.Version
	if epoch := u.Qualifiers.Map()["epoch"]; epoch != "" && version != "" {
		version = epoch + ":" + version
	}
	r, ok := purlRegistries[u.Type]
	if u.Type == packageurl.TypeGolang {
		r, ok = registry{"Go", "/"}, true
		version = strings.TrimPrefix(version, "v")
	}
	name := u.Name
	switch {
	case ok && u.Namespace != "":
		name = u.Namespace + r.separator + u.Name
	case !ok && ecosystem == "":
		return Package{}, "", fmt.Errorf("%s: packages of type %s need an ecosystem", u.Name, u.Type)
	case !ok:
		r.ecosystem = ecosystem
	}
	u.Version, u.Qualifiers, u.Subpath = "", nil, ""
	return Package{Ecosystem: r.ecosystem, Name: name, Purl: u.ToString()}, version, nil
}

// openEulerPackage reads "dnsmasq-2.82-4.oe1.x86_64.rpm" as a component of
// "openEuler-20.03-LTS-SP1", whose case varies.
func openEulerPackage(at csafPlace, _ string) (Package, string, error) {
	const system = "openEuler"
	if len(at.components) == 0 {
		return Package{}, "", errNotRPM
	}
	release := at.product.Name
	if len(release) <= len(system)+1 || !strings.EqualFold(release[:len(system)], system) {
		return Package{}, "", fmt.Errorf("release %q", release)
	}
	file := strings.TrimSuffix(at.components[0].Name, ".rpm")
	i := strings.LastIndexByte(file, '.')
	if i < 0 {
		return Package{}, "", errNotRPM
	}
	name, version, ok := cutNVR(file[:i])
	if !ok {
		return Package{}, "", errNotRPM
	}
	return Package{Ecosystem: system + ":" + release[len(system)+1:], Name: name}, version, nil
}
