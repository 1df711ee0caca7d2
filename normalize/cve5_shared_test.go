package normalize

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/versioncmp"
)

func vulnrichment(tb testing.TB, f func(sharedDoc)) {
	path := sharedtest.Path(tb, "upstream", "day1", "github.com", "cisagov", "vulnrichment", "archive", "refs", "heads", "develop.tar.gz")
	walkArchive(tb, path, func(d sharedDoc) {
		if strings.Contains(d.name, "/CVE-") && strings.HasSuffix(d.name, ".json") {
			f(d)
		}
	})
}

// Every record of Vulnrichment can be read, says nothing that OSV forbids, and
// its ranges decide every version that a row names as the row does (asked of
// every eighth record).
func TestCVEListShared(t *testing.T) {
	n, cisa, decisions, products, asked, wrong := 0, 0, 0, 0, 0, 0
	vulnrichment(t, func(d sharedDoc) {
		n++
		parse := func(p Parser, f func(*Record)) {
			if err := p(Doc{Name: d.name, Body: strings.NewReader(string(d.data))}, func(r *Record) error { f(r); return nil }); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		}
		parse(CVEList, func(r *Record) {
			for _, f := range Lint(r) {
				if r.ID != "CVE-2024-36970" { // a version "v6.9-rc1~118" of the kernel
					t.Error(f)
				}
			}
		})
		parse(Vulnrichment, func(r *Record) { cisa++ })
		parse(SSVC, func(r *Record) { decisions++ })
		if n%8 != 0 {
			return
		}
		var c cveRecord
		if err := json.Unmarshal(d.data, &c, decodeOptions); err != nil {
			t.Fatal(err)
		}
		for i := range c.Containers.CNA.Affected {
			p := &c.Containers.CNA.Affected[i]
			m, bad := p.check()
			products++
			asked += m
			if len(bad) > 0 {
				wrong++
				if wrong < 10 {
					t.Errorf("%s: %s: %q", c.Meta.ID, p.Product, bad)
				}
			}
		}
	})
	if n != 44130 || cisa != 44026 || decisions != 44026 {
		t.Errorf("%d records, %d of CISA, %d decisions", n, cisa, decisions)
	}
	t.Logf("%d products, %d versions asked, %d products wrong", products, asked, wrong)
}

// check asks the ranges of p for every version that its rows name, and
// compares with the rows, read one by one. Rows that need more than a
// comparison are for TestCVEStatus.
func (p *cveProduct) check() (asked int, bad []string) {
	rows, commits := p.split()
	if len(commits) > 0 || len(rows) == 0 {
		return 0, nil
	}
	pkg, _ := p.pkg()
	s := readRows(versioncmp.For(pkg.Ecosystem), rows).scheme
	st := p.statuses(pkg.Ecosystem, rows)
	if len(st.Text) > 0 || st.Inexact {
		return 0, nil
	}
	for _, r := range rows {
		if strings.ContainsAny(r.Version+r.LessThan+r.LessThanOrEqual, "*<>=:,") {
			return 0, nil
		}
	}
	var events [][]versioncmp.Event
	for _, r := range st.Ranges {
		var list []versioncmp.Event
		for _, e := range r.Events {
			kind := []versioncmp.EventKind{versioncmp.Introduced, versioncmp.LastAffected, versioncmp.Fixed}[e.rank()]
			list = append(list, versioncmp.Event{Kind: kind, Version: e.version()})
		}
		events = append(events, list)
	}
	compiled := versioncmp.Compile(s, events, st.Versions)
	for i := range rows {
		for _, v := range []string{rows[i].Version, rows[i].LessThan, rows[i].LessThanOrEqual} {
			at, err := s.Parse(strings.TrimSpace(v))
			if err != nil || isWord(cveFillers, v) || isWord(everything, v) {
				continue
			}
			asked++
			want := versioncmp.NotAffected
			if p.naive(s, rows, at) == "affected" {
				want = versioncmp.Affected
			}
			if got := compiled.Verdict(at); got != want && !(got == versioncmp.Unknown && want == versioncmp.NotAffected) {
				bad = append(bad, v+": "+got.String())
			}
		}
	}
	return asked, bad
}

// naive is the rule of the format, read row by row.
func (p *cveProduct) naive(s *versioncmp.Scheme, rows []cveRow, at versioncmp.Version) string {
	compare := func(v string) int {
		b, err := s.Parse(strings.TrimSpace(v))
		if err != nil {
			return 0
		}
		return at.Compare(b)
	}
	for i := range rows {
		r := &rows[i]
		filler := isWord(cveFillers, r.Version)
		switch end := r.LessThan + r.LessThanOrEqual; {
		case filler && end == "":
			if r.Version != "0" || compare("0") != 0 {
				continue
			}
		case !filler && compare(r.Version) < 0,
			end == "" && compare(r.Version) != 0,
			r.LessThan != "" && !isWord(cveFillers, r.LessThan) && compare(r.LessThan) >= 0 && !(r.LessThan == r.Version && compare(r.Version) == 0),
			r.LessThan == "" && r.LessThanOrEqual != "" && !isWord(cveFillers, r.LessThanOrEqual) && compare(r.LessThanOrEqual) > 0:
			continue
		}
		status, since := r.Status, ""
		for _, c := range r.Changes {
			if compare(c.At) >= 0 && (since == "" || order(s, c.At, since) >= 0) {
				status, since = c.Status, c.At
			}
		}
		return status
	}
	return p.Default
}

func order(s *versioncmp.Scheme, a, b string) int {
	x, _ := s.Parse(a)
	y, _ := s.Parse(b)
	return x.Compare(y)
}

func BenchmarkCVEList(b *testing.B) {
	var docs []string
	size := 0
	vulnrichment(b, func(d sharedDoc) {
		if len(docs) < 2000 {
			docs = append(docs, string(d.data))
			size += len(d.data)
		}
	})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, d := range docs {
			if err := CVEList(Doc{Body: strings.NewReader(d)}, func(*Record) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	}
}
