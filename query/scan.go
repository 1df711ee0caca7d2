package query

import (
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A Match is a component that something affects, or of which it is unknown.
type Match struct {
	Component Component
	Findings  []Finding // affected and unknown, by ecosystem and ID
}

// A Gap is a component that could not be matched, and why: it is not clean.
type Gap struct {
	Component Component
	Reason    string
}

// A Scan is what a state says of the components of an SBOM.
type Scan struct {
	Components int
	Matches    []Match // in the order of the components
	Gaps       []Gap   // likewise
}

// ScanComponents matches components against a state.
func ScanComponents(db *store.DB, list []Component) (Scan, error) {
	s := Scan{Components: len(list)}
	for _, c := range list {
		q, gap := componentQuestion(c)
		if gap == "" {
			a, err := Package(db, q)
			if err != nil {
				return s, err
			}
			if a.Covered() {
				s.take(c, &a)
				continue
			}
			gap = "no data of " + q.Ecosystem + " is held"
		}
		s.Gaps = append(s.Gaps, Gap{c, gap})
	}
	return s, nil
}

// componentQuestion returns what to ask of a component, or why nothing can be.
func componentQuestion(c Component) (q Question, gap string) {
	if c.Purl == "" {
		return q, "no purl"
	}
	q, err := ParsePurl(c.Purl)
	if err != nil {
		return q, err.Error()
	}
	if q.Version == "" {
		q.Version = c.Version
	}
	if q.Version == "" {
		return q, "no version"
	}
	return q, ""
}

func (s *Scan) take(c Component, a *Answer) {
	var found []Finding
	for _, f := range a.Findings {
		if f.Verdict != versioncmp.NotAffected {
			found = append(found, f)
		}
	}
	if len(found) > 0 {
		s.Matches = append(s.Matches, Match{c, found})
	}
}
