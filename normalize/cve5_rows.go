package normalize

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// cveSchemes orders versions by their versionType, where no package says by
// what. All other types ("custom", "", and whatever a CNA makes up) have
// the order of CPE versions.
var cveSchemes = map[string]*versioncmp.Scheme{
	"semver": versioncmp.For(semverEcosystem), "python": versioncmp.For("PyPI"), "maven": versioncmp.For("Maven"),
	"rpm": versioncmp.For("Red Hat"),
}

// A cveReader reads the rows of a product, all by one scheme.
type cveReader struct {
	scheme *versioncmp.Scheme
	spans  []cveSpan
	text   []string // rows that name no version: "affected: before 1.4.7"
}

// readRows reads the rows of a product by the scheme of its package, or else
// by that of their versionType if all rows have the same and it takes all
// their versions, or else as CPE versions.
func readRows(s *versioncmp.Scheme, rows []cveRow) *cveReader {
	if s == nil && len(rows) > 0 {
		s = cveSchemes[strings.ToLower(rows[0].VersionType)]
		for i := range rows {
			if cveSchemes[strings.ToLower(rows[i].VersionType)] != s {
				s = nil
			}
		}
	}
	if s != nil {
		p := &cveReader{scheme: s}
		if p.read(rows); len(p.text) == 0 {
			return p
		}
	}
	p := &cveReader{scheme: versioncmp.ForCPE()}
	p.read(rows)
	return p
}

func (p *cveReader) read(rows []cveRow) {
	for i := range rows {
		row := &rows[i]
		spans, ok := p.span(row)
		p.spans = append(p.spans, spans...)
		if !ok && !isWord(cveFillers, row.Version) {
			p.text = append(p.text, row.Status+": "+rowText(row))
		}
	}
}

// rowText writes a row that could not be read.
func rowText(row *cveRow) string {
	switch {
	case row.LessThan != "":
		return row.Version + " < " + row.LessThan
	case row.LessThanOrEqual != "":
		return row.Version + " <= " + row.LessThanOrEqual
	}
	return row.Version
}

// span reads a row; one with operators in its version may be several spans. A
// row that ends before it begins says nothing.
func (p *cveReader) span(row *cveRow) ([]cveSpan, bool) {
	version := strings.TrimSpace(row.Version)
	bounded := row.LessThan != "" || row.LessThanOrEqual != ""
	if !bounded {
		return p.bare(version, row)
	}
	out := cveSpan{status: row.Status}
	var ok bool
	if !isWord(cveFillers, version) && !isWord(everything, version) {
		if out.lo, ok = p.point(strings.TrimLeft(version, ">= ")); !ok {
			return nil, false
		}
	}
	if !p.end(row, &out) {
		return nil, false
	}
	if out.lo != nil && out.hi != nil && comparePoints(out.lo, out.hi) > 0 {
		return nil, false
	}
	for _, c := range row.Changes {
		at, ok := p.point(c.At)
		if !ok {
			return nil, false
		}
		out.changes = append(out.changes, cveSpan{lo: at, status: c.Status})
	}
	if len(out.changes) == 0 && out.lo != nil && out.hi != nil && !out.hiIn && comparePoints(out.lo, out.hi) == 0 {
		out.hiIn = true // "lessThan" its own version: that one version is meant
	}
	return []cveSpan{out}, true
}

// end reads the bound of a range. "*" is no end, "5.15.*" ends behind all
// that begin with 5.15; what else ends with a star ("log4j-core*") is no end
// either, nor is "unspecified", which stands for the >= of older formats.
func (p *cveReader) end(row *cveRow, out *cveSpan) (ok bool) {
	bound := strings.TrimSpace(firstNonEmpty(row.LessThan, row.LessThanOrEqual))
	stem, star := strings.CutSuffix(bound, "*")
	switch {
	case star && strings.HasSuffix(stem, ".") && isNumber(strings.ReplaceAll(stem, ".", "")):
		out.hi, ok = p.point(behind(p.scheme, strings.TrimSuffix(stem, ".")))
		return ok
	case star, isWord(everything, bound), isWord(cveFillers, bound) && bound != "0":
		return true
	}
	out.hi, ok = p.point(strings.TrimLeft(bound, "<= "))
	out.hiIn = row.LessThan == ""
	return ok
}

// behind returns the least version above all that begin with the numbers.
func behind(s *versioncmp.Scheme, numbers string) string {
	parts := strings.Split(numbers, ".")
	last := len(parts) - 1
	parts[last] = incrementDigits(parts[last])
	up := strings.Join(parts, ".")
	switch s {
	case versioncmp.For(semverEcosystem):
		for range 2 - min(last, 2) {
			up += ".0"
		}
		return up + "-0"
	case versioncmp.For("Linux"):
		return up + "-rc1"
	}
	return up
}

// bare reads a row without bounds: one version, all of them, or a version with
// operators in it.
func (p *cveReader) bare(version string, row *cveRow) ([]cveSpan, bool) {
	switch {
	case isWord(everything, version):
		return []cveSpan{{status: row.Status}}, true
	case isWord(cveFillers, version) && version != "0":
		return nil, false
	case strings.ContainsAny(version, "<>"):
		return p.operators(version, row.Status)
	case strings.Contains(version, ","):
		return p.list(version, row.Status)
	}
	at, ok := p.point(strings.TrimLeft(version, "= "))
	if !ok {
		return nil, false
	}
	return []cveSpan{{lo: at, hi: at, hiIn: true, status: row.Status}}, true
}

// list reads "2.0.9-6, 2.1.2-3": versions without blanks.
func (p *cveReader) list(version, status string) (out []cveSpan, ok bool) {
	for v := range strings.SplitSeq(version, ",") {
		at, ok := p.point(v)
		if !ok || strings.ContainsAny(strings.TrimSpace(v), " \t") {
			return nil, false
		}
		out = append(out, cveSpan{lo: at, hi: at, hiIn: true, status: status})
	}
	return out, true
}

// operators reads ">= 2.0, < 2.4" and "< 1.5.3 || 1.6". A bound that is not in
// its span is a row of its own before it.
func (p *cveReader) operators(version, status string) ([]cveSpan, bool) {
	parsed, err := versioncmp.ParseRequirement("prose:", version)
	if err != nil {
		return nil, false
	}
	var out []cveSpan
	for _, r := range parsed {
		s, ok := cveSpan{status: status, hiIn: r.Hi.Inclusive}, true
		if !r.Lo.Unbounded {
			s.lo, ok = p.point(r.Lo.Version)
		}
		if ok && !r.Hi.Unbounded {
			s.hi, ok = p.point(r.Hi.Version)
		}
		if !ok {
			return nil, false
		}
		if s.lo != nil && !r.Lo.Inclusive {
			out = append(out, cveSpan{lo: s.lo, hi: s.lo, hiIn: true, status: "beside"})
		}
		out = append(out, s)
	}
	return out, len(out) > 0
}

// prose are words that make a version a sentence.
var prose = []string{"before", "prior", "through", "earlier", "later", "up to", "below", "above", "older", "newer", " and ", " to "}

// point reads a bound. What the scheme refuses, and what is a sentence, is no
// bound.
func (p *cveReader) point(text string) (*cvePoint, bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), ":")
	if isSentence(text) || strings.ContainsAny(text, ",<>") {
		return nil, false
	}
	v, err := p.scheme.Parse(text)
	return &cvePoint{text, v}, err == nil
}

func isSentence(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(prose, func(w string) bool { return strings.Contains(text, w) })
}
