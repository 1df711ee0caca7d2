package report

import (
	"slices"
	"strconv"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/advdb/advdb/query"
)

// references are the other IDs of a vulnerability, and the pages about all of
// them; at is that of its own.
func references(ids map[string]bool, at string) (refs *[]cyclonedx.VulnerabilityReference, pages *[]cyclonedx.Advisory) {
	var list []cyclonedx.VulnerabilityReference
	var urls []cyclonedx.Advisory
	if at != "" {
		urls = append(urls, cyclonedx.Advisory{URL: at})
	}
	sorted := make([]string, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	for _, id := range sorted {
		source, at := page(id)
		list = append(list, cyclonedx.VulnerabilityReference{ID: id, Source: &cyclonedx.Source{Name: source, URL: at}})
		if at != "" {
			urls = append(urls, cyclonedx.Advisory{Title: id, URL: at})
		}
	}
	if len(list) > 0 {
		refs = &list
	}
	if len(urls) > 0 {
		pages = &urls
	}
	return refs, pages
}

// ratings are the score with its method, and the word of the vendor.
func ratings(s query.Severity) *[]cyclonedx.VulnerabilityRating {
	var list []cyclonedx.VulnerabilityRating
	if s.Type != "" {
		source, at := page(s.By)
		list = append(list, cyclonedx.VulnerabilityRating{Source: &cyclonedx.Source{Name: source, URL: at},
			Score: &s.Score, Severity: severityWord(s.Rating), Method: method(s), Vector: s.Vector})
	}
	if s.Vendor != "" {
		source, at := page(s.Word)
		list = append(list, cyclonedx.VulnerabilityRating{Source: &cyclonedx.Source{Name: source, URL: at},
			Severity: severityWord(query.VendorRating(s.Vendor)), Method: cyclonedx.ScoringMethodOther, Justification: s.Vendor})
	}
	if list == nil {
		return nil
	}
	return &list
}

func method(s query.Severity) cyclonedx.ScoringMethod {
	switch {
	case strings.HasPrefix(s.Vector, "CVSS:4"):
		return cyclonedx.ScoringMethodCVSSv4
	case strings.HasPrefix(s.Vector, "CVSS:3.1"):
		return cyclonedx.ScoringMethodCVSSv31
	case strings.HasPrefix(s.Vector, "CVSS:3"):
		return cyclonedx.ScoringMethodCVSSv3
	}
	return cyclonedx.ScoringMethodCVSSv2
}

func severityWord(r query.Rating) cyclonedx.Severity {
	if r == query.Unrated {
		return cyclonedx.SeverityUnknown
	}
	return cyclonedx.Severity(r.String())
}

// weaknesses are the numbers of CWEs.
func weaknesses(list []string) *[]int {
	var numbers []int
	for _, cwe := range list {
		if n, err := strconv.Atoi(strings.TrimPrefix(cwe, "CWE-")); err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	if numbers == nil {
		return nil
	}
	return &numbers
}

// threat writes what is known of exploitation as properties.
func threat(t *query.Threat) *[]cyclonedx.Property {
	var list []cyclonedx.Property
	add := func(name, value string) {
		list = append(list, cyclonedx.Property{Name: "advdb:" + name, Value: value})
	}
	if t.EPSS > 0 {
		add("epss", strconv.FormatFloat(t.EPSS, 'f', -1, 64))
		add("epss-percentile", strconv.FormatFloat(t.Percentile, 'f', -1, 64))
	}
	for _, by := range t.Exploited {
		add("exploited", by)
	}
	for _, by := range t.Exploits {
		add("exploit", by)
	}
	if t.SSVC != nil {
		add("ssvc-exploitation", t.SSVC.Exploitation)
	}
	if list == nil {
		return nil
	}
	return &list
}

// justifications turns OpenVEX's justifications into CycloneDX's.
var justifications = map[string]cyclonedx.ImpactAnalysisJustification{
	"component_not_present":                             cyclonedx.IAJCodeNotPresent,
	"vulnerable_code_not_present":                       cyclonedx.IAJCodeNotPresent,
	"vulnerable_code_not_in_execute_path":               cyclonedx.IAJCodeNotReachable,
	"vulnerable_code_cannot_be_controlled_by_adversary": cyclonedx.IAJProtectedByMitigatingControl,
	"inline_mitigations_already_exist":                  cyclonedx.IAJProtectedByMitigatingControl,
}

// analysis is what a VEX document said, nil where none did.
func analysis(s *query.Suppression) *cyclonedx.VulnerabilityAnalysis {
	if s == nil {
		return nil
	}
	a := &cyclonedx.VulnerabilityAnalysis{State: cyclonedx.IASNotAffected, Detail: s.Text(), Justification: justifications[s.Justification]}
	switch s.Status {
	case "fixed":
		a.State = cyclonedx.IASResolved
	case "false_positive":
		a.State = cyclonedx.IASFalsePositive
	}
	return a
}
