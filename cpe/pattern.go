package cpe

import (
	"iter"
	"slices"
)

// MeansProduct reports whether m's part, vendor and product lie within those
// of n, in which a wildcard means any text (NISTIR 7696, section 6.2: source n
// is equal to m or a superset of it). What m leaves open lies within nothing
// but what n leaves open too.
func (n Name) MeansProduct(m Name) bool {
	return n.Part.covers(m.Part) && n.Vendor.covers(m.Vendor) && n.Product.covers(m.Product)
}

func (v Value) covers(w Value) bool {
	switch {
	case v == Any || v == w:
		return true
	case w == Any || w == NA || v == NA || w.wild() || !v.wild():
		return false
	}
	return glob(string(v), w.text())
}

// Vague reports whether part, vendor or product of n are left open or hold
// wildcards.
func (n Name) Vague() bool {
	return n.Part == Any || slices.ContainsFunc([]Value{n.Vendor, n.Product}, func(v Value) bool { return v == Any || v.wild() })
}

// WithProduct returns n with the part, vendor and product of m.
func (n Name) WithProduct(m Name) Name {
	n.Part, n.Vendor, n.Product = m.Part, m.Vendor, m.Product
	return n
}

// Vulnerable yields the criteria in c that name what is vulnerable.
func Vulnerable(c Configurations) iter.Seq[*Criterion] {
	return func(yield func(*Criterion) bool) {
		for m := range c.criteria {
			if m.Vulnerable && !yield(m) {
				return
			}
		}
	}
}

// One returns a configuration that holds where one of the criteria does.
func One(criteria []Criterion) Configuration {
	for i := range criteria {
		criteria[i].prepare()
	}
	return Configuration{Nodes: []Node{{Operator: "OR", CPEMatch: criteria}}}
}
