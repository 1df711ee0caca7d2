package normalize

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Statement is what a vendor says of a package that is not a version range:
// not affected, will not fix, under investigation. Statements stand in
// database_specific.statements of the record.
type Statement struct {
	Detail    string `json:"detail,omitempty"` // the vendor's own word, such as "no-dsa" or "Out of support scope"
	Ecosystem string `json:"ecosystem"`
	Package   string `json:"package"`
	Status    string `json:"status"` // one of the Status constants
}

// What a [Statement] says.
const (
	NotAffected        = "not_affected"
	UnderInvestigation = "under_investigation" // also "undetermined": upstream does not know
	WillNotFix         = "will_not_fix"
	Postponed          = "postponed"
	NoAdvisory         = "no_advisory" // affected, judged too minor for an advisory of its own (Debian no-dsa)
	EndOfLife          = "end_of_life"
)

// SetSpecific makes the members of m members of r's database_specific, beside
// those already there. Values are anything that encodes to JSON.
func (r *Record) SetSpecific(m map[string]any) error {
	all := map[string]jsontext.Value{}
	if len(r.DatabaseSpecific) > 0 {
		if err := json.Unmarshal(r.DatabaseSpecific, &all, decodeOptions); err != nil {
			return err
		}
	}
	for k, v := range m {
		b, err := json.Marshal(v, encodeOptions)
		if err != nil {
			return err
		}
		all[k] = b
	}
	b, err := json.Marshal(all, encodeOptions, json.Deterministic(true))
	if err != nil {
		return err
	}
	r.DatabaseSpecific = b
	return nil
}

// Specific decodes the member name of r's database_specific into v. It
// reports whether the member is there.
func (r *Record) Specific(name string, v any) (bool, error) {
	if len(r.DatabaseSpecific) == 0 {
		return false, nil
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(r.DatabaseSpecific, &all, decodeOptions); err != nil {
		return false, err
	}
	raw, ok := all[name]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v, decodeOptions)
}

// AddStatements adds s to r's database_specific.statements.
func (r *Record) AddStatements(s ...Statement) error {
	if len(s) == 0 {
		return nil
	}
	b, err := json.Marshal(struct {
		Statements []Statement `json:"statements"`
	}{s}, encodeOptions)
	if err != nil {
		return err
	}
	return uniteValue(&r.DatabaseSpecific, b)
}

// Statements returns what vendors say in r's database_specific.statements.
func (r *Record) Statements() ([]Statement, error) {
	var s []Statement
	_, err := r.Specific("statements", &s)
	return s, err
}
