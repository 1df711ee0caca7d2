package vex

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// openVEX is a document of OpenVEX.
//
// Source: OpenVEX specification 0.2.0; of 0.0.x that a vulnerability and a
// product may be strings.
type openVEX struct {
	Timestamp  string `json:"timestamp"`
	Updated    string `json:"last_updated"`
	Statements []struct {
		Vulnerability openVulnerability `json:"vulnerability"`
		Products      []openProduct     `json:"products"`
		Subcomponents []openProduct     `json:"subcomponents"` // of 0.0.x
		Status        string            `json:"status"`
		Justification string            `json:"justification"`
		Impact        string            `json:"impact_statement"`
		Notes         string            `json:"status_notes"`
		Timestamp     string            `json:"timestamp"`
		Updated       string            `json:"last_updated"`
	} `json:"statements"`
}

type openVulnerability struct {
	ID      string   `json:"@id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

type openProduct struct {
	openComponent
	Parts []openComponent `json:"subcomponents"`
}

type openComponent struct {
	ID          string `json:"@id"`
	Identifiers struct {
		Purl  string `json:"purl"`
		CPE23 string `json:"cpe23"`
		CPE22 string `json:"cpe22"`
	} `json:"identifiers"`
}

// UnmarshalJSONFrom reads a vulnerability; a string is its name.
func (v *openVulnerability) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		return json.UnmarshalDecode(dec, &v.Name)
	}
	type plain openVulnerability
	return json.UnmarshalDecode(dec, (*plain)(v))
}

// UnmarshalJSONFrom reads a product; a string is its ID.
func (p *openProduct) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == '"' {
		return json.UnmarshalDecode(dec, &p.ID)
	}
	type plain openProduct
	return json.UnmarshalDecode(dec, (*plain)(p))
}

// justifications are those of OpenVEX.
var justifications = []string{
	"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path",
	"vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
}

func (d *Document) openVEX(data []byte) error {
	var doc openVEX
	if err := decode(data, &doc); err != nil {
		return err
	}
	for i := range doc.Statements {
		x := &doc.Statements[i]
		s := Statement{Status: Status(x.Status), Justification: x.Justification, Detail: cmp.Or(x.Impact, x.Notes), Place: fmt.Sprintf("/statements/%d", i)}
		switch s.Status {
		case NotAffected, Fixed, Affected, UnderInvestigation:
		default:
			return invalid(s.Place+"/status", "%q", x.Status)
		}
		if s.Justification != "" && !slices.Contains(justifications, s.Justification) {
			return invalid(s.Place+"/justification", "%q", s.Justification)
		}
		name := cmp.Or(x.Vulnerability.Name, x.Vulnerability.ID[strings.LastIndexByte(x.Vulnerability.ID, '/')+1:])
		if name == "" {
			return invalid(s.Place+"/vulnerability", "no name")
		}
		s.IDs = append([]string{name}, x.Vulnerability.Aliases...)
		var err error
		if s.Time, err = parseTime(s.Place, x.Updated, x.Timestamp, doc.Updated, doc.Timestamp); err != nil {
			return err
		}
		for j, p := range x.Products {
			place := fmt.Sprintf("%s/products/%d", s.Place, j)
			product := Product{Thing: p.thing()}
			for _, part := range p.Parts {
				product.Parts = append(product.Parts, part.thing())
			}
			for _, part := range x.Subcomponents {
				product.Parts = append(product.Parts, part.thing())
			}
			if err := product.check(place); err != nil {
				return err
			}
			s.Products = append(s.Products, product)
		}
		d.Statements = append(d.Statements, s)
	}
	return nil
}

func (c *openComponent) thing() Thing {
	t := Thing{Purl: c.Identifiers.Purl, CPE: cmp.Or(c.Identifiers.CPE23, c.Identifiers.CPE22)}
	switch {
	case strings.HasPrefix(c.ID, "pkg:") && t.Purl == "":
		t.Purl = c.ID
	case strings.HasPrefix(c.ID, "cpe:") && t.CPE == "":
		t.CPE = c.ID
	default:
		t.Ref = c.ID
	}
	return t
}
