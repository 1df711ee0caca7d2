package versioncmp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	const pairs = `# a comment
// another

1.0.0 < 1.1.0
1.0.0 = v1.0.0   # the v does not count
1.1.0 < 1.0.0
	1.0.0 > 1.0.0-rc.1
1.0.0 = x
`
	var got []string
	passed, failed, err := Check(strings.NewReader(pairs), "npm", func(line int, text, relation string) {
		got = append(got, fmt.Sprint(line, ": ", text, " ", relation))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"6: 1.1.0 < 1.0.0 >", "8: 1.0.0 = x ?"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	if passed != 3 || failed != 2 {
		t.Errorf("%d passed, %d failed, want 3, 2", passed, failed)
	}
	if p, f, err := Check(strings.NewReader(pairs), "npm", nil); p != 3 || f != 2 || err != nil {
		t.Errorf("without report: %d, %d, %v", p, f, err)
	}
}

func TestCheckRefusesOtherForms(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"1 < 2\n1 ~ 2\n", `line 2: "1 ~ 2" is not of the form "A < B"`},
		{"1 <= 2\n", `line 1: "1 <= 2" is not of the form "A < B"`},
		{"1 < 2 < 3\n", `line 1: "1 < 2 < 3" is not of the form "A < B"`},
		{"1 <\n", `line 1: "1 <" is not of the form "A < B"`},
		{"1 < 2\n" + strings.Repeat("9", maxPairLine+1), "line 2: bufio.Scanner: token too long"},
	} {
		_, _, err := Check(strings.NewReader(c.text), "npm", nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, _, err := Check(strings.NewReader("1 < 2\n"), "OSS-Fuzz", nil); !errors.Is(err, ErrNoOrder) {
		t.Errorf("OSS-Fuzz: %v", err)
	}
	broken := errors.New("broken")
	if _, _, err := Check(brokenReader{broken}, "npm", nil); !errors.Is(err, broken) {
		t.Errorf("a broken reader: %v", err)
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

func TestRelation(t *testing.T) {
	for _, c := range []struct{ ecosystem, a, b, want string }{
		{"npm", "1.0.0", "2.0.0", "<"},
		{"Debian:12", "1.0-1", "1.0-1", "="},
		{"Alpine:v3.20", "1.1", "1.0", ">"},
		{"npm", "latest", "1.0.0", "?"},
		{"npm", "1.0.0", "latest", "?"},
		{"Android", "12", "13", "?"},
		{"no such", "1", "1", "?"},
	} {
		if got := Relation(c.ecosystem, c.a, c.b); got != c.want {
			t.Errorf("%s: %s %s %s, want %s", c.ecosystem, c.a, got, c.b, c.want)
		}
	}
}
