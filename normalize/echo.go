package normalize

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Echo reads Echo's data.json: {package: {id: {fixed_version?}}}. IDs are CVE
// IDs and Debian's TEMP-…; each becomes ECHO-<id>. The fixed version "0" says
// "never affected": a statement, no range; none at all says unfixed.
func Echo(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachMember(dec, func(pkg string) error {
		return eachMember(dec, func(id string) error {
			var fix struct {
				Fixed string `json:"fixed_version"`
			}
			at := dec.InputOffset()
			v, err := dec.ReadValue()
			if err != nil {
				return err
			}
			if err := json.Unmarshal(v, &fix, decodeOptions); err != nil {
				d.report(Finding{Place: fmt.Sprintf("offset %d: %s/%s", at, pkg, id), Rule: "unreadable-entry", Message: placed(err).Error()})
				return nil
			}
			if pkg == "" || !isTrackerID(id) {
				d.report(Finding{Place: pkg, Rule: "unusable-id", Message: fmt.Sprintf("%q", id)})
				return nil
			}
			r, err := echoRecord(pkg, id, fix.Fixed)
			if err != nil {
				return err
			}
			return emit(r)
		})
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

func echoRecord(pkg, id, fixed string) (*Record, error) {
	const ecosystem = "Echo"
	r := &Record{ID: "ECHO-" + id}
	if isCVE(id) {
		r.Upstream = []string{id}
	}
	if fixed == "0" {
		return r, r.AddStatements(Statement{Ecosystem: ecosystem, Package: pkg, Status: NotAffected})
	}
	r.Affected = []Affected{{
		Package: Package{Ecosystem: ecosystem, Name: pkg},
		Ranges:  Ranges(Ecosystem, ecosystem, []Interval{{Introduced: "0", Fixed: fixed}}),
	}}
	return r, nil
}
