package normalize

// Chainguard reads one record of Chainguard's OSV (CGA-). Until its third form
// the IDs that it is about stood in related; they are added to upstream where
// that is empty.
func Chainguard(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, func(_ Doc, r *Record) error {
		if len(r.Upstream) > 0 {
			return nil
		}
		for _, id := range r.Related {
			if id != r.ID {
				r.Upstream = addOnce(r.Upstream, id)
			}
		}
		return nil
	})
}
