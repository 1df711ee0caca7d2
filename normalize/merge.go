package normalize

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// A Part is what one document of one source says about one ID.
type Part struct {
	Source   string
	Document string
	Record   *Record
	Day      string // when its content last changed here, RFC 3339; used where Record has no modified
	Gone     string // when its document stopped saying it, RFC 3339; empty while it says it
}

// precedence orders sources where several speak of one ID: of two that give a
// field of which only one can stand (summary, details, published, severity),
// the one that comes first is taken. A source that is not named comes last, in
// the order of names.
var precedence = []string{"cvelist", "nvd", "vulnrichment"}

// newestWins holds the sources of which several documents repeat one another:
// of their parts of one ID only the last modified counts. The parts of all
// other sources add up.
var newestWins = map[string]bool{"nvd": true}

// An Origin is the member "advdb" of a merged record's database_specific.
type Origin struct {
	Fields    map[string]string `json:"fields,omitempty"`    // field → source, where sources differ
	Sources   []string          `json:"sources"`             // who speaks of this ID, sorted
	Withdrawn string            `json:"withdrawn,omitempty"` // why advdb withdrew it, where upstream did not
}

// WithdrawnGone is the reason of a record that no document speaks of any more.
const WithdrawnGone = "no longer published by its source"

// Merge makes the record of one ID from its parts, of which there is at least
// one; it may change them. The result does not depend on their order. The origin
// is also in the record, as database_specific.advdb.
//
//   - While one part is live, parts that are gone do not count. When all are
//     gone, those that went last are the record, withdrawn on that day.
//   - modified is the latest of the parts', published the earliest; a part
//     without modified counts with its Day.
//   - aliases, upstream, related, references, credits and affected add up; of
//     other fields the first source's stands, by the table precedence.
//   - Of a vendor's two feeds one yields to the other by the table yields.
//   - Last come those that correct others, by the table overlays.
func Merge(id string, parts []Part) (*Record, Origin, error) {
	for i := range parts {
		if parts[i].Record.Modified == "" {
			parts[i].Record.Modified = parts[i].Day
		}
	}
	slices.SortFunc(parts, comparePrecedence)
	parts, over := splitOverlays(parts)
	parts, gone := live(parts)
	parts = dropOlder(parts)
	if err := yield(parts); err != nil {
		return nil, Origin{}, fmt.Errorf("%s: database_specific: %w", id, err)
	}
	keepWithdrawn(parts)
	r := &Record{ID: id}
	var origin Origin
	for of := range bySource(parts) {
		if err := mergeSource(r, of, &origin); err != nil {
			return nil, origin, fmt.Errorf("%s: %s: %w", id, of[0].Source, err)
		}
	}
	if gone == "" {
		if err := origin.overlay(r, over); err != nil {
			return nil, origin, fmt.Errorf("%s: %w", id, err)
		}
	}
	if gone != "" && r.Withdrawn == "" {
		r.Withdrawn, origin.Withdrawn = gone, WithdrawnGone
		r.Modified = laterTime(r.Modified, gone)
	}
	slices.Sort(origin.Sources)
	if err := r.SetSpecific(map[string]any{"advdb": origin}); err != nil {
		return nil, origin, fmt.Errorf("%s: database_specific: %w", id, err)
	}
	return r, origin, nil
}

// live returns the parts that count, and when the last one went if all are gone.
func live(parts []Part) (counted []Part, gone string) {
	for _, p := range parts {
		if p.Gone == "" {
			counted = append(counted, p)
		}
		gone = max(gone, p.Gone)
	}
	if len(counted) > 0 {
		return counted, ""
	}
	for _, p := range parts {
		if p.Gone == gone {
			counted = append(counted, p)
		}
	}
	return counted, gone
}

func comparePrecedence(a, b Part) int {
	return cmp.Or(
		cmp.Compare(rank(a.Source), rank(b.Source)),
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Document, b.Document),
	)
}

func rank(source string) int {
	if i := slices.Index(precedence, source); i >= 0 {
		return i
	}
	return len(precedence)
}

// dropOlder leaves of each source in newestWins the part last modified.
func dropOlder(parts []Part) []Part {
	newest := map[string]int{}
	for i, p := range parts {
		if !newestWins[p.Source] {
			continue
		}
		if j, ok := newest[p.Source]; !ok || !laterOrSame(parts[j].Record.Modified, p.Record.Modified) {
			newest[p.Source] = i
		}
	}
	if len(newest) == 0 {
		return parts
	}
	kept := parts[:0]
	for i, p := range parts {
		if j, ok := newest[p.Source]; !ok || j == i {
			kept = append(kept, p)
		}
	}
	return kept
}

// keepWithdrawn takes the withdrawal of some parts back where another still
// stands: a record is withdrawn when all that speak of it say so.
func keepWithdrawn(parts []Part) {
	if !slices.ContainsFunc(parts, func(p Part) bool { return p.Record.Withdrawn == "" }) {
		return
	}
	for _, p := range parts {
		p.Record.Withdrawn = ""
	}
}

// bySource yields the parts of each source; parts are sorted by source.
func bySource(parts []Part) iter.Seq[[]Part] {
	return func(yield func([]Part) bool) {
		for len(parts) > 0 {
			n := 1
			for n < len(parts) && parts[n].Source == parts[0].Source {
				n++
			}
			if !yield(parts[:n]) {
				return
			}
			parts = parts[n:]
		}
	}
}

// mergeSource adds the parts of one source to r and notes in o which fields
// are from it.
func mergeSource(r *Record, parts []Part, o *Origin) error {
	source, src := parts[0].Source, parts[0].Record
	if len(parts) > 1 {
		rest := make([]*Record, len(parts)-1)
		for i, p := range parts[1:] {
			rest[i] = p.Record
		}
		if err := Unite(src, rest...); err != nil {
			return err
		}
	}
	first := len(o.Sources) == 0
	o.Sources = append(o.Sources, source)
	if first {
		*r = *src
		return nil
	}
	o.first("summary", source, &r.Summary, &src.Summary)
	o.first("details", source, &r.Details, &src.Details)
	switch {
	case len(r.Severity) > 0:
		src.Severity = nil
	case len(src.Severity) > 0:
		o.note("severity", source)
	}
	return Unite(r, src)
}

// first lets the field that is there stand against the one that source gives.
func (o *Origin) first(field, source string, have, give *string) {
	switch {
	case *have != "":
		*give = ""
	case *give != "":
		o.note(field, source)
	}
}

// note says that field comes from source.
func (o *Origin) note(field, source string) {
	if o.Fields == nil {
		o.Fields = map[string]string{}
	}
	o.Fields[field] = source
}
