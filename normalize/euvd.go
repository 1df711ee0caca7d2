package normalize

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EUVD reads a page of ENISA's vulnerability database, {"items", "total"}.
// Each record has a CVE as its ID and nothing but DatabaseSpecific: {"euvd":
// [{"assigner", "exploited_since", "id", "published", "updated", "vector"}]},
// the entries that name the CVE among their aliases; entries that name none
// are passed over. What an entry repeats of the CVE List is left out.
//
// Dates are written "Aug 7, 2025, 7:05:08 PM", in UTC; lists are texts with a
// line an element and a line end behind the last.
//
// Source: https://euvd.enisa.europa.eu/apidoc.
func EUVD(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	rows := exploitRows[euvdFacts]{}
	seen := false
	err = eachMember(dec, func(name string) error {
		if name != "items" {
			return dec.SkipValue()
		}
		seen = true
		return eachValue(dec, func(i int, v jsontext.Value) error {
			var e euvdEntry
			if err := json.Unmarshal(v, &e, decodeOptions); err != nil || e.ID == "" {
				d.report(Finding{Place: fmt.Sprintf("items/%d", i), Rule: "unreadable-entry", Message: fmt.Sprint(placedOrNil(err))})
				return nil
			}
			rows.add(looseCVEs(strings.Split(e.Aliases, "\n")), e.facts(func(rule, message string) {
				d.report(Finding{Place: e.ID, Rule: rule, Message: message})
			}))
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := atEnd(dec); err != nil {
		return err
	}
	if !seen {
		return fmt.Errorf("items: missing")
	}
	return rows.emit("euvd", emit)
}

func placedOrNil(err error) error {
	if err == nil {
		return ErrNoID
	}
	return placed(err)
}

type euvdEntry struct {
	ID        string `json:"id"`
	Aliases   string `json:"aliases"`
	Assigner  string `json:"assigner"`
	Published string `json:"datePublished"`
	Updated   string `json:"dateUpdated"`
	Exploited string `json:"exploitedSince"`
	Vector    string `json:"baseScoreVector"`
}

// euvdFacts is one entry. Times are RFC 3339.
type euvdFacts struct {
	Assigner  string `json:"assigner,omitempty"`
	Exploited string `json:"exploited_since,omitempty"`
	ID        string `json:"id"`
	Published string `json:"published,omitempty"`
	Updated   string `json:"updated,omitempty"`
	Vector    string `json:"vector,omitempty"` // CVSS
}

func (e *euvdEntry) facts(report func(rule, message string)) euvdFacts {
	at := func(member, s string) string {
		s = strings.ReplaceAll(strings.TrimSpace(s), "\u202f", " ")
		if s == "" {
			return ""
		}
		t, err := time.Parse("Jan 2, 2006, 3:04:05 PM", s)
		if err != nil {
			report("bad-time", fmt.Sprintf("%s: %q", member, s))
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return euvdFacts{
		Assigner: e.Assigner, Exploited: at("exploitedSince", e.Exploited), ID: e.ID,
		Published: at("datePublished", e.Published), Updated: at("dateUpdated", e.Updated), Vector: strings.TrimSpace(e.Vector),
	}
}
