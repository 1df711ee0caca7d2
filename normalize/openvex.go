package normalize

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/package-url/packageurl-go"
)

// An openVEX is a document of OpenVEX.
//
// Source: OpenVEX 0.2.0, https://github.com/openvex/spec.
type openVEX struct {
	Timestamp  string             `json:"timestamp"`
	Updated    string             `json:"last_updated"`
	Statements []openVEXStatement `json:"statements"`
}

type openVEXStatement struct {
	Vulnerability struct {
		Name string `json:"name"`
	} `json:"vulnerability"`
	Products []struct {
		ID string `json:"@id"`
	} `json:"products"`
	Status        string `json:"status"` // not_affected, affected, fixed, under_investigation
	Justification string `json:"justification"`
	Action        string `json:"action_statement"`
	Impact        string `json:"impact_statement"`
}

// An openVEXVendor is what differs between those who publish OpenVEX.
type openVEXVendor struct {
	prefix string // of records' IDs, before the vulnerability's name
	// place returns which package of which ecosystem a product is, "" for one
	// that is not wanted.
	place func(p packageurl.PackageURL) (ecosystem, name string)
	// fate reads the status of a statement and why; "" says nothing that
	// stands in no range.
	fate func(s *openVEXStatement) (status, detail string)
}

// openVEXParser returns the parser of a vendor's OpenVEX. It makes statements
// and no ranges: a product is a single version of a package.
func openVEXParser(v openVEXVendor) Parser {
	return func(d Doc, emit func(*Record) error) error {
		data, err := readText(d.Body)
		if err != nil {
			return err
		}
		var doc openVEX
		if err := json.Unmarshal(data, &doc, decodeOptions); err != nil {
			return placed(err)
		}
		if len(doc.Statements) == 0 {
			return fmt.Errorf("statements: missing")
		}
		modified := laterTime(csafTime(doc.Timestamp), csafTime(doc.Updated))
		for i := range doc.Statements {
			if err := v.statement(d, i, &doc.Statements[i], modified, emit); err != nil {
				return err
			}
		}
		return nil
	}
}

func (v openVEXVendor) statement(d Doc, i int, s *openVEXStatement, modified string, emit func(*Record) error) error {
	place := fmt.Sprintf("statements/%d", i)
	if !isCVE(s.Vulnerability.Name) {
		d.report(Finding{Place: place, Rule: "bad-id", Message: fmt.Sprintf("%.80q", s.Vulnerability.Name)})
		return nil
	}
	r := &Record{ID: v.prefix + s.Vulnerability.Name, Upstream: []string{s.Vulnerability.Name}, Modified: modified}
	status, detail := v.fate(s)
	if status == "" {
		return emit(r)
	}
	seen := map[Statement]bool{}
	var all []Statement
	for _, product := range s.Products {
		p, err := packageurl.FromString(product.ID)
		if err != nil {
			d.report(Finding{Place: place, Rule: "bad-purl", Message: fmt.Sprintf("%.120q: %v", product.ID, err)})
			continue
		}
		st := Statement{Status: status, Detail: detail}
		if st.Ecosystem, st.Package = v.place(p); st.Ecosystem != "" && !seen[st] {
			seen[st] = true
			all = append(all, st)
		}
	}
	if err := r.AddStatements(all...); err != nil {
		return err
	}
	return emit(r)
}

// UbuntuVEX reads one of Ubuntu's OpenVEX documents, all of a CVE: what is not
// affected, under investigation, or affected and will stay so, of which
// Ubuntu's OSV says nothing. Records are those of its OSV, UBUNTU-CVE-…;
// packages are sources, as there. What is fixed or will be is the OSV's.
var UbuntuVEX = openVEXParser(openVEXVendor{prefix: "UBUNTU-", place: ubuntuProduct, fate: ubuntuFate})

// ubuntuProduct reads "pkg:deb/ubuntu/curl@7.81.0-1?arch=source&distro=jammy".
func ubuntuProduct(p packageurl.PackageURL) (ecosystem, name string) {
	q := p.Qualifiers.Map()
	if p.Type != "deb" || p.Namespace != "ubuntu" || q["arch"] != "source" {
		return "", ""
	}
	eco, ok := ubuntuDistro(q["distro"])
	if !ok {
		return "", ""
	}
	return eco, p.Name
}

// ubuntuFate reads the phrases that Ubuntu puts into action_statement.
func ubuntuFate(s *openVEXStatement) (status, detail string) {
	switch s.Status {
	case "not_affected":
		return NotAffected, s.Justification
	case "under_investigation":
		return UnderInvestigation, ""
	case "affected":
		for _, phrase := range []struct{ words, status string }{
			{"no longer supported", EndOfLife}, {"decided to not fix", WillNotFix}, {"deferred", Postponed},
		} {
			if strings.Contains(s.Action, phrase.words) {
				return phrase.status, phrase.words
			}
		}
	}
	return "", ""
}
