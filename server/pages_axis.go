package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// An axis is the versions that drawings of one figure speak of, in the order
// of their ecosystem, at even distances: what a version number says of the
// time between two releases is nothing. Places are percents of the width.
type axis struct {
	scheme *versioncmp.Scheme
	parsed map[string]versioncmp.Version
	rank   map[string]int // of each text, after order
	count  int            // of versions that differ
	mark   string         // a version asked about
}

// Places of the versions on an axis; what is before and behind is for the
// first version and for what has no end.
const (
	axisBegin = 3.0
	axisEnd   = 97.0
)

func newAxis(s *versioncmp.Scheme) *axis {
	return &axis{scheme: s, parsed: map[string]versioncmp.Version{}}
}

// add puts a version on the axis, and reports whether it has a place there.
func (a *axis) add(version string) bool {
	if _, ok := a.parsed[version]; ok {
		return true
	}
	if a.scheme == nil {
		return false
	}
	v, err := a.scheme.Parse(version)
	if err != nil || !v.Ordered() {
		return false
	}
	a.parsed[version] = v
	return true
}

// addSpans puts the ends of spans on the axis. What it returns are those of
// which both ends have a place, and the versions that have none.
func (a *axis) addSpans(spans []versioncmp.Span) (drawn []versioncmp.Span, refused []string) {
	for _, s := range spans {
		ok := true
		for _, b := range [2]versioncmp.Bound{s.Lo, s.Hi} {
			if !b.Unbounded && !a.add(b.Version) {
				refused, ok = append(refused, b.Version), false
			}
		}
		if ok {
			drawn = append(drawn, s)
		}
	}
	return drawn, refused
}

// order gives each version its place. It comes after the last add.
func (a *axis) order() {
	list := make([]string, 0, len(a.parsed))
	for text := range a.parsed {
		list = append(list, text)
	}
	slices.SortFunc(list, func(x, y string) int {
		if c := a.parsed[x].Compare(a.parsed[y]); c != 0 {
			return c
		}
		return strings.Compare(x, y)
	})
	a.rank, a.count = make(map[string]int, len(list)), 0
	for i, text := range list {
		if i == 0 || a.parsed[text].Compare(a.parsed[list[i-1]]) != 0 {
			a.count++
		}
		a.rank[text] = a.count - 1
	}
}

// at is the place of a version that was added.
func (a *axis) at(version string) float64 {
	return axisBegin + (axisEnd-axisBegin)*float64(a.rank[version]+1)/float64(a.count+1)
}

// A label names a version on an axis.
type label struct {
	X      float64
	Y      int // of its base line
	Text   string
	Full   string
	Anchor string // start, middle, end
	Mark   bool   // the version asked about
}

// Measures of labels, in pixels: of a drawing as narrow as the style lets it
// become, and of a character.
const (
	axisWidth  = 340.0
	glyphWidth = 6.6
	labelRows  = 2
	labelStep  = 14
	maxLabel   = 22 // characters

	labelsSpread = 4 // that get their place before all others
)

// labels names as many versions as there is room for, the one asked about
// before all others.
func (a *axis) labels() []label {
	texts := make([]string, a.count)
	for text, i := range a.rank {
		if texts[i] == "" || text < texts[i] || text == a.mark {
			texts[i] = text
		}
	}
	var rows [labelRows][][2]float64 // what is taken
	var list []label
	place := func(text string, mark bool) {
		l := label{X: a.at(text), Text: cut(maxLabel, text), Full: cut(200, text), Anchor: "middle", Mark: mark}
		width := 100 * glyphWidth * float64(len([]rune(l.Text))) / axisWidth
		from := l.X - width/2
		switch {
		case from < 0:
			l.Anchor, from = "start", l.X-0.5
		case from+width > 100:
			l.Anchor, from = "end", l.X+0.5-width
		}
		for i := range rows {
			if free(rows[i], from, from+width) {
				rows[i] = append(rows[i], [2]float64{from - 2, from + width + 2})
				l.Y = 11 + i*labelStep
				list = append(list, l)
				return
			}
		}
	}
	if _, ok := a.rank[a.mark]; ok && a.mark != "" {
		place(a.mark, true)
	}
	step := (len(texts) + labelsSpread - 1) / labelsSpread
	for i := 0; i < len(texts); i += step { // first all along the axis, then in between
		if texts[i] != a.mark {
			place(texts[i], false)
		}
	}
	for i, text := range texts {
		if i%step != 0 && text != a.mark {
			place(text, false)
		}
	}
	return list
}

func free(taken [][2]float64, from, to float64) bool {
	return !slices.ContainsFunc(taken, func(t [2]float64) bool { return from < t[1] && to > t[0] })
}

// A bar is one span as it is drawn.
type bar struct {
	X1, X2         float64
	Begin, End     string // "in": the end belongs to it; "out": it does not; "open": there is none
	Single, Listed bool
}

// maxBars is how many spans of one record are drawn.
const maxBars = 120

// bars draws spans that were added.
func (a *axis) bars(spans []versioncmp.Span) []bar {
	list := make([]bar, 0, len(spans))
	for _, s := range spans[:min(len(spans), maxBars)] {
		b := bar{X1: 0, X2: 100, Begin: "open", End: "open"}
		if !s.Lo.Unbounded {
			b.X1, b.Begin = a.at(s.Lo.Version), side(s.Lo)
		}
		if !s.Hi.Unbounded {
			b.X2, b.End = a.at(s.Hi.Version), side(s.Hi)
		}
		_, b.Single = s.Single()
		list = append(list, b)
	}
	return list
}

func side(b versioncmp.Bound) string {
	if b.Inclusive {
		return "in"
	}
	return "out"
}

// dots draws versions that a record lists by name: each, or where there are
// many the first, the last, and that there are others in between.
func (a *axis) dots(versions []string) []bar {
	slices.SortFunc(versions, func(x, y string) int { return a.rank[x] - a.rank[y] })
	if len(versions) > maxDots {
		return []bar{{X1: a.at(versions[0]), X2: a.at(versions[len(versions)-1]), Begin: "in", End: "in", Listed: true}}
	}
	list := make([]bar, 0, len(versions))
	for _, v := range versions {
		list = append(list, bar{X1: a.at(v), X2: a.at(v), Begin: "in", End: "in", Single: true, Listed: true})
	}
	return list
}

// maxDots is how many listed versions of a record are drawn one by one.
const maxDots = 12

// spanText says what a span holds.
func spanText(s versioncmp.Span) string {
	if v, ok := s.Single(); v == "-" { // NA of CPE
		return "no version named"
	} else if ok {
		return "only " + cut(60, v)
	}
	from, to := "every version", ""
	if !s.Lo.Unbounded {
		from = "from " + cut(60, s.Lo.Version)
		if !s.Lo.Inclusive {
			from = "after " + cut(60, s.Lo.Version)
		}
	}
	switch {
	case s.Hi.Unbounded:
	case s.Hi.Inclusive:
		to = "up to " + cut(60, s.Hi.Version)
	default:
		to = "before " + cut(60, s.Hi.Version)
	}
	switch {
	case to == "" && s.Lo.Unbounded:
		return from
	case to == "":
		return from + " on, not fixed"
	case s.Lo.Unbounded:
		return to
	}
	return from + " " + to
}

// spansText says what spans hold, the first few of them.
func spansText(spans []versioncmp.Span) string {
	const shown = 5
	var list []string
	for i, s := range spans {
		if i == shown {
			list = append(list, fmt.Sprintf("and %d more", len(spans)-shown))
			break
		}
		list = append(list, spanText(s))
	}
	return strings.Join(list, "; ")
}
