package normalize

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// OSVArray reads a document that is a JSON array of OSV records (curl). Each
// is read as [OSV] reads one; a record that cannot be read is reported and
// the others go on. Vectors of CVSS lose the slash that some end with.
//
// Source: https://curl.se/docs/vuln.json.
func OSVArray(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachValue(dec, func(i int, v jsontext.Value) error {
		r, err := Decode(v)
		if err == nil && r.ID == "" {
			err = ErrNoID
		}
		if err != nil {
			d.report(Finding{Place: fmt.Sprint(i), Rule: "unreadable-entry", Message: err.Error()})
			return nil
		}
		trimVectors(r.Severity)
		r.sortRanges()
		return emit(r)
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

// eachValue calls f with each element of the array that comes next. The
// value is valid until f returns.
func eachValue(dec *jsontext.Decoder, f func(i int, v jsontext.Value) error) error {
	if dec.PeekKind() != '[' {
		return wrongKind(dec, "array")
	}
	if _, err := dec.ReadToken(); err != nil {
		return placed(err)
	}
	for i := 0; ; i++ {
		switch dec.PeekKind() {
		case ']':
			_, err := dec.ReadToken()
			return placed(err)
		}
		v, err := dec.ReadValue()
		if err != nil {
			return placed(err)
		}
		if err := f(i, v); err != nil {
			return err
		}
	}
}
