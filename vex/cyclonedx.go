package vex

import (
	"fmt"
	"net/url"
	"strings"
)

// cycloneDX is a BOM with what is said of its vulnerabilities.
//
// Source: ECMA-424 (CycloneDX 1.6), vulnerabilities[].analysis and affects.
type cycloneDX struct {
	Serial   string `json:"serialNumber"`
	Metadata struct {
		Timestamp string        `json:"timestamp"`
		Component *bomComponent `json:"component"`
	} `json:"metadata"`
	Components      []bomComponent `json:"components"`
	Vulnerabilities []struct {
		ID         string `json:"id"`
		References []struct {
			ID string `json:"id"`
		} `json:"references"`
		Updated  string `json:"updated"`
		Analysis *struct {
			State         string `json:"state"`
			Justification string `json:"justification"`
			Detail        string `json:"detail"`
			Updated       string `json:"lastUpdated"`
		} `json:"analysis"`
		Affects []bomAffects `json:"affects"`
	} `json:"vulnerabilities"`
}

type bomComponent struct {
	Ref        string         `json:"bom-ref"`
	Purl       string         `json:"purl"`
	CPE        string         `json:"cpe"`
	Components []bomComponent `json:"components"`
}

type bomAffects struct {
	Ref      string `json:"ref"`
	Versions []struct {
		Version string `json:"version"`
		Range   string `json:"range"`
		Status  string `json:"status"`
	} `json:"versions"`
}

// bomStates turns states of CycloneDX into statuses.
var bomStates = map[string]Status{
	"not_affected": NotAffected, "false_positive": FalsePositive, "resolved": Fixed, "resolved_with_pedigree": Fixed,
	"exploitable": Affected, "in_triage": UnderInvestigation,
}

// bomJustifications turns those of CycloneDX into OpenVEX's.
var bomJustifications = map[string]string{
	"":                                "",
	"code_not_present":                "vulnerable_code_not_present",
	"code_not_reachable":              "vulnerable_code_not_in_execute_path",
	"requires_configuration":          "vulnerable_code_cannot_be_controlled_by_adversary",
	"requires_dependency":             "component_not_present",
	"requires_environment":            "vulnerable_code_cannot_be_controlled_by_adversary",
	"protected_by_compiler":           "inline_mitigations_already_exist",
	"protected_at_runtime":            "inline_mitigations_already_exist",
	"protected_at_perimeter":          "inline_mitigations_already_exist",
	"protected_by_mitigating_control": "inline_mitigations_already_exist",
}

func (d *Document) cycloneDX(data []byte) error {
	var doc cycloneDX
	if err := decode(data, &doc); err != nil {
		return err
	}
	things := map[string]Thing{}
	if c := doc.Metadata.Component; c != nil {
		doc.Components = append(doc.Components, *c)
	}
	index(things, doc.Components)
	for i := range doc.Vulnerabilities {
		x := &doc.Vulnerabilities[i]
		if x.Analysis == nil || x.Analysis.State == "" {
			continue // a finding, and no word about it
		}
		s := Statement{IDs: []string{x.ID}, Status: bomStates[x.Analysis.State], Detail: x.Analysis.Detail, Place: fmt.Sprintf("/vulnerabilities/%d", i)}
		justification, ok := bomJustifications[x.Analysis.Justification]
		switch {
		case s.Status == "":
			return invalid(s.Place+"/analysis/state", "%q", x.Analysis.State)
		case !ok:
			return invalid(s.Place+"/analysis/justification", "%q", x.Analysis.Justification)
		case x.ID == "":
			return invalid(s.Place+"/id", "missing")
		}
		if s.Justification = justification; s.Detail == "" {
			s.Detail = strings.ReplaceAll(x.Analysis.Justification, "_", " ")
		}
		for _, r := range x.References {
			if r.ID != "" {
				s.IDs = append(s.IDs, r.ID)
			}
		}
		var err error
		if s.Time, err = parseTime(s.Place, x.Analysis.Updated, x.Updated, doc.Metadata.Timestamp); err != nil {
			return err
		}
		for j, a := range x.Affects {
			p, meant := a.product(things, doc.Serial)
			if err := p.check(fmt.Sprintf("%s/affects/%d", s.Place, j)); err != nil {
				return err
			}
			if meant {
				s.Products = append(s.Products, p)
			}
		}
		d.Statements = append(d.Statements, s)
	}
	return nil
}

// index takes the components of a document in by their references.
func index(things map[string]Thing, list []bomComponent) {
	for _, c := range list {
		if c.Ref != "" {
			things[c.Ref] = Thing{Purl: c.Purl, CPE: c.CPE, Ref: c.Ref}
		}
		index(things, c.Components)
	}
}

// product is what a reference means: a component of the document, a package
// URL, or a component of another BOM (urn:cdx:SERIAL/VERSION#REF). Of the
// versions those count that the analysis is not at odds with; meant is false
// where none is left.
func (a *bomAffects) product(things map[string]Thing, serial string) (p Product, meant bool) {
	ref := a.Ref
	if rest, ok := strings.CutPrefix(ref, "urn:cdx:"); ok {
		bom, inner, _ := strings.Cut(rest, "#")
		bom, _, _ = strings.Cut(bom, "/")
		if plain, err := url.PathUnescape(inner); err == nil {
			inner = plain
		}
		ref, p.SBOM = inner, "urn:uuid:"+bom
	}
	if t, ok := things[ref]; ok && (p.SBOM == "" || p.SBOM == serial) {
		p.Thing = t
	} else if p.Ref = ref; strings.HasPrefix(ref, "pkg:") && p.SBOM == "" {
		p.Purl, p.Ref = ref, ""
	}
	if p.SBOM == "" {
		p.SBOM = serial
	}
	for _, v := range a.Versions {
		if v.Status == "affected" || v.Status == "unknown" || v.Version == "" {
			continue // a range is not compared: it suppresses nothing
		}
		p.Versions = append(p.Versions, v.Version)
	}
	return p, len(a.Versions) == 0 || len(p.Versions) > 0
}
