package snapshot

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Difference is what became otherwise in one member of a record or row.
// Members that are sets (affected versions, aliases, references) are compared
// as sets: their order is no difference, nor that something is said twice.
type Difference struct {
	// Field is the member's name. Of one package: "affected" where only one
	// of the two speaks of it, "affected.ranges", "affected.versions",
	// "affected.severity", and so on.
	Field   string   `json:"field"`
	Package string   `json:"package,omitempty"` // ecosystem, slash, name
	Removed []string `json:"removed,omitempty"` // values, sorted; neither these nor the added of long texts
	Added   []string `json:"added,omitempty"`
}

// Differences returns what differs between two forms of a record, what
// matters most first.
func Differences(before, after *normalize.Record) []Difference {
	var d differences
	d.value("withdrawn", before.Withdrawn, after.Withdrawn)
	d.affected(before.Affected, after.Affected)
	d.set("severity", "", severities(before.Severity), severities(after.Severity))
	d.set("aliases", "", before.Aliases, after.Aliases)
	d.set("upstream", "", before.Upstream, after.Upstream)
	d.set("related", "", before.Related, after.Related)
	d.value("summary", before.Summary, after.Summary)
	d.text("details", before.Details, after.Details)
	d.set("references", "", references(before.References), references(after.References))
	d.text("credits", encoded(before.Credits), encoded(after.Credits))
	d.text("database_specific", string(before.DatabaseSpecific), string(after.DatabaseSpecific))
	d.value("schema_version", before.SchemaVersion, after.SchemaVersion)
	d.members(before.Extra, after.Extra)
	d.value("published", before.Published, after.Published)
	d.value("modified", before.Modified, after.Modified)
	return d
}

// RowDifferences returns which members differ between two rows of an
// enrichment table, nil for none, by name. A value is JSON.
func RowDifferences(before, after []byte) []Difference {
	var d differences
	d.members(before, after)
	return d
}

// differences collects them.
type differences []Difference

func (d *differences) value(field, before, after string) {
	if before != after {
		*d = append(*d, Difference{Field: field, Removed: some(before), Added: some(after)})
	}
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// text notes that a member differs, and not how.
func (d *differences) text(field, before, after string) {
	if before != after {
		*d = append(*d, Difference{Field: field})
	}
}

func (d *differences) set(field, pkg string, before, after []string) {
	if slices.Equal(before, after) {
		return
	}
	before, after = sorted(before), sorted(after)
	x := Difference{Field: field, Package: pkg, Removed: without(before, after), Added: without(after, before)}
	if len(x.Removed)+len(x.Added) > 0 {
		*d = append(*d, x)
	}
}

func sorted(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// without returns what of list is not in other; both are sorted.
func without(list, other []string) (out []string) {
	for _, s := range list {
		if _, ok := slices.BinarySearch(other, s); !ok {
			out = append(out, s)
		}
	}
	return out
}

// members compares JSON objects member by member.
func (d *differences) members(before, after []byte) {
	var a, b flatRow
	if bytes.Equal(before, after) || len(before) > 0 && a.parse(before) != nil || len(after) > 0 && b.parse(after) != nil {
		return
	}
	names := map[string]bool{}
	for _, m := range slices.Concat(a.members, b.members) {
		names[m.name] = true
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		d.value(n, string(a.get(n)), string(b.get(n)))
	}
}

// encoded is the JSON of a value.
func encoded(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func severities(list []normalize.Severity) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Type + " " + s.Score
	}
	return out
}

func references(list []normalize.Reference) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = strings.TrimSpace(r.Type + " " + r.URL)
	}
	return out
}

// affected compares what two records say of packages, package by package.
func (d *differences) affected(before, after []normalize.Affected) {
	a, b := byPackage(before), byPackage(after)
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := a[name], b[name]
		switch {
		case x == nil:
			*d = append(*d, Difference{Field: "affected", Package: name, Added: y.all()})
		case y == nil:
			*d = append(*d, Difference{Field: "affected", Package: name, Removed: x.all()})
		default:
			d.statement(name, x, y)
		}
	}
}

// statement compares what two records say of one package.
func (d *differences) statement(name string, x, y *statement) {
	n := len(*d)
	d.set("affected.ranges", name, x.ranges, y.ranges)
	d.set("affected.versions", name, x.versions, y.versions)
	d.set("affected.severity", name, x.severity, y.severity)
	if !slices.Equal(x.specific, y.specific) && len(without(sorted(x.specific), sorted(y.specific)))+len(without(sorted(y.specific), sorted(x.specific))) > 0 {
		*d = append(*d, Difference{Field: "affected.specific", Package: name})
	}
	if len(*d) == n && !slices.Equal(sorted(x.entries), sorted(y.entries)) {
		*d = append(*d, Difference{Field: "affected.other", Package: name})
	}
}

// A statement is what a record says of one package, in one entry of
// affected[] or in several.
type statement struct {
	ranges, versions, severity []string
	specific                   []string // ecosystem_specific and database_specific
	entries                    []string // JSON
}

// all is what a statement says of versions.
func (s *statement) all() []string {
	if list := sorted(slices.Concat(s.ranges, s.versions)); len(list) > 0 {
		return list
	}
	return []string{"no range"}
}

func byPackage(list []normalize.Affected) map[string]*statement {
	out := map[string]*statement{}
	for i := range list {
		x := &list[i]
		name := packageName(x.Package)
		s := out[name]
		if s == nil {
			s = &statement{}
			out[name] = s
		}
		for _, r := range x.Ranges {
			s.ranges = append(s.ranges, rangeText(r))
		}
		s.versions = append(s.versions, x.Versions...)
		s.severity = append(s.severity, severities(x.Severity)...)
		s.specific = append(s.specific, string(x.EcosystemSpecific)+"\n"+string(x.DatabaseSpecific))
		s.entries = append(s.entries, encoded(x))
	}
	return out
}

// packageName is ecosystem, slash, name; "git" for an entry that names no package.
func packageName(p normalize.Package) string {
	if p.Ecosystem == "" && p.Name == "" {
		return cmp.Or(p.Purl, "git")
	}
	return p.Ecosystem + "/" + p.Name
}

// rangeText says a range in words: "SEMVER introduced 0, fixed 1.2.0".
func rangeText(r normalize.Range) string {
	var b strings.Builder
	b.WriteString(r.Type)
	if r.Repo != "" {
		b.WriteString(" " + r.Repo)
	}
	for i, e := range r.Events {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, x := range []struct{ word, version string }{
			{"introduced", e.Introduced}, {"fixed", e.Fixed}, {"last affected", e.LastAffected}, {"limit", e.Limit},
		} {
			if x.version != "" {
				b.WriteString(" " + x.word + " " + x.version)
			}
		}
	}
	return b.String()
}
