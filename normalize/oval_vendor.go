package normalize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// SUSEOVAL reads SUSE's OVAL by CVE: opensuse.leap.15.3.xml, and
// suse.linux.enterprise.15-affected.xml, which has what is affected and not
// fixed. Each definition is a CVE, SUSE-CVE-2004-2771. Releases are named as
// SUSE's own OSV does: "openSUSE:Leap 15.3", "SUSE:Linux Enterprise Server 15
// SP3". Files of minor releases hold nothing that their major's lacks.
var SUSEOVAL = rpmOVALParser(ovalVendor{
	record:    suseDefinition,
	release:   suseRelease,
	isRelease: func(l *ovalLeaf) bool { return len(l.names) == 1 && suseReleasePackages[l.names[0]] },
	byComment: suseComment,
})

// suseReleasePackages are the packages that hold a product's version.
var suseReleasePackages = nameSet("openSUSE-release", "suse-release", "sles-release", "sled-release", "SLES_SAP-release",
	"sle-module-basesystem-release", "SUSE-MicroOS-release", "SLE-Micro-release", "SL-Micro-release", "sle_hpc-release",
	"SLE_HPC-release", "core-release", "suse-product-release")

var suseInstalled = lazyregexp.New(`^(openSUSE|SUSE) (.+) is installed$`)

// suseRelease reads the product's name out of the comment: the test itself
// knows a number only, which several products share.
func suseRelease(l *ovalLeaf) string {
	m := suseInstalled.FindStringSubmatch(l.comment)
	if m == nil {
		return ""
	}
	return m[1] + ":" + m[2]
}

var (
	suseAffected  = lazyregexp.New(`^(\S+) is (not )?affected$`)
	susePackage   = lazyregexp.New(`^(\S+)-([^-\s]+-[^-\s]+) is installed$`)
	suseSignature = lazyregexp.New(`^(\S+) is signed with .* key$`)
)

// suseComment makes the test that a comment describes.
func suseComment(s string) (ovalLeaf, bool) {
	s = strings.TrimSpace(s)
	leaf := func(name string, c ovalCondition) (ovalLeaf, bool) {
		return ovalLeaf{kind: "rpminfo", names: []string{name}, conditions: []ovalCondition{c}, comment: s}, true
	}
	if suseInstalled.MatchString(s) {
		return leaf("suse-product-release", ovalCondition{})
	}
	if m := suseAffected.FindStringSubmatch(s); m != nil {
		if m[2] != "" {
			return leaf(m[1], ovalCondition{"version", "equals", "0"})
		}
		return leaf(m[1], ovalCondition{"evr", "greater than", "0:0-0"})
	}
	if m := suseSignature.FindStringSubmatch(s); m != nil {
		return leaf(m[1], ovalCondition{"signature_keyid", "equals", ""})
	}
	if m := susePackage.FindStringSubmatch(s); m != nil {
		return leaf(m[1], ovalCondition{"evr", "less than", "0:" + m[2]})
	}
	return ovalLeaf{}, false
}

func suseDefinition(o *rpmOVAL, m *ovalMetadata) (*Record, error) {
	cve, _, _ := strings.Cut(strings.TrimSpace(m.Title), " ")
	if m.Class != "vulnerability" || !isCVE(cve) {
		o.report(m.ID, "bad-id", fmt.Sprintf("class %s, title %.60q", m.Class, m.Title))
		return nil, nil
	}
	r := &Record{ID: "SUSE-" + cve, Upstream: []string{cve}, Details: m.Description}
	o.dates(r, m)
	for _, ref := range m.References {
		typ := "WEB"
		if strings.Contains(ref.ID, "SUSE-") {
			r.Related = addOnce(r.Related, ref.ID)
			typ = "ADVISORY"
		}
		if isURI(ref.URL) {
			r.References = append(r.References, Reference{Type: typ, URL: ref.URL})
		}
	}
	for _, bug := range m.Bugs {
		if isURI(bug) {
			r.References = append(r.References, Reference{Type: "REPORT", URL: bug})
		}
	}
	for _, c := range m.CVEs {
		s, _, err := oracleScore(c)
		if err != nil {
			o.report(r.ID, "bad-cvss", err.Error())
		}
		if s.Type != "" && len(r.Severity) == 0 {
			r.Severity = []Severity{s}
		}
	}
	return r, o.rate(r, m)
}

// dates sets published and modified, from days.
func (o *rpmOVAL) dates(r *Record, m *ovalMetadata) {
	for _, d := range []struct {
		name, from string
		into       *string
	}{{"issued", m.Issued, &r.Published}, {"updated", m.Updated, &r.Modified}} {
		if d.from == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, d.from)
		if err != nil {
			t, err = time.Parse(time.RFC3339, d.from)
		}
		if err != nil {
			o.report(r.ID, "bad-time", fmt.Sprintf("%s: %q", d.name, d.from))
			continue
		}
		*d.into = t.UTC().Format(time.RFC3339)
	}
}

func (o *rpmOVAL) rate(r *Record, m *ovalMetadata) error {
	if m.Severity == "" {
		return nil
	}
	return r.SetSpecific(map[string]any{"severity": m.Severity})
}

// PhotonOVAL reads VMware's OVAL of one major release, com.vmware.phsa-photon3.xml.
// Definitions are numbered within a year; the advisory that they are part of
// stands in a reference, "PHSA:00001:3.0:0036", from which the record's ID is
// made as VMware's own: PHSA-2019-3.0-0036, the year being that of issue.
var PhotonOVAL = rpmOVALParser(ovalVendor{
	record:    photonDefinition,
	release:   photonRelease,
	isRelease: func(l *ovalLeaf) bool { return slices.Contains(l.names, "photon-release") },
})

var photonVersion = lazyregexp.New(`^\^(\d+)`)

func photonRelease(l *ovalLeaf) string {
	c, _ := l.condition("version")
	m := photonVersion.FindStringSubmatch(c.value)
	if m == nil {
		return ""
	}
	return "Photon OS:" + m[1] + ".0"
}

// photonTitle is the number of a definition, which stands in for the
// advisory's where that is not said.
var photonTitle = lazyregexp.New(`^PHSA-\d{4}:\d+$`)

var photonReference = lazyregexp.New(`^PHSA:\d+:(\d+\.\d+):(\d{1,6})$`)

func photonDefinition(o *rpmOVAL, m *ovalMetadata) (*Record, error) {
	r := &Record{}
	for _, ref := range m.References {
		if p := photonReference.FindStringSubmatch(ref.ID); p != nil && len(m.Issued) > 4 {
			n, _ := strconv.Atoi(p[2])
			r.ID = fmt.Sprintf("PHSA-%s-%s-%04d", m.Issued[:4], p[1], n)
			r.References = append(r.References, Reference{Type: "ADVISORY", URL: ref.URL})
		}
		if cve := ref.ID[strings.LastIndexByte(ref.ID, ':')+1:]; isCVE(cve) {
			r.Upstream = addOnce(r.Upstream, cve)
		}
	}
	if title, _, _ := strings.Cut(m.Title, " "); r.ID == "" && photonTitle.MatchString(title) {
		r.ID = title
	}
	if r.ID == "" {
		o.report(m.ID, "bad-id", fmt.Sprintf("no advisory's ID, title %.60q", m.Title))
		return nil, nil
	}
	for _, c := range m.CVEs {
		if isCVE(c.ID) {
			r.Upstream = addOnce(r.Upstream, c.ID)
		}
	}
	o.dates(r, m)
	return r, o.rate(r, m)
}

// AzureLinuxOVAL reads Microsoft's OVAL of CBL-Mariner 1.0 and 2.0 and of
// Azure Linux 3.0. Each definition is a CVE of one package and a record, by
// its number as in Microsoft's own OSV: AZL-50124. The release is the
// document's.
//
// <patchable> "Not Applicable" makes a statement and no range; "less than or
// equal" means that no fix is out, and makes a range without an end.
var AzureLinuxOVAL = rpmOVALParser(ovalVendor{
	record:    azureDefinition,
	release:   func(*ovalLeaf) string { return "" },
	isRelease: func(*ovalLeaf) bool { return false },
	document:  azureEcosystem,
	openEnds:  true,
})

var azureDocument = lazyregexp.New(`^(?:cbl-mariner|azurelinux)-(\d+)\.\d+-oval\.xml$`)

func azureEcosystem(d Doc) string {
	m := azureDocument.FindStringSubmatch(d.Name)
	if m == nil {
		return ""
	}
	return "Azure Linux:" + m[1]
}

func azureDefinition(o *rpmOVAL, m *ovalMetadata) (*Record, error) {
	number := m.ID[strings.LastIndexByte(m.ID, ':')+1:]
	if _, err := strconv.Atoi(number); err != nil {
		o.report(m.ID, "bad-id", "definition without a number")
		return nil, nil
	}
	r := &Record{ID: "AZL-" + number, Summary: m.Title}
	for _, ref := range m.References {
		if isCVE(ref.ID) {
			r.Upstream = addOnce(r.Upstream, ref.ID)
		}
		if isURI(ref.URL) {
			r.References = append(r.References, Reference{Type: "WEB", URL: ref.URL})
		}
	}
	o.dates(r, m)
	switch m.Patchable {
	case "true", "false", "":
	case "Not Applicable":
		if o.skipped == nil {
			o.skipped = map[string]Statement{}
		}
		o.skipped[r.ID] = Statement{Status: NotAffected, Detail: m.Patchable}
	default:
		o.report(r.ID, "unknown-status", fmt.Sprintf("patchable: %.40q", m.Patchable))
	}
	return r, o.rate(r, m)
}
