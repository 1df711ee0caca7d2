package normalize

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func decodeOne(t testing.TB, s string) *Record {
	t.Helper()
	r, err := Decode([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestUnite(t *testing.T) {
	tests := []struct{ name, a, b, want string }{
		{"lists are sets",
			`{"id":"X","aliases":["B"],"upstream":["U"],"references":[{"type":"WEB","url":"b"}]}`,
			`{"id":"X","aliases":["A","B"],"related":["R"],"references":[{"type":"FIX","url":"b"},{"type":"WEB","url":"a"},{"type":"WEB","url":"b"}]}`,
			`{"aliases":["A","B"],"id":"X","references":[{"type":"WEB","url":"a"},{"type":"FIX","url":"b"},{"type":"WEB","url":"b"}],"related":["R"],"upstream":["U"]}`},
		{"scalars",
			`{"id":"X","summary":"short","details":"bb","modified":"2024-01-02T00:00:00Z","published":"2024-01-02T00:00:00Z"}`,
			`{"id":"X","summary":"longer text","details":"aa","modified":"2024-01-01T00:00:00Z","published":"2024-01-01T23:00:00.5Z"}`,
			`{"details":"aa","id":"X","modified":"2024-01-02T00:00:00Z","published":"2024-01-01T23:00:00.5Z","summary":"longer text"}`},
		{"packages apart",
			`{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"b"},"versions":["2","1"]}]}`,
			`{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}`,
			`{"affected":[{"package":{"ecosystem":"npm","name":"a"}},{"package":{"ecosystem":"npm","name":"b"},"versions":["1","2"]}],"id":"X"}`},
		{"one package, the highest fix",
			`{"id":"X","affected":[{"package":{"ecosystem":"Debian:11","name":"xen"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.9-1"}]}]}]}`,
			`{"id":"X","affected":[{"package":{"ecosystem":"Debian:11","name":"xen"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.14-1"}]}]}]}`,
			`{"affected":[{"package":{"ecosystem":"Debian:11","name":"xen"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"4.14-1"}],"type":"ECOSYSTEM"}]}],"id":"X"}`},
		{"what differs keeps entries apart",
			`{"id":"X","affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ecosystem_specific":{"module_build":"m1"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1"}]}]}]}`,
			`{"id":"X","affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ecosystem_specific":{"module_build":"m2"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]}]}`,
			`{"affected":[{"ecosystem_specific":{"module_build":"m1"},"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1"}],"type":"ECOSYSTEM"}]},` +
				`{"ecosystem_specific":{"module_build":"m2"},"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"2"}],"type":"ECOSYSTEM"}]}],"id":"X"}`},
		{"commit ranges stay as they are, once",
			`{"id":"X","affected":[{"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"fixed":"a"}]}]}]}`,
			`{"id":"X","affected":[{"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"fixed":"b"}]},{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"fixed":"a"}]}]}]}`,
			`{"affected":[{"ranges":[{"events":[{"introduced":"0"},{"fixed":"a"}],"repo":"r","type":"GIT"},{"events":[{"introduced":"0"},{"fixed":"b"}],"repo":"r","type":"GIT"}]}],"id":"X"}`},
		{"specifics by member",
			`{"id":"X","database_specific":{"statements":[{"package":"b"}],"k":"v","o":{"x":1}}}`,
			`{"id":"X","database_specific":{"statements":[{"package":"a"}],"k":"vv","o":{"y":2}}}`,
			`{"database_specific":{"k":"vv","o":{"x":1,"y":2},"statements":[{"package":"a"},{"package":"b"}]},"id":"X"}`},
		{"unknown members", `{"id":"X","new":[1]}`, `{"id":"X","new":[0],"other":true}`, `{"id":"X","new":[0,1],"other":true}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
				dst := decodeOne(t, pair[0])
				if err := Unite(dst, decodeOne(t, pair[1])); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, encodeString(t, dst)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestUniteErrors(t *testing.T) {
	dst := decodeOne(t, `{"id":"X","aliases":["b","a"]}`)
	if err := Unite(dst, decodeOne(t, `{"id":"Y"}`)); !errors.Is(err, ErrOtherID) {
		t.Errorf("other ID: %v", err)
	}
	bad := &Record{ID: "X", DatabaseSpecific: jsontext.Value(`{"a"`)}
	if err := Unite(&Record{ID: "X", DatabaseSpecific: jsontext.Value(`{}`)}, bad); err == nil {
		t.Error("a database_specific that is not JSON: no error")
	}
	if diff := cmp.Diff([]string{"b", "a"}, dst.Aliases); diff != "" {
		t.Errorf("dst changed: %s", diff)
	}
}

// randomPiece makes a piece of a record out of few values, so that pieces
// meet in many ways.
func randomPiece(r *rand.Rand) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	text := func() string { return pick(`""`, `"a"`, `"b"`, `"aa"`) }
	event := func() string {
		v := pick("1.0", "1.0.0", "2.0", "2.1rc1", "3.0", "10.0", "what ever")
		return pick(`{"introduced":"0"}`, `{"introduced":"`+v+`"}`) + pick("", `,{"fixed":"`+pick(v, "5.0", "5.0.0")+`"}`,
			`,{"last_affected":"5.0"}`, `,{"fixed":"1.0"},{"introduced":"4.0"}`, `,{"limit":"9"}`)
	}
	affected := func() string {
		return fmt.Sprintf(`{"package":{"ecosystem":"%s","name":"p"},"ranges":[{"type":"%s","events":[%s]}],"versions":[%s]%s}`,
			pick("PyPI", "Android", "npm"), pick("ECOSYSTEM", "SEMVER", "GIT"), event(), text(),
			pick("", `,"database_specific":{"x":1}`, `,"database_specific":{ "x" : 1 }`, `,"severity":[{"type":"CVSS_V2","score":"s"}]`))
	}
	value := func() string {
		return pick(`1`, `"x"`, `null`, `[2,1]`, `[1,2]`, `[1,1]`, `{"k":[3]}`, `{"k":{"l":1}}`, `{"m":[]}`, `true`)
	}
	return fmt.Sprintf(`{"id":"X","summary":%s,"details":%s,"aliases":[%s],"modified":"%s","affected":[%s,%s],
		"database_specific":{"a":%s,"b":%s},"extra":%s,"severity":[{"type":"CVSS_V2","score":%s}],
		"references":[{"type":"WEB","url":%s}],"credits":[{"name":%s}]}`,
		text(), text(), text(), pick("", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.0Z", "2023-01-01T00:00:00Z", "soon"),
		affected(), affected(), value(), value(), value(), text(), text(), text())
}

// TestUniteOrder: however pieces are ordered and grouped, the result is one.
func TestUniteOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 1500 {
		var pieces []string
		for range 2 + r.IntN(4) {
			pieces = append(pieces, randomPiece(r))
		}
		want := uniteText(t, pieces)
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		if got := uniteText(t, pieces); got != want {
			t.Fatalf("case %d: order matters: %s\npieces %q", n, cmp.Diff(want, got), pieces)
		}
		left := decodeOne(t, pieces[0])
		for _, p := range pieces[1:] {
			if err := Unite(left, decodeOne(t, p)); err != nil {
				t.Fatal(err)
			}
		}
		if got := encodeString(t, left); got != want {
			t.Fatalf("case %d: one by one it is another: %s\npieces %q", n, cmp.Diff(want, got), pieces)
		}
		cut := 1 + r.IntN(len(pieces)-1)
		right := decodeOne(t, uniteText(t, pieces[cut:]))
		if err := Unite(right, decodeOne(t, uniteText(t, pieces[:cut]))); err != nil {
			t.Fatal(err)
		}
		if got := encodeString(t, right); got != want {
			t.Fatalf("case %d: grouped it is another: %s\npieces %q", n, cmp.Diff(want, got), pieces)
		}
	}
}

func uniteText(t *testing.T, pieces []string) string {
	t.Helper()
	var all []*Record
	for _, p := range pieces {
		all = append(all, decodeOne(t, p))
	}
	if err := Unite(all[0], all[1:]...); err != nil {
		t.Fatal(err)
	}
	return encodeString(t, all[0])
}
