package main

import (
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
)

// explainJSON is what explain --json prints.
type explainJSON struct {
	Asked     string           `json:"asked"`
	Group     groupJSON        `json:"group"`
	Records   []accountJSON    `json:"records"`
	Related   []string         `json:"related,omitempty"`
	Threat    query.Threat     `json:"threat"`
	Answer    *vulnJSON        `json:"answer,omitempty"`
	Searched  []string         `json:"searched,omitempty"`
	Decisions []query.Decision `json:"decisions,omitempty"`
}

type groupJSON struct {
	ID      string       `json:"id"`
	Members []string     `json:"members"`
	Edges   []query.Edge `json:"edges"`
}

type accountJSON struct {
	ID         string                `json:"id"`
	Relation   string                `json:"relation"`
	Held       bool                  `json:"held"`
	Sources    []string              `json:"sources,omitempty"`
	Fields     map[string]string     `json:"fields,omitempty"`
	Modified   string                `json:"modified,omitempty"`
	Withdrawn  string                `json:"withdrawn,omitempty"`
	Reason     string                `json:"reason,omitempty"`
	Summary    string                `json:"summary,omitempty"`
	Severity   *query.Severity       `json:"severity,omitempty"`
	Ranges     []accountRange        `json:"ranges,omitempty"`
	Statements []normalize.Statement `json:"statements,omitempty"`
	Assertion  *assertionJSON        `json:"assertion,omitempty"`
}

type accountRange struct {
	Ecosystem    string `json:"ecosystem"`
	Package      string `json:"package"`
	Type         string `json:"type"`
	Repo         string `json:"repo,omitempty"`
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Versions     int    `json:"versions,omitzero"` // listed by name beside it
}

func newExplainJSON(x *query.Explanation) explainJSON {
	out := explainJSON{Asked: x.Asked, Group: groupJSON{x.Group.ID, x.Group.Members, x.Group.Edges}, Related: x.Related,
		Threat: x.Threat, Searched: x.Searched, Decisions: x.Decisions}
	for i := range x.Accounts {
		out.Records = append(out.Records, newAccountJSON(&x.Accounts[i]))
	}
	if x.Answer != nil {
		v := newVulnJSON(x.Answer)
		out.Answer = &v
	}
	return out
}

func newAccountJSON(a *query.Account) accountJSON {
	out := accountJSON{ID: a.ID, Relation: a.Relation, Held: a.Held, Sources: a.Sources, Fields: a.Fields, Modified: a.Modified,
		Withdrawn: a.Withdrawn, Reason: a.Reason, Summary: a.Summary, Statements: a.Statements}
	if a.Severity != (query.Severity{}) {
		out.Severity = &a.Severity
	}
	for _, r := range a.Ranges {
		out.Ranges = append(out.Ranges, accountRange{r.Ecosystem, r.Package, r.Type, r.Repo, r.Introduced, r.Fixed, r.LastAffected, r.Versions})
	}
	if a.Assertion != nil {
		s := newAssertionJSON(a.Assertion)
		out.Assertion = &s
	}
	return out
}
