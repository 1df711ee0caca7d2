package cpe

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/advdb/advdb/versioncmp"
)

// Configurations is the member "configurations" of an NVD record: the record
// applies where one of them holds.
//
// Source: NVD API 2.0, https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema.
type Configurations []Configuration

// A Configuration joins its nodes by Operator: AND, or OR where it is absent.
type Configuration struct {
	Operator string `json:"operator"`
	Negate   bool   `json:"negate"`
	Nodes    []Node `json:"nodes"`
}

// A Node joins its criteria by Operator.
type Node struct {
	Operator string      `json:"operator"`
	Negate   bool        `json:"negate"`
	CPEMatch []Criterion `json:"cpeMatch"`
}

// A Criterion is one cpeMatch: the names that Criteria stands for, within
// bounds on the version. One that is not Vulnerable is a platform on which a
// vulnerable one of the same configuration runs.
type Criterion struct {
	Vulnerable            bool   `json:"vulnerable"`
	Criteria              string `json:"criteria"`
	MatchCriteriaID       string `json:"matchCriteriaId"`
	VersionStartIncluding string `json:"versionStartIncluding"`
	VersionStartExcluding string `json:"versionStartExcluding"`
	VersionEndIncluding   string `json:"versionEndIncluding"`
	VersionEndExcluding   string `json:"versionEndExcluding"`

	name   Name
	broken error   // Criteria is no CPE
	bounds []limit // in the order of the members above
}

// A limit is one bound on the version, parsed.
type limit struct {
	version versioncmp.Version
	ordered bool // version could be parsed
	start   bool
	include bool
}

// Decode reads configurations as NVD serves them. Members it does not know
// are skipped; a criterion that is no CPE is kept, see [Answer].
func Decode(data []byte) (Configurations, error) {
	var c Configurations
	err := json.Unmarshal(data, &c, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		return nil, fmt.Errorf("configurations: %w", err)
	}
	for m := range c.criteria {
		m.prepare()
	}
	return c, nil
}

func (m *Criterion) prepare() {
	m.name, m.broken = Parse(m.Criteria)
	add := func(s string, start, include bool) {
		if s = bound(s); s == "" || s == "*" {
			return
		}
		v, ok := order(s)
		m.bounds = append(m.bounds, limit{v, ok, start, include})
	}
	add(m.VersionStartIncluding, true, true)
	add(m.VersionStartExcluding, true, false)
	add(m.VersionEndIncluding, false, true)
	add(m.VersionEndExcluding, false, false)
}

// criteria yields every criterion in c.
func (c Configurations) criteria(yield func(*Criterion) bool) {
	for i := range c {
		for j := range c[i].Nodes {
			matches := c[i].Nodes[j].CPEMatch
			for k := range matches {
				if !yield(&matches[k]) {
					return
				}
			}
		}
	}
}

// Products returns the keys "part:vendor:product" that c names, vulnerable
// and platform alike, sorted, each once. A key may hold unquoted wildcards;
// an index must look for such keys beside the exact ones.
func Products(c Configurations) []string {
	var keys []string
	for m := range c.criteria {
		if m.broken == nil {
			keys = append(keys, m.name.Key())
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Broken returns the criteria in c that are no CPE names, as they stand.
func Broken(c Configurations) []string {
	var bad []string
	for m := range c.criteria {
		if m.broken != nil {
			bad = append(bad, m.Criteria)
		}
	}
	return bad
}
