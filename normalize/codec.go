package normalize

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeOptions read leniently: feeds hold invalid UTF-8 (read as U+FFFD) and
// repeated members (the last one counts).
var decodeOptions = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
)

// encodeOptions write RFC 8785, except that integers keep all their digits:
// the RFC's IEEE 754 doubles would lose those above 2^53.
var encodeOptions = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
	jsontext.ReorderRawObjects(true),
	jsontext.CanonicalizeRawFloats(true),
	jsontext.CanonicalizeRawInts(false),
	jsontext.EscapeForHTML(false),
	jsontext.EscapeForJS(false),
)

// Decode reads one OSV record in JSON. Members that OSV does not define are
// kept. An error names the offset and the member.
func Decode(data []byte) (*Record, error) {
	r := new(Record)
	if err := json.Unmarshal(data, r, decodeOptions); err != nil {
		return nil, placed(err)
	}
	return r, nil
}

// AppendEncode appends the canonical JSON of r (RFC 8785; integers keep all
// their digits) to dst.
func AppendEncode(dst []byte, r *Record) ([]byte, error) {
	n := len(dst)
	buf := bytes.NewBuffer(dst)
	if err := json.MarshalWrite(buf, r, encodeOptions); err != nil {
		return dst, fmt.Errorf("%s: %w", r.ID, err)
	}
	out := buf.Bytes()
	if !r.hasExtra() {
		return out, nil
	}
	v := jsontext.Value(bytes.Clone(out[n:]))
	if err := v.Canonicalize(encodeOptions); err != nil {
		return dst, fmt.Errorf("%s: %w", r.ID, err)
	}
	return append(out[:n], v...), nil
}

// hasExtra reports whether members that OSV does not define stand anywhere in
// r: they are written behind the others and so need a sort.
func (r *Record) hasExtra() bool {
	if len(r.Extra) > 0 {
		return true
	}
	for i := range r.Affected {
		if r.Affected[i].hasExtra() {
			return true
		}
	}
	for i := range r.References {
		if len(r.References[i].Extra) > 0 {
			return true
		}
	}
	for i := range r.Credits {
		if len(r.Credits[i].Extra) > 0 {
			return true
		}
	}
	return severityExtra(r.Severity)
}

func (a *Affected) hasExtra() bool {
	if len(a.Extra) > 0 || len(a.Package.Extra) > 0 || severityExtra(a.Severity) {
		return true
	}
	for i := range a.Ranges {
		if len(a.Ranges[i].Extra) > 0 {
			return true
		}
		for j := range a.Ranges[i].Events {
			if len(a.Ranges[i].Events[j].Extra) > 0 {
				return true
			}
		}
	}
	return false
}

func severityExtra(s []Severity) bool {
	for i := range s {
		if len(s[i].Extra) > 0 {
			return true
		}
	}
	return false
}
