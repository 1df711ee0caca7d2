package normalize

import (
	"slices"
	"strings"
)

// DockerHardenedImages reads one advisory of
// github.com/docker-hardened-images/advisories: OSV under the ID of what it is
// about ("CVE-2021-31957"), several files with one ID, each about one of
// Docker's packages in an ecosystem "DHI" of its own.
//
// The record is Docker's: DHI-CVE-2021-31957, with the IDs upstream. The
// ecosystem is the registered "Docker Hardened Images". Ranges are of the type
// SEMVER: those without events, which say nothing, are dropped, and fixed and
// last_affected, which the schema wants in different ranges, are parted.
func DockerHardenedImages(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendDHI)
}

func mendDHI(d Doc, r *Record) error {
	if !strings.HasPrefix(r.ID, "DHI-") {
		r.Upstream = addOnce(r.Upstream, r.ID)
		r.ID = "DHI-" + r.ID
		for _, id := range r.Aliases {
			r.Upstream = addOnce(r.Upstream, id)
		}
		r.Aliases = nil
	}
	for i := range r.Affected {
		a := &r.Affected[i]
		if name, suffix, _ := strings.Cut(a.Package.Ecosystem, ":"); name == "DHI" {
			a.Package.Ecosystem = strings.TrimSuffix("Docker Hardened Images:"+suffix, ":")
		}
		n := len(a.Ranges)
		a.Ranges = slices.DeleteFunc(a.Ranges, func(rg Range) bool { return len(rg.Events) == 0 })
		if len(a.Ranges) < n {
			d.report(Finding{Place: r.ID, Rule: "empty-range", Message: a.Package.Name})
		}
		a.partEnds()
	}
	return nil
}

// partEnds makes two ranges of each that mixes fixed and last_affected.
func (a *Affected) partEnds() {
	var out []Range
	for _, rg := range a.Ranges {
		fixed := slices.ContainsFunc(rg.Events, func(e Event) bool { return e.Fixed != "" })
		last := slices.ContainsFunc(rg.Events, func(e Event) bool { return e.LastAffected != "" })
		iv, ok := rg.intervals(a.Package.Ecosystem)
		if !fixed || !last || !ok {
			out = append(out, rg)
			continue
		}
		out = append(out, Ranges(rg.Type, a.Package.Ecosystem, iv)...)
	}
	a.Ranges = out
}
