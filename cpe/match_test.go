package cpe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, s string) Name {
	t.Helper()
	n, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustDecode(t testing.TB, s string) Configurations {
	t.Helper()
	c, err := Decode([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tree writes configurations in short: nodes are "op criterion, criterion",
// a criterion is "+name bounds" (vulnerable) or "-name bounds" (platform),
// and a bound one of >= > <= < and a version.
func tree(op string, nodes ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"operator":%q,"nodes":[`, op)
	for i, n := range nodes {
		if i > 0 {
			b.WriteByte(',')
		}
		nodeOp, rest, _ := strings.Cut(n, " ")
		negate := strings.HasPrefix(nodeOp, "!")
		fmt.Fprintf(&b, `{"operator":%q,"negate":%t,"cpeMatch":[`, strings.TrimPrefix(nodeOp, "!"), negate)
		for j, c := range strings.Split(rest, ", ") {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(criterionJSON(c))
		}
		b.WriteString("]}")
	}
	b.WriteString("]}")
	return b.String()
}

func criterionJSON(c string) string {
	f := strings.Fields(c)
	out := fmt.Sprintf(`{"vulnerable":%t,"criteria":%q`, f[0][0] == '+', "cpe:2.3:"+f[0][1:])
	for _, bound := range f[1:] {
		v := strings.TrimLeft(bound, "<>=")
		member := map[string]string{">=": "versionStartIncluding", ">": "versionStartExcluding",
			"<=": "versionEndIncluding", "<": "versionEndExcluding"}[strings.TrimSuffix(bound, v)]
		out += fmt.Sprintf(`,%q:%q`, member, v)
	}
	return out + "}"
}

func TestMatch(t *testing.T) {
	const none = ""
	firmware := tree("AND", "OR +o:cisco:rv_firmware:* <1.5", "OR -h:cisco:rv:-, -h:cisco:rw:-")
	windows := tree("AND", "OR +a:golang:go:* <1.20.11", "OR -o:microsoft:windows:-")
	for _, tt := range []struct {
		name      string
		tree      string
		product   string
		platforms string
		want      Verdict
		assumed   int
		unmet     int
	}{
		{"inside the bounds", tree("", "OR +a:f5:nginx:* >=1.0 <1.20"), "a:f5:nginx:1.19", none, Affected, 0, 0},
		{"start is included", tree("", "OR +a:f5:nginx:* >=1.0 <1.20"), "a:f5:nginx:1.0", none, Affected, 0, 0},
		{"end is excluded", tree("", "OR +a:f5:nginx:* >=1.0 <1.20"), "a:f5:nginx:1.20", none, NotAffected, 0, 0},
		{"end is included", tree("", "OR +a:f5:nginx:* <=1.20"), "a:f5:nginx:1.20", none, Affected, 0, 0},
		{"start is excluded", tree("", "OR +a:f5:nginx:* >1.0 <=1.20"), "a:f5:nginx:1.0", none, NotAffected, 0, 0},
		{"above an excluded start", tree("", "OR +a:f5:nginx:* >1.0 <=1.20"), "a:f5:nginx:1.0.1", none, Affected, 0, 0},
		{"start alone", tree("", "OR +a:f5:nginx:* >=1.0"), "a:f5:nginx:99", none, Affected, 0, 0},
		{"another product", tree("", "OR +a:f5:nginx:*"), "a:f5:unit:1", none, NotAffected, 0, 0},
		{"another part", tree("", "OR +a:f5:nginx:*"), "o:f5:nginx:1", none, NotAffected, 0, 0},
		{"every version", tree("", "OR +a:f5:nginx:*"), "a:f5:nginx:1", none, Affected, 0, 0},
		{"every version, none said", tree("", "OR +a:f5:nginx:*"), "a:f5:nginx:*", none, Affected, 0, 0},
		{"bounds, no version said", tree("", "OR +a:f5:nginx:* <2"), "a:f5:nginx:*", none, Unknown, 0, 0},
		{"bounds, version NA", tree("", "OR +a:f5:nginx:* <2"), "a:f5:nginx:-", none, NotAffected, 0, 0},
		{"version NA, NA said", tree("", "OR +h:cisco:rv:-"), "h:cisco:rv:-", none, Affected, 0, 0},
		{"version NA, a version said", tree("", "OR +h:cisco:rv:-"), "h:cisco:rv:2", none, NotAffected, 0, 0},
		{"version NA, none said", tree("", "OR +h:cisco:rv:-"), "h:cisco:rv:*", none, Unknown, 0, 0},
		{"single version", tree("", "OR +a:f5:nginx:1.0, +a:f5:nginx:1.2"), "a:f5:nginx:1.2", none, Affected, 0, 0},
		{"single version, another", tree("", "OR +a:f5:nginx:1.0"), "a:f5:nginx:1.1", none, NotAffected, 0, 0},
		{"version wildcard", tree("", "OR +a:f5:nginx:1.*"), "a:f5:nginx:1.9", none, Affected, 0, 0},
		{"product wildcard", tree("", "OR +a:x:events_calendar*:*"), "a:x:events_calendar_pro:1", none, Affected, 0, 0},
		{"vendor ANY", tree("", "OR +h:*:oem_drive:-"), "h:seagate:oem_drive:-", none, Affected, 0, 0},

		{"update is said", tree("", "OR +a:f5:nginx:1.0:rc1"), "a:f5:nginx:1.0:rc1", none, Affected, 0, 0},
		{"update is another", tree("", "OR +a:f5:nginx:1.0:rc1"), "a:f5:nginx:1.0:rc2", none, NotAffected, 0, 0},
		{"update is not said", tree("", "OR +a:f5:nginx:1.0:rc1"), "a:f5:nginx:1.0:*", none, Unknown, 0, 0},
		{"update NA means the release", tree("", "OR +a:f5:nginx:1.0:-"), "a:f5:nginx:1.0:rc1", none, NotAffected, 0, 0},
		{"update NA, none said", tree("", "OR +a:f5:nginx:1.0:-"), "a:f5:nginx:1.0", none, Affected, 0, 0},
		{"update ANY", tree("", "OR +a:f5:nginx:1.0:*"), "a:f5:nginx:1.0:rc1", none, Affected, 0, 0},
		{"a candidate is below the release", tree("", "OR +a:f5:nginx:* <1.0"), "a:f5:nginx:1.0:rc1", none, Affected, 0, 0},
		{"the release is not", tree("", "OR +a:f5:nginx:* <1.0"), "a:f5:nginx:1.0", none, NotAffected, 0, 0},

		{"target said", tree("", "OR +a:x:forms:*:*:*:*:*:wordpress <2"), "a:x:forms:1:*:*:*:*:wordpress", none, Affected, 0, 0},
		{"target is another", tree("", "OR +a:x:forms:*:*:*:*:*:wordpress <2"), "a:x:forms:1:*:*:*:*:drupal", none, NotAffected, 0, 0},
		{"target not said", tree("", "OR +a:x:forms:*:*:*:*:*:wordpress <2"), "a:x:forms:1", none, Affected, 1, 0},

		{"firmware, hardware not said", firmware, "o:cisco:rv_firmware:1.4", none, Affected, 1, 0},
		{"firmware on its hardware", firmware, "o:cisco:rv_firmware:1.4", "h:cisco:rw:-", Affected, 0, 0},
		{"firmware on other hardware", firmware, "o:cisco:rv_firmware:1.4", "h:cisco:xx:-", NotAffected, 0, 1},
		{"firmware, only a system said", firmware, "o:cisco:rv_firmware:1.4", "o:linux:linux_kernel:5", Affected, 1, 0},
		{"firmware above the bound", firmware, "o:cisco:rv_firmware:1.5", "h:cisco:rv:-", NotAffected, 0, 0},
		{"the hardware is only a platform", firmware, "h:cisco:rv:-", none, NotAffected, 0, 0},
		{"platform NA is met by a version", windows, "a:golang:go:1.19", "o:microsoft:windows:10.0", Affected, 0, 0},
		{"platform first", tree("AND", "OR -o:microsoft:windows:-", "OR +a:golang:go:* <1.20.11"), "a:golang:go:1.19", "o:linux:linux_kernel:6", NotAffected, 0, 1},
		{"platform with a version", tree("AND", "OR +a:x:y:*", "OR -o:v:os:2"), "a:x:y:1", "o:v:os:3", NotAffected, 0, 1},
		{"platform version not said", tree("AND", "OR +a:x:y:*", "OR -o:v:os:2"), "a:x:y:1", "o:v:os:*", Unknown, 0, 0},
		{"application as platform", tree("AND", "OR +a:x:driver:*", "OR -a:redhat:openshift:4"), "a:x:driver:1", "a:redhat:openshift:4", Affected, 0, 0},

		{"AND in a node", tree("", "AND +a:x:y:* <2, +a:x:z:* <2"), "a:x:y:1", none, Affected, 1, 0},
		{"AND in a node, both said", tree("", "AND +a:x:y:* <2, +a:x:z:* <2"), "a:x:y:1", "a:x:z:1", Affected, 0, 0},
		{"AND in a node, the other too new", tree("", "AND +a:x:y:* <2, +a:x:z:* <2"), "a:x:y:1", "a:x:z:3", NotAffected, 0, 1},
		{"OR assumes no neighbour", tree("", "OR +a:x:y:* <2, +a:x:z:*"), "a:x:y:3", none, NotAffected, 0, 0},
		{"nodes without operator are OR", tree("", "OR +a:x:y:* <2", "OR +a:x:y:* >=3 <4"), "a:x:y:3.5", none, Affected, 0, 0},
		{"nodes without operator need no neighbour", tree("", "OR +a:x:z:*", "OR +a:x:y:* <2"), "a:x:y:1", none, Affected, 0, 0},
		{"negated platform, not said", tree("AND", "OR +a:x:y:*", "!OR -o:v:os:-"), "a:x:y:1", none, Affected, 1, 0},
		{"negated platform, present", tree("AND", "OR +a:x:y:*", "!OR -o:v:os:-"), "a:x:y:1", "o:v:os:1", NotAffected, 0, 0},
		{"negated platform, absent", tree("AND", "OR +a:x:y:*", "!OR -o:v:os:-"), "a:x:y:1", "o:v:other:1", Affected, 0, 1},
		{"a negated node makes no product affected", tree("", "!OR +a:x:y:1"), "a:x:y:2", none, NotAffected, 0, 0},
		{"blanks and colons about a bound", `{"nodes":[{"operator":"OR","cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:o:linux:linux_kernel:*","versionEndExcluding":" 5.10.35:"}]}]}`,
			"o:linux:linux_kernel:5.10.34", none, Affected, 0, 0},
		{"a quoted bound", `{"nodes":[{"operator":"OR","cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:x:y:*","versionEndExcluding":"2.0\\(1\\)"}]}]}`,
			"a:x:y:2.0", none, Affected, 0, 0},
		{"no CPE, but the product's name", `{"nodes":[{"operator":"OR","cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:x:y::::"}]}]}`,
			"a:x:y:2.0", none, Unknown, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := mustDecode(t, "["+tt.tree+"]")
			var platforms []Name
			for p := range strings.FieldsSeq(tt.platforms) {
				platforms = append(platforms, mustParse(t, "cpe:2.3:"+p))
			}
			got := Match(c, mustParse(t, "cpe:2.3:"+tt.product), platforms...)
			if got.Verdict == NotAffected && len(got.Unmet) != tt.unmet {
				t.Errorf("unmet %q, want %d", got.Unmet, tt.unmet)
			}
			if got.Verdict != tt.want || len(got.Assumed) != tt.assumed {
				t.Errorf("%v, assumed %q, match %+v; want %v, %d assumed", got.Verdict, got.Assumed, got.Match, tt.want, tt.assumed)
			}
		})
	}
}

// An answer names the criterion that decided, also where it is no.
func TestMatchNamesWhatDecided(t *testing.T) {
	c := mustDecode(t, `[`+tree("", "OR +a:x:y:* <2")+`,`+tree("AND", "OR +a:x:y:* >=3 <4", "OR -o:v:os:-, -o:v:os2:-")+`]`)
	got := Match(c, mustParse(t, "cpe:2.3:a:x:y:3.1"))
	if got.Match == nil || got.Match.VersionEndExcluding != "4" {
		t.Errorf("decided by %+v, want the criterion below 4", got.Match)
	}
	want := [][]string{{"cpe:2.3:o:v:os:-", "cpe:2.3:o:v:os2:-"}}
	if d := cmp.Diff(want, got.Assumed); d != "" {
		t.Errorf("assumed (-want +got):\n%s", d)
	}
	if got := Match(c, mustParse(t, "cpe:2.3:a:x:y:9")); got.Match == nil {
		t.Error("a version outside all bounds: no criterion named")
	}
	if got := Match(c, mustParse(t, "cpe:2.3:a:other:y:9")); got.Match != nil {
		t.Errorf("another product: %+v named", got.Match)
	}
}

// A configuration without assumptions is preferred to one with.
func TestMatchPrefersTheSurer(t *testing.T) {
	sure, assumes := tree("", "OR +a:x:y:1"), tree("AND", "OR +a:x:y:*", "OR -o:v:os:-")
	for _, s := range []string{sure + "," + assumes, assumes + "," + sure} {
		if got := Match(mustDecode(t, "["+s+"]"), mustParse(t, "cpe:2.3:a:x:y:1")); got.Verdict != Affected || got.Assumed != nil {
			t.Errorf("%s: %v, assumed %q", s, got.Verdict, got.Assumed)
		}
	}
}

func TestProducts(t *testing.T) {
	c := mustDecode(t, `[`+tree("AND", "OR +o:cisco:b:1, +o:cisco:b:2", `OR -h:cisco:a\:c:-, -:::`)+`]`)
	if d := cmp.Diff([]string{`h:cisco:a\:c`, "o:cisco:b"}, Products(c)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"cpe:2.3::::"}, Broken(c)); d != "" {
		t.Errorf("broken (-want +got):\n%s", d)
	}
}

func TestDecodeInvalid(t *testing.T) {
	for _, s := range []string{"", "{}", `[{"nodes":3}]`, `[`, `[]x`} {
		if c, err := Decode([]byte(s)); err == nil {
			t.Errorf("%q: %v, want an error", s, c)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("["+tree("AND", "OR +o:cisco:b:* >1 <=2", "!AND -h:cisco:c:-")+"]", "cpe:2.3:o:cisco:b:1.5:rc1", "cpe:2.3:h:cisco:c:1")
	f.Add(`[{"nodes":[{"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:x:y::::"}]}]}]`, "cpe:/a:x:y:1", "cpe:2.3:*")
	f.Fuzz(func(t *testing.T, tree, product, platform string) {
		c, err := Decode([]byte(tree))
		if err != nil {
			return
		}
		p, err := Parse(product)
		if err != nil {
			return
		}
		a := Match(c, p)
		if a.Verdict == Affected && (a.Match == nil || !a.Match.Vulnerable) {
			t.Fatalf("affected by %+v", a.Match)
		}
		if q, err := Parse(platform); err == nil {
			Match(c, p, q)
		}
		Products(c)
	})
}
