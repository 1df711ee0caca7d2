package normalize

import (
	"errors"
	"slices"
)

// An ovalLeaf is one test with all that it refers to.
type ovalLeaf struct {
	kind       string
	names      []string // of packages
	path       string
	pattern    string
	conditions []ovalCondition
	negate     bool // the test must not hold
	commented  bool // read from the comment: the test is missing
	comment    string
}

// condition returns the condition on a field.
func (l *ovalLeaf) condition(field string) (ovalCondition, bool) {
	for _, c := range l.conditions {
		if c.field == field {
			return c, true
		}
	}
	return ovalCondition{}, false
}

// leaf resolves a criterion: by its test or, where that, its object or a state
// is missing, by its comment. ok is false where neither says what it is.
func (c *ovalContent) leaf(n *ovalCriteria) (l ovalLeaf, ok bool) {
	if l, ok = c.tested(n); ok || c.byComment == nil {
		return l, ok
	}
	l, ok = c.byComment(c.comments[n.comment])
	l.negate, l.commented = n.negate, true
	return l, ok
}

func (c *ovalContent) tested(n *ovalCriteria) (l ovalLeaf, ok bool) {
	t, ok := c.tests[n.test]
	if !ok {
		return l, false
	}
	o, ok := c.objects[t.object]
	if !ok {
		return l, false
	}
	l = ovalLeaf{kind: t.kind, path: o.path, pattern: o.pattern, negate: n.negate != t.none, comment: c.comments[n.comment]}
	if l.names = c.variables[o.variable]; o.name != "" {
		l.names = []string{o.name}
	}
	for _, id := range t.states {
		s, ok := c.states[id]
		if !ok {
			return l, false
		}
		l.conditions = append(l.conditions, s...)
	}
	return l, true
}

var (
	errOVALDangling = errors.New("refers to a test, object or state that is not there")
	errOVALTooMany  = errors.New("too many alternatives")
	errOVALNegated  = errors.New("packages in negated criteria")
)

// ovalAlternatives bounds how many contexts one criteria may unfold to.
const ovalAlternatives = 4096

// An ovalWalk unfolds criteria into alternatives, each some packages within
// bounds under a context: the other tests that must hold too.
type ovalWalk struct {
	content *ovalContent
	// bounds reports whether a test bounds the version of a package, and so
	// says what is affected; all others are context.
	bounds func(*ovalLeaf) bool
	// match gets each alternative: the tests of one package that hold
	// together.
	match func(context, packages []ovalLeaf) error
	// drop gets what cannot be unfolded; the rest goes on.
	drop func(error)
}

// walk unfolds n under each of contexts.
func (w *ovalWalk) walk(n *ovalCriteria, contexts [][]ovalLeaf) error {
	switch {
	case n.negate && !n.leaf && w.says(n):
		w.drop(errOVALNegated)
		return nil
	case n.leaf:
		return w.and([]ovalCriteria{*n}, contexts)
	case !n.or:
		return w.and(n.children, contexts)
	}
	for i := range n.children {
		if err := w.walk(&n.children[i], contexts); err != nil {
			return err
		}
	}
	return nil
}

// and unfolds criteria that hold together.
func (w *ovalWalk) and(all []ovalCriteria, contexts [][]ovalLeaf) error {
	var packages []ovalLeaf
	var deeper []*ovalCriteria
	for i := range all {
		n := &all[i]
		if !n.leaf && w.says(n) {
			deeper = append(deeper, n)
			continue
		}
		alternatives, err := w.contexts(n, false)
		if err != nil {
			w.drop(err)
			return nil
		}
		if n.leaf && w.bounds(&alternatives[0][0]) {
			packages = append(packages, alternatives[0][0])
			continue
		}
		if contexts, err = cross(contexts, alternatives); err != nil {
			w.drop(err)
			return nil
		}
	}
	for _, group := range byPackage(packages) {
		for _, context := range contexts {
			if err := w.match(context, group); err != nil {
				return err
			}
		}
	}
	for _, n := range deeper {
		if err := w.walk(n, contexts); err != nil {
			return err
		}
	}
	return nil
}

// says reports whether a test in n bounds the version of a package.
func (w *ovalWalk) says(n *ovalCriteria) bool {
	if n.leaf {
		l, ok := w.content.leaf(n)
		return ok && w.bounds(&l)
	}
	for i := range n.children {
		if w.says(&n.children[i]) {
			return true
		}
	}
	return false
}

// contexts unfolds criteria without package bounds into alternatives of tests
// that hold together; negate turns AND and OR about.
func (w *ovalWalk) contexts(n *ovalCriteria, negate bool) ([][]ovalLeaf, error) {
	if n.leaf {
		l, ok := w.content.leaf(n)
		if !ok {
			return nil, errOVALDangling
		}
		l.negate = l.negate != negate
		return [][]ovalLeaf{{l}}, nil
	}
	negate = negate != n.negate
	if n.or != negate {
		var out [][]ovalLeaf
		for i := range n.children {
			alternatives, err := w.contexts(&n.children[i], negate)
			if err != nil {
				return nil, err
			}
			out = append(out, alternatives...)
		}
		return out, nil
	}
	out := [][]ovalLeaf{nil}
	for i := range n.children {
		alternatives, err := w.contexts(&n.children[i], negate)
		if err != nil {
			return nil, err
		}
		if out, err = cross(out, alternatives); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cross joins each of a with each of b.
func cross(a, b [][]ovalLeaf) ([][]ovalLeaf, error) {
	if len(a)*len(b) > ovalAlternatives {
		return nil, errOVALTooMany
	}
	out := make([][]ovalLeaf, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, slices.Concat(x, y))
		}
	}
	return out, nil
}

// byPackage groups tests that look at the same packages.
func byPackage(leaves []ovalLeaf) [][]ovalLeaf {
	var groups [][]ovalLeaf
	for _, l := range leaves {
		i := slices.IndexFunc(groups, func(g []ovalLeaf) bool { return slices.Equal(g[0].names, l.names) })
		if i < 0 {
			groups = append(groups, []ovalLeaf{l})
			continue
		}
		groups[i] = append(groups[i], l)
	}
	return groups
}

// ovalInterval reads the bounds that tests set on one package together.
// versions are the ones that a test names by equality.
func ovalInterval(packages []ovalLeaf) (iv Interval, versions []string, err error) {
	iv.Introduced = "0"
	for i := range packages {
		for _, c := range packages[i].conditions {
			if c.field != "evr" {
				continue
			}
			evr := ovalEVR(c.value)
			switch {
			case packages[i].negate:
				return iv, nil, errOVALNegated
			case evr == "":
				return iv, nil, errors.New("empty version")
			}
			switch c.operation {
			case "less than":
				iv.Fixed = evr
			case "less than or equal":
				iv.LastAffected = evr
			case "greater than or equal":
				iv.Introduced = evr
			case "equals":
				versions = append(versions, evr)
			default:
				return iv, nil, errors.New("operation " + c.operation + " on a version")
			}
		}
	}
	if iv.Fixed != "" {
		iv.LastAffected = ""
	}
	return iv, versions, nil
}

// ovalEVR reads an evr_string. A null epoch, "(none)", is 0 (OVAL 5.11,
// linux-definitions-schema, rpminfo_state/evr); otherwise the text stays.
func ovalEVR(s string) string {
	if rest, ok := cutNone(s); ok {
		return "0:" + rest
	}
	return s
}

func cutNone(s string) (string, bool) {
	const none = "(none):"
	if len(s) > len(none) && s[:len(none)] == none {
		return s[len(none):], true
	}
	return s, false
}
