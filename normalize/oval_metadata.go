package normalize

import "encoding/xml"

// An ovalMetadata is what a definition says in prose. Vendors put their own
// elements in <advisory>; those of all vendors known are here.
type ovalMetadata struct {
	ID          string // of the definition
	Class       string // patch, vulnerability, inventory…
	Title       string
	Description string
	Platforms   []string
	References  []ovalReference
	Severity    string
	Issued      string // a day, as the vendor writes it
	Updated     string
	CVEs        []ovalCVE
	Bugs        []string // addresses
	CPEs        []string
	Patchable   string // Azure Linux: true, false or "Not Applicable"
	AdvisoryID  string // Azure Linux
}

type ovalReference struct{ Source, ID, URL string }

// An ovalCVE is a CVE of an advisory. Scores are as written: a number, a
// slash and a vector, more or less.
type ovalCVE struct{ ID, CVSS2, CVSS3, Impact, Public string }

// read reads <metadata>, or an element in it that only groups others.
func (m *ovalMetadata) read(s *xmlScanner) error {
	return s.each(func(name string, attrs []xml.Attr) error {
		switch name {
		case "affected", "advisory", "affected_cpe_list", "oval_repository", "dates":
			return m.read(s)
		case "reference":
			m.References = append(m.References, ovalReference{attr(attrs, "source"), attr(attrs, "ref_id"), attr(attrs, "ref_url")})
			return s.skip()
		case "issued":
			m.Issued = attr(attrs, "date")
			return s.skip()
		case "updated":
			m.Updated = attr(attrs, "date")
			return s.skip()
		case "bugzilla":
			m.Bugs = append(m.Bugs, attr(attrs, "href"))
			return s.skip()
		}
		return m.leaf(s, name, attrs)
	})
}

// leaf reads an element that is text.
func (m *ovalMetadata) leaf(s *xmlScanner, name string, attrs []xml.Attr) error {
	var into *string
	switch name {
	case "title":
		into = &m.Title
	case "description":
		into = &m.Description
	case "severity":
		into = &m.Severity
	case "advisory_date":
		into = &m.Issued
	case "patchable":
		into = &m.Patchable
	case "advisory_id":
		into = &m.AdvisoryID
	case "platform", "cpe", "cve":
	default:
		return s.skip()
	}
	text, err := s.text()
	switch {
	case into != nil:
		*into = text
	case name == "platform":
		m.Platforms = append(m.Platforms, text)
	case name == "cpe":
		m.CPEs = append(m.CPEs, text)
	case name == "cve":
		m.CVEs = append(m.CVEs, ovalCVE{text, attr(attrs, "cvss2"), attr(attrs, "cvss3"), attr(attrs, "impact"), attr(attrs, "public")})
	}
	return err
}
