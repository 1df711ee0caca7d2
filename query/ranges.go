package query

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A RangeRow is one affected range of one record, as a researcher reads it:
// affected from Introduced on ("0": from the first version), before Fixed or
// up to and with LastAffected. With neither it has no end. A row without any
// bound is of versions that are listed by name only.
type RangeRow struct {
	ID           string
	Ecosystem    string // of a CPE configuration "CPE", of a commit range without a package ""
	Package      string // of a CPE configuration the criterion
	Type         string // SEMVER, ECOSYSTEM, GIT, CPE
	Repo         string // of a commit range
	Introduced   string
	After        string // introduced behind this version, which is not affected (CPE only)
	Fixed        string
	LastAffected string
	Versions     int      // listed by name in the same affected entry
	Sources      []string // who speaks of the ID
	Withdrawn    string   // RFC 3339, empty for most
}

// RangesOfPackage returns the ranges that the records of a package have for
// it, whatever the version in q, and the ecosystems that were searched.
func RangesOfPackage(db *store.DB, q Question) (rows []RangeRow, ecosystems []string, err error) {
	q.Version, q.SourceVersion = "", ""
	a, err := Package(db, q)
	if err != nil {
		return nil, nil, err
	}
	wanted := map[Finding]bool{}
	var ids []string
	for _, f := range a.Findings {
		wanted[Finding{ID: f.ID, Ecosystem: f.Ecosystem, Package: normalize.PackageKey(f.Ecosystem, f.Package)}] = true
		ids = append(ids, f.ID)
	}
	rows, err = rangesOf(db, ids, func(id string, p normalize.Package) bool {
		return wanted[Finding{ID: id, Ecosystem: p.Ecosystem, Package: normalize.PackageKey(p.Ecosystem, p.Name)}]
	})
	return rows, a.Ecosystems, err
}

// RangesOfID returns the ranges of the record of an ID, of those that name it
// as an alias or as what they are about (upstream), and its CPE ranges.
func RangesOfID(db *store.DB, id string) ([]RangeRow, error) {
	links, err := db.Links(id)
	if err != nil {
		return nil, err
	}
	ids := []string{id}
	for _, l := range links {
		if l.Alias || l.Upstream {
			ids = append(ids, l.ID)
		}
	}
	rows, err := rangesOf(db, ids, func(string, normalize.Package) bool { return true })
	if err != nil {
		return nil, err
	}
	cpes, err := cpeRanges(db, ids, cpe.Name{}, false)
	return append(rows, cpes...), err
}

// RangesOfCPE returns the version bounds that CPE configurations give for the
// products that a name means; see [CPE].
func RangesOfCPE(db *store.DB, product cpe.Name) ([]RangeRow, error) {
	keys, err := productKeys(db, product)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range keys {
		of, err := db.CPEs(k)
		if err != nil {
			return nil, err
		}
		ids = append(ids, of...)
	}
	return cpeRanges(db, ids, product, true)
}

// rangesOf returns the ranges of the wanted packages of the records.
func rangesOf(db *store.DB, ids []string, want func(id string, p normalize.Package) bool) (rows []RangeRow, err error) {
	slices.Sort(ids)
	err = db.Lookup(slices.Compact(ids), func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		sources, err := sourcesOf(r)
		if err != nil {
			return err
		}
		for i := range r.Affected {
			a := &r.Affected[i]
			if !want(id, a.Package) {
				continue
			}
			row := RangeRow{
				ID: id, Ecosystem: a.Package.Ecosystem, Package: a.Package.Name, Versions: len(a.Versions),
				Sources: sources, Withdrawn: r.Withdrawn,
			}
			rows = append(rows, affectedRows(row, a)...)
		}
		return nil
	})
	return rows, err
}

func sourcesOf(r *normalize.Record) ([]string, error) {
	var o normalize.Origin
	if _, err := r.Specific("advdb", &o); err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID, err)
	}
	return o.Sources, nil
}

// affectedRows are the rows of one affected entry; row has what they share.
func affectedRows(row RangeRow, a *normalize.Affected) (rows []RangeRow) {
	for i := range a.Ranges {
		rg := &a.Ranges[i]
		x := row
		x.Type, x.Repo = rg.Type, rg.Repo
		for _, b := range bounds(rg, a.Package.Ecosystem) {
			x.Introduced, x.Fixed, x.LastAffected = b.Introduced, b.Fixed, b.LastAffected
			rows = append(rows, x)
		}
	}
	if len(rows) == 0 && len(a.Versions) > 0 {
		rows = append(rows, row)
	}
	return rows
}

// bounds pairs the events of a range: in the ecosystem's order where it has
// one that takes them all, else as they stand. A limit ends like a fix.
func bounds(rg *normalize.Range, ecosystem string) []normalize.Interval {
	if rg.Type != normalize.Git {
		var events []versioncmp.Event
		for _, e := range rg.Events {
			events = append(events, rangeEvent(e))
		}
		set := versioncmp.Compile(versioncmp.For(ecosystem), [][]versioncmp.Event{events}, nil)
		if spans := set.Spans(); len(spans) > 0 && len(set.Unparsed()) == 0 {
			return intervals(spans)
		}
	}
	return paired(rg.Events)
}

// rangeEvent reads the one member of an event that is set, as it is written.
func rangeEvent(e normalize.Event) versioncmp.Event {
	switch {
	case e.Introduced != "":
		return versioncmp.Event{Kind: versioncmp.Introduced, Version: e.Introduced}
	case e.Fixed != "":
		return versioncmp.Event{Kind: versioncmp.Fixed, Version: e.Fixed}
	case e.LastAffected != "":
		return versioncmp.Event{Kind: versioncmp.LastAffected, Version: e.LastAffected}
	}
	return versioncmp.Event{Kind: versioncmp.Limit, Version: e.Limit}
}

func intervals(spans []versioncmp.Span) []normalize.Interval {
	list := make([]normalize.Interval, 0, len(spans))
	for _, s := range spans {
		in := normalize.Interval{Introduced: cmp.Or(s.Lo.Version, "0")}
		switch {
		case s.Hi.Unbounded:
		case s.Hi.Inclusive:
			in.LastAffected = s.Hi.Version
		default:
			in.Fixed = s.Hi.Version
		}
		list = append(list, in)
	}
	return list
}

// paired makes an interval of each introduced event and the closing event
// that follows; a closing event without one begins at the first version.
func paired(events []normalize.Event) (list []normalize.Interval) {
	open := false
	for _, e := range events {
		if e.Introduced != "" {
			list, open = append(list, normalize.Interval{Introduced: e.Introduced}), true
			continue
		}
		if !open {
			list = append(list, normalize.Interval{Introduced: "0"})
		}
		open = false
		in := &list[len(list)-1]
		in.Fixed, in.LastAffected = cmp.Or(e.Fixed, e.Limit), e.LastAffected
	}
	return list
}

// cpeRanges are the bounds of the vulnerable criteria of records: of all
// products, or of those that a name means.
func cpeRanges(db *store.DB, ids []string, product cpe.Name, only bool) (rows []RangeRow, err error) {
	slices.Sort(ids)
	err = db.Lookup(slices.Compact(ids), func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		configurations, err := store.Configurations(r)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		sources, err := sourcesOf(r)
		if err != nil {
			return err
		}
		for m := range cpe.Vulnerable(configurations) {
			name, err := cpe.Parse(m.Criteria)
			if only && (err != nil || !product.MeansProduct(name) && !name.MeansProduct(product)) {
				continue
			}
			rows = append(rows, RangeRow{
				ID: id, Ecosystem: "CPE", Package: m.Criteria, Type: "CPE", Introduced: cpeStart(m, name),
				After: m.VersionStartExcluding, Fixed: m.VersionEndExcluding, LastAffected: cpeEnd(m, name),
				Sources: sources, Withdrawn: r.Withdrawn,
			})
		}
		return nil
	})
	return rows, err
}

// cpeStart is where a criterion begins: at its bound, at the one version that
// it names, or at the first.
func cpeStart(m *cpe.Criterion, name cpe.Name) string {
	switch {
	case m.VersionStartIncluding != "":
		return m.VersionStartIncluding
	case m.VersionStartExcluding != "":
		return ""
	case name.Version != "" && name.Version != cpe.Any && name.Version != cpe.NA:
		return string(name.Version)
	}
	return "0"
}

func cpeEnd(m *cpe.Criterion, name cpe.Name) string {
	if m.VersionEndIncluding != "" || m.VersionEndExcluding != "" {
		return m.VersionEndIncluding
	}
	if v := cpeStart(m, name); v != "0" && v != m.VersionStartIncluding {
		return v
	}
	return ""
}
