package sources

import (
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func TestReadChanges(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		text string
		want []change // nil: an error
	}{
		{"", []change{}},
		{"\"2026/a.json\",\"2026-01-02T03:04:05Z\"\n", []change{{"2026/a.json", at}}},
		{"./2026/a.json,2026-01-02T05:04:05+02:00\r\n2026/b.json,2026-01-01T22:04:05.000-05:00,more\n", []change{{"2026/a.json", at}, {"2026/b.json", at}}},
		{"../a.json,2026-01-02T03:04:05Z\n/a.json,2026-01-02T03:04:05Z\na.json.asc,2026-01-02T03:04:05Z\n", []change{}},
		{"a.json,2026-01-02\n", nil},
		{"a.json\n", nil},
		{"<html>\n", nil},
		{"\"a.json", nil},
	} {
		got, err := readChanges(strings.NewReader(tt.text))
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%q: %v", tt.text, err)
		} else if err == nil && len(got)+len(tt.want) > 0 && !cmp.Equal(got, tt.want, cmp.AllowUnexported(change{})) {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestStillDeleted(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	changes := []change{{"again.json", day(5)}, {"older.json", day(2)}, {"same.json", day(3)}, {"twice.json", day(4)}}
	deletions := []change{{"again.json", day(3)}, {"older.json", day(3)}, {"same.json", day(3)}, {"only.json", day(1)}, {"twice.json", day(5)}, {"twice.json", day(1)}}
	want := map[string]bool{"older.json": true, "same.json": true, "only.json": true, "twice.json": true}
	if d := cmp.Diff(want, stillDeleted(changes, deletions)); d != "" {
		t.Error(d)
	}
}

func FuzzReadChanges(f *testing.F) {
	f.Add("\"2026/a.json\",\"2026-01-02T03:04:05Z\"\n")
	f.Add("a,b,c\n\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readChanges(strings.NewReader(text))
		for _, c := range rows {
			if err == nil && checkName(c.name) != nil {
				t.Errorf("%q names %q", text, c.name)
			}
		}
	})
}

func FuzzNVDPage(f *testing.F) {
	f.Add(`{"startIndex":0,"totalResults":1,"x":[{}],"vulnerabilities":[{"cve":{"id":"CVE-2024-0001"}}]}`)
	f.Add(`{"vulnerabilities":[{},`)
	f.Add(`{"startIndex":1e99,"totalResults":"1"}`)
	f.Fuzz(func(t *testing.T, text string) {
		read := func(one bool) (nvdPage, error) {
			p := nvdPage{start: -1, total: -1, put: func(jsontext.Value) error { return nil }}
			if one {
				return p, p.read(iotest.OneByteReader(strings.NewReader(text)))
			}
			return p, p.read(strings.NewReader(text))
		}
		_, whole := read(false)
		_, bytewise := read(true)
		if (whole == nil) != (bytewise == nil) {
			t.Errorf("%q: %v at once, %v byte by byte", text, whole, bytewise)
		}
	})
}

func FuzzListing(f *testing.F) {
	f.Add(`<a href="v3.19/">v3.19/</a><A class=x HREF='main.json'>`)
	f.Add(`<a href="../../x/main.json"><a href="//evil.test/main.json"><a href="/main.json?x">`)
	f.Fuzz(func(t *testing.T, page string) {
		l := listing{base: "https://a.test/b/", patterns: []string{"*/main.json", "main.json"}}
		for _, link := range l.wanted("", []byte(page)) {
			if checkName(strings.TrimSuffix(link, "/")) != nil || strings.Contains(strings.TrimSuffix(link, "/"), "/") {
				t.Errorf("%q: link %q", page, link)
			}
		}
	})
}
