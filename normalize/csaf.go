package normalize

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// A csafDocument is what is read of a CSAF 2.0 document, of any vendor. What
// a vendor makes of products is the vendor's file.
//
// Source: CSAF 2.0, https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html.
type csafDocument struct {
	Document struct {
		Severity struct {
			Text string `json:"text"`
		} `json:"aggregate_severity"`
		Category   string          `json:"category"`
		Version    string          `json:"csaf_version"`
		Notes      []csafNote      `json:"notes"`
		References []csafReference `json:"references"`
		Title      string          `json:"title"`
		Tracking   struct {
			Current string `json:"current_release_date"`
			ID      string `json:"id"`
			Initial string `json:"initial_release_date"`
			Status  string `json:"status"`
		} `json:"tracking"`
	} `json:"document"`
	Tree            csafProductTree     `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafReference struct {
	Category string `json:"category"` // self or external
	Summary  string `json:"summary"`
	URL      string `json:"url"`
}

type csafNote struct {
	Category string `json:"category"`
	Text     string `json:"text"`
	Title    string `json:"title"`
}

// csafVulnerability is one element of vulnerabilities[].
type csafVulnerability struct {
	Acknowledgments []struct {
		Names        []string `json:"names"`
		Organization string   `json:"organization"`
	} `json:"acknowledgments"`
	CVE string `json:"cve"`
	CWE struct {
		ID string `json:"id"`
	} `json:"cwe"`
	Notes        []csafNote          `json:"notes"`
	Status       map[string][]string `json:"product_status"`
	References   []csafReference     `json:"references"`
	Remediations []csafRemediation   `json:"remediations"`
	Scores       []csafScore         `json:"scores"`
	Threats      []csafThreat        `json:"threats"`
	Title        string              `json:"title"`
}

// csafRemediation is what the vendor does or advises for some products.
type csafRemediation struct {
	Category string   `json:"category"`
	Date     string   `json:"date"`
	Details  string   `json:"details"`
	Groups   []string `json:"group_ids"`
	Products []string `json:"product_ids"`
	URL      string   `json:"url"`
}

type csafThreat struct {
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Groups   []string `json:"group_ids"`
	Products []string `json:"product_ids"`
}

type csafScore struct {
	V2       csafVector `json:"cvss_v2"`
	V3       csafVector `json:"cvss_v3"`
	V4       csafVector `json:"cvss_v4"` // CSAF 2.1, seen early
	Products []string   `json:"products"`
}

type csafVector struct {
	Vector string `json:"vectorString"`
}

// readCSAF reads a whole document: they are one vulnerability or advisory
// each, of a few megabytes at most.
func readCSAF(d Doc) (*csafDocument, error) {
	data, err := readText(d.Body)
	if err != nil {
		return nil, err
	}
	doc := new(csafDocument)
	if err := json.Unmarshal(data, doc, decodeOptions); err != nil {
		return nil, placed(err)
	}
	if doc.Document.Tracking.ID == "" {
		return nil, fmt.Errorf("document/tracking/id: missing")
	}
	return doc, nil
}

// note returns the text of the first note of a category and, if one is given,
// a title.
func (v *csafVulnerability) note(category, title string) string {
	return noteOf(v.Notes, category, title)
}

func noteOf(notes []csafNote, category, title string) string {
	for i := range notes {
		if n := &notes[i]; n.Category == category && (title == "" || n.Title == title) {
			return n.Text
		}
	}
	return ""
}

// severity returns the vector of each CVSS version that is given for the most
// products; mixed says that products differ.
func (v *csafVulnerability) severity() (out []Severity, mixed bool) {
	for _, kind := range []struct {
		osv    string
		vector func(*csafScore) string
	}{
		{"CVSS_V4", func(s *csafScore) string { return s.V4.Vector }},
		{"CVSS_V3", func(s *csafScore) string { return s.V3.Vector }},
		{"CVSS_V2", func(s *csafScore) string { return s.V2.Vector }},
	} {
		votes := map[string]int{}
		best := ""
		for i := range v.Scores {
			vector := kind.vector(&v.Scores[i])
			if vector == "" {
				continue
			}
			votes[vector] += 1 + len(v.Scores[i].Products)
			if n := votes[vector]; best == "" || n > votes[best] || n == votes[best] && vector < best {
				best = vector
			}
		}
		mixed = mixed || len(votes) > 1
		if best != "" && (kind.osv != "CVSS_V2" || len(out) == 0) {
			out = append(out, Severity{Type: kind.osv, Score: best})
		}
	}
	return out, mixed
}
