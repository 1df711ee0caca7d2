package normalize

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A cveMetric is one element of metrics: one CVSS score, or something else.
type cveMetric struct {
	V40   cveScore `json:"cvssV4_0"`
	V31   cveScore `json:"cvssV3_1"`
	V30   cveScore `json:"cvssV3_0"`
	V20   cveScore `json:"cvssV2_0"`
	Other struct {
		Type    string         `json:"type"`
		Content jsontext.Value `json:"content"`
	} `json:"other"`
}

type cveScore struct {
	Vector string `json:"vectorString"`
}

// cveVersions are the members of a metric, the wanted first.
var cveVersions = []struct {
	osv, prefix string
	of          func(*cveMetric) string
}{
	{"CVSS_V4", "CVSS:4.", func(m *cveMetric) string { return m.V40.Vector }},
	{"CVSS_V3", "CVSS:3.1/", func(m *cveMetric) string { return m.V31.Vector }},
	{"CVSS_V3", "CVSS:3.0/", func(m *cveMetric) string { return m.V30.Vector }},
	{"CVSS_V2", "", func(m *cveMetric) string { return m.V20.Vector }},
}

// cveSeverity returns the scores of the first container that has any: one of
// each version of CVSS, version 2 only if there is no other.
func cveSeverity(containers []cveContainer) []Severity {
	for i := range containers {
		if s := containers[i].severity(); len(s) > 0 {
			return s
		}
	}
	return nil
}

func (k *cveContainer) severity() []Severity {
	var out []Severity
	for _, v := range cveVersions {
		if v.osv == "CVSS_V2" && len(out) > 0 || len(out) > 0 && out[len(out)-1].Type == v.osv {
			continue
		}
		for i := range k.Metrics {
			vector := strings.TrimRight(strings.TrimSpace(v.of(&k.Metrics[i])), "/")
			if vector != "" && strings.HasPrefix(vector, v.prefix) {
				out = append(out, Severity{Type: v.osv, Score: vector})
				break
			}
		}
	}
	return out
}

// SSVC reads one record of CISA's Vulnrichment for its decision points of the
// Stakeholder-Specific Vulnerability Categorization. The record has the CVE as
// its ID and nothing but DatabaseSpecific: {"automatable", "exploitation",
// "technical_impact", "timestamp", "version"}, words as CISA writes them, the
// last decision where there are several. A CVE without one is passed over.
//
// Source: https://github.com/cisagov/vulnrichment, https://certcc.github.io/SSVC/.
func SSVC(d Doc, emit func(*Record) error) error {
	c, err := readCVE(d)
	if err != nil {
		return err
	}
	var last *ssvcFacts
	for i := range c.Containers.ADP {
		k := &c.Containers.ADP[i]
		for j := range k.Metrics {
			m := &k.Metrics[j]
			if k.Provider.ShortName != cisaADP || m.Other.Type != "ssvc" {
				continue
			}
			f, err := readSSVC(m.Other.Content)
			if err != nil {
				d.report(Finding{Place: c.Meta.ID, Rule: "unreadable-entry", Message: err.Error()})
				continue
			}
			if last == nil || laterOrSame(f.Timestamp, last.Timestamp) {
				last = f
			}
		}
	}
	if last == nil {
		return nil
	}
	facts, err := json.Marshal(last, encodeOptions)
	if err != nil {
		return err
	}
	return emit(&Record{ID: c.Meta.ID, DatabaseSpecific: facts})
}

// ssvcFacts is one decision.
type ssvcFacts struct {
	Automatable     string `json:"automatable,omitempty"`      // yes, no
	Exploitation    string `json:"exploitation,omitempty"`     // none, poc, active
	TechnicalImpact string `json:"technical_impact,omitempty"` // partial, total
	Timestamp       string `json:"timestamp,omitempty"`
	Version         string `json:"version,omitempty"`
}

func readSSVC(content jsontext.Value) (*ssvcFacts, error) {
	var c struct {
		Options   []map[string]string `json:"options"`
		Timestamp string              `json:"timestamp"`
		Version   string              `json:"version"`
	}
	if err := json.Unmarshal(content, &c, decodeOptions); err != nil {
		return nil, placed(err)
	}
	f := &ssvcFacts{Timestamp: cveTime(c.Timestamp), Version: c.Version}
	for _, o := range c.Options {
		for name, value := range o {
			switch name {
			case "Automatable":
				f.Automatable = value
			case "Exploitation":
				f.Exploitation = value
			case "Technical Impact":
				f.TechnicalImpact = value
			}
		}
	}
	return f, nil
}
