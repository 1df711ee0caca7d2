package normalize

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Metasploit reads modules_metadata_base.json: an object of modules by name.
// Each record has a CVE as its ID and nothing but DatabaseSpecific: {"modules":
// [{"disclosed", "modified", "module", "name", "rank", "type"}]}. Modules
// without a CVE among their references are passed over.
//
// Source: https://github.com/rapid7/metasploit-framework, db/modules_metadata_base.json.
func Metasploit(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	rows := exploitRows[moduleEntry]{}
	err = eachMember(dec, func(name string) error {
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		var m moduleFile
		if err := json.Unmarshal(v, &m, decodeOptions); err != nil {
			d.report(Finding{Place: name, Rule: "unreadable-entry", Message: placed(err).Error()})
			return nil
		}
		rows.add(looseCVEs(m.References), m.entry(name))
		return nil
	})
	if err != nil {
		return err
	}
	if err := atEnd(dec); err != nil {
		return err
	}
	for _, list := range rows {
		slices.SortFunc(list, func(a, b moduleEntry) int { return cmp.Compare(a.Module, b.Module) })
	}
	return rows.emit("modules", emit)
}

type moduleFile struct {
	Name       string   `json:"name"`
	FullName   string   `json:"fullname"`
	Rank       int      `json:"rank"`
	Disclosed  string   `json:"disclosure_date"` // YYYY-MM-DD, may be null
	Type       string   `json:"type"`
	References []string `json:"references"`
	Modified   string   `json:"mod_time"`
}

// moduleEntry is one module; Rank is 0 (manual) to 600 (excellent).
type moduleEntry struct {
	Disclosed string `json:"disclosed,omitempty"`
	Modified  string `json:"modified,omitempty"`
	Module    string `json:"module"`
	Name      string `json:"name,omitempty"`
	Rank      int    `json:"rank"`
	Type      string `json:"type,omitempty"`
}

func (m *moduleFile) entry(key string) moduleEntry {
	e := moduleEntry{Disclosed: m.Disclosed, Module: firstNonEmpty(m.FullName, key), Name: m.Name, Rank: m.Rank, Type: m.Type}
	if t, err := time.Parse("2006-01-02 15:04:05 -0700", m.Modified); err == nil {
		e.Modified = t.UTC().Format(time.RFC3339)
	}
	return e
}
