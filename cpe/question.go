package cpe

import (
	"strings"

	"github.com/advdb/advdb/versioncmp"
)

// A question is what is asked of each criterion.
type question struct {
	product   subject
	platforms []subject
}

// A subject is a name with its version parsed once.
type subject struct {
	name    Name
	version versioncmp.Version
	ordered bool
}

func newSubject(n Name) subject {
	s := subject{name: n}
	if n.Version != Any && n.Version != NA && !n.Version.wild() {
		s.version, s.ordered = order(n.full())
	}
	return s
}

func newQuestion(product Name, platforms []Name) *question {
	q := &question{product: newSubject(product)}
	for _, p := range platforms {
		q.platforms = append(q.platforms, newSubject(p))
	}
	return q
}

// node evaluates one node. In a node that names the product nothing else is
// assumed: its other members are alternatives, not conditions.
func (q *question) node(n *Node) outcome {
	all := strings.EqualFold(n.Operator, "AND")
	var out outcome
	if all {
		out = q.every(n)
	} else {
		out = q.some(n)
	}
	if n.Negate {
		out = out.negate()
	}
	return out
}

// every evaluates an AND of criteria.
func (q *question) every(n *Node) outcome {
	out := outcome{value: yes}
	for i := range n.CPEMatch {
		m := &n.CPEMatch[i]
		o, named := q.ofProduct(m)
		if !named {
			o = q.condition(n.CPEMatch[i : i+1])
		}
		out = out.and(o)
	}
	if len(n.CPEMatch) == 0 {
		out.value = no
	}
	return out
}

// some evaluates an OR of criteria.
func (q *question) some(n *Node) outcome {
	var out outcome
	about := false
	for i := range n.CPEMatch {
		o, named := q.ofProduct(&n.CPEMatch[i])
		if !named {
			continue
		}
		about = true
		out = out.or(o)
		if out.value == yes && out.decided != nil {
			return out
		}
	}
	switch {
	case !about:
		return q.condition(n.CPEMatch)
	case out.value == no:
		out.value = q.byPlatform(n.CPEMatch)
	}
	return out
}

// ofProduct evaluates m for the product; named says whether m is about it.
func (q *question) ofProduct(m *Criterion) (o outcome, named bool) {
	if !m.names(&q.product.name) {
		return outcome{}, false
	}
	t, unsaid := m.holds(&q.product, !m.Vulnerable)
	if t == no {
		return outcome{near: m}, true
	}
	o = outcome{value: t, assumed: unsaid}
	if m.Vulnerable {
		o.decided = m
	}
	return o, true
}

// condition evaluates criteria that do not name the product, of which any is
// enough: met by a platform, contradicted by one, or assumed.
func (q *question) condition(matches []Criterion) outcome {
	if t := q.byPlatform(matches); t > no {
		return outcome{value: t}
	}
	if len(matches) == 0 {
		return outcome{}
	}
	names := make([]string, len(matches))
	refuted := true
	for i := range matches {
		names[i] = matches[i].Criteria
		refuted = refuted && q.saysPart(matches[i].name.Part)
	}
	if refuted {
		return outcome{unmet: [][]string{names}}
	}
	return outcome{value: assumed, assumed: [][]string{names}}
}

// byPlatform returns how surely a platform of the question meets one of them.
func (q *question) byPlatform(matches []Criterion) truth {
	best := no
	for i := range q.platforms {
		for j := range matches {
			m := &matches[j]
			if !m.names(&q.platforms[i].name) {
				continue
			}
			t, _ := m.holds(&q.platforms[i], true)
			best = max(best, t)
		}
	}
	return best
}

func (q *question) saysPart(part Value) bool {
	for i := range q.platforms {
		if compareValues(part, q.platforms[i].name.Part) == yes {
			return true
		}
	}
	return false
}

// names reports whether m is about the product that n names, in whatever
// version.
func (m *Criterion) names(n *Name) bool {
	return m.broken == nil && compareValues(m.name.Product, n.Product) > no &&
		compareValues(m.name.Vendor, n.Vendor) > no && compareValues(m.name.Part, n.Part) > no
}

// holds says whether s, which m names, lies within m. As a platform s is in
// any version where m's version is NA. unsaid are the attributes assumed.
func (m *Criterion) holds(s *subject, platform bool) (t truth, unsaid [][]string) {
	n := &s.name
	t = min(compareValues(m.name.Part, n.Part), compareValues(m.name.Vendor, n.Vendor),
		compareValues(m.name.Product, n.Product))
	if !platform || m.name.Version != NA {
		t = min(t, m.version(s), m.update(n))
	}
	for i, attr := range [...]string{"edition", "language", "sw_edition", "target_sw", "target_hw", "other"} {
		want, have := *m.name.fields()[i+5], *n.fields()[i+5]
		switch c := compareValues(want, have); {
		case c == no:
			return no, nil
		case c == unknown && have == Any:
			t = min(t, assumed)
			unsaid = append(unsaid, []string{attr + "=" + want.text()})
		default:
			t = min(t, c)
		}
	}
	return t, unsaid
}

// update compares the updates: a question that names none may mean the plain
// release, which is what NA in m says.
func (m *Criterion) update(n *Name) truth {
	if m.name.Update == NA && n.Update == Any {
		return assumed
	}
	return compareValues(m.name.Update, n.Update)
}

// version compares the version with m's own and with its bounds.
func (m *Criterion) version(s *subject) truth {
	t := compareVersions(m.name.Version, s.name.Version)
	if t == no || len(m.bounds) == 0 {
		return t
	}
	switch {
	case s.name.Version == NA:
		return no
	case !s.ordered:
		return unknown
	}
	for _, b := range m.bounds {
		if !b.ordered {
			t = min(t, unknown)
		} else if !b.admits(s.version) {
			return no
		}
	}
	return t
}

// compareVersions compares single versions: they are the same as text or by
// their order ("1.0" in one, "1.0.0" in the other).
func compareVersions(source, target Value) truth {
	t := compareValues(source, target)
	if t != no || source == NA || target == NA || source.wild() || target.wild() {
		return t
	}
	a, ok := order(source.text())
	b, ok2 := order(target.text())
	return truthOf(ok && ok2 && a.Compare(b) == 0, yes)
}

func (b *limit) admits(v versioncmp.Version) bool {
	c := v.Compare(b.version)
	if b.start {
		c = -c
	}
	return c < 0 || c == 0 && b.include
}
