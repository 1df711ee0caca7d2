package query

import (
	"cmp"
	"slices"
	"strings"

	"github.com/advdb/advdb/store"
)

// Limits of groups.
//
// Source: osv.dev's relations worker, which leaves a record with more than
// five aliases out of its alias graph and drops a group of more than 32.
const (
	maxAliases = 5
	maxGroup   = 32
)

// joins holds the databases whose records join the group of what they name,
// and join nothing to it: their record is about a package that has the
// vulnerability, not the vulnerability (of one CVE Bitnami has a record for
// each image), or about something else (a malicious package).
var joins = map[string]bool{"BIT": true, "MAL": true, "DHI": true, "OSV": true}

// A Group is the IDs of one vulnerability. No group has two CVEs.
type Group struct {
	ID      string   // its CVE; without one the first of Members
	Members []string // sorted as preferred; with IDs of which no record is held
	Edges   []Edge   // every alias that was looked at, by (By, Names)
}

// An Edge is one record's word that two IDs are one vulnerability.
type Edge struct {
	By    string `json:"by"`              // the record that says so
	Names string `json:"names"`           // the ID that it names as an alias
	Unfit string `json:"unfit,omitempty"` // why it counts for nothing; empty: it counts
}

// Reasons for which an alias counts for nothing.
const (
	UnfitWithdrawn = "the record is withdrawn"
	UnfitSeveral   = "the record names several CVEs"
	UnfitMany      = "the record has too many aliases"
	UnfitOther     = "it would join two CVEs"
	UnfitJoins     = "records of this database join a group and extend none"
	UnfitTooLarge  = "the group would be too large"
)

// FindGroup returns the group of an ID; an ID that nothing knows is a group of
// its own.
//
// The aliases that records assert are edges, but for those of withdrawn
// records, of records with several CVEs and of records with very many aliases.
// An ID belongs to the CVE that its own record names; else to the CVE whose
// record names it; else to the one CVE that is reached over IDs without a CVE.
// Where that would be two CVEs it belongs to none.
func FindGroup(db *store.DB, id string) (Group, error) {
	g := grouper{db: db, nodes: map[string]*node{}}
	return g.group(id)
}

// home returns the IDs of the group that n belongs to, without those that
// join, the CVE or else the preferred one first.
func (g *grouper) home(n *node) ([]string, error) {
	switch {
	case n.divided:
		return []string{n.id}, nil
	case n.anchor != "":
		return g.ofCVE(n.anchor)
	case n.joins:
		return g.joined(n)
	}
	ids, shores, err := g.island(n)
	if err == nil && len(shores) == 1 {
		return g.ofCVE(shores[0])
	}
	SortPreferred("", ids)
	return ids, err
}

// joined returns the group of what a record names that joins; itself where
// that is none, or several.
func (g *grouper) joined(n *node) ([]string, error) {
	alone := []string{n.id}
	if n.unfit != "" {
		return alone, nil
	}
	var one []string
	for _, id := range n.own {
		m, err := g.anchored(id)
		if err != nil {
			return nil, err
		}
		if m.joins {
			continue
		}
		ids, err := g.home(m)
		if err != nil {
			return nil, err
		}
		if one != nil && one[0] != ids[0] {
			return alone, nil
		}
		one = ids
	}
	if one == nil {
		return alone, nil
	}
	return one, nil
}

// ofCVE returns the group of a CVE, itself first, without those that join.
func (g *grouper) ofCVE(cve string) ([]string, error) {
	c, err := g.anchored(cve)
	if err != nil {
		return nil, err
	}
	members, seen := []string{cve}, map[string]bool{cve: true}
	for touching := append(slices.Clone(c.by), c.own...); len(touching) > 0; touching = touching[1:] {
		id := touching[0]
		if seen[id] {
			continue
		}
		seen[id] = true
		n, err := g.anchored(id)
		switch {
		case err != nil:
			return nil, err
		case n.joins || n.divided || n.anchor != "" && n.anchor != cve:
			continue
		case n.anchor == cve:
			members = append(members, id)
			near, err := g.near(n)
			if err != nil {
				return nil, err
			}
			touching = append(touching, near...)
			continue
		}
		ids, shores, err := g.island(n)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			seen[id] = true
		}
		if len(shores) == 1 && shores[0] == cve {
			members = append(members, ids...)
		}
	}
	SortPreferred("", members)
	return members, nil
}

// group returns the group of an ID: those at home there, and those that join.
func (g *grouper) group(id string) (Group, error) {
	n, err := g.anchored(id)
	if err != nil {
		return Group{}, err
	}
	members, err := g.home(n)
	if err != nil {
		return Group{}, err
	}
	for _, m := range slices.Clone(members) {
		n := g.nodes[m]
		for _, id := range append(slices.Clone(n.by), n.own...) {
			b, err := g.anchored(id)
			if err != nil {
				return Group{}, err
			}
			if !b.joins || slices.Contains(members, id) {
				continue
			}
			home, err := g.home(b)
			if err != nil {
				return Group{}, err
			}
			if home[0] == members[0] {
				members = append(members, id)
			}
		}
	}
	if len(members) > maxGroup {
		return g.finish([]string{id}, UnfitTooLarge)
	}
	return g.finish(members, "")
}

// finish makes the group of its members, with all that was asserted of them.
// Where it does not stand, unfit says why.
func (g *grouper) finish(members []string, unfit string) (Group, error) {
	SortPreferred("", members)
	out := Group{ID: members[0], Members: members}
	for _, m := range members {
		n, err := g.anchored(m)
		if err != nil {
			return out, err
		}
		for _, a := range n.own {
			out.Edges = append(out.Edges, out.edge(n, a, unfit))
		}
		for _, by := range n.by {
			b, err := g.look(by)
			if err != nil {
				return out, err
			}
			out.Edges = append(out.Edges, out.edge(b, m, unfit))
		}
	}
	slices.SortFunc(out.Edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.By, b.By), strings.Compare(a.Names, b.Names))
	})
	out.Edges = slices.Compact(out.Edges)
	return out, nil
}

// edge is the word of a record on an ID, one of the two a member.
func (o *Group) edge(by *node, names, unfit string) Edge {
	e := Edge{By: by.id, Names: names, Unfit: cmp.Or(unfit, by.unfit)}
	within := slices.Contains(o.Members, by.id) && slices.Contains(o.Members, names)
	switch {
	case e.Unfit != "" || within:
	case by.joins:
		e.Unfit = UnfitJoins
	default:
		e.Unfit = UnfitOther
	}
	return e
}
