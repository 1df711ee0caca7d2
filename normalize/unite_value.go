package normalize

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// uniteValue adds the JSON value src to *dst by the rules of [Unite]. It
// copies what it keeps only where it must.
func uniteValue(dst *jsontext.Value, src jsontext.Value) error {
	switch {
	case len(src) == 0 || bytes.Equal(*dst, src):
		return nil
	case len(*dst) == 0:
		*dst = src
		return nil
	}
	v, err := joinValues(*dst, src)
	if err != nil {
		return err
	}
	*dst = v
	return nil
}

// joinValues is a join in the lattice sense: commutative, associative, and a
// value joined with itself is itself.
func joinValues(a, b jsontext.Value) (jsontext.Value, error) {
	a, err := canonical(a)
	if err != nil {
		return nil, err
	}
	if b, err = canonical(b); err != nil {
		return nil, err
	}
	switch rank := kindRank(a) - kindRank(b); {
	case bytes.Equal(a, b) || rank > 0:
		return a, nil
	case rank < 0:
		return b, nil
	}
	switch a.Kind() {
	case '{':
		return joinObjects(a, b)
	case '[':
		return joinArrays(a, b)
	}
	if c := cmp.Compare(len(a), len(b)); c > 0 || c == 0 && bytes.Compare(a, b) < 0 {
		return a, nil
	}
	return b, nil
}

// kindRank says which kind of value wins over which.
func kindRank(v jsontext.Value) int {
	switch v.Kind() {
	case '{':
		return 3
	case '[':
		return 2
	case 'n':
		return 0
	}
	return 1
}

func joinObjects(a, b jsontext.Value) (jsontext.Value, error) {
	var x, y map[string]jsontext.Value
	if err := json.Unmarshal(a, &x, decodeOptions); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &y, decodeOptions); err != nil {
		return nil, err
	}
	for k, v := range y {
		old, ok := x[k]
		if !ok {
			x[k] = v
			continue
		}
		joined, err := joinValues(old, v)
		if err != nil {
			return nil, err
		}
		x[k] = joined
	}
	return encodeObject(x)
}

// encodeObject writes members in canonical order.
func encodeObject(m map[string]jsontext.Value) (jsontext.Value, error) {
	out := jsontext.Value{'{'}
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(k, encodeOptions)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), m[k]...)
	}
	return canonical(append(out, '}'))
}

func joinArrays(a, b jsontext.Value) (jsontext.Value, error) {
	var x, y []jsontext.Value
	if err := json.Unmarshal(a, &x, decodeOptions); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &y, decodeOptions); err != nil {
		return nil, err
	}
	return json.Marshal(setFunc(append(x, y...), compareValues), encodeOptions)
}

func compareValues(a, b jsontext.Value) int { return bytes.Compare(a, b) }

// canonical returns v in the encoding of records. It does not change v.
func canonical(v jsontext.Value) (jsontext.Value, error) {
	if len(v) == 0 {
		return nil, nil
	}
	c := v.Clone()
	err := c.Canonicalize(encodeOptions)
	return c, err
}
