package cpe

import "strings"

// A Verdict is the answer to whether a product is affected.
type Verdict int8

const (
	NotAffected Verdict = iota
	Unknown             // the question or the record does not say enough
	Affected
)

func (v Verdict) String() string {
	switch v {
	case Affected:
		return "affected"
	case Unknown:
		return "unknown"
	}
	return "not affected"
}

// An Answer says whether a product is affected, and why.
type Answer struct {
	Verdict Verdict

	// Match is the criterion that decided: the one that holds for the product
	// or, where none does, the one that names the product and does not hold.
	// It is nil where no criterion names the product.
	Match *Criterion

	// Assumed are the conditions that were taken as met because the question
	// says nothing of them, and Unmet those that it contradicts. Each is met
	// by any of its members: criteria as NVD has them, or an attribute such
	// as "target_sw=wordpress".
	Assumed [][]string
	Unmet   [][]string

	sure truth
}

// Match evaluates c for product, which runs on platforms.
//
// A platform condition that no platform meets is contradicted where a
// platform of its part (a, h, o) was given, and assumed otherwise. A platform
// criterion whose version is NA, NVD's way of naming a platform in general,
// is met by any version. An attribute behind the update that product leaves
// open is assumed; a version or an update that it leaves open is unknown.
func Match(c Configurations, product Name, platforms ...Name) Answer {
	q := newQuestion(product, platforms)
	var best Answer
	for i := range c {
		a := q.configuration(&c[i])
		if i == 0 || a.betterThan(&best) {
			best = a
		}
		if best.sure == yes {
			break
		}
	}
	if best.Verdict == NotAffected && best.Match == nil {
		if m := brokenFor(c, product); m != nil {
			return Answer{Verdict: Unknown, Match: m, sure: unknown}
		}
	}
	return best
}

// betterThan prefers the surer answer, then the one that names the product.
func (a *Answer) betterThan(b *Answer) bool {
	if a.sure != b.sure {
		return a.sure > b.sure
	}
	if (a.Match == nil) != (b.Match == nil) {
		return a.Match != nil
	}
	return len(a.Unmet) > 0 && len(b.Unmet) == 0 && a.Verdict == NotAffected
}

// brokenFor returns a criterion that is no CPE but holds vendor and product.
func brokenFor(c Configurations, product Name) *Criterion {
	for m := range c.criteria {
		if m.broken == nil {
			continue
		}
		_, want, _ := strings.Cut(product.Key(), ":")
		if strings.Contains(strings.ToLower(m.Criteria), ":"+want+":") {
			return m
		}
	}
	return nil
}

// configuration evaluates one configuration. It can hold for the product only
// through a vulnerable criterion that does.
func (q *question) configuration(c *Configuration) Answer {
	if !q.concerns(c) {
		return Answer{}
	}
	all := strings.EqualFold(c.Operator, "AND")
	var out outcome
	for i := range c.Nodes {
		o := q.node(&c.Nodes[i])
		switch {
		case i == 0:
			out = o
		case all:
			out = out.and(o)
		default:
			out = out.or(o)
		}
	}
	if c.Negate {
		out = out.negate()
	}
	return out.answer()
}

// concerns reports whether a vulnerable criterion of c names the product.
func (q *question) concerns(c *Configuration) bool {
	for i := range c.Nodes {
		matches := c.Nodes[i].CPEMatch
		for j := range matches {
			if matches[j].Vulnerable && matches[j].names(&q.product.name) {
				return true
			}
		}
	}
	return false
}

// An outcome is that of a node or of several.
type outcome struct {
	value   truth
	decided *Criterion // vulnerable, and holds for the product at least perhaps
	near    *Criterion // names the product and does not hold
	assumed [][]string
	unmet   [][]string
}

func (o outcome) and(p outcome) outcome {
	return outcome{
		value:   min(o.value, p.value),
		decided: first(o.decided, p.decided),
		near:    first(o.near, p.near),
		assumed: append(o.assumed, p.assumed...),
		unmet:   append(o.unmet, p.unmet...),
	}
}

// or takes one of two alternatives: one that a vulnerable criterion of the
// product stands behind before one without, then the surer.
func (o outcome) or(p outcome) outcome {
	near := first(o.near, p.near)
	if has, had := p.decided != nil, o.decided != nil; has && !had || has == had && p.value > o.value {
		o = p
	}
	o.near = near
	return o
}

func (o outcome) negate() outcome {
	o.value, o.near, o.decided = o.value.not(), first(o.near, o.decided), nil
	return o
}

func (o outcome) answer() Answer {
	a := Answer{Match: o.near}
	if o.decided == nil {
		return a
	}
	a.Match, a.sure = o.decided, o.value
	switch o.value {
	case yes, assumed:
		a.Verdict, a.Assumed = Affected, o.assumed
	case unknown:
		a.Verdict, a.Assumed = Unknown, o.assumed
	default:
		a.Unmet = o.unmet
	}
	return a
}

func first(a, b *Criterion) *Criterion {
	if a != nil {
		return a
	}
	return b
}
