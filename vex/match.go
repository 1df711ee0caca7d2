package vex

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/query"
	packageurl "github.com/package-url/packageurl-go"
)

// check holds that what names a product can be read.
func (p *Product) check(place string) error {
	for _, t := range append([]Thing{p.Thing}, p.Parts...) {
		if t.Purl != "" {
			if _, err := packageurl.FromString(t.Purl); err != nil {
				return invalid(place, "purl %q: %v", t.Purl, err)
			}
		}
		if t.CPE != "" {
			if _, err := cpe.Parse(t.CPE); err != nil {
				return invalid(place, "%v", err)
			}
		}
	}
	return nil
}

// A target is a component as statements are compared with it.
type target struct {
	query.Component
	purl    packageurl.PackageURL
	version string
	cpe     *cpe.Name
	source  string   // the package of which it is built, where that is another
	refs    []string // in its SBOM
	sbom    string   // the ID of that
}

func newTarget(c query.Component, refs []string, sbom string) *target {
	t := &target{Component: c, version: c.Version, refs: refs, sbom: sbom}
	if p, err := packageurl.FromString(c.Purl); err == nil {
		if t.purl = p; p.Version != "" {
			t.version = p.Version
		}
	}
	if n, err := cpe.Parse(c.CPE); err == nil {
		t.cpe = &n
	}
	if q, err := query.ParsePurl(c.Purl); err == nil {
		t.source = q.Source
	}
	return t
}

// covers reports whether the statement's product is the component, or has it
// as the named part. subject is what the SBOM is of.
//
// Source: OpenVEX 0.2.0, "products and subcomponents": without subcomponents
// the statement is about the whole product.
func (p *Product) covers(t, subject *target) bool {
	if len(p.Parts) == 0 {
		return p.isAt(t) || p.isAt(subject)
	}
	if !slices.ContainsFunc(p.Parts, func(part Thing) bool { return part.is(t) }) {
		return false
	}
	return p.isAt(subject) || p.isSystemOf(t)
}

// isAt reports whether the product is the component at one of its versions.
func (p *Product) isAt(t *target) bool {
	return p.is(t) && (len(p.Versions) == 0 || slices.Contains(p.Versions, t.version))
}

// is reports whether a thing is the component. Where it has a purl that
// decides, else the reference or the CPE.
func (x *Thing) is(t *target) bool {
	if x.Purl != "" {
		want, err := packageurl.FromString(x.Purl)
		return err == nil && t.Purl != "" && t.has(want)
	}
	if x.Ref != "" && (x.SBOM == "" || x.SBOM == t.sbom) && slices.Contains(t.refs, x.Ref) {
		return true
	}
	if x.CPE == "" || t.cpe == nil {
		return false
	}
	want, err := cpe.Parse(x.CPE)
	return err == nil && sameCPE(want, *t.cpe)
}

// has reports whether a purl means the component: the same package, and
// whatever the purl says more (version, qualifiers, subpath) the component's
// says too. That of a source RPM (arch=src) means the packages built of it.
func (t *target) has(want packageurl.PackageURL) bool {
	have := t.purl
	if want.Type != have.Type || !strings.EqualFold(want.Namespace, have.Namespace) ||
		want.Version != "" && want.Version != have.Version || want.Subpath != "" && want.Subpath != have.Subpath {
		return false
	}
	has := have.Qualifiers.Map()
	source := false
	for _, q := range want.Qualifiers {
		if q.Key == "arch" && q.Value == "src" && want.Type == "rpm" {
			source = true
		} else if v, ok := has[q.Key]; !ok || v != q.Value {
			return false
		}
	}
	return want.Name == have.Name || source && want.Name == t.source
}

// sameCPE reports whether a CPE has another one in its set: each attribute is
// the same, or any.
func sameCPE(want, have cpe.Name) bool {
	if want.Part != have.Part || want.Vendor != have.Vendor || want.Product != have.Product {
		return false
	}
	for _, f := range [][2]cpe.Value{
		{want.Version, have.Version}, {want.Update, have.Update}, {want.Edition, have.Edition}, {want.Language, have.Language},
		{want.SWEdition, have.SWEdition}, {want.TargetSW, have.TargetSW}, {want.TargetHW, have.TargetHW}, {want.Other, have.Other},
	} {
		if f[0] != cpe.Any && f[0] != f[1] {
			return false
		}
	}
	return true
}

// isSystemOf reports whether a product is the release of Red Hat's system of
// which the component is a package: there products are named by CPE
// (cpe:/o:redhat:enterprise_linux:9), and packages are parts of them.
func (x *Thing) isSystemOf(t *target) bool {
	if x.CPE == "" || t.Purl == "" {
		return false
	}
	q, err := query.ParsePurl(query.WithDistro(t.Purl, t.Distro))
	if err != nil {
		return false
	}
	tail, ok := strings.CutPrefix(q.Ecosystem, "Red Hat:")
	n, err := cpe.Parse(x.CPE)
	if !ok || err != nil || n.Vendor != "redhat" {
		return false
	}
	product, release, _ := strings.Cut(tail, ":")
	major, _, _ := strings.Cut(release, ".")
	return string(n.Product) == product && release != "" && (string(n.Version) == major || string(n.Version) == release)
}
