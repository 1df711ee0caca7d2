package normalize

import "slices"

// Mageia reads one of Mageia's advisories: OSV whose CVEs stand in related.
// They are added to upstream, where a distribution's record names what it is
// about.
func Mageia(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, func(_ Doc, r *Record) error {
		for _, id := range r.Related {
			if isCVE(id) && !slices.Contains(r.Upstream, id) {
				r.Upstream = append(r.Upstream, id)
			}
		}
		return nil
	})
}
