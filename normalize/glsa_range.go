package normalize

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// A glsaPoint is a place between versions: before or just behind one.
type glsaPoint struct {
	at    bound
	text  string // the version as written
	after bool
}

var (
	glsaLow  = glsaPoint{at: bound{low: true}}
	glsaHigh = glsaPoint{at: bound{high: true}}
)

// glsaPoints returns the places before and behind a version.
func glsaPoints(version string) (before, after glsaPoint, err error) {
	v, err := versioncmp.For(gentoo).Parse(version)
	before = glsaPoint{at: bound{version: v}, text: version}
	after = before
	after.after = true
	return before, after, err
}

func (p glsaPoint) compare(q glsaPoint) int {
	if c := p.at.compare(q.at); c != 0 {
		return c
	}
	return boolInt(p.after) - boolInt(q.after)
}

// A glsaRun is the versions between two places.
type glsaRun struct{ lo, hi glsaPoint }

// A glsaSet is runs in any order, which may overlap.
type glsaSet []glsaRun

// without returns the versions of s that are in none of t.
func (s glsaSet) without(t glsaSet) glsaSet {
	left := slices.Clone(s)
	for _, cut := range t {
		var rest glsaSet
		for _, run := range left {
			rest = append(rest, run.without(cut)...)
		}
		left = rest
	}
	return slices.DeleteFunc(left, func(r glsaRun) bool { return r.lo.compare(r.hi) >= 0 })
}

// without returns what cut leaves of r, up to two runs.
func (r glsaRun) without(cut glsaRun) []glsaRun {
	if cut.hi.compare(r.lo) <= 0 || r.hi.compare(cut.lo) <= 0 {
		return []glsaRun{r}
	}
	var out []glsaRun
	if r.lo.compare(cut.lo) < 0 {
		out = append(out, glsaRun{r.lo, cut.lo})
	}
	if cut.hi.compare(r.hi) < 0 {
		out = append(out, glsaRun{cut.hi, r.hi})
	}
	return out
}

// intervals writes runs as OSV does. What begins just behind 1.2-r3 is
// introduced in 1.2-r4: revisions are whole numbers and compare last.
func (s glsaSet) intervals() []Interval {
	out := make([]Interval, len(s))
	for i, run := range s {
		switch {
		case run.lo.at.low:
			out[i].Introduced = "0"
		case run.lo.after:
			out[i].Introduced = nextRevision(run.lo.text)
		default:
			out[i].Introduced = run.lo.text
		}
		switch {
		case run.hi.at.high:
		case run.hi.after:
			out[i].LastAffected = run.hi.text
		default:
			out[i].Fixed = run.hi.text
		}
	}
	return out
}

func nextRevision(version string) string {
	base, revision, ok := strings.Cut(version, "-r")
	if !ok {
		revision = "0"
	}
	return base + "-r" + incrementDigits(revision)
}
