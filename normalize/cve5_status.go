package normalize

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// A cveRow is one element of versions: the status of one version, or of those
// from Version up to a bound.
type cveRow struct {
	Version         string      `json:"version"`
	Status          string      `json:"status"`
	VersionType     string      `json:"versionType"`
	LessThan        string      `json:"lessThan"`
	LessThanOrEqual string      `json:"lessThanOrEqual"`
	Changes         []cveChange `json:"changes"`
}

// A cveChange is the status from one version of a row on.
type cveChange struct {
	At     string `json:"at"`
	Status string `json:"status"`
}

// cveFillers are what stands in version where there is none; as the start of
// a range they mean "from the first".
var cveFillers = nameSet("", "n/a", "na", "unspecified", "unknown", "-", "not specified", "none", "tbd", "0")

// everything are versions that mean all of them.
var everything = nameSet("*", "all", "all versions", "any", "every")

func isWord(set map[string]bool, s string) bool { return set[strings.ToLower(strings.TrimSpace(s))] }

// A cvePoint is a bound, as it was written and as a place in the order.
type cvePoint struct {
	text string
	at   versioncmp.Version
}

// A cveSpan is the versions from lo on with one status; without lo it starts
// below all versions, without hi it ends above all.
type cveSpan struct {
	lo, hi  *cvePoint
	hiIn    bool // hi is in it
	status  string
	changes []cveSpan // only lo and status count; in the order of the record

	from, to int // the first and the last place, see cveAxis
}

// statusAt returns the status that the span gives to a place in it: that of
// the last change before it.
func (s *cveSpan) statusAt(place int) string {
	status, since := s.status, s.from
	for i := range s.changes {
		if c := &s.changes[i]; c.from <= place && c.from >= since {
			status, since = c.status, c.from
		}
	}
	return status
}

// A cveAxis is all bounds of a product in the order of its versions. The
// bound i is the place 2i, the versions between it and the next are the place
// 2i+1, and -1 is what lies below all.
type cveAxis struct {
	points []*cvePoint
}

// newAxis sorts the bounds of spans and gives each span its places.
func newAxis(spans []cveSpan) *cveAxis {
	x := new(cveAxis)
	for i := range spans {
		x.points = append(x.points, spans[i].lo, spans[i].hi)
		for j := range spans[i].changes {
			x.points = append(x.points, spans[i].changes[j].lo)
		}
	}
	x.points = slices.DeleteFunc(x.points, func(p *cvePoint) bool { return p == nil })
	slices.SortStableFunc(x.points, comparePoints)
	x.points = slices.CompactFunc(x.points, func(a, b *cvePoint) bool { return comparePoints(a, b) == 0 })
	for i := range spans {
		x.place(&spans[i])
		for j := range spans[i].changes {
			x.place(&spans[i].changes[j])
		}
	}
	return x
}

func comparePoints(a, b *cvePoint) int { return a.at.Compare(b.at) }

// place gives a span its first and last place.
func (x *cveAxis) place(s *cveSpan) {
	s.from, s.to = -1, 2*len(x.points)
	if s.lo != nil {
		i, _ := slices.BinarySearchFunc(x.points, s.lo, comparePoints)
		s.from = 2 * i
	}
	if s.hi != nil {
		i, _ := slices.BinarySearchFunc(x.points, s.hi, comparePoints)
		s.to = 2*i - 1 + boolInt(s.hiIn)
	}
}

// spansOf returns the versions that have the wanted status, sorted, without
// overlap. The status of a version is that of the first row that has it in
// its range, with its changes, else the default.
func (x *cveAxis) spansOf(rows []cveSpan, wanted, otherwise string) []versioncmp.Span {
	var out []versioncmp.Span
	open := false
	for place := -1; place < 2*len(x.points); place++ {
		status := otherwise
		if i := slices.IndexFunc(rows, func(s cveSpan) bool { return s.from <= place && place <= s.to }); i >= 0 {
			status = rows[i].statusAt(place)
		}
		in := status == wanted
		switch {
		case in && !open:
			out = append(out, versioncmp.Span{Lo: x.lower(place), Hi: versioncmp.Bound{Unbounded: true}})
		case !in && open:
			out[len(out)-1].Hi = x.upper(place - 1)
		}
		open = in
	}
	return out
}

// lower is the bound of a span whose first place is given.
func (x *cveAxis) lower(place int) versioncmp.Bound {
	if place < 0 {
		return versioncmp.Bound{Unbounded: true}
	}
	return versioncmp.Bound{Version: x.points[place/2].text, Inclusive: place%2 == 0}
}

// upper is the bound of a span whose last place is given; it is not the last
// place of all.
func (x *cveAxis) upper(place int) versioncmp.Bound {
	if place >= 0 && place%2 == 0 {
		return versioncmp.Bound{Version: x.points[place/2].text, Inclusive: true}
	}
	return versioncmp.Bound{Version: x.points[(place+1)/2].text}
}
