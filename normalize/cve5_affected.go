package normalize

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// A cveProduct is one element of affected.
//
// Its rows and its default status say of every version whether it is
// affected: the first row whose range has the version decides, with the last
// of its changes that is not above it; a version in no row has the default
// status, which is unknown where it is not given. So "unaffected" rows are
// holes in a default of "affected", and changes[] are several intervals.
// What is unknown is in no range.
//
// Source: cve-schema, schema/docs/versions.md.
type cveProduct struct {
	Vendor        string   `json:"vendor"`
	Product       string   `json:"product"`
	CollectionURL string   `json:"collectionURL"`
	PackageName   string   `json:"packageName"`
	PackageURL    string   `json:"packageURL"`
	Repo          string   `json:"repo"`
	CPEs          []string `json:"cpes"`
	Platforms     []string `json:"platforms"`
	Modules       []string `json:"modules"`
	Files         []string `json:"programFiles"`
	Default       string   `json:"defaultStatus"`
	Rows          []cveRow `json:"versions"`
}

// cveStatuses is what is known of a product that names no package: ranges of
// OSV events, in the order that its versions have as CPE versions unless they
// are of another type.
type cveStatuses struct {
	CPEs      []string `json:"cpes,omitempty"`
	Default   string   `json:"default,omitempty"` // the default status, if it is not "unaffected"
	Inexact   bool     `json:"inexact,omitzero"`  // an introduced version is itself not affected
	Modules   []string `json:"modules,omitempty"`
	Package   string   `json:"package,omitempty"` // its name in Collection
	Platforms []string `json:"platforms,omitempty"`
	Product   string   `json:"product,omitempty"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Registry  string   `json:"registry,omitempty"`
	Source    string   `json:"source,omitempty"` // who says so
	Text      []string `json:"text,omitempty"`   // rows that name no version, as they are written
	Unknown   []string `json:"unknown,omitempty"`
	Vendor    string   `json:"vendor,omitempty"`
	Versions  []string `json:"versions,omitempty"`
}

// affected adds what a container says of products to r, or to what OSV has no
// member for.
func (c *cveRecord) affected(r *Record, say *cveSpecific, k *cveContainer) error {
	for i := range k.Affected {
		p := &k.Affected[i]
		rows, commits := p.split()
		g, rest := p.commits(commits)
		if len(g.Ranges) > 0 {
			r.Affected = append(r.Affected, g)
		}
		if len(rows)+len(rest) == 0 && len(commits) > 0 {
			continue
		}
		pkg, known := p.pkg()
		var st cveStatuses
		if len(rows) > 0 || len(commits) == 0 {
			st = p.statuses(pkg.Ecosystem, rows)
		}
		for i := range rest {
			st.Text = append(st.Text, rest[i].Status+": "+rowText(&rest[i]))
		}
		if known && (len(st.Ranges) > 0 || len(st.Versions) > 0) {
			a, err := p.entry(pkg, &st)
			if err != nil {
				return err
			}
			r.Affected = append(r.Affected, a)
			continue
		}
		if st.describe(p, k.Provider.ShortName) {
			say.Affected = append(say.Affected, st)
		}
	}
	return nil
}

// entry makes an affected entry of a package.
func (p *cveProduct) entry(pkg Package, st *cveStatuses) (Affected, error) {
	a := Affected{Package: pkg, Ranges: st.Ranges, Versions: st.Versions}
	a.retypeSemver()
	var r Record
	m := map[string]any{}
	if len(st.Text) > 0 {
		m["text"] = st.Text
	}
	if len(st.Unknown) > 0 {
		m["unknown"] = st.Unknown
	}
	if st.Inexact {
		m["inexact"] = true
	}
	if len(m) == 0 {
		return a, nil
	}
	err := r.SetSpecific(m)
	a.DatabaseSpecific = r.DatabaseSpecific
	return a, err
}

// describe adds what names the product. It reports false where nothing is
// said of anything: the "n/a" of records that were converted from an older
// format.
func (st *cveStatuses) describe(p *cveProduct, source string) bool {
	st.Vendor, st.Product, st.Source = p.Vendor, p.Product, source
	st.Package, st.Registry = p.PackageName, p.CollectionURL
	st.CPEs, st.Modules, st.Platforms = p.CPEs, p.Modules, p.Platforms
	if p.Default != "unaffected" {
		st.Default = p.Default
	}
	named := !isWord(cveFillers, p.Vendor) || !isWord(cveFillers, p.Product) || p.PackageName != "" || len(p.CPEs) > 0
	return named || len(st.Ranges)+len(st.Versions)+len(st.Text) > 0
}

// split tells rows of commits from rows of versions.
func (p *cveProduct) split() (versions, commits []cveRow) {
	for _, row := range p.Rows {
		if strings.EqualFold(row.VersionType, "git") || p.Repo != "" && isCommit(row.Version) {
			commits = append(commits, row)
		} else {
			versions = append(versions, row)
		}
	}
	return versions, commits
}

// isLinux reports whether p is the Linux kernel as its own CNA writes it.
func (p *cveProduct) isLinux() bool {
	return p.Vendor == "Linux" && p.Product == "Linux"
}

// commits makes one GIT range of the rows of commits: what is affected
// descends from an introduction and from no fix, whatever row pairs them,
// since a fix is brought to several branches. A row without an end is one
// commit, but for the kernel's CNA: there it is a branch that was not fixed.
// Rows that name no commit (the kernel's of before 2024-12 are abbreviated),
// and all rows without a repository, come back in rest.
func (p *cveProduct) commits(rows []cveRow) (a Affected, rest []cveRow) {
	if p.Repo == "" {
		return a, rows
	}
	g := Range{Type: Git, Repo: p.Repo}
	for i := range rows {
		events, ok := p.commitEvents(&rows[i])
		if !ok {
			rest = append(rest, rows[i])
		}
		for _, e := range events {
			if !slices.ContainsFunc(g.Events, func(o Event) bool { return o.version() == e.version() && o.rank() == e.rank() }) {
				g.Events = append(g.Events, e)
			}
		}
	}
	if len(g.Events) == 0 {
		return a, rest
	}
	slices.SortStableFunc(g.Events, func(a, b Event) int { return a.rank() - b.rank() })
	return Affected{Ranges: oneEnd(g)}, rest
}

// commitEvents returns the events of a row, none for one that is not of
// affected commits. It reports false where a bound is no full hash.
func (p *cveProduct) commitEvents(row *cveRow) (events []Event, ok bool) {
	if row.Status != "affected" {
		return nil, true
	}
	from := commitOf(row.Version)
	if isWord(cveFillers, row.Version) || isWord(everything, row.Version) {
		from = "0"
	}
	events = append(events, Event{Introduced: from})
	for _, c := range row.Changes {
		if c.Status == "affected" {
			events = append(events, Event{Introduced: commitOf(c.At)})
		} else {
			events = append(events, Event{Fixed: commitOf(c.At)})
		}
	}
	switch {
	case row.LessThan != "" && row.LessThan != "*":
		events = append(events, Event{Fixed: commitOf(row.LessThan)})
	case row.LessThanOrEqual != "" && row.LessThanOrEqual != "*":
		events = append(events, Event{LastAffected: commitOf(row.LessThanOrEqual)})
	case row.LessThan+row.LessThanOrEqual == "" && !p.isLinux() && from != "0":
		events = append(events, Event{LastAffected: from})
	}
	if slices.ContainsFunc(events, func(e Event) bool { return e.version() == "" }) {
		return nil, false
	}
	return events, true
}

// commitOf returns the full hash that s is or, as the last part of a URL,
// ends with; else "".
func commitOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = s[strings.LastIndexByte(s, '/')+1:]
	if !isCommit(s) {
		return ""
	}
	return s
}

// oneEnd splits a range that has fixed and last_affected events, which the
// schema forbids, into one of each.
func oneEnd(g Range) []Range {
	without := func(drop func(Event) bool) Range {
		r := g
		r.Events = slices.DeleteFunc(slices.Clone(g.Events), drop)
		return r
	}
	isFixed := func(e Event) bool { return e.Fixed != "" }
	isLast := func(e Event) bool { return e.LastAffected != "" }
	if !slices.ContainsFunc(g.Events, isFixed) || !slices.ContainsFunc(g.Events, isLast) {
		return []Range{g}
	}
	return []Range{without(isLast), without(isFixed)}
}

// statuses computes which versions the rows say are affected.
func (p *cveProduct) statuses(ecosystem string, rows []cveRow) cveStatuses {
	var st cveStatuses
	if p.onlyVersions(rows) {
		for i := range rows {
			v := strings.TrimLeft(strings.TrimSpace(rows[i].Version), "= ")
			if rows[i].Status == "affected" {
				st.Versions = append(st.Versions, v)
			} else if rows[i].Status == "unknown" {
				st.Unknown = append(st.Unknown, v)
			}
		}
		st.Versions, st.Unknown = set(st.Versions), set(st.Unknown)
		return st
	}
	read := readRows(versioncmp.For(ecosystem), rows)
	st.Text = read.text
	axis := newAxis(read.spans)
	for _, s := range axis.spansOf(read.spans, "unknown", "") {
		st.Unknown = append(st.Unknown, s.String())
	}
	var wide []versioncmp.Span
	for _, s := range axis.spansOf(read.spans, "affected", p.Default) {
		if v, ok := s.Single(); ok {
			st.Versions = append(st.Versions, v)
		} else {
			wide = append(wide, s)
		}
	}
	st.Ranges, st.Inexact = rangesOf(read.scheme, wide)
	return st
}

// onlyVersions reports whether the rows are single versions that nothing has
// to be computed from.
func (p *cveProduct) onlyVersions(rows []cveRow) bool {
	if p.Default == "affected" || len(rows) == 0 {
		return false
	}
	return !slices.ContainsFunc(rows, func(r cveRow) bool {
		v := strings.TrimSpace(r.Version)
		return r.LessThan != "" || r.LessThanOrEqual != "" || len(r.Changes) > 0 || strings.ContainsAny(v, "<>,") ||
			isWord(cveFillers, v) || isWord(everything, v) || isSentence(v)
	})
}
