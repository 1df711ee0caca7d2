package normalize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"

	"github.com/advdb/advdb/versioncmp"
)

// GLAD reads one file of GitLab's advisory database: YAML, one vulnerability
// of one package. Only the community edition (gitlab-org/advisories-community,
// MIT) may be copied; the full one (gemnasium-db) forbids it.
//
// IDs: GMS-… where that is the file's identifier; otherwise the identifier is
// another database's (mostly a CVE) and the record is GLAD-<identifier>, one
// record of all the packages that have a file with it. An identifier that is a
// mere date gets the package's slug in front, with ":" for "/". The file's
// other identifiers are aliases if there is at most one CVE and one GHSA among
// them, else related.
//
// affected_range is read by the grammar of the package's type; one version
// alone becomes an entry of versions. A range that cannot be read is reported.
// All that OSV has no member for stands in database_specific.
func GLAD(d Doc, emit func(*Record) error) error {
	root, err := readYAML(d.Body)
	if err != nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %w: no mapping", root.Line, ErrYAML)
	}
	e := yamlEncoder{times: map[string]bool{"date": true, "pubdate": true}}
	if err := e.append(root, false, 0); err != nil {
		return err
	}
	var f gladFile
	if err := json.Unmarshal(e.out, &f, decodeOptions); err != nil {
		return fmt.Errorf("as JSON: %w", placed(err))
	}
	if f.Identifier == "" {
		return ErrNoID
	}
	r, err := f.record(d)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Identifier, err)
	}
	return emit(r)
}

// gladFile is the file's schema (gemnasium-db, schema/schema.json).
type gladFile struct {
	Identifier       string         `json:"identifier"`
	Identifiers      []string       `json:"identifiers"`
	PackageSlug      string         `json:"package_slug"`
	Title            string         `json:"title"`
	Description      string         `json:"description"`
	Date             string         `json:"date"`
	PubDate          string         `json:"pubdate"`
	AffectedRange    string         `json:"affected_range"`
	FixedVersions    []string       `json:"fixed_versions"`
	AffectedVersions string         `json:"affected_versions"`
	NotImpacted      string         `json:"not_impacted"`
	Solution         string         `json:"solution"`
	URLs             []string       `json:"urls"`
	Credit           string         `json:"credit"`
	CVSS2            string         `json:"cvss_v2"`
	CVSS3            string         `json:"cvss_v3"`
	CVSS4            string         `json:"cvss_v4"`
	CWEs             []string       `json:"cwe_ids"`
	UUID             string         `json:"uuid"`
	Rest             jsontext.Value `json:",embed"` // versions, links and what comes later
}

func (f *gladFile) record(d Doc) (*Record, error) {
	r := &Record{
		ID:        f.id(),
		Summary:   f.Title,
		Details:   f.Description,
		Published: f.PubDate,
		Modified:  f.Date,
	}
	f.alias(r)
	for _, u := range f.URLs {
		r.References = append(r.References, Reference{Type: "WEB", URL: u})
	}
	if f.Credit != "" {
		r.Credits = []Credit{{Name: f.Credit}}
	}
	for _, s := range []Severity{{Type: "CVSS_V2", Score: f.CVSS2}, {Type: "CVSS_V3", Score: f.CVSS3}, {Type: "CVSS_V4", Score: f.CVSS4}} {
		if s.Score != "" {
			r.Severity = append(r.Severity, s)
		}
	}
	trimVectors(r.Severity)
	if len(f.CWEs) > 0 {
		if err := r.SetSpecific(map[string]any{"cwe_ids": set(slices.Clone(f.CWEs))}); err != nil {
			return nil, err
		}
	}
	a, err := f.affected(d, r.ID)
	r.Affected = []Affected{a}
	return r, err
}

func (f *gladFile) id() string {
	switch {
	case strings.HasPrefix(f.Identifier, "GMS-"):
		return f.Identifier
	case isDigitByte(f.Identifier[0]):
		return "GLAD-" + strings.ReplaceAll(f.PackageSlug, "/", ":") + ":" + f.Identifier
	}
	return "GLAD-" + f.Identifier
}

// alias sorts the file's identifiers into aliases and related.
func (f *gladFile) alias(r *Record) {
	var ids []string
	cves, ghsas := 0, 0
	for _, id := range append([]string{f.Identifier}, f.Identifiers...) {
		if id == "" || id == r.ID || isDigitByte(id[0]) || slices.Contains(ids, id) {
			continue
		}
		ids = append(ids, id)
		cves += boolInt(isCVE(id))
		ghsas += boolInt(strings.HasPrefix(id, "GHSA-"))
	}
	if cves <= 1 && ghsas <= 1 {
		r.Aliases = ids
	} else {
		r.Related = ids
	}
}

func (f *gladFile) affected(d Doc, id string) (Affected, error) {
	typ, name, ok := strings.Cut(f.PackageSlug, "/")
	p := gladPackage(typ, name)
	if !ok || p.Ecosystem == "" {
		return Affected{}, fmt.Errorf("package_slug: unknown type of package %q", f.PackageSlug)
	}
	a := Affected{Package: p}
	exact, err := f.readRange(typ, &a)
	if err != nil {
		d.report(Finding{Place: id, Rule: "bad-range", Message: err.Error()})
	}
	a.DatabaseSpecific, err = f.specific(exact)
	return a, err
}

// readRange fills a's ranges and versions; exact is false if a bound that the
// range excludes had to be included.
func (f *gladFile) readRange(typ string, a *Affected) (exact bool, err error) {
	spans, err := versioncmp.ParseRequirement("glad:"+typ, f.AffectedRange)
	if err != nil {
		return true, err
	}
	var wide []versioncmp.Span
	for _, s := range spans {
		if v, ok := s.Single(); ok {
			a.Versions = append(a.Versions, v)
		} else {
			wide = append(wide, s)
		}
	}
	ranges, exact := versioncmp.Events(versioncmp.For(a.Package.Ecosystem), wide)
	for _, events := range ranges {
		r := Range{Type: Ecosystem}
		for _, e := range events {
			r.Events = append(r.Events, eventOf(e))
		}
		a.Ranges = append(a.Ranges, r)
	}
	a.retypeSemver()
	return exact, nil
}

func eventOf(e versioncmp.Event) Event {
	switch e.Kind {
	case versioncmp.Introduced:
		return Event{Introduced: e.Version}
	case versioncmp.Fixed:
		return Event{Fixed: e.Version}
	case versioncmp.LastAffected:
		return Event{LastAffected: e.Version}
	}
	return Event{Limit: e.Version}
}

// specific returns what the file says of the package and OSV has no member
// for.
func (f *gladFile) specific(exact bool) (jsontext.Value, error) {
	return json.Marshal(struct {
		AffectedRange    string         `json:"affected_range,omitempty"`
		AffectedVersions string         `json:"affected_versions,omitempty"`
		FixedVersions    []string       `json:"fixed_versions,omitempty"`
		Inexact          bool           `json:"inexact,omitzero"`
		NotImpacted      string         `json:"not_impacted,omitempty"`
		PackageSlug      string         `json:"package_slug"`
		Solution         string         `json:"solution,omitempty"`
		UUID             string         `json:"uuid,omitempty"`
		Rest             jsontext.Value `json:",embed"`
	}{f.AffectedRange, f.AffectedVersions, f.FixedVersions, !exact, f.NotImpacted, f.PackageSlug, f.Solution, f.UUID, f.Rest},
		encodeOptions)
}
