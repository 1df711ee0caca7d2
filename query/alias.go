package query

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// A node is an ID as the graph of aliases has it.
type node struct {
	id      string
	own     []string // aliases that its record asserts
	unfit   string   // why they make no edges
	joins   bool
	by      []string // records that name it as an alias
	names   int      // CVEs that its own record names
	anchor  string   // the CVE that it belongs to by its own or a CVE's word
	divided bool     // several CVEs claim it
}

// A grouper finds groups, and remembers what it looked up.
type grouper struct {
	db    *store.DB
	nodes map[string]*node
	read  map[string]*node // made of records that were read already; see [grouper.prefetch]
}

func isCVE(id string) bool { return strings.HasPrefix(id, "CVE-") }

// database is the part of an ID that names who gave it.
func database(id string) string {
	name, _, _ := strings.Cut(id, "-")
	return name
}

// look returns the node of an ID with its own and others' assertions.
func (g *grouper) look(id string) (*node, error) {
	if n := g.nodes[id]; n != nil {
		return n, nil
	}
	n := g.read[id]
	if n == nil {
		data, err := g.db.Record(id)
		if err != nil {
			return nil, err
		}
		if n, err = readNode(id, data); err != nil {
			return nil, err
		}
	}
	g.nodes[id] = n
	links, err := g.db.Links(id)
	for _, l := range links {
		if l.Alias && l.ID != id {
			n.by = append(n.by, l.ID)
		}
	}
	return n, err
}

// readNode makes the node of an ID and its record, nil where there is none.
func readNode(id string, data []byte) (*node, error) {
	n := newNode(id)
	if data == nil {
		return n, nil
	}
	r, err := decodeBrief(id, data)
	if err == nil {
		n.take(r)
	}
	return n, err
}

func newNode(id string) *node { return &node{id: id, joins: joins[database(id)]} }

// prefetch reads the records that will be looked at to find the groups of IDs,
// in the order in which they are stored: those of the IDs, of the aliases that
// they assert and of what names them.
func (g *grouper) prefetch(ids []string) error {
	if err := g.readAll(ids); err != nil {
		return err
	}
	near := map[string]bool{}
	for _, id := range ids {
		for _, a := range g.read[id].own {
			near[a] = true
		}
		links, err := g.db.Links(id)
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Alias {
				near[l.ID] = true
			}
		}
	}
	return g.readAll(sortedKeys(near))
}

// readAll reads the records of IDs, which are sorted, that were not read yet.
func (g *grouper) readAll(ids []string) error {
	var missing []string
	for _, id := range ids {
		if g.read[id] == nil {
			g.read[id] = newNode(id)
			missing = append(missing, id)
		}
	}
	return g.db.Lookup(missing, func(id string, data []byte) (err error) {
		g.read[id], err = readNode(id, data)
		return err
	})
}

// take reads what the record of a node asserts.
func (n *node) take(r *normalize.Record) {
	for _, a := range r.Aliases {
		if a != n.id && !slices.Contains(n.own, a) {
			n.own = append(n.own, a)
		}
	}
	for _, a := range append([]string{n.id}, n.own...) {
		if isCVE(a) {
			n.names++
		}
	}
	switch {
	case r.Withdrawn != "":
		n.unfit = UnfitWithdrawn
	case n.names > 1:
		n.unfit = UnfitSeveral
	case len(n.own) > maxAliases:
		n.unfit = UnfitMany
	}
}

// anchored returns the node of an ID with its anchor.
func (g *grouper) anchored(id string) (*node, error) {
	n, err := g.look(id)
	if err != nil || n.anchor != "" || n.divided {
		return n, err
	}
	if isCVE(id) {
		n.anchor = id
		return n, nil
	}
	if n.unfit == "" {
		if i := slices.IndexFunc(n.own, isCVE); i >= 0 {
			n.anchor = n.own[i]
			return n, nil
		}
	}
	if n.unfit == UnfitSeveral {
		n.divided = true
		return n, nil
	}
	for _, by := range n.by {
		if !isCVE(by) {
			continue
		}
		c, err := g.look(by)
		if err != nil {
			return nil, err
		}
		if c.unfit == "" {
			n.divided = n.anchor != ""
			n.anchor = by
		}
	}
	if n.divided {
		n.anchor = ""
	}
	return n, nil
}

// near returns the IDs to which an edge that counts leads from n.
func (g *grouper) near(n *node) ([]string, error) {
	var list []string
	if n.unfit == "" {
		list = append(list, n.own...)
	}
	for _, by := range n.by {
		b, err := g.look(by)
		if err != nil {
			return nil, err
		}
		if b.unfit == "" && !b.joins {
			list = append(list, by)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// island returns the IDs without a CVE that are reached from n, which is one,
// over such IDs alone, and the CVEs at its shores.
func (g *grouper) island(n *node) (ids, shores []string, err error) {
	seen := map[string]bool{n.id: true}
	for queue := []*node{n}; len(queue) > 0 && len(ids) <= maxGroup; queue = queue[1:] {
		n := queue[0]
		if n.anchor != "" {
			shores = append(shores, n.anchor)
			continue
		}
		ids = append(ids, n.id)
		next, err := g.near(n)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range next {
			if seen[id] {
				continue
			}
			seen[id] = true
			m, err := g.anchored(id)
			if err != nil {
				return nil, nil, err
			}
			if !m.divided && !m.joins {
				queue = append(queue, m)
			}
		}
	}
	slices.Sort(shores)
	return ids, slices.Compact(shores), nil
}
