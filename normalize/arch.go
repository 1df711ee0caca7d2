package normalize

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const archLinux = "Arch Linux"

// ArchAVG reads Arch Linux's vulnerability groups, all.json: a list of
// {name, packages, status, severity, type, affected, fixed, ticket, issues,
// advisories}. Each group is a record, AVG-<n>, with its issues upstream and
// its advisories (ASA-…) related; a group without issues is one all the same.
//
//   - Fixed: [0, fixed);
//   - Vulnerable, Testing: [0, ∞). A fixed version that is not out of testing
//     stands in database_specific of the affected entry;
//   - Not affected: a statement; Unknown: a statement (under investigation).
//
// "affected" is the version in which the flaw was noticed, not the first that
// has it: it stands in ecosystem_specific and bounds nothing.
//
// Source: https://security.archlinux.org/, arch-security-tracker tracker/model.
func ArchAVG(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachValue(dec, func(i int, v jsontext.Value) error {
		var g archGroup
		if err := json.Unmarshal(v, &g, decodeOptions); err != nil {
			d.report(Finding{Place: fmt.Sprint(i), Rule: "unreadable-entry", Message: placed(err).Error()})
			return nil
		}
		r, err := g.record(d)
		if err != nil || r == nil {
			return err
		}
		return emit(r)
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

// archGroup is one group of all.json.
type archGroup struct {
	Name       string   `json:"name"`
	Packages   []string `json:"packages"`
	Status     string   `json:"status"`
	Severity   string   `json:"severity"`
	Type       string   `json:"type"`
	Affected   string   `json:"affected"`
	Fixed      string   `json:"fixed"`
	Ticket     string   `json:"ticket"`
	Issues     []string `json:"issues"`
	Advisories []string `json:"advisories"`
}

func (g *archGroup) record(d Doc) (*Record, error) {
	report := func(rule, message string) { d.report(Finding{Place: g.Name, Rule: rule, Message: message}) }
	if !strings.HasPrefix(g.Name, "AVG-") || !isNumber(g.Name[len("AVG-"):]) {
		report("bad-id", fmt.Sprintf("%q", g.Name))
		return nil, nil
	}
	r := &Record{ID: g.Name, Upstream: set(g.Issues), Related: set(g.Advisories), Summary: g.summary(), References: g.references()}
	if err := r.SetSpecific(map[string]any{"severity": g.Severity, "status": g.Status, "type": g.Type}); err != nil {
		return nil, err
	}
	for _, name := range g.Packages {
		a, st, err := g.says(name)
		if err != nil {
			return nil, err
		}
		if st.Status != "" {
			err = r.AddStatements(st)
		} else {
			r.Affected = append(r.Affected, a)
		}
		if err != nil {
			return nil, err
		}
	}
	switch g.Status {
	case "Fixed", "Vulnerable", "Testing", "Not affected", "Unknown":
	default:
		report("unknown-status", fmt.Sprintf("%q", g.Status))
	}
	if g.Status == "Fixed" && g.Fixed == "" {
		report("contradiction", "fixed, and no version says in what")
	}
	return r, nil
}

// says returns what the group says of a package: a statement, or an entry of
// affected.
func (g *archGroup) says(name string) (a Affected, st Statement, err error) {
	st = Statement{Ecosystem: archLinux, Package: name, Detail: g.Status}
	iv := Interval{Introduced: "0"}
	switch g.Status {
	case "Not affected":
		st.Status = NotAffected
		return a, st, nil
	case "Fixed":
		iv.Fixed = g.Fixed
	case "Vulnerable", "Testing":
		if g.Fixed != "" {
			a.DatabaseSpecific, err = json.Marshal(map[string]string{"fixed": g.Fixed}, encodeOptions)
		}
	default:
		st.Status = UnderInvestigation
		return a, st, nil
	}
	if err == nil && g.Affected != "" {
		a.EcosystemSpecific, err = json.Marshal(map[string]string{"affected": g.Affected}, encodeOptions)
	}
	a.Package = Package{Ecosystem: archLinux, Name: name}
	a.Ranges = Ranges(Ecosystem, archLinux, []Interval{iv})
	return a, Statement{}, err
}

// summary names the packages and what is wrong with them, since groups have
// no title.
func (g *archGroup) summary() string {
	if len(g.Packages) == 0 {
		return g.Type
	}
	return strings.Join(g.Packages, ", ") + ": " + cmp.Or(g.Type, "unknown")
}

func (g *archGroup) references() []Reference {
	refs := []Reference{{Type: "ADVISORY", URL: "https://security.archlinux.org/" + g.Name}}
	for _, a := range g.Advisories {
		refs = append(refs, Reference{Type: "ADVISORY", URL: "https://security.archlinux.org/" + a})
	}
	if isNumber(g.Ticket) {
		refs = append(refs, Reference{Type: "REPORT", URL: "https://bugs.archlinux.org/task/" + g.Ticket})
	}
	return refs
}
