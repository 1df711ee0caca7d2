package cpe

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	any5 := func(n Name) Name {
		for _, f := range n.fields() {
			if *f == "" {
				*f = Any
			}
		}
		return n
	}
	for _, tt := range []struct {
		in    string
		want  Name
		bound string
	}{
		{`cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*`,
			any5(Name{Part: "a", Vendor: "f5", Product: "nginx", Version: "1.20.0"}),
			`cpe:2.3:a:f5:nginx:1.20.0:*:*:*:*:*:*:*`},
		{`CPE:2.3:O:Linux:Linux_Kernel:-`,
			any5(Name{Part: "o", Vendor: "linux", Product: "linux_kernel", Version: NA}),
			`cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*`},
		{`cpe:2.3:a:donweb:envialosimple\::*:*:*:*:*:wordpress:*:*`,
			any5(Name{Part: "a", Vendor: "donweb", Product: "envialosimple:", TargetSW: "wordpress"}),
			`cpe:2.3:a:donweb:envialosimple\::*:*:*:*:*:wordpress:*:*`},
		{`cpe:2.3:a:x:c\+\+\*\?\\:1.0\(1\):\-`,
			any5(Name{Part: "a", Vendor: "x", Product: `c++\*\?\\`, Version: "1.0(1)", Update: `\-`}),
			`cpe:2.3:a:x:c\+\+\*\?\\:1.0\(1\):\-:*:*:*:*:*:*`},
		{`cpe:2.3:a:x:y\.z\-w:1`,
			any5(Name{Part: "a", Vendor: "x", Product: "y.z-w", Version: "1"}),
			`cpe:2.3:a:x:y.z-w:1:*:*:*:*:*:*:*`},
		{`cpe:/a:microsoft:internet_explorer:8.%02:sp%01`,
			any5(Name{Part: "a", Vendor: "microsoft", Product: "internet_explorer", Version: "8.*", Update: "sp?"}),
			`cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*`},
		{`cpe:/a:hp:insight:7.4.0.1570:-:~~online~win2003~x64~`,
			any5(Name{Part: "a", Vendor: "hp", Product: "insight", Version: "7.4.0.1570", Update: NA,
				SWEdition: "online", TargetSW: "win2003", TargetHW: "x64"}),
			`cpe:2.3:a:hp:insight:7.4.0.1570:-:*:*:online:win2003:x64:*`},
		{`cpe:/a:foo%5cbar:big%24money_%2a:%2d`,
			any5(Name{Part: "a", Vendor: `foo\\bar`, Product: `big$money_\*`, Version: `\-`}),
			`cpe:2.3:a:foo\\bar:big\$money_\*:\-:*:*:*:*:*:*:*`},
		{`cpe:/o:redhat:enterprise_linux:9::baseos`,
			any5(Name{Part: "o", Vendor: "redhat", Product: "enterprise_linux", Version: "9", Edition: "baseos"}),
			`cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*`},
	} {
		got, err := Parse(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.in, d)
		}
		if got.String() != tt.bound {
			t.Errorf("%s: bound as %s, want %s", tt.in, got, tt.bound)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%s: %s reads back as %v, %v", tt.in, got, again, err)
		}
	}
}

func TestParseInvalid(t *testing.T) {
	for _, in := range []string{
		"", "cpe", "nginx", "cpe:2.3:", "cpe:2.3:a::nginx:*", "cpe:2.3:x:f5:nginx:1",
		`cpe:2.3:a:f5:nginx\`, "cpe:2.3:a:1:2:3:4:5:6:7:8:9:10:11", "cpe:/a:b:c:d:e:f:g:h",
		"cpe:/a:b%2", "cpe:/a:b%zz", "cpe:/a:b:c:1::~1~2~3~4~5~6", "cpe:/q:b",
	} {
		if n, err := Parse(in); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, %v; want ErrInvalid", in, n, err)
		}
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{
		`cpe:2.3:a:F5:Nginx:1`:         "a:f5:nginx",
		`cpe:2.3:a:x:a\:b:1`:           `a:x:a\:b`,
		`cpe:2.3:h:intel:*:*`:          "h:intel:*",
		`cpe:/a:perl:net%3a%3asnmp:5`:  `a:perl:net\:\:snmp`,
		`cpe:2.3:a:v:events_calendar*`: "a:v:events_calendar*",
	} {
		n, err := Parse(in)
		if err != nil || n.Key() != want {
			t.Errorf("%s: key %q, %v; want %q", in, n.Key(), err, want)
		}
	}
}

// The pairs follow NISTIR 7696, table 6-2: the source is the criterion.
func TestCompareValues(t *testing.T) {
	for _, tt := range []struct {
		source, target Value
		want           truth
	}{
		{Any, Any, yes}, {Any, NA, yes}, {Any, "1", yes}, {Any, "1*", yes},
		{NA, Any, unknown}, {NA, NA, yes}, {NA, "1", no}, {NA, "1*", no},
		{"1", Any, unknown}, {"1", NA, no}, {"1", "1", yes}, {"1", "2", no},
		{"1*", Any, unknown}, {"1*", NA, no}, {"1*", "12", yes}, {"1*", "21", no}, {"1*", "1*", yes}, {"1*", "2*", unknown},
		{"12", "1*", unknown}, {"22", "1*", no},
		{"?2", "12", yes}, {"?2", "2", yes}, {"?2", "112", no}, {"??2", "112", yes},
		{"*2*", "123", yes}, {"*2*", "13", no}, {"1?", "1", yes}, {"1?", "123", no},
		{`1\*`, "1*", unknown}, {`1\*`, `1\*`, yes}, {`1\*`, "12", no}, {`*\*`, `1\*`, yes}, {`*\*`, "12", no},
	} {
		if got := compareValues(tt.source, tt.target); got != tt.want {
			t.Errorf("%s against %s: %d, want %d", tt.source, tt.target, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`cpe:2.3:a:x:c\+\+\*\?\\:1.0\(1\):\-`, "cpe:/a:hp:insight:7.4:-:~~online~win2003~x64~",
		`cpe:/a:foo%5cbar:big%24money_%2a:%2d`, "cpe:2.3:a:b:c:\xff*?", "cpe:2.3:*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(n.String())
		if err != nil || again != n {
			t.Fatalf("%q: %q reads back as %#v, %v, not %#v", s, n.String(), again, err, n)
		}
	})
}
