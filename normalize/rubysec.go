package normalize

import (
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// RubySec reads one file of ruby-advisory-db: YAML, one vulnerability of one
// gem ("gems/…") or of one implementation of Ruby ("rubies/…"). The ID is
// RUBYSEC- and the file's name without its suffix: a CVE, a GHSA or an OSVDB
// number; files of one name are one record with several packages. CVE and
// GHSA, which the file writes without their prefix, are aliases.
//
// The file lists what is safe: patched_versions and unaffected_versions, as
// requirements of RubyGems. Affected is what is in none of them: "> 0.16.0"
// for patched leaves 0.16.0 affected, unaffected may lie below, above or
// between, and neither means every version. CVSS is a number without a vector,
// which OSV cannot carry: it stands in database_specific.cvss.
//
// Source: https://github.com/rubysec/ruby-advisory-db, README.
func RubySec(d Doc, emit func(*Record) error) error {
	var f rubyFile
	err := decodeYAML(d, nameSet("cvss_v2", "cvss_v3", "cvss_v4"), nameSet("date"), &f)
	if err != nil {
		return err
	}
	p := f.pkg()
	id := strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name))
	if p.Name == "" || id == "" {
		return ErrNoID
	}
	r := &Record{
		ID:        "RUBYSEC-" + id,
		Published: f.published(),
		Summary:   f.Title,
		Details:   strings.TrimSpace(f.Description),
		Aliases:   prefixedIDs(textList{f.CVE}, textList{f.GHSA}),
		Related:   prefixedIDs(f.Related.CVE, f.Related.GHSA),
	}
	r.References = addReferences(nil, []nvdReference{{URL: f.URL, Tags: []string{"vendor-advisory"}}})
	for _, u := range f.Related.URL {
		r.References = addReferences(r.References, []nvdReference{{URL: u}})
	}
	a := Affected{Package: p}
	spans, err := unsafe("gem", p.Ecosystem, append(f.Patched, f.Unaffected...))
	if err != nil {
		d.report(Finding{Place: r.ID, Rule: "bad-range", Message: err.Error()})
	}
	exact := a.fill(spans)
	if a.DatabaseSpecific, err = f.affectedSpecific(exact); err != nil {
		return err
	}
	r.Affected = []Affected{a}
	if r.DatabaseSpecific, err = f.specific(); err != nil {
		return err
	}
	return emit(r)
}

// rubyFile is the file's schema (spec/schemas of ruby-advisory-db).
type rubyFile struct {
	Gem         string         `json:"gem"`
	Engine      string         `json:"engine"`
	Framework   string         `json:"framework"`
	Library     string         `json:"library"`
	Platform    string         `json:"platform"`
	CVE         string         `json:"cve"`
	GHSA        string         `json:"ghsa"`
	OSVDB       string         `json:"osvdb"`
	URL         string         `json:"url"`
	Title       string         `json:"title"`
	Date        string         `json:"date"`
	Description string         `json:"description"`
	Notes       string         `json:"notes"`
	CVSS2       jsontext.Value `json:"cvss_v2"`
	CVSS3       jsontext.Value `json:"cvss_v3"`
	CVSS4       jsontext.Value `json:"cvss_v4"`
	Patched     textList       `json:"patched_versions"`
	Unaffected  textList       `json:"unaffected_versions"`
	Related     struct {
		CVE  textList `json:"cve"`
		GHSA textList `json:"ghsa"`
		URL  textList `json:"url"`
	} `json:"related"`
}

// published returns the date as RFC 3339; a day is written "2026-06-3" too.
func (f *rubyFile) published() string {
	if t, err := time.Parse("2006-1-2", f.Date); err == nil {
		return t.Format(time.RFC3339)
	}
	return f.Date
}

func (f *rubyFile) pkg() Package {
	if f.Gem != "" {
		return Package{Ecosystem: "RubyGems", Name: f.Gem, Purl: "pkg:gem/" + f.Gem}
	}
	return Package{Ecosystem: "Ruby", Name: f.Engine}
}

// prefixedIDs returns IDs that are written without their prefix.
func prefixedIDs(cves, ghsas textList) (ids []string) {
	for _, s := range cves {
		if s = strings.TrimSpace(s); s != "" {
			ids = append(ids, "CVE-"+strings.TrimPrefix(s, "CVE-"))
		}
	}
	for _, s := range ghsas {
		if s = strings.TrimSpace(s); s != "" {
			ids = append(ids, "GHSA-"+strings.TrimPrefix(s, "GHSA-"))
		}
	}
	return set(ids)
}

// affectedSpecific returns what is said of one package and OSV has no member
// for.
func (f *rubyFile) affectedSpecific(exact bool) (jsontext.Value, error) {
	return json.Marshal(struct {
		Framework  string   `json:"framework,omitempty"`
		Inexact    bool     `json:"inexact,omitzero"`
		Library    string   `json:"library,omitempty"`
		Patched    []string `json:"patched_versions,omitempty"`
		Platform   string   `json:"platform,omitempty"`
		Unaffected []string `json:"unaffected_versions,omitempty"`
	}{f.Framework, !exact, f.Library, f.Patched, f.Platform, f.Unaffected}, encodeOptions)
}

func (f *rubyFile) specific() (jsontext.Value, error) {
	type scores struct {
		V2 jsontext.Value `json:"v2,omitzero"`
		V3 jsontext.Value `json:"v3,omitzero"`
		V4 jsontext.Value `json:"v4,omitzero"`
	}
	return json.Marshal(struct {
		CVSS  scores `json:"cvss,omitzero"`
		Notes string `json:"notes,omitempty"`
		OSVDB string `json:"osvdb,omitempty"`
	}{scores{numeric(f.CVSS2), numeric(f.CVSS3), numeric(f.CVSS4)}, strings.TrimSpace(f.Notes), f.OSVDB}, encodeOptions)
}

// numeric returns v if it is a number.
func numeric(v jsontext.Value) jsontext.Value {
	if len(v) == 0 || v.Kind() != '0' {
		return nil
	}
	return v
}
