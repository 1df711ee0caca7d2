package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// A vexPackage is the RPM that a component stands for.
type vexPackage struct {
	name    string
	module  string // "name:stream", empty outside of modules or unknown
	version string // with epoch; empty where the component names none
}

var (
	errNotRPM     = errors.New("no RPM")
	errCutModule  = errors.New("module without a stream")
	errForeignCPE = errors.New("not a CPE of Red Hat")
)

// vexEcosystem makes the ecosystem of a product: "Red Hat:" and its CPE
// without "cpe:/o:redhat:" or "cpe:/a:redhat:".
func vexEcosystem(p *csafProduct) (string, error) {
	rest, ok := strings.CutPrefix(p.Helper.CPE, "cpe:/")
	if !ok || len(rest) < 2 || rest[0] != 'a' && rest[0] != 'o' {
		return "", fmt.Errorf("%q: %w", p.Helper.CPE, errForeignCPE)
	}
	rest, ok = strings.CutPrefix(rest[1:], ":redhat:")
	if !ok || rest == "" {
		return "", fmt.Errorf("%q: %w", p.Helper.CPE, errForeignCPE)
	}
	return "Red Hat:" + rest, nil
}

// vexPackageOf reads the RPM that components, innermost first, name in
// product.
func vexPackageOf(product *csafProduct, components []*csafProduct) (vexPackage, error) {
	var p vexPackage
	inner := components[0]
	if inner.Helper.Purl == "" {
		return vexUnnamed(product, inner)
	}
	u, err := packageurl.FromString(inner.Helper.Purl)
	if err != nil {
		return p, err
	}
	if u.Type != "rpm" {
		return p, errNotRPM
	}
	q := u.Qualifiers.Map()
	p.name = u.Name
	if u.Version != "" {
		p.version = cmp.Or(q["epoch"], "0") + ":" + u.Version
	}
	if mod, ok := q["rpmmod"]; ok {
		p.module, err = vexModule(mod)
		return p, err
	}
	for _, outer := range components[1:] {
		if m, err := packageurl.FromString(outer.Helper.Purl); err == nil && m.Type == "rpmmod" {
			p.module, err = vexModule(m.Name + ":" + m.Version)
			return p, err
		}
	}
	return p, nil
}

// vexModule cuts "name:stream:version:context" to "name:stream". Values of
// two parts are whole; one part names no stream, and so no package that could
// be told from others.
func vexModule(s string) (string, error) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return "", fmt.Errorf("%q: %w", s, errCutModule)
	}
	return parts[0] + ":" + parts[1], nil
}

// vexUnnamed reads the name of a component without a purl, in a product that
// is made of RPMs: "kernel", "kernel.src", "log4j:2/log4j".
func vexUnnamed(product, c *csafProduct) (vexPackage, error) {
	name := cmp.Or(c.Name, c.ID)
	module, pkg, inModule := strings.Cut(name, "/")
	if inModule && !strings.Contains(module, ":") || !isRPMProduct(product.Helper.CPE) {
		return vexPackage{}, errNotRPM
	}
	if !inModule {
		return vexNEVRA(name), nil
	}
	module, err := vexModule(module)
	return vexPackage{name: strings.TrimSuffix(pkg, ".src"), module: module}, err
}

// isRPMProduct reports whether a product is made of RPMs only.
func isRPMProduct(cpe string) bool {
	return strings.HasPrefix(cpe, "cpe:/o:redhat:") || strings.HasPrefix(cpe, "cpe:/a:redhat:enterprise_linux:") ||
		strings.HasPrefix(cpe, "cpe:/a:redhat:rhel_")
}

// vexNEVRA reads "name-epoch:version-release.arch", or a bare name.
func vexNEVRA(s string) vexPackage {
	s = strings.TrimSuffix(s, ".src")
	rel := strings.LastIndexByte(s, '-')
	if rel < 0 {
		return vexPackage{name: s}
	}
	ver := strings.LastIndexByte(s[:rel], '-')
	if ver < 0 || !strings.Contains(s[ver:rel], ":") {
		return vexPackage{name: s}
	}
	version := s[ver+1:]
	for _, arch := range []string{".noarch", ".x86_64", ".i686", ".i386", ".aarch64", ".ppc64le", ".ppc64", ".ppc", ".s390x", ".s390", ".ia64"} {
		if short, ok := strings.CutSuffix(version, arch); ok {
			version = short
			break
		}
	}
	return vexPackage{name: s[:ver], version: version}
}

// A vexKey names what one affected entry is about.
type vexKey struct {
	ecosystem, name, module string
	build                   string // the module build, where module is not known
}

func (k vexKey) compare(l vexKey) int {
	return cmp.Or(strings.Compare(k.ecosystem, l.ecosystem), strings.Compare(k.name, l.name),
		strings.Compare(k.module, l.module), strings.Compare(k.build, l.build))
}

// A vexEntry is what the document says of one key.
type vexEntry struct {
	fixed        map[string][]string // versions by advisory, which may be empty
	affected     bool
	notAffected  bool
	investigated bool
	fate         map[string]string // status by the vendor's word, where no fix comes
	impacts      []string
}

// place sorts each product of each status into entries and components.
func (v *vexRecord) place() {
	v.entries = map[vexKey]*vexEntry{}
	v.components = map[string]map[string][]string{}
	for _, status := range []string{"fixed", "known_affected", "known_not_affected", "under_investigation"} {
		for _, id := range v.vuln.Status[status] {
			if err := v.placeOne(status, id); err != nil {
				v.report(vexRule(err), fmt.Sprintf("%s: %s: %v", status, id, err))
			}
		}
	}
	for status, ids := range v.vuln.Status {
		switch status {
		case "fixed", "known_affected", "known_not_affected", "under_investigation":
		default:
			v.report("unknown-status", fmt.Sprintf("%s: %d products", status, len(ids)))
		}
	}
	for _, products := range v.components {
		for eco := range products {
			products[eco] = set(products[eco])
		}
	}
}

func vexRule(err error) string {
	switch {
	case errors.Is(err, errCutModule):
		return "truncated-rpmmod"
	case errors.Is(err, errForeignCPE):
		return "bad-cpe"
	case errors.Is(err, errDangling):
		return "unknown-product"
	}
	return "bad-purl"
}

var errDangling = errors.New("not in the product tree")

func (v *vexRecord) placeOne(status, id string) error {
	at, ok := v.index.resolve(id)
	if !ok {
		if at, ok = v.guess(id); !ok {
			return errDangling
		}
	}
	eco, err := vexEcosystem(at.product)
	if err != nil {
		return err
	}
	if len(at.components) == 0 {
		v.component(status, eco, "")
		return nil
	}
	inner := at.components[0]
	if inner.Helper.Purl == "" {
		v.nameless = addOnce(v.nameless, inner.ID)
	}
	p, err := vexPackageOf(at.product, at.components)
	switch {
	case errors.Is(err, errNotRPM):
		v.component(status, eco, vexComponent(inner))
		return nil
	case err != nil:
		return err
	}
	v.entry(p, eco).add(v, status, id, p.version)
	return nil
}

// guess reads an ID that no relationship explains as "product:package", where
// the tree has the product.
func (v *vexRecord) guess(id string) (csafPlace, bool) {
	for i := len(id) - 1; i > 0; i-- {
		if id[i] != ':' {
			continue
		}
		if p := v.index.products[id[:i]]; p != nil && p.Helper.CPE != "" && i+1 < len(id) {
			c := &csafProduct{ID: id[i+1:], Name: id[i+1:]}
			if named := v.index.products[c.ID]; named != nil {
				c = named
			}
			v.report("dangling-product", id)
			return csafPlace{product: p, components: []*csafProduct{c}}, true
		}
	}
	return csafPlace{}, false
}

// component lists what is no RPM; an empty purl is the product itself.
func (v *vexRecord) component(status, eco, purl string) {
	byProduct := v.components[status]
	if byProduct == nil {
		byProduct = map[string][]string{}
		v.components[status] = byProduct
	}
	product := strings.TrimPrefix(eco, "Red Hat:")
	if purl == "" {
		byProduct[product] = append(byProduct[product], "*")
		return
	}
	byProduct[product] = append(byProduct[product], purl)
}

// vexComponent shortens a component to what tells it from others: images go
// without digest and architecture.
func vexComponent(c *csafProduct) string {
	purl := c.Helper.Purl
	if purl == "" {
		return cmp.Or(c.Name, c.ID)
	}
	purl, _, _ = strings.Cut(purl, "?")
	if strings.HasPrefix(purl, "pkg:oci/") {
		purl, _, _ = strings.Cut(purl, "@")
	}
	return purl
}

func (v *vexRecord) entry(p vexPackage, eco string) *vexEntry {
	k := vexKey{ecosystem: eco, name: p.name, module: p.module}
	if p.module == "" {
		k.build = moduleBuild(p.version)
	}
	e := v.entries[k]
	if e == nil {
		e = &vexEntry{fixed: map[string][]string{}, fate: map[string]string{}}
		v.entries[k] = e
	}
	return e
}

// add notes one product ID of a status.
func (e *vexEntry) add(v *vexRecord, status, id, version string) {
	if impact := v.impacts[id]; impact != "" && status != "known_not_affected" {
		e.impacts = addOnce(e.impacts, impact)
	}
	switch status {
	case "fixed":
		e.fix(v.remedies[id], version)
	case "known_affected":
		e.affected = true
		for _, m := range v.remedies[id] {
			if s := vexFate(m); s != "" {
				e.fate[m.Details] = s
			}
		}
	case "known_not_affected":
		e.notAffected = true
	case "under_investigation":
		e.investigated = true
	}
}

func (e *vexEntry) fix(remedies []*csafRemediation, version string) {
	if version == "" {
		e.affected = true // fixed in no version that is named
		return
	}
	advisory := ""
	for _, m := range remedies {
		if id := vexAdvisory(m.URL); m.Category == "vendor_fix" && id != "" {
			advisory = id
			e.fixed[id] = addOnce(e.fixed[id], version)
		}
	}
	if advisory == "" {
		e.fixed[""] = addOnce(e.fixed[""], version)
	}
}

// vexFate reads why no fix comes: the categories of CSAF and Red Hat's words
// in them (https://access.redhat.com/security/updates/classification).
func vexFate(m *csafRemediation) string {
	switch m.Category {
	case "no_fix_planned":
		if strings.Contains(m.Details, "Out of support") {
			return EndOfLife
		}
		return WillNotFix
	case "none_available":
		if strings.Contains(m.Details, "deferred") {
			return Postponed
		}
	}
	return ""
}

// sortedKeys returns the keys of entries in their order.
func (v *vexRecord) sortedKeys() []vexKey {
	keys := make([]vexKey, 0, len(v.entries))
	for k := range v.entries {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, vexKey.compare)
	return keys
}
