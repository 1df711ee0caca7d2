package normalize

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// nvdScore is one CVSS score of one source, as database_specific.nvd.cvss
// keeps it.
type nvdScore struct {
	Kind   string  `json:"kind,omitempty"` // Primary or Secondary
	Score  float64 `json:"score"`
	Source string  `json:"source,omitempty"`
	Type   string  `json:"type"` // OSV's: CVSS_V2, CVSS_V3, CVSS_V4
	Vector string  `json:"vector"`
}

// nvdFamilies are the members of metrics that hold CVSS, the newest version
// first.
var nvdFamilies = []struct{ member, osv, prefix string }{
	{"cvssMetricV40", "CVSS_V4", "CVSS:4."},
	{"cvssMetricV31", "CVSS_V3", "CVSS:3.1/"},
	{"cvssMetricV30", "CVSS_V3", "CVSS:3.0/"},
	{"cvssMetricV2", "CVSS_V2", ""},
}

// nvdMetric is one element of a family.
type nvdMetric struct {
	Source string `json:"source"`
	Type   string `json:"type"`
	Data   struct {
		Vector string  `json:"vectorString"`
		Score  float64 `json:"baseScore"`
	} `json:"cvssData"`
}

// scores returns the CVSS scores, the newest version first and Primary before
// Secondary, and the members of metrics that hold something else.
func (c *nvdCVE) scores() (scores []nvdScore, others map[string]jsontext.Value) {
	others = map[string]jsontext.Value{}
	for name, v := range c.Metrics {
		if !isEmptyJSON(v) {
			others[name] = v
		}
	}
	for _, f := range nvdFamilies {
		var metrics []nvdMetric
		v, ok := others[f.member]
		if !ok || json.Unmarshal(v, &metrics, decodeOptions) != nil {
			continue
		}
		start, whole := len(scores), true
		for _, m := range metrics {
			vector := strings.TrimRight(m.Data.Vector, "/")
			if vector == "" || !strings.HasPrefix(vector, f.prefix) {
				whole = false
				continue
			}
			scores = append(scores, nvdScore{Kind: m.Type, Score: m.Data.Score, Source: m.Source, Type: f.osv, Vector: vector})
		}
		slices.SortStableFunc(scores[start:], func(a, b nvdScore) int {
			return boolInt(b.Kind == "Primary") - boolInt(a.Kind == "Primary")
		})
		if whole {
			delete(others, f.member)
		}
	}
	return scores, others
}

// severities picks the first score of each version; CVSS 2 only where there
// is no other.
func severities(scores []nvdScore) []Severity {
	var out []Severity
	for _, s := range scores {
		taken := slices.ContainsFunc(out, func(o Severity) bool { return o.Type == s.Type })
		if taken || s.Type == "CVSS_V2" && len(out) > 0 {
			continue
		}
		out = append(out, Severity{Type: s.Type, Score: s.Vector})
	}
	return out
}
