package normalize

import (
	"fmt"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var photonDocument = lazyregexp.New(`cve_data_photon([0-9.]+|dev)\.json$`)

// PhotonCVE reads VMware's cve_data_photon5.0.json: a list of one CVE of one
// package each, {cve_id, pkg, cve_score, aff_ver, res_ver, status}.
//
// Each CVE becomes PHOTON-CVE-2023-38545. A res_ver is where the package is
// fixed; "NA" says that none is, of which status tells two kinds: "Not
// Affected" is a statement, and "Fixed" without a version says nothing that
// could be matched and is reported. IDs of Black Duck (BDSA-2025-0719) are
// taken; words that are no ID (UNK-1, Re) are not. The release is the
// document's; "dev" is none.
//
// A score is a number without a vector, highest of the packages':
// database_specific.cvss_score.
func PhotonCVE(d Doc, emit func(*Record) error) error {
	m := photonDocument.FindStringSubmatch(d.Name)
	if m == nil {
		return fmt.Errorf("%s: %w", d.Name, ErrUnknownDocument)
	}
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	p := photonParser{doc: d, emit: emit, ecosystem: "Photon OS:" + m[1]}
	dec := jsontext.NewDecoder(body, decodeOptions)
	if err := eachValue(dec, p.row); err != nil {
		return err
	}
	return atEnd(dec)
}

type photonParser struct {
	doc       Doc
	emit      func(*Record) error
	ecosystem string
}

// photonID is a CVE or an ID of Black Duck's.
var photonID = lazyregexp.New(`^(CVE-\d{4}-\d{4,}|BDSA-\d{4}-\d+)$`)

func (p *photonParser) row(i int, v jsontext.Value) error {
	var row struct {
		ID      string   `json:"cve_id"`
		Package string   `json:"pkg"`
		Score   *float64 `json:"cve_score"`
		Fixed   string   `json:"res_ver"`
		Status  string   `json:"status"`
	}
	report := func(rule, message string) {
		p.doc.report(Finding{Place: fmt.Sprintf("%d/%s/%s", i, row.ID, row.Package), Rule: rule, Message: message})
	}
	if err := json.Unmarshal(v, &row, decodeOptions); err != nil {
		report("unreadable-entry", err.Error())
		return nil
	}
	if !photonID.MatchString(row.ID) || row.Package == "" {
		report("bad-id", fmt.Sprintf("%.40q of %.40q", row.ID, row.Package))
		return nil
	}
	r := &Record{ID: "PHOTON-" + row.ID, Upstream: []string{row.ID}}
	if row.Score != nil {
		if err := r.SetSpecific(map[string]any{"cvss_score": *row.Score}); err != nil {
			return err
		}
	}
	switch {
	case row.Status == "Not Affected":
		if err := r.AddStatements(Statement{Ecosystem: p.ecosystem, Package: row.Package, Status: NotAffected}); err != nil {
			return err
		}
	case row.Fixed == "" || row.Fixed == "NA":
		report("no-version", fmt.Sprintf("status %q", row.Status))
	case row.Status != "Fixed":
		report("unknown-status", fmt.Sprintf("%q", row.Status))
	default:
		r.Affected = []Affected{{
			Package: Package{Ecosystem: p.ecosystem, Name: row.Package},
			Ranges:  Ranges(Ecosystem, p.ecosystem, []Interval{{Introduced: "0", Fixed: row.Fixed}}),
		}}
	}
	if len(r.Affected) == 0 && row.Status != "Not Affected" {
		return nil
	}
	return p.emit(r)
}
