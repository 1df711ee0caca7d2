package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/advdb/advdb/normalize"
)

// What may become of a record or row.
const (
	ChangeAdded     = "added"
	ChangeChanged   = "changed"
	ChangeTouched   = "touched" // nothing but modified changed
	ChangeWithdrawn = "withdrawn"
	ChangeRevived   = "revived"  // no longer withdrawn
	ChangeDeleted   = "deleted"  // there is no record any more
	ChangeReturned  = "returned" // changed in between, and ends as it began
	ChangeFirst     = "first"    // so in the oldest state that can be had
)

// A PackageName names a package of which a record speaks.
type PackageName struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

// A Change is what became of one record, or of one row of an enrichment
// table, from one state to another.
type Change struct {
	ID       string        `json:"id"`              // of the record; the CVE of a row
	Table    string        `json:"table,omitempty"` // the source whose table the row is of, empty for a record
	Kind     string        `json:"kind"`
	Summary  string        `json:"summary,omitempty"`  // of the record, the new one where there is one
	Packages []PackageName `json:"packages,omitempty"` // of which something else is said now, sorted
	Fields   []Difference  `json:"fields,omitempty"`   // not of what was added or deleted

	Before []byte `json:"-"` // canonical JSON, nil for none; good during the call
	After  []byte `json:"-"`
}

// newChange compares two forms of a record, nil for none.
func newChange(id string, before, after []byte) (Change, error) {
	c := Change{ID: id, Before: before, After: after, Kind: ChangeReturned}
	if before == nil && after == nil {
		return c, nil
	}
	old, err := decodeOptional(id, before)
	if err != nil {
		return c, err
	}
	now, err := decodeOptional(id, after)
	if err != nil {
		return c, err
	}
	c.Summary = cmp.Or(now, old).Summary
	switch {
	case old == nil:
		c.Kind, c.Packages = ChangeAdded, packagesOf(now)
		return c, nil
	case now == nil:
		c.Kind, c.Packages = ChangeDeleted, packagesOf(old)
		return c, nil
	}
	c.Fields = Differences(old, now)
	switch {
	case bytes.Equal(before, after):
	case old.Withdrawn == "" && now.Withdrawn != "":
		c.Kind = ChangeWithdrawn
	case old.Withdrawn != "" && now.Withdrawn == "":
		c.Kind = ChangeRevived
	case len(c.Fields) == 1 && c.Fields[0].Field == "modified":
		c.Kind = ChangeTouched
	default:
		c.Kind = ChangeChanged
	}
	c.Packages = packagesChanged(old, now, c.Fields)
	return c, nil
}

func decodeOptional(id string, data []byte) (*normalize.Record, error) {
	if data == nil {
		return nil, nil
	}
	r, err := normalize.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return r, nil
}

// packagesOf are the packages of which a record speaks.
func packagesOf(r *normalize.Record) []PackageName {
	var list []PackageName
	for i := range r.Affected {
		if p := r.Affected[i].Package; p.Ecosystem != "" || p.Name != "" {
			list = append(list, PackageName{p.Ecosystem, p.Name})
		}
	}
	return sortedPackages(list)
}

func sortedPackages(list []PackageName) []PackageName {
	slices.SortFunc(list, func(a, b PackageName) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(list)
}

// packagesChanged are the packages of which two forms say different things:
// all of them, where one of the two is withdrawn.
func packagesChanged(old, now *normalize.Record, fields []Difference) []PackageName {
	both := append(packagesOf(old), packagesOf(now)...)
	if (old.Withdrawn == "") != (now.Withdrawn == "") {
		return sortedPackages(both)
	}
	named := map[string]bool{}
	for _, f := range fields {
		named[f.Package] = f.Package != ""
	}
	return sortedPackages(slices.DeleteFunc(both, func(p PackageName) bool { return !named[p.Ecosystem+"/"+p.Name] }))
}

// newRowChange compares two forms of a row, nil for none.
func newRowChange(table, cve string, before, after []byte) Change {
	c := Change{ID: cve, Table: table, Before: before, After: after}
	switch {
	case before == nil:
		c.Kind = ChangeAdded
	case after == nil:
		c.Kind = ChangeDeleted
	case bytes.Equal(before, after):
		c.Kind = ChangeReturned
	default:
		c.Kind, c.Fields = ChangeChanged, RowDifferences(before, after)
	}
	return c
}

// Ecosystems are those of which a record speaks, before or after, with their
// suffixes, sorted. It is for the call that yields the change.
func (c *Change) Ecosystems() []string {
	if c.Table != "" {
		return nil
	}
	var list []string
	for _, data := range [][]byte{c.Before, c.After} {
		r, err := decodeOptional(c.ID, data)
		if r == nil || err != nil {
			continue
		}
		for _, p := range packagesOf(r) {
			list = append(list, p.Ecosystem)
		}
	}
	return sorted(list)
}
