package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// An Explanation is all that is held of a vulnerability: who says what, and
// what follows from it by which rule.
type Explanation struct {
	Asked    string
	Group    Group
	Accounts []Account // of the group's records first, then of those about it; each as preferred
	Related  []string  // IDs that a record relates to it, or that relate to it; sorted
	Threat   Threat    // of the group's CVE

	// Answer is what follows for the package that was asked about; nil where
	// none was, or no record speaks of it.
	Answer    *Vulnerability
	Searched  []string   // ecosystems in which the package was looked for; none: there is no data of it
	Decisions []Decision // how Answer came about
}

// An Account is what one record says of the vulnerability.
type Account struct {
	ID         string
	Relation   string            // "member" of the group, "upstream": about it
	Held       bool              // there is such a record; else it is only named
	Sources    []string          // whose parts the record was merged from
	Fields     map[string]string // field → the source it was taken from, where they differ
	Modified   string
	Withdrawn  string // RFC 3339
	Reason     string // why advdb withdrew it
	Summary    string
	Severity   Severity
	Ranges     []RangeRow            // of the package asked about, else of all
	Statements []normalize.Statement // likewise
	Assertion  *Assertion            // on the package and version asked about
}

// A Decision is one field of an answer, where it comes from, and why.
type Decision struct {
	Field string `json:"field"`
	Value string `json:"value"`
	From  string `json:"from,omitempty"` // ID of a record
	Rule  string `json:"rule"`
}

// Rules of decisions.
const (
	RuleAnyAffected = "affected where one record says so"
	RuleUnknown     = "unknown where a record cannot be decided and none says affected"
	RuleNone        = "no record says affected"
	RulePreferred   = "the first record in the ecosystem's order of preference that has it"
	RuleItself      = "the record of the vulnerability itself: those of the package have none"
	RuleVersions    = "fixed versions above the one asked about, of the first record of affected that has any"
)

// Explain returns all that is held of the vulnerability with an ID, and, if q
// is not nil, what follows for its package.
func Explain(db *store.DB, id string, q *Question) (*Explanation, error) {
	g, err := FindGroup(db, id)
	if err != nil {
		return nil, err
	}
	x := &Explanation{Asked: id, Group: g}
	relation, err := x.relations(db)
	if err != nil {
		return nil, err
	}
	if err := x.accounts(db, relation, q); err != nil {
		return nil, err
	}
	threats, err := Threats(db, []string{g.ID})
	if err != nil {
		return nil, err
	}
	if t := threats[g.ID]; t != nil {
		x.Threat = *t
	}
	if q != nil {
		return x, x.decide(db, *q)
	}
	return x, nil
}

// Known reports whether a record of the vulnerability is held, or a table
// knows it.
func (x *Explanation) Known() bool {
	return slices.ContainsFunc(x.Accounts, func(a Account) bool { return a.Held }) || x.Threat.EPSS > 0 ||
		len(x.Threat.Exploited)+len(x.Threat.Exploits) > 0 || x.Threat.SSVC != nil
}

// maxUpstream is how far the records about records are followed.
const maxUpstream = 4

// relations returns the IDs of the group, and of the records about them, also
// by way of others, and fills Related.
func (x *Explanation) relations(db *store.DB) (map[string]string, error) {
	relation := map[string]string{}
	related := map[string]bool{}
	for _, id := range x.Group.Members {
		relation[id] = "member"
	}
	layer := x.Group.Members
	for range maxUpstream {
		var next []string
		for _, id := range layer {
			links, err := db.Links(id)
			if err != nil {
				return nil, err
			}
			for _, l := range links {
				if l.Upstream && relation[l.ID] == "" {
					relation[l.ID] = "upstream"
					next = append(next, l.ID)
				}
				if (l.Related || l.Alias) && relation[id] == "member" {
					related[l.ID] = true
				}
			}
		}
		layer = next
	}
	for id := range related {
		if relation[id] == "" {
			x.Related = append(x.Related, id)
		}
	}
	return relation, nil
}

// accounts reads the records.
func (x *Explanation) accounts(db *store.DB, relation map[string]string, q *Question) error {
	ids := sortedKeys(relation)
	held := map[string]bool{}
	err := db.Lookup(ids, func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		held[id] = true
		a, err := newAccount(r, q)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		a.Relation = relation[id]
		if a.Relation == "member" {
			for _, other := range r.Related {
				if relation[other] == "" {
					x.Related = append(x.Related, other)
				}
			}
		}
		x.Accounts = append(x.Accounts, a)
		return nil
	})
	if err != nil {
		return err
	}
	for id, how := range relation {
		if !held[id] {
			x.Accounts = append(x.Accounts, Account{ID: id, Relation: how})
		}
	}
	slices.Sort(x.Related)
	x.Related = slices.Compact(x.Related)
	ecosystem := ""
	if q != nil {
		ecosystem = q.Ecosystem
	}
	slices.SortFunc(x.Accounts, func(a, b Account) int {
		return cmp.Or(strings.Compare(a.Relation, b.Relation), comparePreferred(ecosystem, a.ID, b.ID))
	})
	return nil
}

// newAccount reads one record; of a question's package only what concerns it.
func newAccount(r *normalize.Record, q *Question) (Account, error) {
	f := factsOf(r)
	a := Account{ID: r.ID, Held: true, Modified: r.Modified, Withdrawn: r.Withdrawn, Summary: f.summary, Severity: f.severity}
	var origin normalize.Origin
	if _, err := r.Specific("advdb", &origin); err != nil {
		return a, err
	}
	a.Sources, a.Fields, a.Reason = origin.Sources, origin.Fields, origin.Withdrawn
	for i := range r.Affected {
		x := &r.Affected[i]
		if q.concerns(x.Package.Ecosystem, x.Package.Name) {
			row := RangeRow{ID: r.ID, Ecosystem: x.Package.Ecosystem, Package: x.Package.Name, Versions: len(x.Versions)}
			a.Ranges = append(a.Ranges, affectedRows(row, x)...)
		}
	}
	statements, err := r.Statements()
	if err != nil {
		return a, nil // a member of that name, but not ours
	}
	for _, s := range statements {
		if q.concerns(s.Ecosystem, s.Package) {
			a.Statements = append(a.Statements, s)
		}
	}
	return a, nil
}

// concerns reports whether the question is about the package; none is about
// every package.
func (q *Question) concerns(ecosystem, name string) bool {
	if q == nil {
		return true
	}
	base, _, _ := strings.Cut(ecosystem, ":")
	return (ecosystem == q.Ecosystem || base == q.Ecosystem) && normalize.PackageKey(ecosystem, name) == normalize.PackageKey(ecosystem, q.Name)
}

// decide answers the question from the records of this vulnerability alone.
func (x *Explanation) decide(db *store.DB, q Question) error {
	ans, err := Package(db, q)
	if err != nil {
		return err
	}
	x.Searched = ans.Ecosystems
	a := newAssessor(db)
	ids := map[string][]use{}
	for i := range ans.Findings {
		f := &ans.Findings[i]
		ids[f.ID] = append(ids[f.ID], use{finding: f})
	}
	var claims []*claim
	err = db.Lookup(sortedKeys(ids), func(id string, data []byte) error {
		f, err := readFacts(id, data, ids[id]...)
		if err != nil {
			return err
		}
		about, err := a.about(f)
		if err != nil || !slices.Contains(about, x.Group.ID) {
			return err
		}
		for _, of := range ids[id] {
			claims = append(claims, new(f.claim(*of.finding, q.Version)))
		}
		return nil
	})
	if err != nil || len(claims) == 0 {
		return err
	}
	list := []Assessment{{Vulnerabilities: []Vulnerability{oneAnswer(x.Group.ID, claims)}}}
	if err := a.complete(list); err != nil {
		return err
	}
	x.Answer = &list[0].Vulnerabilities[0]
	for i := range x.Answer.Assertions {
		as := &x.Answer.Assertions[i]
		for j := range x.Accounts {
			if x.Accounts[j].ID == as.ID {
				x.Accounts[j].Assertion = as
			}
		}
	}
	x.Decisions = decisions(x.Answer, claims)
	return nil
}

// decisions says where each field of an answer comes from. claims are sorted
// as preferred.
func decisions(v *Vulnerability, claims []*claim) []Decision {
	verdict := Decision{Field: "verdict", Value: v.Verdict.String(), Rule: RuleNone}
	for _, c := range claims {
		if c.Verdict == v.Verdict {
			verdict.From = c.ID
			break
		}
	}
	switch v.Verdict {
	case versioncmp.Affected:
		verdict.Rule = RuleAnyAffected
	case versioncmp.Unknown:
		verdict.Rule = RuleUnknown
	}
	list := []Decision{verdict}
	if len(v.Fixed) > 0 {
		i := slices.IndexFunc(v.Assertions, func(a Assertion) bool { return a.Verdict != versioncmp.NotAffected && len(a.Fixed) > 0 })
		list = append(list, Decision{"fixed", strings.Join(v.Fixed, ", "), v.Assertions[i].ID, RuleVersions})
	}
	speaks := func(id string) bool { return slices.Contains(v.Records(), id) }
	rule := func(id string) string {
		if speaks(id) {
			return RulePreferred
		}
		return RuleItself
	}
	if s := v.Severity; s.By != "" {
		value := s.Rating.String()
		if s.Type != "" {
			value += fmt.Sprintf(" %.1f", s.Score)
		}
		list = append(list, Decision{"severity", value, s.By, rule(s.By)})
	}
	if v.Severity.Word != "" {
		list = append(list, Decision{"vendor's rating", v.Severity.Vendor, v.Severity.Word, rule(v.Severity.Word)})
	}
	if v.Summary != "" {
		from := v.ID
		if i := slices.IndexFunc(claims, func(c *claim) bool { return c.facts.summary != "" }); i >= 0 {
			from = claims[i].ID
		}
		list = append(list, Decision{"summary", v.Summary, from, rule(from)})
	}
	return list
}
