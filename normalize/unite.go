package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrOtherID says that two records with different IDs cannot be united.
var ErrOtherID = errors.New("records of two IDs")

// Unite adds pieces of one ID, all from one document, to dst: together they
// are what the document says of the ID. The result does not depend on the
// order of the pieces, nor on how they are grouped into calls.
//
//   - Lists (aliases, upstream, related, references, severity, credits) become
//     sorted sets.
//   - Affected entries of one package with equal database_specific,
//     ecosystem_specific and severity become one; its ranges are united by
//     [Ranges], its versions are a sorted set.
//   - Of two summaries or details the longer counts, of equally long ones the
//     lexically smaller; the earliest published; the latest modified and
//     withdrawn; the greatest schema version.
//   - database_specific and members that OSV does not define are united
//     member by member: objects likewise, arrays as sorted sets, of anything
//     else the longer, then the lexically smaller encoding.
//
// Unite owns the pieces from then on. It fails, with dst unchanged, where an
// ID differs or a database_specific is not JSON.
func Unite(dst *Record, pieces ...*Record) error {
	all := make([]*Record, 0, len(pieces)+1)
	all = append(all, dst)
	for _, p := range pieces {
		if p.ID != dst.ID {
			return fmt.Errorf("%s, %s: %w", dst.ID, p.ID, ErrOtherID)
		}
		all = append(all, p)
	}
	r, err := uniteAll(all)
	if err != nil {
		return fmt.Errorf("%s: %w", dst.ID, err)
	}
	*dst = *r
	return nil
}

func uniteAll(all []*Record) (*Record, error) {
	r := &Record{ID: all[0].ID}
	var affected []Affected
	for _, p := range all {
		r.Aliases = append(r.Aliases, p.Aliases...)
		r.Upstream = append(r.Upstream, p.Upstream...)
		r.Related = append(r.Related, p.Related...)
		r.References = append(r.References, p.References...)
		r.Severity = append(r.Severity, p.Severity...)
		r.Credits = append(r.Credits, p.Credits...)
		affected = append(affected, p.Affected...)
		r.Summary = longer(r.Summary, p.Summary)
		r.Details = longer(r.Details, p.Details)
		r.SchemaVersion = max(r.SchemaVersion, p.SchemaVersion)
		r.Published = earlierTime(r.Published, p.Published)
		r.Modified = laterTime(r.Modified, p.Modified)
		r.Withdrawn = laterTime(r.Withdrawn, p.Withdrawn)
		if err := uniteValue(&r.DatabaseSpecific, p.DatabaseSpecific); err != nil {
			return nil, fmt.Errorf("database_specific: %w", err)
		}
		if err := uniteValue(&r.Extra, p.Extra); err != nil {
			return nil, err
		}
	}
	r.Aliases, r.Upstream, r.Related = set(r.Aliases), set(r.Upstream), set(r.Related)
	r.References = setFunc(r.References, compareReferences)
	r.Severity = setFunc(r.Severity, compareSeverities)
	r.Credits = setFunc(r.Credits, compareCredits)
	var err error
	r.Affected, err = uniteAffected(affected)
	return r, err
}

func set(s []string) []string { return setFunc(s, strings.Compare) }

// setFunc sorts s and drops what is there twice.
func setFunc[E any](s []E, compare func(a, b E) int) []E {
	if len(s) == 0 {
		return nil
	}
	slices.SortFunc(s, compare)
	return slices.CompactFunc(s, func(a, b E) bool { return compare(a, b) == 0 })
}

func compareReferences(a, b Reference) int {
	return cmp.Or(strings.Compare(a.URL, b.URL), strings.Compare(a.Type, b.Type), compareValues(a.Extra, b.Extra))
}

func compareSeverities(a, b Severity) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Score, b.Score), compareValues(a.Extra, b.Extra))
}

func compareCredits(a, b Credit) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Type, b.Type),
		slices.Compare(a.Contact, b.Contact), compareValues(a.Extra, b.Extra))
}

// longer returns the longer text, of equally long ones the lexically smaller.
func longer(a, b string) string {
	if len(a) > len(b) || len(a) == len(b) && a <= b {
		return a
	}
	return b
}
