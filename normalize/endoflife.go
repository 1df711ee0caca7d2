package normalize

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EndOfLifeDates reads endoflife.date's products/full: which releases of a product
// are supported, and until when. Each row has the ID product@release
// ("debian@12") and nothing but DatabaseSpecific, an object with the members
// of [eolFacts]. Dates are days, YYYY-MM-DD.
//
// What the feed works out from a date and the day on which it was made
// (isEol beside eolFrom, isMaintained) is left out: who reads knows the day.
// Where the feed has no date, "eol" says yes or no.
//
// Source: https://endoflife.date/docs/api/v1/, schema version 1.
func EndOfLifeDates(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := &eolFeed{doc: d, emit: emit, total: -1, ids: map[string]bool{}}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachMember(dec, func(name string) error {
		switch name {
		case "total":
			return json.UnmarshalDecode(dec, &p.total)
		case "result":
			p.seen = true
			return eachValue(dec, p.product)
		}
		return dec.SkipValue()
	})
	if err == nil {
		err = atEnd(dec)
	}
	switch {
	case err != nil:
		return err
	case !p.seen:
		return fmt.Errorf("result: missing")
	case p.total >= 0 && p.total != p.products:
		return fmt.Errorf("total: %d, but result holds %d", p.total, p.products)
	}
	return nil
}

type eolFeed struct {
	doc      Doc
	emit     func(*Record) error
	seen     bool
	total    int // as the feed says, -1 where it does not
	products int
	ids      map[string]bool
}

type eolProduct struct {
	Name        string       `json:"name"`
	Label       string       `json:"label"`
	Category    string       `json:"category"`
	Identifiers []eolNamed   `json:"identifiers"`
	Releases    []eolRelease `json:"releases"`
}

type eolNamed struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// eolRelease is a release as the feed has it. All dates may be null.
type eolRelease struct {
	Name             string         `json:"name"`
	Codename         string         `json:"codename"`
	Label            string         `json:"label"`
	Released         string         `json:"releaseDate"`
	LTS              bool           `json:"isLts"`
	LTSFrom          string         `json:"ltsFrom"`
	EOAS             *bool          `json:"isEoas"`
	EOASFrom         string         `json:"eoasFrom"`
	EOL              *bool          `json:"isEol"`
	EOLFrom          string         `json:"eolFrom"`
	EOES             *bool          `json:"isEoes"`
	EOESFrom         string         `json:"eoesFrom"`
	Discontinued     *bool          `json:"isDiscontinued"`
	DiscontinuedFrom string         `json:"discontinuedFrom"`
	Latest           *eolLatest     `json:"latest"`
	Custom           jsontext.Value `json:"custom"`
}

type eolLatest struct {
	Date string `json:"date,omitempty"`
	Link string `json:"link,omitempty"`
	Name string `json:"name"`
}

// eolFacts is what is kept of a release. Of each pair (eol, eol_from) the
// first is there only where the second is not.
type eolFacts struct {
	Category         string         `json:"category,omitempty"`
	Codename         string         `json:"codename,omitempty"`
	CPEs             []string       `json:"cpes,omitempty"` // of the product
	Custom           jsontext.Value `json:"custom,omitzero"`
	Discontinued     *bool          `json:"discontinued,omitempty"`
	DiscontinuedFrom string         `json:"discontinued_from,omitempty"`
	EOAS             *bool          `json:"eoas,omitempty"` // end of active support
	EOASFrom         string         `json:"eoas_from,omitempty"`
	EOES             *bool          `json:"eoes,omitempty"` // end of extended (paid) support
	EOESFrom         string         `json:"eoes_from,omitempty"`
	EOL              *bool          `json:"eol,omitempty"`
	EOLFrom          string         `json:"eol_from,omitempty"`
	Label            string         `json:"label,omitempty"`
	Latest           *eolLatest     `json:"latest,omitempty"`
	LTS              bool           `json:"lts,omitzero"`
	LTSFrom          string         `json:"lts_from,omitempty"`
	Product          string         `json:"product"` // its label
	Purls            []string       `json:"purls,omitempty"`
	Release          string         `json:"release"`
	Released         string         `json:"released,omitempty"`
}

func (p *eolFeed) product(i int, v jsontext.Value) error {
	p.products++
	var product eolProduct
	if err := json.Unmarshal(v, &product, decodeOptions); err != nil {
		p.doc.report(Finding{Place: fmt.Sprintf("result/%d", i), Rule: "unreadable-entry", Message: placed(err).Error()})
		return nil
	}
	for i := range product.Releases {
		r := &product.Releases[i]
		id := product.Name + "@" + r.Name
		switch {
		case product.Name == "" || r.Name == "" || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c == 0x7f }):
			p.doc.report(Finding{Place: id, Rule: "bad-id", Message: fmt.Sprintf("result/%d", i)})
			continue
		case p.ids[id]:
			p.doc.report(Finding{Place: id, Rule: "duplicate", Message: id})
			continue
		}
		p.ids[id] = true
		facts, err := json.Marshal(r.facts(&product), encodeOptions)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if facts, err = canonical(facts); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if err := p.emit(&Record{ID: id, DatabaseSpecific: facts}); err != nil {
			return err
		}
	}
	return nil
}

func (r *eolRelease) facts(p *eolProduct) *eolFacts {
	f := &eolFacts{
		Category: p.Category, Codename: r.Codename, Label: r.Label, Latest: r.Latest, LTS: r.LTS, LTSFrom: r.LTSFrom,
		Product: p.Label, Release: r.Name, Released: r.Released,
		EOASFrom: r.EOASFrom, EOESFrom: r.EOESFrom, EOLFrom: r.EOLFrom, DiscontinuedFrom: r.DiscontinuedFrom,
		EOAS: undated(r.EOAS, r.EOASFrom), EOES: undated(r.EOES, r.EOESFrom), EOL: undated(r.EOL, r.EOLFrom),
		Discontinued: undated(r.Discontinued, r.DiscontinuedFrom),
	}
	if len(r.Custom) > 0 && !bytes.Equal(r.Custom, []byte("null")) {
		f.Custom = r.Custom
	}
	for _, id := range p.Identifiers {
		switch id.Type {
		case "cpe":
			f.CPEs = addOnce(f.CPEs, id.ID)
		case "purl":
			f.Purls = addOnce(f.Purls, id.ID)
		}
	}
	return f
}

// undated returns what the feed says where it has no date for it.
func undated(says *bool, date string) *bool {
	if date != "" {
		return nil
	}
	return says
}
