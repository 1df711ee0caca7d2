package sources

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestChecked(t *testing.T) {
	long := strings.Repeat(" ", 5000)
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"a.json", `{}`, true},
		{"a.json", "\xef\xbb\xbf" + long + `[{"a":"}\"]"}]` + "\r\n", true},
		{"a.json", `{"a":"\\"}`, true},
		{"a.json", ``, false},
		{"a.json", long, false},
		{"a.json", `{"a":[1,2`, false},
		{"a.json", `{"a":"}`, false},
		{"a.json", `{"a":"\"}`, false},
		{"a.json", `{}{}`, false},
		{"a.json", `{}x`, false},
		{"a.json", `"text"`, false},
		{"a.json", `403 Forbidden`, false},
		{"a.json", `<html></html>`, false},
		{"a.xml", `<?xml version="1.0"?><a:b x="1"><c/></a:b>` + "\n", true},
		{"a.xml", `<a>` + long + `</a >`, true},
		{"a.xml", `<!DOCTYPE a [<!ELEMENT a ANY>]><!-- not <b> --><a></a>`, true},
		{"a.xml", "<a></a>\n<!-- the end -->\n<!-- of <b> it -->\n", true},
		{"a.xml", "<a><!-- </a> -->", false},
		{"a.xml", `<a>` + long, false},
		{"a.xml", `<a><b></b>`, false},
		{"a.xml", `<a></a>x`, false},
		{"a.xml", `<a></a`, false},
		{"a.xml", "<!DOCTYPE html>\n<html>" + long + "</html>", false},
		{"a.xml", ``, false},
		{"a.xml", `text`, false},
		{"list", "[29 Mar 2023] DSA-5380-1\n", true},
		{"list", "\n \n", false},
		{"list", "\n<!doctype HTML><html>", false},
		{"list", "<HTML>" + long, false},
		{"a.csv", "#model\ncve,epss\n", true},
		{"a.yaml", "id: x\n", true},
	} {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			_, err := io.ReadAll(checked(tt.name, wrap(strings.NewReader(tt.text))))
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrIncomplete) {
				t.Errorf("%s %.50q: %v", tt.name, tt.text, err)
			}
		}
	}
	if _, err := io.ReadAll(checked("a.json", iotest.TimeoutReader(strings.NewReader(`{}`)))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a read that fails: %v", err)
	}
}

func FuzzChecked(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\\\""]}`, `<a><b/></a>`, "\xef\xbb\xbf{}", "<html>", ""} {
		f.Add("a.json", s, 3)
		f.Add("a.xml", s, 1)
		f.Add("a", s, 7)
	}
	f.Fuzz(func(t *testing.T, name, text string, n int) {
		_, whole := io.ReadAll(checked(name, strings.NewReader(text)))
		_, bytewise := io.ReadAll(checked(name, iotest.OneByteReader(strings.NewReader(text))))
		if (whole == nil) != (bytewise == nil) {
			t.Errorf("%q: %v at once, %v byte by byte", text, whole, bytewise)
		}
	})
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "v3.19/main.json": true, "DSA/list": true, "ALSA-2026:A008.json": true, "npm/@scope/é x.json": true,
		"": false, "/a": false, "a/": false, "a//b": false, "..": false, "a/../b": false, "a/./b": false, "a\x00b": false, "a\nb": false, `a\b`: false, "\xff": false,
		strings.Repeat("a", 513): false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	wait := backoff(time.Second, 10*time.Second)
	answered := func(after string) *http.Response {
		return &http.Response{Header: http.Header{"Retry-After": {after}}}
	}
	for _, tt := range []struct {
		attempt  int
		resp     *http.Response
		min, max time.Duration
	}{
		{0, nil, time.Second, 1250 * time.Millisecond},
		{2, nil, 4 * time.Second, 5 * time.Second},
		{60, nil, 10 * time.Second, 10 * time.Second},
		{0, answered("5"), 5 * time.Second, 6250 * time.Millisecond},
		{0, answered("0"), time.Second, 1250 * time.Millisecond},
		{0, answered("-5"), time.Second, 1250 * time.Millisecond},
		{0, answered("soon"), time.Second, 1250 * time.Millisecond},
		{0, answered("99999999999999999999"), time.Second, 1250 * time.Millisecond},
		{0, answered("86400"), 10 * time.Second, 10 * time.Second},
		{0, answered("Fri, 31 Dec 2100 00:00:00 GMT"), 10 * time.Second, 10 * time.Second},
		{0, answered("Fri, 31 Dec 1999 00:00:00 GMT"), time.Second, 1250 * time.Millisecond},
	} {
		if got := wait(0, 0, tt.attempt, tt.resp); got < tt.min || got > tt.max {
			t.Errorf("attempt %d, %v: %v, want %v to %v", tt.attempt, tt.resp, got, tt.min, tt.max)
		}
	}
}

func BenchmarkChecked(b *testing.B) {
	text := strings.Repeat(`{"id":"CVE-2024-00001","summary":"some text \"quoted\"","n":[1,2,3]},`, 10000)
	text = "[" + text + "{}]"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, checked("a.json", strings.NewReader(text))); err != nil {
			b.Fatal(err)
		}
	}
}
