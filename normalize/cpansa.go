package normalize

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/advdb/advdb/versioncmp"
)

// CPANSA reads one file of briandfoy/cpan-security-advisory: YAML, all
// advisories of one CPAN distribution. An element of affected_versions is
// comparisons that must all hold, and one of the elements must; ">0" is every
// version. An advisory without any says nothing of versions, and has no range.
// The same ID may stand there several times, with other versions.
//
// Source: https://github.com/briandfoy/cpan-security-advisory, README;
// cpansa_version 2.
func CPANSA(d Doc, emit func(*Record) error) error {
	var f cpanFile
	if err := decodeYAML(d, nil, nil, &f); err != nil {
		return err
	}
	if f.Distribution == "" {
		return fmt.Errorf("distribution: missing")
	}
	for i := range f.Advisories {
		a := &f.Advisories[i]
		if !strings.HasPrefix(a.ID, "CPANSA-") {
			d.report(Finding{Place: fmt.Sprintf("advisories/%d", i), Rule: "unusable-id", Message: fmt.Sprintf("%q", a.ID)})
			continue
		}
		r, err := a.record(d, f.Distribution)
		if err != nil {
			return fmt.Errorf("%s: %w", a.ID, err)
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

type cpanFile struct {
	Distribution string         `json:"distribution"`
	Advisories   []cpanAdvisory `json:"advisories"`
}

type cpanAdvisory struct {
	ID          string         `json:"id"`
	CVEs        textList       `json:"cves"`
	GHSAs       textList       `json:"github_security_advisory"`
	Description string         `json:"description"`
	Comment     string         `json:"comment"`
	Reported    string         `json:"reported"`
	Severity    string         `json:"severity"`
	Affected    textList       `json:"affected_versions"`
	Fixed       textList       `json:"fixed_versions"`
	References  textList       `json:"references"`
	Previous    textList       `json:"previous_id"`
	Embedded    jsontext.Value `json:"embedded_vulnerability"`
	External    jsontext.Value `json:"external_vulnerability"`
}

func (a *cpanAdvisory) record(d Doc, distribution string) (*Record, error) {
	r := &Record{ID: a.ID, Details: strings.TrimSpace(a.Description), Published: yamlTime(a.Reported), Related: set(a.Previous)}
	ids := set(append(a.CVEs, a.GHSAs...))
	if len(a.CVEs) <= 1 && len(a.GHSAs) <= 1 {
		r.Aliases = ids
	} else {
		r.Related = set(append(r.Related, ids...))
	}
	for _, u := range a.References {
		r.References = addReferences(r.References, []nvdReference{{URL: u}})
	}
	spans, err := anyOf("prose:CPAN", a.Affected)
	if err != nil {
		d.report(Finding{Place: a.ID, Rule: "bad-range", Message: err.Error()})
	}
	union, err := versioncmp.Union(versioncmp.For("CPAN"), spans)
	if err != nil {
		return nil, err
	}
	entry := Affected{Package: Package{Ecosystem: "CPAN", Name: distribution}}
	exact := entry.fill(union)
	entry.DatabaseSpecific, err = json.Marshal(struct {
		Affected []string `json:"affected_versions,omitempty"`
		Fixed    []string `json:"fixed_versions,omitempty"`
		Inexact  bool     `json:"inexact,omitzero"`
	}{a.Affected, a.Fixed, !exact}, encodeOptions)
	if err != nil {
		return nil, err
	}
	r.Affected = []Affected{entry}
	r.DatabaseSpecific, err = json.Marshal(struct {
		Comment  string         `json:"comment,omitempty"`
		Embedded jsontext.Value `json:"embedded_vulnerability,omitzero"`
		External jsontext.Value `json:"external_vulnerability,omitzero"`
		Severity string         `json:"severity,omitempty"`
	}{strings.TrimSpace(a.Comment), a.Embedded, a.External, a.Severity}, encodeOptions)
	return r, err
}
