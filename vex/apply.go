package vex

import (
	"cmp"
	"slices"
	"strings"

	"github.com/advdb/advdb/query"
)

// A Tally is what documents did to what a scan found.
type Tally struct {
	Suppressed int // vulnerabilities of components
	Idle       int // statements about what was not found
}

// Apply marks in found what the documents say that it does not count. Of
// several statements about one vulnerability of one component the newest
// counts; of the same age, the one in the later document. A statement may name
// the vulnerability by any of its IDs.
func Apply(docs []*Document, sbom *query.SBOM, found []query.Assessment) Tally {
	by := map[string][]*claim{}
	all := 0
	for _, d := range docs {
		for i := range d.Statements {
			c := &claim{d, &d.Statements[i], all}
			all++
			for _, id := range c.IDs {
				by[id] = append(by[id], c)
			}
		}
	}
	subject := newTarget(sbom.Subject, subjectRefs(sbom), sbom.ID)
	refs := allRefs(sbom)
	var tally Tally
	used := map[*claim]bool{}
	for i := range found {
		t := newTarget(found[i].Component, refs[found[i].Component], sbom.ID)
		for j := range found[i].Vulnerabilities {
			v := &found[i].Vulnerabilities[j]
			if v.Suppressed = decide(by, used, v, t, subject); v.Suppressed != nil {
				tally.Suppressed++
			}
		}
	}
	tally.Idle = all - len(used)
	return tally
}

// A claim is a statement, the document that it is in, and its place among all.
type claim struct {
	d *Document
	*Statement
	at int
}

// newer orders claims of which the last one counts.
func newer(a, b *claim) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.at, b.at)) }

// decide returns why a vulnerability does not count, nil where it does.
func decide(by map[string][]*claim, used map[*claim]bool, v *query.Vulnerability, t, subject *target) *query.Suppression {
	var best *claim
	for _, id := range names(v) {
		for _, c := range by[id] {
			if !slices.ContainsFunc(c.Products, func(p Product) bool { return p.covers(t, subject) }) {
				continue
			}
			used[c] = true
			if best == nil || newer(c, best) > 0 {
				best = c
			}
		}
	}
	if best == nil || !best.Status.suppresses() {
		return nil
	}
	return &query.Suppression{Status: string(best.Status), Justification: best.Justification, Detail: best.Detail, By: best.d.Name + best.Place}
}

// names are the IDs by which a statement may name a vulnerability: those of
// its group, and those that a tracker made of its own. A record that is about
// several vulnerabilities is none of them.
func names(v *query.Vulnerability) []string {
	list := append([]string{v.ID}, v.Aliases...)
	for _, id := range v.Records() {
		if strings.HasSuffix(id, "-"+v.ID) {
			list = append(list, id)
		}
	}
	return list
}

// subjectRefs are the references of what the SBOM is of; the SBOM's own ID is
// one.
func subjectRefs(sbom *query.SBOM) []string {
	list := []string{sbom.ID}
	for ref, at := range sbom.Refs {
		if at < 0 || sbom.Components[at] == sbom.Subject {
			list = append(list, ref)
		}
	}
	return list
}

// allRefs returns the references of each component.
func allRefs(sbom *query.SBOM) map[query.Component][]string {
	all := map[query.Component][]string{}
	for ref, at := range sbom.Refs {
		if at >= 0 {
			all[sbom.Components[at]] = append(all[sbom.Components[at]], ref)
		}
	}
	return all
}
