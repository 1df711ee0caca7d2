package server

import (
	"strings"
	"testing"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/google/go-cmp/cmp"
)

// drawn writes a figure as text: a line a lane, of each bar its ends and where
// they are in the order of all places.
func drawn(t *testing.T, rows []query.RangeRow) string {
	t.Helper()
	figures, _ := figuresOf(rows)
	var b strings.Builder
	for _, f := range figures {
		f.arrange()
		f.draw(nil)
		b.WriteString(f.Ecosystem + " " + f.Name + ":")
		for _, l := range f.Labels {
			b.WriteString(" " + l.Text)
		}
		b.WriteByte('\n')
		for _, l := range f.Lanes {
			b.WriteString("  " + l.ID + " " + l.Ecosystem)
			for _, x := range l.Bars {
				if x.X1 > x.X2 || x.X1 < 0 || x.X2 > 100 {
					t.Errorf("%s: a bar from %f to %f", l.ID, x.X1, x.X2)
				}
				b.WriteString(" " + x.Begin + "-" + x.End)
				if x.Single {
					b.WriteString("!")
				}
			}
			b.WriteString(" (" + l.Text + ")")
			if l.Note != "" {
				b.WriteString(" " + l.Note)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestFigures(t *testing.T) {
	got := drawn(t, []query.RangeRow{
		{ID: "D-1", Ecosystem: "Debian:12", Package: "x", Type: "ECOSYSTEM", Introduced: "0", Fixed: "1.10-1"},
		{ID: "D-1", Ecosystem: "Debian:11", Package: "x", Type: "ECOSYSTEM", Introduced: "1.9-1"},
		{ID: "D-1", Ecosystem: "Debian:11", Package: "x", Type: "ECOSYSTEM", Introduced: "1.9-1"},
		{ID: "C-1", Ecosystem: "CPE", Package: "a:v:p", Type: "CPE", After: "1.0", LastAffected: "2.0"},
		{ID: "C-1", Ecosystem: "CPE", Package: "a:v:p", Type: "CPE", Introduced: "-", LastAffected: "-"},
		{ID: "N-1", Ecosystem: "npm", Package: "y", Type: "SEMVER", Introduced: "1.2.3", LastAffected: "1.2.3"},
		{ID: "N-2", Ecosystem: "npm", Package: "y", Type: "SEMVER", Introduced: "not a version", Fixed: "2.0.0"},
		{ID: "O-1", Ecosystem: "Nowhere", Package: "z", Type: "ECOSYSTEM", Introduced: "0", Fixed: "2"},
		{ID: "G-1", Type: "GIT", Repo: "https://example.org/r", Introduced: "abc"},
	})
	want := `Debian x: 1.9-1 1.10-1
  D-1 Debian:11 in-open (from 1.9-1 on, not fixed)
  D-1 Debian:12 open-out (before 1.10-1)
Nowhere z:
  O-1 Nowhere (before 2)
npm y: 1.2.3 2.0.0
  N-1 npm in-in! (only 1.2.3)
  N-2 npm (from not a version before 2.0.0) not drawn: not a version is no version of this ecosystem
CPE a:v:p: 1.0 2.0
  C-1 CPE out-in (after 1.0 up to 2.0; no version named)
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLabelsDoNotOverlap fills an axis with far more versions than there is
// room for.
func TestLabelsDoNotOverlap(t *testing.T) {
	a := newAxis(versioncmp.For("Debian"))
	for i := range 200 {
		if !a.add("1:2.3." + strings.Repeat("4", 1+i%7) + "-" + strings.Repeat("5", 1+i/7)) {
			t.Fatal("refused")
		}
	}
	a.mark = "1:2.3.4-5"
	a.order()
	list := a.labels()
	if len(list) < 4 || !list[0].Mark {
		t.Fatalf("%d labels", len(list))
	}
	for i, x := range list {
		for _, y := range list[:i] {
			if x.Y == y.Y && abs(x.X-y.X) < 100*glyphWidth*4/axisWidth {
				t.Errorf("%s at %f and %s at %f on one line", x.Text, x.X, y.Text, y.X)
			}
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestSafeLink(t *testing.T) {
	for in, want := range map[string]bool{
		"https://example.org/a?b=c": true, "http://example.org": true, "HTTPS://example.org": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "//example.org": false, "/vuln/x": false, "https:x": false,
		" https://example.org": false, "ftp://example.org": false, "ht\ntps://example.org": false, "https://%zz": false,
	} {
		if got := safeLink(in) != ""; got != want {
			t.Errorf("%q: %t", in, got)
		}
	}
}

func TestPackagePath(t *testing.T) {
	for _, test := range [][3]string{
		{"npm", "@angular/core", "/package/npm/@angular/core"},
		{"Go", "github.com/a/b", "/package/Go/github.com/a/b"},
		{"Packagist:https://packages.drupal.org/8", "drupal/x", "/package/Packagist:https:%2F%2Fpackages.drupal.org%2F8/drupal/x"},
		{"npm", "a//b/../c", "/package/npm/a%2F%2Fb%2F..%2Fc"},
		{"npm", "a?b#c%", "/package/npm/a%3Fb%23c%25"},
		{"", "x", ""},
	} {
		if got := packagePath(test[0], test[1]); got != test[2] {
			t.Errorf("%q %q: %s, want %s", test[0], test[1], got, test[2])
		}
	}
}
