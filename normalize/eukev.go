package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EUKEV reads the list of exploited vulnerabilities of the EU's CSIRTs: a JSON
// array. Of it there are two copies in two shapes: lists in one are texts in
// the other. Each record has the CVE as its ID and nothing but
// DatabaseSpecific, an object with the members of [eukevFacts]. Dates are
// written 2026/08/17 and 17/08/26; "-" and "tbc" stand for what is not known.
//
// Source: https://github.com/enisaeu/CNW, eukev/schemas/v1/schema.json.
func EUKEV(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	seen := map[string]bool{}
	err = eachValue(dec, func(i int, v jsontext.Value) error {
		report := func(rule, message string) {
			d.report(Finding{Place: fmt.Sprint(i), Rule: rule, Message: message})
		}
		var e eukevEntry
		if err := json.Unmarshal(v, &e, decodeOptions); err != nil {
			report("unreadable-entry", placed(err).Error())
			return nil
		}
		id, ok := looseCVE(e.CVE)
		switch {
		case !ok:
			report("bad-id", fmt.Sprintf("%q is no CVE ID", e.CVE))
			return nil
		case seen[id]:
			report("duplicate", id)
			return nil
		}
		seen[id] = true
		facts, err := json.Marshal(e.facts(report), encodeOptions)
		if err != nil {
			return err
		}
		return emit(&Record{ID: id, DatabaseSpecific: facts})
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

type eukevEntry struct {
	CVE         string   `json:"cveID"`
	EUVD        string   `json:"euvdID"`
	Vendor      string   `json:"vendorProject"`
	Product     string   `json:"product"`
	Name        string   `json:"vulnerabilityName"`
	Reported    string   `json:"dateReported"`
	Patched     string   `json:"patchedSince"`
	Origin      string   `json:"originSource"`
	Description string   `json:"shortDescription"`
	Type        textList `json:"exploitationType"`
	Actors      textList `json:"threatActorsExploiting"`
	CWEs        textList `json:"cwes"`
	Notes       textList `json:"notes"`
}

// eukevFacts is what is kept of an entry. Dates are days, YYYY-MM-DD.
type eukevFacts struct {
	CWEs        []string `json:"cwes,omitempty"`
	Reported    string   `json:"date_reported,omitempty"`
	Description string   `json:"description,omitempty"`
	EUVD        string   `json:"euvd,omitempty"`
	Type        []string `json:"exploitation_type,omitempty"` // ransomware, APT…
	Name        string   `json:"name,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	Origin      string   `json:"origin,omitempty"`
	Patched     string   `json:"patched_since,omitempty"`
	Product     string   `json:"product,omitempty"`
	Actors      []string `json:"threat_actors,omitempty"`
	Vendor      string   `json:"vendor,omitempty"`
}

func (e *eukevEntry) facts(report func(rule, message string)) *eukevFacts {
	day := func(member, s string) string {
		if s = said(s); s == "" {
			return ""
		}
		for _, layout := range []string{"2006/01/02", time.DateOnly, "02/01/06"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.Format(time.DateOnly)
			}
		}
		report("bad-time", fmt.Sprintf("%s: %s: %q", e.CVE, member, s))
		return ""
	}
	return &eukevFacts{
		CWEs: saidList(e.CWEs, ","), Reported: day("dateReported", e.Reported), Description: said(e.Description),
		EUVD: said(e.EUVD), Type: saidList(e.Type, ","), Name: said(e.Name), Notes: saidList(e.Notes, "\n"),
		Origin: said(e.Origin), Patched: day("patchedSince", e.Patched), Product: said(e.Product),
		Actors: saidList(e.Actors, ","), Vendor: said(e.Vendor),
	}
}

// unsaid are what stands for what is not known.
var unsaid = nameSet("", "-", "tbc", "tbd", "n/a", "unknown")

// said returns s, "" where it says that nothing is known.
func said(s string) string {
	if s = strings.TrimSpace(s); isWord(unsaid, s) {
		return ""
	}
	return s
}

// saidList splits texts that are lists, and leaves out what says nothing.
func saidList(list textList, sep string) (out []string) {
	for _, text := range list {
		for part := range strings.SplitSeq(text, sep) {
			if part = said(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return set(out)
}
