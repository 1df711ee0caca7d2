package cpe

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// overrides yields each configurations tree of the NVD overrides.
func overrides(t testing.TB, yield func(name string, tree []byte)) {
	f := open(t, "upstream", "day1", "github.com", "anchore", "nvd-data-overrides", "archive", "refs", "heads", "main.tar.gz")
	tr := tar.NewReader(f)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(h.Name, "/data/") || !strings.HasSuffix(h.Name, ".json") {
			continue
		}
		var doc struct {
			CVE struct {
				Configurations json.RawMessage `json:"configurations"`
			} `json:"cve"`
		}
		if err := json.NewDecoder(tr).Decode(&doc); err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		if doc.CVE.Configurations == nil {
			doc.CVE.Configurations = json.RawMessage("[]")
		}
		yield(h.Name, doc.CVE.Configurations)
	}
}

// year yields each configurations tree of the NVD year 2022.
func year(t testing.TB, yield func(id string, tree []byte)) {
	f := open(t, "upstream", "day1", "nvd.nist.gov", "feeds", "json", "cve", "2.0", "nvdcve-2.0-2022.json.gz")
	var doc struct {
		Vulnerabilities []struct {
			CVE struct {
				ID             string          `json:"id"`
				Configurations json.RawMessage `json:"configurations"`
			} `json:"cve"`
		} `json:"vulnerabilities"`
	}
	if err := json.NewDecoder(f).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for _, v := range doc.Vulnerabilities {
		if v.CVE.Configurations != nil {
			yield(v.CVE.ID, v.CVE.Configurations)
		}
	}
}

func open(t testing.TB, elem ...string) io.Reader {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// tally holds the property on one tree: a version at an included end of a
// vulnerable criterion is affected, one at an excluded end is so only by
// another criterion, and every criterion is affected by its own name.
type tally struct{ trees, criteria, vulnerable, checked, unordered, broken int }

func (n *tally) check(t *testing.T, id string, tree []byte) {
	c, err := Decode(tree)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	n.trees++
	n.criteria += strings.Count(string(tree), `"criteria"`)
	n.broken += len(Broken(c))
	keys := map[string]bool{}
	for _, k := range Products(c) {
		keys[k] = true
	}
	for m := range c.criteria {
		if m.broken != nil {
			continue
		}
		if !keys[m.name.Key()] {
			t.Errorf("%s: %s is not indexed", id, m.Criteria)
		}
		if m.Vulnerable {
			n.vulnerable++
			n.ends(t, id, c, m)
		}
	}
}

func (n *tally) ends(t *testing.T, id string, c Configurations, m *Criterion) {
	ask := func(version string) Answer {
		name := m.name
		if version != "" {
			name.Version, name.Update = Value(strings.ToLower(version)), Any
			if m.name.Update != NA {
				name.Update = m.name.Update
			}
		}
		n.checked++
		return Match(c, name)
	}
	for _, v := range []string{bound(m.VersionStartIncluding), bound(m.VersionEndIncluding)} {
		if v == "" || m.name.Update != Any && m.name.Update != NA {
			continue
		}
		a := ask(v)
		switch {
		case a.Verdict == Unknown:
			n.unordered++
		case a.Verdict == NotAffected && !m.empty():
			t.Errorf("%s: %s at %s: not affected", id, m.Criteria, v)
		}
	}
	for _, v := range []string{bound(m.VersionStartExcluding), bound(m.VersionEndExcluding)} {
		if v == "" {
			continue
		}
		if a := ask(v); a.Verdict == Affected && a.Match.same(m) {
			t.Errorf("%s: %s at its excluded end %s: affected", id, m.Criteria, v)
		}
	}
	if len(m.bounds) == 0 {
		if a := ask(""); a.Verdict != Affected {
			t.Errorf("%s: %s by its own name: %v", id, m.Criteria, a.Verdict)
		}
	}
}

// empty reports whether m's bounds exclude each other.
func (m *Criterion) empty() bool {
	for _, v := range m.bounds {
		for _, b := range m.bounds {
			if v.include && !b.admits(v.version) {
				return true
			}
		}
	}
	return false
}

func (m *Criterion) same(o *Criterion) bool {
	return m == o || m.Criteria == o.Criteria && m.VersionStartExcluding == o.VersionStartExcluding &&
		m.VersionEndExcluding == o.VersionEndExcluding
}

func TestOverrides(t *testing.T) {
	var n tally
	overrides(t, func(name string, tree []byte) { n.check(t, name, tree) })
	if n.trees != 32184 || n.criteria != 97775 {
		t.Errorf("%d trees with %d criteria, want 32184 with 97775", n.trees, n.criteria)
	}
	t.Logf("%+v", n)
}

func TestYear2022(t *testing.T) {
	var n tally
	year(t, func(id string, tree []byte) { n.check(t, id, tree) })
	if n.trees != 14844 || n.criteria != 122129 {
		t.Errorf("%d trees with %d criteria, want 14844 with 122129", n.trees, n.criteria)
	}
	t.Logf("%+v", n)
}

func BenchmarkMatch(b *testing.B) {
	var all []Configurations
	var bytes int64
	year(b, func(_ string, tree []byte) {
		c, err := Decode(tree)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
		bytes += int64(len(tree))
	})
	product := mustParse(b, "cpe:2.3:a:gitlab:gitlab:14.8.1:*:*:*:enterprise:*:*:*")
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range all {
			Match(c, product)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/tree")
}

func BenchmarkDecode(b *testing.B) {
	var all [][]byte
	n := 0
	year(b, func(_ string, tree []byte) {
		if len(all) < 2000 {
			all = append(all, tree)
			n += len(tree)
		}
	})
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		for _, tree := range all {
			if _, err := Decode(tree); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	tree := []byte("[" + tree("AND", "OR +o:cisco:rv_firmware:* >=1.0 <1.5", "OR -h:cisco:rv:-") + "]")
	product, platform := mustParse(b, "cpe:2.3:o:cisco:rv_firmware:1.4"), mustParse(b, "cpe:2.3:h:cisco:rv:-")
	b.ReportAllocs()
	for b.Loop() {
		c, err := Decode(tree)
		if err != nil || Match(c, product, platform).Verdict != Affected {
			b.Fatal("not affected")
		}
	}
}
