package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A policy says which vulnerabilities are too bad, and which data too old.
type policy struct {
	any, kev, exploited, fixable, unknown, gaps bool

	epss     float64       // above 1: none
	severity query.Rating  // Unrated: none
	age      time.Duration // 0: none
}

const policyTerms = "any, unknown, gaps, fixable, kev, exploited, severity>=RATING, epss>=N or age>DURATION"

func parsePolicy(terms []string) (p policy, err error) {
	p.epss = 2
	flags := map[string]*bool{"any": &p.any, "kev": &p.kev, "exploited": &p.exploited, "fixable": &p.fixable, "unknown": &p.unknown, "gaps": &p.gaps}
	for _, term := range terms {
		t := strings.ReplaceAll(term, " ", "")
		if flag := flags[t]; flag != nil {
			*flag = true
			continue
		}
		if err := p.limit(t); err != nil {
			return p, err
		}
	}
	return p, nil
}

// limit reads a term with a number.
func (p *policy) limit(t string) error {
	if n, ok := strings.CutPrefix(t, "epss>="); ok {
		v, err := strconv.ParseFloat(n, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return usagef("--fail-on %s: want a number from 0 to 1", t)
		}
		p.epss = min(p.epss, v)
		return nil
	}
	if n, ok := strings.CutPrefix(t, "severity>="); ok {
		r, ok := query.ParseRating(n)
		if !ok || r == query.Unrated {
			return usagef("--fail-on %s: want none, low, medium, high or critical", t)
		}
		if p.severity == query.Unrated || r < p.severity {
			p.severity = r
		}
		return nil
	}
	if n, ok := strings.CutPrefix(t, "age>"); ok {
		d, err := parseAge(n)
		if err != nil || d <= 0 {
			return usagef("--fail-on %s: want a duration such as 36h or 7d", t)
		}
		p.age = d
		return nil
	}
	return usagef("--fail-on %s: want %s", t, policyTerms)
}

// violated reports whether a vulnerability is too bad.
func (p *policy) violated(v *query.Vulnerability) bool {
	if v.Suppressed != nil {
		return false
	}
	if v.Verdict != versioncmp.Affected {
		return p.unknown
	}
	return p.any || p.kev && v.Threat.KEV != nil || p.exploited && len(v.Threat.Exploited) > 0 ||
		p.fixable && len(v.Fixed) > 0 || v.Threat.EPSS >= p.epss ||
		p.severity != query.Unrated && v.Severity.Rating >= p.severity
}

func (p *policy) violatedBy(r *scanReport) bool {
	return p.gaps && len(r.gaps) > 0 || slices.ContainsFunc(r.found, func(a query.Assessment) bool {
		return slices.ContainsFunc(a.Vulnerabilities, func(v query.Vulnerability) bool { return p.violated(&v) })
	})
}

// tooOld reports whether a source that is held is older than the policy allows.
func (a *app) tooOld(db *store.DB, p policy) (bool, error) {
	if p.age == 0 {
		return false, nil
	}
	old, err := a.olderThan(db, p.age)
	if len(old) > 0 {
		a.sayf("older than allowed: %s", strings.Join(old, ", "))
	}
	return len(old) > 0, err
}
