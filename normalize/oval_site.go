package normalize

import (
	"path"
	"strings"
)

// OVAL returns the parser of any vendor's OVAL of RPM packages, all of which
// are of ecosystem. The record is the advisory that a definition refers to; a
// definition that refers to CVEs only, one of them, is <prefix>-CVE-…, and any
// other has its own ID. What criteria test besides packages (that a release is
// installed, that a package is signed) is taken to hold.
//
// Source: OVAL 5.11.
func OVAL(ecosystem, prefix string) Parser {
	return rpmOVALParser(ovalVendor{
		record:    func(o *rpmOVAL, m *ovalMetadata) (*Record, error) { return plainDefinition(o, m, prefix) },
		release:   func(*ovalLeaf) string { return ecosystem },
		isRelease: isNoPackage,
		document:  func(Doc) string { return ecosystem },
	})
}

// ALTLinux reads ALT's OVAL of one branch: the first element of the document's
// name, "p10/oval_definitions.xml", is the release. Records are ALT's errata,
// ALT-PU-2024-1234-1.
//
// Source: https://rdb.altlinux.org/api/, errata/export/oval.
func ALTLinux(d Doc, emit func(*Record) error) error {
	branch, _, ok := strings.Cut(d.Name, "/")
	if !ok {
		branch = strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name))
	}
	return OVAL("ALT Linux:"+branch, "ALT")(d, emit)
}

// isNoPackage reports a test that sets no bound on a package's version.
func isNoPackage(l *ovalLeaf) bool {
	_, bound := l.condition("evr")
	return l.kind != "rpminfo" || !bound && !l.unhurt()
}

// plainDefinition makes what OVAL itself has members for.
func plainDefinition(o *rpmOVAL, m *ovalMetadata, prefix string) (*Record, error) {
	if m.Class != "patch" && m.Class != "vulnerability" {
		return nil, nil // inventory: says nothing of vulnerabilities
	}
	r := &Record{Summary: m.Title, Details: m.Description}
	for _, ref := range m.References {
		id := strings.TrimSpace(ref.ID)
		typ := "WEB"
		switch {
		case isCVE(id):
			r.Upstream = addOnce(r.Upstream, id)
		case r.ID == "" && isAdvisoryID(id) && !strings.HasPrefix(id, "BDU:"):
			r.ID, typ = id, "ADVISORY"
		case isAdvisoryID(id):
			r.Related = addOnce(r.Related, id)
		}
		if isURI(ref.URL) {
			r.References = append(r.References, Reference{Type: typ, URL: ref.URL})
		}
	}
	for _, c := range m.CVEs {
		if isCVE(c.ID) {
			r.Upstream = addOnce(r.Upstream, c.ID)
		}
	}
	switch {
	case r.ID != "":
	case len(r.Upstream) == 1:
		r.ID = prefix + "-" + r.Upstream[0]
	default:
		r.ID = m.ID
	}
	if strings.ContainsAny(r.ID, " /\\\t\n") || r.ID == "" {
		o.report(m.ID, "bad-id", r.ID)
		return nil, nil
	}
	for _, bug := range m.Bugs {
		if isURI(bug) {
			r.References = append(r.References, Reference{Type: "REPORT", URL: bug})
		}
	}
	o.dates(r, m)
	return r, o.rate(r, m)
}
