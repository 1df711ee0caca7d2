package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
)

// Members of OpenVEX that are written here.
//
// Source: OpenVEX specification 0.2.0, https://github.com/openvex/spec.
type (
	vexStatement struct {
		Vulnerability vexVulnerability `json:"vulnerability"`
		Products      []vexProduct     `json:"products"`
		Status        string           `json:"status"`
		Notes         string           `json:"status_notes,omitempty"`
		Justification string           `json:"justification,omitempty"`
		Impact        string           `json:"impact_statement,omitempty"`
		Action        string           `json:"action_statement,omitempty"`
	}

	vexVulnerability struct {
		ID          string   `json:"@id,omitempty"`
		Name        string   `json:"name"`
		Description string   `json:"description,omitempty"`
		Aliases     []string `json:"aliases,omitempty"`
	}

	vexProduct struct {
		ID          string            `json:"@id"`
		Identifiers map[string]string `json:"identifiers"`
	}
)

// OpenVEX writes a report as a document of OpenVEX: a statement says of one
// vulnerability that products are affected and what to do, that it is under
// investigation where it could not be decided, or what a VEX document said.
func OpenVEX(w io.Writer, r *Report) error {
	return writeJSON(w, func(enc *jsontext.Encoder) error {
		enc.WriteToken(jsontext.BeginObject)
		tool := strings.TrimSpace("advdb " + r.Version)
		for _, m := range []struct {
			name  string
			value any
		}{
			{"@context", "https://openvex.dev/ns/v0.2.0"}, {"@id", "urn:uuid:" + r.uuid("openvex")},
			{"author", "advdb"}, {"timestamp", r.Time.UTC().Format(time.RFC3339)}, {"version", 1}, {"tooling", tool},
		} {
			if err := member(enc, m.name, m.value); err != nil {
				return err
			}
		}
		if err := list(enc, "statements", func() error { return r.statements(enc) }); err != nil {
			return err
		}
		return enc.WriteToken(jsontext.EndObject)
	})
}

// statements writes those of each vulnerability, in the order of IDs; products
// of which the same is said are in one.
func (r *Report) statements(enc *jsontext.Encoder) error {
	all := r.cases()
	for len(all) > 0 {
		s := newStatement(all[0])
		n := 0
		for n < len(all) && all[n].v.ID == all[0].v.ID {
			next := newStatement(all[n])
			if !next.says(&s) {
				break
			}
			if n > 0 && !slices.ContainsFunc(s.Products, func(p vexProduct) bool { return p.ID == next.Products[0].ID }) {
				s.Products = append(s.Products, next.Products...)
			}
			n++
		}
		if err := encode(enc, s); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// A finding is one vulnerability of one component.
type finding struct {
	c query.Component
	v *query.Vulnerability
}

// cases returns all findings by vulnerability; of one, those of which the same
// is said follow on each other.
func (r *Report) cases() []finding {
	var all []finding
	for i := range r.Found {
		a := &r.Found[i]
		for j := range a.Vulnerabilities {
			all = append(all, finding{a.Component, &a.Vulnerabilities[j]})
		}
	}
	slices.SortStableFunc(all, func(x, y finding) int {
		return cmp.Or(strings.Compare(x.v.ID, y.v.ID), compareSuppressed(x.v.Suppressed, y.v.Suppressed),
			cmp.Compare(x.v.Verdict, y.v.Verdict), strings.Compare(action(x.c, x.v), action(y.c, y.v)))
	})
	return all
}

func compareSuppressed(a, b *query.Suppression) int {
	switch {
	case a == b:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(strings.Compare(a.Status, b.Status), strings.Compare(a.Justification, b.Justification),
		strings.Compare(a.Detail, b.Detail), strings.Compare(a.By, b.By))
}

// says reports whether two statements differ in their products only.
func (s *vexStatement) says(t *vexStatement) bool {
	return s.Status == t.Status && s.Notes == t.Notes && s.Justification == t.Justification && s.Impact == t.Impact && s.Action == t.Action
}

func newStatement(f finding) vexStatement {
	_, at := page(f.v.ID)
	s := vexStatement{Vulnerability: vexVulnerability{at, f.v.ID, f.v.Summary, f.v.Aliases}, Products: []vexProduct{newProduct(f.c)}}
	switch x := f.v.Suppressed; {
	case x != nil && x.Status == "fixed":
		s.Status, s.Notes = "fixed", x.Text()
	case x != nil:
		s.Status, s.Justification, s.Impact = "not_affected", x.Justification, x.Detail
		if s.Justification == "" && s.Impact == "" {
			s.Impact = x.Text() // one of the two must be there
		}
		s.Notes = x.By
	case f.v.Verdict == versioncmp.Affected:
		s.Status, s.Action = "affected", action(f.c, f.v)
	default:
		s.Status, s.Notes = "under_investigation", reason(f.v)
	}
	return s
}

func newProduct(c query.Component) vexProduct {
	if c.Purl != "" {
		return vexProduct{c.Purl, map[string]string{"purl": c.Purl}}
	}
	kind := "cpe23"
	if !strings.HasPrefix(c.CPE, "cpe:2.3:") {
		kind = "cpe22"
	}
	return vexProduct{c.CPE, map[string]string{kind: c.CPE}}
}
