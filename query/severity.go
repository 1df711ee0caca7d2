package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/advdb/advdb/normalize"
	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// A Rating is a severity in words, comparable. Words of vendors have none of
// their own: see VendorRating.
type Rating int

// Ratings, the mildest first.
const (
	Unrated Rating = iota
	None
	Low
	Medium
	High
	Critical
)

var ratingNames = [...]string{"unrated", "none", "low", "medium", "high", "critical"}

// String returns the rating in lower case, "unrated" for the zero Rating.
func (r Rating) String() string { return ratingNames[r] }

// MarshalText writes what String returns.
func (r Rating) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Rating) UnmarshalText(b []byte) error {
	got, ok := ParseRating(string(b))
	if !ok {
		return fmt.Errorf("rating %q", b)
	}
	*r = got
	return nil
}

// ParseRating reads one of the names of ratings, in any case.
func ParseRating(s string) (Rating, bool) {
	for i, n := range ratingNames {
		if strings.EqualFold(s, n) {
			return Rating(i), true
		}
	}
	return Unrated, false
}

// vendorWords are the words of vendors that are not ratings' names.
//
// Sources: Red Hat and Oracle severity ratings (Critical, Important, Moderate,
// Low), SUSE's likewise, GHSA's MODERATE, Ubuntu's priorities (negligible,
// untriaged), Debian's urgencies (unimportant), CPANSA's minor.
var vendorWords = map[string]Rating{
	"important": High, "moderate": Medium, "minor": Low, "negligible": Low, "unimportant": Low, "serious": High,
}

// VendorRating returns the rating that a vendor's word stands for, Unrated for
// a word that stands for none ("untriaged").
func VendorRating(word string) Rating {
	if r, ok := vendorWords[strings.ToLower(word)]; ok {
		return r
	}
	r, _ := ParseRating(word)
	return r
}

// A Severity is how bad a vulnerability is, by whose word.
type Severity struct {
	Rating Rating  `json:"rating"`
	Score  float64 `json:"score,omitzero"`   // CVSS, 0 to 10
	Vector string  `json:"vector,omitempty"` // of the score
	Type   string  `json:"type,omitempty"`   // CVSS_V2, CVSS_V3, CVSS_V4
	By     string  `json:"by,omitempty"`     // ID of the record that gives it
	Vendor string  `json:"vendor,omitempty"` // the vendor's own word
	Word   string  `json:"-"`                // ID of the record that has the word
}

var errCVSS = errors.New("CVSS vector")

// ScoreCVSS computes the score of a vector, and the rating of the score. The
// type is that of OSV, CVSS_V2, CVSS_V3 or CVSS_V4; a vector that names its
// version itself is read as that. Temporal, threat and environmental metrics
// that the vector has count.
//
// Source: CVSS v2 guide §3.2, v3.1 specification §5 and §7, v4.0 specification
// §6; v2 has no "none" and no "critical", and is rated as NVD does.
func ScoreCVSS(kind, vector string) (score float64, r Rating, err error) {
	vector = strings.TrimRight(strings.TrimSpace(vector), "/")
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return 0, Unrated, fmt.Errorf("%w %q: %w", errCVSS, vector, err)
		}
		score = v.Score()
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return 0, Unrated, fmt.Errorf("%w %q: %w", errCVSS, vector, err)
		}
		score = v.EnvironmentalScore()
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return 0, Unrated, fmt.Errorf("%w %q: %w", errCVSS, vector, err)
		}
		score = v.EnvironmentalScore()
	case kind == "CVSS_V2":
		v, err := gocvss20.ParseVector(strings.Trim(vector, "()"))
		if err != nil {
			return 0, Unrated, fmt.Errorf("%w %q: %w", errCVSS, vector, err)
		}
		score = v.EnvironmentalScore()
		return score, max(rateScore(score, false), Low), nil
	default:
		return 0, Unrated, fmt.Errorf("%w %q: no version", errCVSS, vector)
	}
	return score, rateScore(score, true), nil
}

// rateScore is the qualitative scale of CVSS v3.1 §5 and v4.0 §6, or without
// critical that of NVD for v2.
func rateScore(score float64, critical bool) Rating {
	switch {
	case critical && score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	}
	return None
}

// severityOf returns the best of a list: the newest version of CVSS, of
// several the highest score, and the word of a vendor. What cannot be read
// counts for nothing.
func severityOf(id string, list []normalize.Severity) Severity {
	var best Severity
	for _, s := range list {
		if !strings.HasPrefix(s.Type, "CVSS_") {
			if best.Vendor == "" {
				best.Vendor, best.Word = s.Score, id
			}
			continue
		}
		score, rating, err := ScoreCVSS(s.Type, s.Score)
		if err != nil {
			continue
		}
		if s.Type > best.Type || s.Type == best.Type && score > best.Score {
			best.Rating, best.Score, best.Vector, best.Type, best.By = rating, score, s.Score, s.Type, id
		}
	}
	return best
}

// or fills what s lacks with what t has. The rating stays the one of the
// score; without a score it is that of the vendor's word.
func (s Severity) or(t Severity) Severity {
	if s.Type == "" {
		s.Rating, s.Score, s.Vector, s.Type, s.By = t.Rating, t.Score, t.Vector, t.Type, t.By
	}
	if s.Vendor == "" {
		s.Vendor, s.Word = t.Vendor, t.Word
	}
	if s.Type == "" {
		s.Rating, s.By = VendorRating(s.Vendor), s.Word
	}
	return s
}
