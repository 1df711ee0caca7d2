package watch

import (
	"slices"

	"github.com/advdb/advdb/query"
)

// A Finding is what is told of a vulnerability of a component.
type Finding struct {
	Vulnerability string       `json:"vulnerability"`
	Verdict       string       `json:"verdict"`
	Records       []string     `json:"records"`
	Severity      query.Rating `json:"severity"`
	Score         float64      `json:"score,omitzero"`
	Fixed         []string     `json:"fixed,omitempty"`
	Exploited     []string     `json:"exploited,omitempty"` // lists that say it is exploited
	Exploits      []string     `json:"exploits,omitempty"`
	Likely        bool         `json:"likely"` // its EPSS reaches the limit
	Summary       string       `json:"summary,omitempty"`
}

// Kinds of events.
const (
	New     = "new"     // a vulnerability that was not found before
	Changed = "changed" // something else is said of it
	Gone    = "gone"    // it is not found any more
)

// An Event is what became of one finding.
type Event struct {
	ID        string          `json:"id"`   // unique in an inventory; later ones sort behind
	Time      string          `json:"time"` // RFC 3339
	Kind      string          `json:"kind"`
	SBOM      string          `json:"sbom"`
	Component query.Component `json:"component"`
	Finding   Finding         `json:"finding"` // of one that is gone what was last said
	Before    *Finding        `json:"before,omitempty"`
	Fields    []string        `json:"fields,omitempty"` // what changed
	State     uint64          `json:"state"`            // number of the database's state
}

// newFinding tells a vulnerability; limit is the EPSS from which it is likely
// to be exploited.
func newFinding(v *query.Vulnerability, limit float64) Finding {
	records := v.Records()
	slices.Sort(records)
	return Finding{Vulnerability: v.ID, Verdict: v.Verdict.String(), Records: records, Severity: v.Severity.Rating, Score: v.Severity.Score,
		Fixed: v.Fixed, Exploited: v.Threat.Exploited, Exploits: v.Threat.Exploits, Likely: v.Threat.EPSS >= limit, Summary: v.Summary}
}

// differences names the fields in which two tellings of one vulnerability
// differ. That a further record speaks of it, or in other words, is none.
func differences(a, b *Finding) (fields []string) {
	for _, f := range []struct {
		name string
		same bool
	}{
		{"verdict", a.Verdict == b.Verdict},
		{"severity", a.Severity == b.Severity},
		{"fixed", slices.Equal(a.Fixed, b.Fixed)},
		{"exploited", slices.Equal(a.Exploited, b.Exploited)},
		{"exploits", slices.Equal(a.Exploits, b.Exploits)},
		{"likely", a.Likely == b.Likely},
	} {
		if !f.same {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// compare tells what became of the findings of a component.
func compare(before, now []Finding, tell func(kind string, f Finding, before *Finding, fields []string)) {
	old := map[string]*Finding{}
	for i := range before {
		old[before[i].Vulnerability] = &before[i]
	}
	for _, f := range now {
		was := old[f.Vulnerability]
		delete(old, f.Vulnerability)
		if was == nil {
			tell(New, f, nil, nil)
		} else if fields := differences(was, &f); len(fields) > 0 {
			tell(Changed, f, was, fields)
		}
	}
	for i := range before {
		if old[before[i].Vulnerability] != nil {
			tell(Gone, before[i], nil, nil)
		}
	}
}
