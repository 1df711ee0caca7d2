package server

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"
)

func TestWireForm(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{"id":"A-1","modified":"2026-07-01T00:00:00Z"}`, ""},
		{`{"affected":[],"id":"A-1"}`, ""},
		{`{"affected":[{"ranges":[{"events":[{"introduced":"0"},{"fixed":"1"}],"type":"SEMVER"}]}],"database_specific":{"a":["\"}",{"b":[[1,-2.5e9],null,true]}]},"details":"\\\\\"}","id":"A-1"}`, ""},
		{`{"id":"A-1","modified":"2026-07-01T00:00:00.120Z"}`, ""},
		{`{"id":"A-1","modified":"2026-07-01T00:00:00.12Z"}`, `{"id":"A-1","modified":"2026-07-01T00:00:00.120Z"}`},
		{`{"id":"A-1","modified":"2026-07-01T00:00:00.120000Z"}`, `{"id":"A-1","modified":"2026-07-01T00:00:00.120Z"}`},
		{`{"id":"A-1","modified":"2026-07-01T02:00:00+02:00","published":"yesterday"}`, `{"id":"A-1","modified":"2026-07-01T00:00:00Z"}`},
		{`{"id":"A-1","x":1}`, `{"id":"A-1"}`},
		{`{"affected":[{"package":{"ecosystem":"npm","name":"x","y":[]},"ranges":[{"events":[{"introduced":"0","z":1}],"type":"SEMVER","v":{}}],"w":"\\"}],"id":"A-1"}`,
			`{"affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"events":[{"introduced":"0"}],"type":"SEMVER"}]}],"id":"A-1"}`},
		{`{"id":"A-1","severity":[{"score":"1","type":"New"},{"score":"low","type":"Ubuntu"}]}`, `{"id":"A-1","severity":[{"score":"low","type":"Ubuntu"}]}`},
		{`{"credits":[{"name":"N","type":"CHEERLEADER"}],"id":"A-1","references":[{"type":"BLOG","url":"u"}]}`, `{"credits":[{"name":"N"}],"id":"A-1","references":[{"type":"WEB","url":"u"}]}`},
	} {
		if test.want == "" {
			test.want = test.in
		}
		got, err := wireForm([]byte(test.in))
		if err != nil || string(got) != test.want {
			t.Errorf("%s\n%v, got\n%s, want\n%s", test.in, err, got, test.want)
		}
		if date := modifiedOf([]byte(test.in)); strings.Contains(test.want, `"modified":"`) != strings.Contains(test.want, `"modified":"`+date+`"`) {
			t.Errorf("%s: modified is %q", test.in, date)
		}
	}
}

// TestWireFormOfProtobuf wants protobuf's strict reader to take whatever is
// sent: records of the corpus, and the same with members added everywhere.
func TestWireFormOfProtobuf(t *testing.T) {
	n := 0
	err := filepath.WalkDir(sharedtest.Path(t, "corpus", "ghsa"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return nil // some of the corpus are cut off
		}
		for _, extra := range []string{"", `{"aaa":{"b":["]"]},"zzz":null}`} {
			if extra != "" {
				decorate(r, []byte(extra))
			}
			in, err := normalize.AppendEncode(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			wire, err := wireForm(in)
			if err != nil {
				t.Fatal(err)
			}
			var v osvschema.Vulnerability
			if err := protojson.Unmarshal(wire, &v); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
			if v.Id != r.ID || len(v.Affected) != len(r.Affected) {
				t.Errorf("%s: %d of %d affected", r.ID, len(v.Affected), len(r.Affected))
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Errorf("%d records were looked at", n)
	}
}

// decorate adds members that OSV does not define.
func decorate(r *normalize.Record, extra []byte) {
	r.Extra = extra
	for i := range r.Affected {
		a := &r.Affected[i]
		a.Extra = extra
		if !a.Package.IsZero() {
			a.Package.Extra = extra
		}
		for j := range a.Ranges {
			a.Ranges[j].Extra = extra
		}
	}
	for i := range r.References {
		r.References[i].Extra = extra
	}
	for i := range r.Severity {
		r.Severity[i].Extra = extra
	}
}

func FuzzWalker(f *testing.F) {
	for _, s := range []string{`{"id":"A","modified":"2026-07-01T00:00:00Z"}`, `{"affected":[{"ranges":[{"events":[{}]}]}]}`, `{"a":"\\"`, `[`, `{"id":[1,{"x":"}"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		modifiedOf(data)
		wire, err := wireForm(data)
		if err != nil {
			return
		}
		// What is sent as it is must be read by the codec, and be of the shape.
		if again, err := wireForm(wire); err == nil && len(again) > 0 && string(again) != string(wire) {
			r, err := normalize.Decode(wire)
			if err != nil {
				return
			}
			reduce(r)
			if twice, err := normalize.AppendEncode(nil, r); err == nil && string(twice) != string(again) {
				t.Errorf("%s\nbecomes\n%s", wire, again)
			}
		}
	})
}

func TestAlike(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"1.0", "1.0", true}, {"v1.0", "1.0", true}, {"curl-8_5_0", "8.5.0", true}, {"1.0-rc1", "release-1.0rc1", true},
		{"1.0", "1.1", false}, {"1.0", "1.0.0", false}, {"main", "master", false}, {"main", "MAIN", true}, {"arc1.0", "1.0", false},
		{"1.0-BETA2", "1.0-beta2", true}, {".5", "0.5", true}, {"", "", true}, {"a-b", "a.b", true},
	} {
		if got := alike(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}
