package normalize

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/package-url/packageurl-go"
)

// SUSEVEX reads one of SUSE's CSAF VEX documents, which says of one CVE where
// it stands in each product of SUSE's and openSUSE's. The record is "SUSE-"
// and the CVE, as that of [SUSEOVAL], whose releases it takes the place of
// (see [Merge]). Products are named as in SUSE's own OSV ("SUSE:Linux
// Enterprise Server 15 SP1-LTSS", "openSUSE:Tumbleweed"); those that are no
// releases (containers, images) are reported.
//
// Of a package of a release, what fixes it counts first, then that it is not
// affected, then that it is:
//
//   - "recommended" means fixed, and so does "first_fixed". Of several versions
//     the least is the bound: those named first_fixed are later builds that hold
//     the fix as well. The others stand in database_specific.fixed.
//   - "no_fix_planned" is a statement on packages that are called affected, and
//     on no others: the document names it of more than it ever judged.
//   - a package called affected that is the source of one that is fixed in the
//     same release (purl qualifier "upstream") is as fixed as that.
//   - that a CVE was rejected stands in the description alone.
//
// What a document calls not affected is often more than a thousand packages:
// beyond vexStatements they are grouped by release in
// database_specific.suse.not_affected.
//
// Sources: https://www.suse.com/support/security/csaf/; the counts behind these
// rules in Anchore vunnel, SLES provider, README (2026-08).
func SUSEVEX(d Doc, emit func(*Record) error) error {
	return csafVendor{
		prefix: "SUSE-", pkg: susePackageOf, settle: settleSUSE, mend: mendSUSE,
		statuses: map[string]string{"recommended": "fixed", "first_fixed": "fixed"},
	}.parse(d, emit)
}

// suseProduct returns the ecosystem of a product.
func suseProduct(name string) (string, error) {
	for _, system := range []string{"SUSE ", "openSUSE "} {
		if rest, ok := strings.CutPrefix(name, system); ok && rest != "" {
			return strings.TrimSpace(system) + ":" + strings.TrimSpace(rest), nil
		}
	}
	return "", errNoRelease
}

var errNoRelease = errors.New("product is no release")

// suseArch ends the names of products that are files.
var suseArch = lazyregexp.New(`\.(aarch64|aarch64_ilp32|armv7l|i[3-6]86|ia64|noarch|nosrc|ppc|ppc64|ppc64le|riscv64|s390|s390x|src|x86_64)$`)

// suseBuild is a version and release as no part of a name looks: both begin
// with a digit, and there is a dot in the release.
var suseBuild = lazyregexp.New(`^[0-9][^-]*-[0-9][^-]*\.[^-]*$`)

// susePackageOf reads "samba-4.19.2+git.322.7e9201cef5-1.1" as a component of
// "openSUSE Tumbleweed", and without a version "libjavascriptcoregtk-4_0-18":
// only what is fixed always has one. Names are taken from the product, since
// purls mistake parts of names for versions.
func susePackageOf(at csafPlace, status string) (Package, string, error) {
	if len(at.components) == 0 {
		return Package{}, "", errNotRPM
	}
	eco, err := suseProduct(at.product.Name)
	if err != nil {
		return Package{}, "", err
	}
	file := suseArch.ReplaceAllString(at.components[0].Name, "")
	name, version, ok := cutNVR(file)
	if status != "fixed" && !suseBuild.MatchString(version) {
		name, version, ok = file, "", true
	}
	if !ok || name == "" {
		return Package{}, "", errNotRPM
	}
	if status != "fixed" {
		version = ""
	}
	return Package{Ecosystem: eco, Name: name, Purl: packageurl.NewPackageURL("rpm", "suse", name, "", nil, "").ToString()}, version, nil
}

// settleSUSE decides between what is said of a package in several ways.
func settleSUSE(c *csafReading) {
	built := c.suseSources()
	for k, s := range c.places {
		willNot := slices.ContainsFunc(s.said, func(st Statement) bool { return st.Status == WillNotFix })
		not := slices.ContainsFunc(s.said, func(st Statement) bool { return st.Status == NotAffected })
		if s.all && len(s.fixed) == 0 && !not && !willNot && built[packageName{k.ecosystem, k.name}] {
			s.all = false
		}
		open := s.all && len(s.fixed) == 0 && !not
		s.all = open
		s.said = slices.DeleteFunc(s.said, func(st Statement) bool {
			return st.Status == WillNotFix && !open || st.Status == NotAffected && len(s.fixed) > 0
		})
		s.chooseLeast(k.ecosystem)
	}
}

// suseSources returns the source packages of what is fixed, by release.
func (c *csafReading) suseSources() map[packageName]bool {
	built := map[packageName]bool{}
	for i := range c.doc.Vulnerabilities {
		for _, status := range []string{"recommended", "first_fixed", "fixed"} {
			for _, id := range c.doc.Vulnerabilities[i].Status[status] {
				at, ok := c.index.resolve(id)
				if !ok || len(at.components) == 0 {
					continue
				}
				eco, err := suseProduct(at.product.Name)
				u, perr := packageurl.FromString(at.components[0].Helper.Purl)
				if err != nil || perr != nil {
					continue
				}
				if name, _, ok := cutNVR(suseArch.ReplaceAllString(strings.TrimSuffix(u.Qualifiers.Map()["upstream"], ".rpm"), "")); ok {
					built[packageName{eco, name}] = true
				}
			}
		}
	}
	return built
}

// chooseLeast leaves of several versions that fix a package the least.
func (s *csafSaid) chooseLeast(ecosystem string) {
	if len(s.fixed) < 2 {
		return
	}
	var versions []string
	for _, iv := range s.fixed {
		versions = append(versions, iv.Fixed)
	}
	versions = set(versions)
	least := leastVersion(ecosystem, versions)
	s.fixed = []Interval{{Introduced: "0", Fixed: least}}
	if len(versions) > 1 {
		s.other = slices.SortedFunc(slices.Values(versions), func(a, b string) int { return compareVersions(ecosystem, a, b) })
	}
}

// suseRejected are the words with which the CVE programme takes an ID back, in
// all its time; a disputed CVE stands.
var suseRejected = lazyregexp.New(`(?i)do not use this (candidate number|cve record)|has been rejected or withdrawn|\*\* reject \*\*`)

// mendSUSE groups what is not affected, where it is much, links to the
// advisories, and withdraws what was rejected.
func mendSUSE(c *csafReading, r *Record) error {
	if suseRejected.MatchString(r.Details) {
		r.Withdrawn = r.Modified
	}
	for i := range c.doc.Document.References {
		ref := &c.doc.Document.References[i]
		if id, ok := strings.CutPrefix(ref.Summary, "Advisory link for "); ok && isAdvisoryID(id) {
			r.Related = addOnce(r.Related, id)
		}
	}
	all, err := r.Statements()
	if err != nil {
		return err
	}
	grouped := map[string][]string{}
	rest := slices.DeleteFunc(slices.Clone(all), func(st Statement) bool {
		if st.Status == NotAffected {
			grouped[st.Ecosystem] = append(grouped[st.Ecosystem], st.Package)
		}
		return st.Status == NotAffected
	})
	if len(all)-len(rest) <= vexStatements {
		return nil
	}
	for eco := range maps.Keys(grouped) {
		grouped[eco] = set(grouped[eco])
	}
	return r.SetSpecific(map[string]any{"statements": rest, "suse": map[string]any{"not_affected": grouped}})
}
