package vex

import (
	"fmt"
	"slices"
	"strings"
)

// csaf is an advisory; those of every profile may say what is not affected.
//
// Source: CSAF 2.0, sections 3.2.2 (product tree), 3.2.3 (vulnerabilities) and
// 4.5 (profile VEX).
type csaf struct {
	Document struct {
		Tracking struct {
			Current string `json:"current_release_date"`
		} `json:"tracking"`
	} `json:"document"`
	Tree struct {
		Branches      []csafBranch  `json:"branches"`
		Products      []csafProduct `json:"full_product_names"`
		Relationships []struct {
			Product   csafProduct `json:"full_product_name"`
			Reference string      `json:"product_reference"`
			RelatesTo string      `json:"relates_to_product_reference"`
		} `json:"relationships"`
		Groups []struct {
			ID       string   `json:"group_id"`
			Products []string `json:"product_ids"`
		} `json:"product_groups"`
	} `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafBranch struct {
	Branches []csafBranch `json:"branches"`
	Product  *csafProduct `json:"product"`
}

type csafProduct struct {
	ID     string `json:"product_id"`
	Helper struct {
		Purl  string   `json:"purl"`
		Purls []string `json:"purls"` // of CSAF 2.1
		CPE   string   `json:"cpe"`
	} `json:"product_identification_helper"`
}

type csafVulnerability struct {
	CVE string `json:"cve"`
	IDs []struct {
		Text string `json:"text"`
	} `json:"ids"`
	Status  map[string][]string `json:"product_status"`
	Flags   []csafWord          `json:"flags"`
	Threats []csafWord          `json:"threats"`
}

// A csafWord is a flag or a threat.
type csafWord struct {
	Label    string   `json:"label"`
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
	Groups   []string `json:"group_ids"`
}

// csafStatuses turns the members of product_status that say something into
// statuses, in the order in which they are looked at.
var csafStatuses = []struct {
	name   string
	status Status
}{
	{"known_not_affected", NotAffected}, {"fixed", Fixed}, {"first_fixed", Fixed},
	{"known_affected", Affected}, {"first_affected", Affected}, {"last_affected", Affected}, {"under_investigation", UnderInvestigation},
}

func (d *Document) csaf(data []byte) error {
	var doc csaf
	if err := decode(data, &doc); err != nil {
		return err
	}
	at, err := parseTime("/document/tracking/current_release_date", doc.Document.Tracking.Current)
	if err != nil {
		return err
	}
	products, groups := doc.products()
	for i := range doc.Vulnerabilities {
		v := &doc.Vulnerabilities[i]
		place := fmt.Sprintf("/vulnerabilities/%d", i)
		var ids []string
		if v.CVE != "" {
			ids = append(ids, v.CVE)
		}
		for _, id := range v.IDs {
			ids = append(ids, id.Text)
		}
		if len(ids) == 0 {
			return invalid(place, "neither cve nor ids")
		}
		for _, status := range csafStatuses {
			for j, id := range v.Status[status.name] {
				p, ok := products[id]
				here := fmt.Sprintf("%s/product_status/%s/%d", place, status.name, j)
				if !ok {
					return invalid(here, "no product %q", id)
				}
				if err := p.check(here); err != nil {
					return err
				}
				s := Statement{IDs: ids, Products: []Product{p}, Status: status.status, Time: at, Place: here}
				s.Justification, s.Detail = v.why(id, groups)
				d.Statements = append(d.Statements, s)
			}
		}
	}
	return nil
}

// products returns what each product ID means, and the products of groups. One
// that is part of another is its part.
func (c *csaf) products() (map[string]Product, map[string][]string) {
	all := map[string]Product{}
	var walk func(list []csafBranch)
	walk = func(list []csafBranch) {
		for _, b := range list {
			if b.Product != nil {
				all[b.Product.ID] = b.Product.product()
			}
			walk(b.Branches)
		}
	}
	walk(c.Tree.Branches)
	for _, p := range c.Tree.Products {
		all[p.ID] = p.product()
	}
	for _, r := range c.Tree.Relationships {
		p := all[r.RelatesTo]
		part, whole := all[r.Reference].Thing, p.Thing
		if own := r.Product.product().Thing; own.Purl != "" {
			part = own
		}
		all[r.Product.ID] = Product{Thing: whole, Parts: []Thing{part}}
	}
	groups := map[string][]string{}
	for _, g := range c.Tree.Groups {
		groups[g.ID] = g.Products
	}
	return all, groups
}

func (p *csafProduct) product() Product {
	t := Thing{Purl: p.Helper.Purl, CPE: p.Helper.CPE}
	if t.Purl == "" && len(p.Helper.Purls) > 0 {
		t.Purl = p.Helper.Purls[0]
	}
	return Product{Thing: t}
}

// why returns the flag and the impact that are said of a product.
func (v *csafVulnerability) why(id string, groups map[string][]string) (justification, detail string) {
	of := func(w csafWord) bool {
		return slices.Contains(w.Products, id) || slices.ContainsFunc(w.Groups, func(g string) bool { return slices.Contains(groups[g], id) })
	}
	for _, f := range v.Flags {
		if slices.Contains(justifications, f.Label) && of(f) {
			justification = f.Label
			break
		}
	}
	for _, t := range v.Threats {
		if t.Category == "impact" && of(t) {
			return justification, strings.TrimSpace(t.Details)
		}
	}
	return justification, ""
}
