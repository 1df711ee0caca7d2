package normalize

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/advdb/advdb/versioncmp"
)

// NodeWG reads one file of the Node.js Security Working Group's database, told
// apart by its folder: "npm" (a package of npm), "core" (Node.js itself) or
// "deps" (why Node.js is not affected by a CVE of what it bundles, a
// statement). The ID is NODE-, the folder and the file's number: NODE-NPM-145.
//
// Affected is what vulnerable has and patched has not, both requirements of
// npm: core writes "4.x" and patched "^4.9.0". The sentinels of npm need no
// rule: "<=99.999.99999" lies above all versions, and "<0.0.0" has none, so
// that nothing is patched. Scores may be numbers, texts or null.
//
// Source: https://github.com/nodejs/security-wg, vuln/.
func NodeWG(d Doc, emit func(*Record) error) error {
	data, err := readText(d.Body)
	if err != nil {
		return err
	}
	var f nodeFile
	if err := json.Unmarshal(data, &f, decodeOptions); err != nil {
		return placed(err)
	}
	folder, number := path.Base(path.Dir(d.Name)), strings.TrimSuffix(path.Base(d.Name), ".json")
	if !isNumber(number) {
		return ErrNoID
	}
	r := f.record("NODE-" + strings.ToUpper(folder) + "-" + number)
	switch folder {
	case "npm":
		err = f.affected(d, r, Package{Ecosystem: "npm", Name: f.Module}, f.VulnerableVersions, f.PatchedVersions)
	case "core":
		err = f.affected(d, r, Package{Ecosystem: "Node.js", Name: "node"}, f.Vulnerable, f.Patched)
	case "deps":
		r.Aliases, r.Upstream = nil, r.Aliases
		err = r.AddStatements(Statement{Status: NotAffected, Ecosystem: "Node.js", Package: "node", Detail: f.Reason})
	default:
		return fmt.Errorf("%w: %s", ErrUnknownDocument, d.Name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.ID, err)
	}
	return emit(r)
}

// nodeFile is all that the files of the three folders hold.
type nodeFile struct {
	Title              string         `json:"title"`
	Overview           string         `json:"overview"`
	Description        string         `json:"description"`
	Recommendation     string         `json:"recommendation"`
	Published          string         `json:"publish_date"`
	Updated            string         `json:"updated_at"`
	CVEs               textList       `json:"cves"`
	CVE                textList       `json:"cve"`
	Module             string         `json:"module_name"`
	VulnerableVersions string         `json:"vulnerable_versions"`
	PatchedVersions    string         `json:"patched_versions"`
	Vulnerable         string         `json:"vulnerable"`
	Patched            string         `json:"patched"`
	References         textList       `json:"references"`
	Ref                string         `json:"ref"`
	Vector             string         `json:"cvss_vector"`
	Score              jsontext.Value `json:"cvss_score"`
	CVSS               string         `json:"cvss"`
	Severity           string         `json:"severity"`
	Reason             string         `json:"reason"`
	Environments       []string       `json:"affectedEnvironments"`
}

func (f *nodeFile) record(id string) *Record {
	r := &Record{
		ID:        id,
		Summary:   f.Title,
		Details:   firstNonEmpty(f.Overview, f.Description),
		Published: yamlTime(f.Published),
		Modified:  yamlTime(f.Updated),
	}
	if f.Overview != "" {
		r.Summary = firstNonEmpty(f.Title, f.Description)
	}
	ids := set(append(f.CVEs, f.CVE...))
	if len(ids) <= 1 {
		r.Aliases = ids
	} else {
		r.Related = ids
	}
	for _, list := range append(f.References, f.Ref) {
		for u := range strings.FieldsSeq(list) {
			if strings.Contains(u, "://") {
				r.References = addReferences(r.References, []nvdReference{{URL: u}})
			}
		}
	}
	if v := strings.TrimRight(firstNonEmpty(f.Vector, f.CVSS), "/"); strings.HasPrefix(v, "CVSS:3.") {
		r.Severity = []Severity{{Type: "CVSS_V3", Score: v}}
	}
	return r
}

// affected adds the package, and what OSV has no member for.
func (f *nodeFile) affected(d Doc, r *Record, p Package, vulnerable, patched string) error {
	if p.Name == "" {
		return ErrNoID
	}
	a := Affected{Package: p}
	spans, err := versioncmp.ParseRequirement("npm", vulnerable)
	if err == nil && patched != "" {
		spans, err = without(spans, patched)
	}
	if err != nil {
		d.report(Finding{Place: r.ID, Rule: "bad-range", Message: err.Error()})
	}
	exact := a.fill(spans)
	a.DatabaseSpecific, err = json.Marshal(struct {
		Environments []string `json:"affected_environments,omitempty"`
		Inexact      bool     `json:"inexact,omitzero"`
		Patched      string   `json:"patched_versions,omitempty"`
		Vulnerable   string   `json:"vulnerable_versions,omitempty"`
	}{f.Environments, !exact, patched, vulnerable}, encodeOptions)
	if err != nil {
		return err
	}
	r.Affected = []Affected{a}
	r.DatabaseSpecific, err = json.Marshal(struct {
		Recommendation string         `json:"recommendation,omitempty"`
		Score          jsontext.Value `json:"cvss_score,omitzero"`
		Severity       string         `json:"severity,omitempty"`
	}{f.Recommendation, f.Score, f.Severity}, encodeOptions)
	return err
}

// without takes what meets the requirement out of spans. The error of a
// requirement that cannot be read comes with spans as they were.
func without(spans []versioncmp.Span, requirement string) ([]versioncmp.Span, error) {
	s := versioncmp.For("npm")
	rest, err := unsafe("npm", "npm", []string{requirement})
	if err != nil {
		return spans, err
	}
	return versioncmp.Intersect(s, spans, rest)
}
