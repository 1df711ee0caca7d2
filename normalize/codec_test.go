package normalize

import (
	"bytes"
	stdjson "encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"
)

// The encoding is canonical without a sort only if fields are in the order of
// their names.
func TestFieldOrder(t *testing.T) {
	for _, v := range []any{Record{}, Affected{}, Package{}, Range{}, Event{}, Severity{}, Reference{}, Credit{}, Statement{}} {
		var names []string
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name == "" && i != typ.NumField()-1 {
				t.Errorf("%s: Extra is not last", typ)
			}
			if name != "" {
				names = append(names, name)
			}
		}
		if !slices.IsSorted(names) {
			t.Errorf("%s: fields are not in the order of their names: %v", typ, names)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"trailing data", `{"id":"X"} x`, "offset 11: invalid character 'x' after top-level value"},
		{"second record", `{"id":"X"}{"id":"Y"}`, "offset 10: invalid character '{' after top-level value"},
		{"truncated", `{"id":"X"`, "offset 9: unexpected EOF"},
		{"number for string", `{"id":"X","aliases":["a",4]}`, "offset 25: aliases/1: number where string is expected"},
		{"array", `[]`, "offset 0: array where object is expected"},
		{"object for string", `{"id":{}}`, "offset 6: id: object where string is expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode([]byte(tt.in))
			if err == nil || err.Error() != tt.want {
				t.Errorf("Decode(%s) = %v, want %s", tt.in, err, tt.want)
			}
		})
	}
}

// Integers keep their digits, members that OSV does not define stay wherever
// they stand, and everything comes out in canonical order.
func TestCodecKeepsAll(t *testing.T) {
	const in = `{"zeta":{"b":1,"a":9007199254740993},"id":"X-1","modified":"2024-01-01T00:00:00Z",
		"affected":[{"package":{"name":"p","ecosystem":"npm","x":1},"new":[],
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0","y":"é"}],"z":null}],
			"database_specific":{"n":1e2,"m":18446744073709551616}}],
		"severity":[{"type":"CVSS_V3","score":"s","source":"NVD"}],"credits":[{"name":"n","q":true}],
		"references":[{"url":"u","type":"WEB","r":[1,2]}]}`
	const want = `{"affected":[{"database_specific":{"m":18446744073709551616,"n":100},"new":[],` +
		`"package":{"ecosystem":"npm","name":"p","x":1},` +
		`"ranges":[{"events":[{"introduced":"0","y":"é"}],"type":"SEMVER","z":null}]}],"credits":[{"name":"n","q":true}],` +
		`"id":"X-1","modified":"2024-01-01T00:00:00Z","references":[{"r":[1,2],"type":"WEB","url":"u"}],` +
		`"severity":[{"score":"s","source":"NVD","type":"CVSS_V3"}],"zeta":{"a":9007199254740993,"b":1}}`
	r, err := Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encodeString(t, r)); diff != "" {
		t.Error(diff)
	}
}

// dropEmpty takes members of OSV's own that hold nothing (null, "", [], {})
// out of v: a Record does not tell them from absent ones. Names and types
// that OSV requires stay, and so does all below the *_specific objects.
func dropEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(name string, m any) bool {
			switch name {
			case "database_specific", "ecosystem_specific":
				return m == nil
			}
			dropEmpty(m)
			return isEmpty(m) && !slices.Contains([]string{"id", "name", "ecosystem", "type", "url", "score", "events"}, name)
		})
	case []any:
		for _, m := range v {
			dropEmpty(m)
		}
	}
	return v
}

func isEmpty(m any) bool {
	switch m := m.(type) {
	case nil:
		return true
	case string:
		return m == ""
	case []any:
		return len(m) == 0
	case map[string]any:
		return len(m) == 0
	}
	return false
}

func canonicalInput(t *testing.T, data []byte) string {
	t.Helper()
	d := stdjson.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(dropEmpty(v), encodeOptions, json.WithMarshalers(json.MarshalToFunc(
		func(e *jsontext.Encoder, n stdjson.Number) error { return e.WriteValue(jsontext.Value(n)) })))
	if err != nil {
		t.Fatal(err)
	}
	c, err := canonical(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(c)
}

// Nothing of the records at hand is lost: what goes in comes out, in
// canonical order, and goes in and out again unchanged.
func TestCodecSharedRecords(t *testing.T) {
	n := 0
	sharedOSV(t, func(d sharedDoc) {
		n++
		r, err := Decode(d.data)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			return
		}
		got := encodeString(t, r)
		if diff := cmp.Diff(canonicalInput(t, d.data), got); diff != "" {
			t.Errorf("%s: input and encoding differ: %s", d.name, diff)
		}
		again, err := Decode([]byte(got))
		if err != nil {
			t.Fatalf("%s: decode what was encoded: %v", d.name, err)
		}
		if second := encodeString(t, again); second != got {
			t.Errorf("%s: not stable: %s", d.name, cmp.Diff(got, second))
		}
	})
	if n < 1000 {
		t.Fatalf("only %d records", n)
	}
	t.Logf("%d records", n)
}

// The lean Record and the binding of osv-schema read the same out of every
// record at hand.
func TestCodecAgreesWithBinding(t *testing.T) {
	n := 0
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	sharedOSV(t, func(d sharedDoc) {
		var pb osvschema.Vulnerability
		if err := lenient.Unmarshal(d.data, &pb); err != nil {
			t.Logf("%s: the binding refuses it: %v", d.name, err)
			return
		}
		r, err := Decode(d.data)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			return
		}
		n++
		if diff := cmp.Diff(flattenBinding(&pb), flattenRecord(r)); diff != "" {
			t.Errorf("%s: the binding (-) and Record (+) differ: %s", d.name, diff)
		}
	})
	if n < 1000 {
		t.Fatalf("only %d records", n)
	}
	t.Logf("%d records", n)
}
