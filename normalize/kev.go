package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// KEV reads CISA's catalog of known exploited vulnerabilities. Each record
// has the CVE as its ID and nothing but DatabaseSpecific, an object with the
// members of [kevFacts] and those of the catalog that are not known here.
//
// Source: https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json.
func KEV(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := &kevCatalog{doc: d, emit: emit, dec: jsontext.NewDecoder(body, decodeOptions), count: -1, ids: map[string]bool{}}
	if err := eachMember(p.dec, p.member); err != nil {
		return err
	}
	if err := atEnd(p.dec); err != nil {
		return err
	}
	switch {
	case !p.seen:
		return fmt.Errorf("vulnerabilities: missing")
	case p.count >= 0 && p.count != p.entries:
		return fmt.Errorf("count: %d, but vulnerabilities holds %d", p.count, p.entries)
	}
	return nil
}

type kevCatalog struct {
	doc     Doc
	emit    func(*Record) error
	dec     *jsontext.Decoder
	seen    bool
	count   int // as the catalog says, -1 where it does not
	entries int
	ids     map[string]bool
}

func (p *kevCatalog) member(name string) error {
	switch name {
	case "count":
		return json.UnmarshalDecode(p.dec, &p.count)
	case "vulnerabilities":
		p.seen = true
		return p.vulnerabilities()
	}
	return p.dec.SkipValue()
}

func (p *kevCatalog) vulnerabilities() error {
	if p.dec.PeekKind() != '[' {
		return wrongKind(p.dec, "array")
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for p.dec.PeekKind() != ']' {
		v, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		p.entries++
		if err := p.entry(v); err != nil {
			return err
		}
	}
	_, err := p.dec.ReadToken()
	return err
}

func (p *kevCatalog) entry(v jsontext.Value) error {
	place := fmt.Sprintf("vulnerabilities/%d", p.entries-1)
	report := func(rule, message string) { p.doc.report(Finding{Place: place, Rule: rule, Message: message}) }
	var e kevEntry
	if err := json.Unmarshal(v, &e, decodeOptions); err != nil {
		report("unreadable-entry", placed(err).Error())
		return nil
	}
	e.ID = strings.TrimSpace(e.ID)
	switch {
	case !isCVE(e.ID):
		report("bad-id", fmt.Sprintf("%q is no CVE ID", e.ID))
		return nil
	case p.ids[e.ID]:
		report("duplicate", e.ID)
		return nil
	}
	p.ids[e.ID], place = true, e.ID
	facts, err := json.Marshal(e.facts(report), encodeOptions)
	if err == nil && len(e.Rest) > 0 {
		facts, err = canonical(facts)
	}
	if err != nil {
		report("unreadable-entry", err.Error())
		return nil
	}
	return p.emit(&Record{ID: e.ID, DatabaseSpecific: facts})
}

// kevEntry is one vulnerability of the catalog.
type kevEntry struct {
	ID          string                    `json:"cveID"`
	Vendor      string                    `json:"vendorProject"`
	Product     string                    `json:"product"`
	Name        string                    `json:"vulnerabilityName"`
	Added       string                    `json:"dateAdded"`
	Description string                    `json:"shortDescription"`
	Action      string                    `json:"requiredAction"`
	Due         string                    `json:"dueDate"`
	Ransomware  string                    `json:"knownRansomwareCampaignUse"`
	Notes       string                    `json:"notes"`
	CWEs        []string                  `json:"cwes"`
	Rest        map[string]jsontext.Value `json:",embed"`
}

// kevFacts is what is kept of an entry. Dates are days, YYYY-MM-DD.
type kevFacts struct {
	CWEs        []string                  `json:"cwes,omitempty"`
	Added       string                    `json:"date_added,omitempty"`
	Description string                    `json:"description,omitempty"`
	Due         string                    `json:"due_date,omitempty"`
	Name        string                    `json:"name,omitempty"`
	Notes       []string                  `json:"notes,omitempty"` // the catalog's list, split at " ; "
	Product     string                    `json:"product,omitempty"`
	Ransomware  bool                      `json:"ransomware"` // known to be used in ransomware campaigns
	Action      string                    `json:"required_action,omitempty"`
	Vendor      string                    `json:"vendor,omitempty"`
	Rest        map[string]jsontext.Value `json:",embed"`
}

func (e *kevEntry) facts(report func(rule, message string)) *kevFacts {
	day := func(member, s string) string {
		s = strings.TrimSpace(s)
		if _, err := time.Parse(time.DateOnly, s); err != nil && s != "" {
			report("bad-time", fmt.Sprintf("%s: %q", member, s))
			return ""
		}
		return s
	}
	switch e.Ransomware {
	case "Known", "Unknown", "":
	default:
		report("unknown-word", fmt.Sprintf("knownRansomwareCampaignUse: %q", e.Ransomware))
	}
	var notes []string
	for note := range strings.SplitSeq(e.Notes, " ; ") {
		if note = strings.TrimSpace(note); note != "" {
			notes = append(notes, note)
		}
	}
	return &kevFacts{
		CWEs: set(e.CWEs), Added: day("dateAdded", e.Added), Description: strings.TrimSpace(e.Description),
		Due: day("dueDate", e.Due), Name: e.Name, Notes: notes, Product: e.Product,
		Ransomware: e.Ransomware == "Known", Action: strings.TrimSpace(e.Action), Vendor: e.Vendor, Rest: e.Rest,
	}
}
