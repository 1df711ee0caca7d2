package normalize

import (
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/advdb/advdb/versioncmp"
)

// FriendsOfPHP reads one file of FriendsOfPHP/security-advisories: YAML, one
// vulnerability of one Composer package. The ID is FOP- and the file's name
// without its suffix (a CVE, or the vendor's own number); a name that is a
// mere date gets the package in front, with ":" for "/". Files of one name are
// one record with several packages.
//
// A branch is what all of its constraints ask for, and what is affected is in
// one of the branches. Bounds are taken as they are written, those that only
// pad among them ("<2.0.99"). published is the earliest time at which a branch
// was fixed; a branch that was not has none.
//
// A package that is not in Packagist, for which the file names another
// repository, has that as the suffix of its ecosystem.
//
// Source: https://github.com/FriendsOfPHP/security-advisories, README.
func FriendsOfPHP(d Doc, emit func(*Record) error) error {
	var f phpFile
	if err := decodeYAML(d, nameSet("composer-repository"), nil, &f); err != nil {
		return err
	}
	name, ok := strings.CutPrefix(f.Reference, "composer://")
	id := strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name))
	if !ok || name == "" || id == "" {
		return ErrNoID
	}
	if isDigitByte(id[0]) {
		id = strings.ReplaceAll(name, "/", ":") + ":" + id
	}
	r := &Record{ID: "FOP-" + id, Summary: strings.TrimSpace(f.Title)}
	if cve := strings.TrimSpace(f.CVE); isCVE(cve) {
		r.Aliases = []string{cve}
	}
	r.References = addReferences(nil, []nvdReference{{URL: f.Link, Tags: []string{"vendor-advisory"}}})
	a := Affected{Package: Package{Ecosystem: f.ecosystem(), Name: name}}
	exact := a.fill(f.spans(func(err error) {
		d.report(Finding{Place: r.ID, Rule: "bad-range", Message: err.Error()})
	}))
	var err error
	if a.DatabaseSpecific, err = f.specific(r, exact); err != nil {
		return err
	}
	r.Affected = []Affected{a}
	return emit(r)
}

type phpFile struct {
	Title      string         `json:"title"`
	Link       string         `json:"link"`
	CVE        string         `json:"cve"`
	Reference  string         `json:"reference"`
	Repository jsontext.Value `json:"composer-repository"` // false, or a URL
	Branches   map[string]struct {
		Time     string   `json:"time"` // of the fix; UTC
		Versions textList `json:"versions"`
	} `json:"branches"`
}

func (f *phpFile) ecosystem() string {
	var url string
	if len(f.Repository) > 0 && json.Unmarshal(f.Repository, &url) == nil && url != "" && url != "https://repo.packagist.org" {
		return "Packagist:" + url
	}
	return "Packagist"
}

// spans returns what the branches say is affected; report is told of those
// that cannot be read.
func (f *phpFile) spans(report func(error)) []versioncmp.Span {
	var all []versioncmp.Span
	for _, b := range f.Branches {
		s, err := versioncmp.ParseRequirement("composer", strings.Join(b.Versions, ", "))
		if err != nil {
			report(err)
		}
		all = append(all, s...)
	}
	union, err := versioncmp.Union(versioncmp.For("Packagist"), all)
	if err != nil {
		report(err)
	}
	return union
}

// specific returns when branches were fixed, and whether Packagist has the
// package. It sets r's time.
func (f *phpFile) specific(r *Record, exact bool) (jsontext.Value, error) {
	fixed := map[string]string{}
	for name, b := range f.Branches {
		t := yamlTime(strings.TrimSpace(b.Time))
		if _, ok := parseTime(t); !ok {
			continue
		}
		fixed[name] = t
		r.Published = earlierTime(r.Published, t)
	}
	return json.Marshal(struct {
		Branches   map[string]string `json:"fixed_at,omitempty"` // branch → time
		Inexact    bool              `json:"inexact,omitzero"`
		Repository jsontext.Value    `json:"composer_repository,omitzero"`
	}{fixed, !exact, slices.Clone(f.Repository)}, encodeOptions, json.Deterministic(true))
}
