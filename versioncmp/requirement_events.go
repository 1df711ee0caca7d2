package versioncmp

import "strings"

// Events writes spans as OSV events, one range, or two where some spans end
// at a fixed and some at a last_affected event: the schema lets a range have
// only one of the two kinds. Spans must be sorted and without overlap.
//
// An OSV range cannot leave out the version at which it begins. Where the
// scheme has a version right behind every other, as SemVer has, that one is
// the introduced event: above 1.0.0 is from 1.0.1-0 on. Elsewhere exact is
// false: the event is then a version behind which no published one is likely
// to be missed (above gem 1.6.0 is from 1.6.0.0.0.1.A on) or, where none is
// known, the excluded version itself, which is then affected too.
func Events(s *Scheme, spans []Span) (ranges [][]Event, exact bool) {
	var fixed, last []Event
	exact = true
	for _, span := range spans {
		list := &fixed
		if !span.Hi.Unbounded && span.Hi.Inclusive || span.Hi.Unbounded && len(fixed) == 0 && len(last) > 0 {
			list = &last
		}
		start, ok := introducedAt(s, span.Lo)
		exact = exact && ok
		*list = append(*list, Event{Introduced, start})
		switch {
		case span.Hi.Unbounded:
		case span.Hi.Inclusive:
			*list = append(*list, Event{LastAffected, span.Hi.Version})
		default:
			*list = append(*list, Event{Fixed, span.Hi.Version})
		}
	}
	for _, list := range [][]Event{fixed, last} {
		if len(list) > 0 {
			ranges = append(ranges, list)
		}
	}
	return ranges, exact
}

// introducedAt returns the first version within a lower bound.
func introducedAt(s *Scheme, lo Bound) (version string, exact bool) {
	if lo.Unbounded {
		return "0", true
	}
	if lo.Inclusive {
		return lo.Version, true
	}
	if next, ok := successor(s, lo.Version); ok {
		return next, true
	}
	if near, ok := nearBehind[s]; ok {
		next := near(lo.Version)
		v, errV := s.Parse(lo.Version)
		w, errW := s.Parse(next)
		if errV == nil && errW == nil && v.Compare(w) < 0 {
			return next, false
		}
	}
	return lo.Version, false
}

// nearBehind returns a version a little above another, in schemes that have
// no least one there.
var nearBehind = map[*Scheme]func(v string) string{
	rubyGemsScheme:  func(v string) string { return v + ".0.0.1.A" },
	mavenScheme:     func(v string) string { return v + "-sp" },
	packagistScheme: func(v string) string { return v + "-p" },
	pypiScheme:      func(v string) string { return v + ".post0.dev0" },
	nugetScheme:     nugetBehind,
}

// nugetBehind raises the last of four numbers, or adds a label.
func nugetBehind(v string) string {
	v, _, _ = strings.Cut(v, "+")
	numbers, rest := composerPrefix(v)
	if rest != "" {
		return v + ".0"
	}
	numbers = append(numbers, "0", "0", "0", "0")[:4]
	numbers[3] = increment(numbers[3])
	return strings.Join(numbers, ".") + "-0"
}

// successor returns the version right behind v in the order of SemVer: no
// version lies between 1.0.0 and 1.0.1-0, or between 1.0.0-rc and 1.0.0-rc.0.
func successor(s *Scheme, v string) (next string, ok bool) {
	if !isSemVer(s) {
		return "", false
	}
	p, err := parsePartial(v)
	if err != nil || len(p.numbers) != 3 {
		return "", false
	}
	if p.pre != "" {
		return strings.Join(p.numbers, ".") + "-" + p.pre + ".0", true
	}
	return p.bump(2), true
}

// isSemVer reports whether the order is SemVer 2.0 section 11 and no more.
func isSemVer(s *Scheme) bool {
	return s == semverScheme || s == npmScheme || s == goScheme || s == tagScheme
}
