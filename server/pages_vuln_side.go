package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
)

// A pageDB is the state that pages are made of.
type pageDB = *store.DB

// A member is one record of the group, as a column.
type member struct {
	ID      string
	Details string // text of strangers: it is shown as it is written
	Cut     bool   // Details is longer
}

// A row compares one field of the members; it has a cell for each.
type row struct {
	Name  string
	Cells []cell
}

// A cell is what one record says in one field.
type cell struct {
	Lines []string
	From  string // the source it was taken from, where those of the record differ
	IDs   []string
	Bad   bool
}

// A statement is what a vendor says of a package, in which record.
type statement struct {
	ID string
	normalize.Statement
}

// A reference is an address that records refer to.
type reference struct {
	Type, URL string
	By        []string
}

// detailsShown is how much of a description is shown, in characters.
const detailsShown = 6000

// compare reads the records of the group and sets them side by side.
func (v *vulnSheet) compare(db pageDB) error {
	var ids []string
	accounts := map[string]*query.Account{}
	for i := range v.Accounts {
		if a := &v.Accounts[i]; a.Relation == "member" && a.Held {
			ids = append(ids, a.ID)
			accounts[a.ID] = a
		}
	}
	ids = first(ids, membersShown, &v.MoreMembers)
	records := map[string]*normalize.Record{}
	err := db.Lookup(slices.Sorted(slices.Values(ids)), func(id string, data []byte) (err error) {
		records[id], err = normalize.Decode(data)
		return err
	})
	if err != nil {
		return err
	}
	refs := map[string]*reference{}
	for _, id := range ids {
		r := records[id]
		if r == nil {
			continue
		}
		v.Members = append(v.Members, member{ID: id, Details: cut(detailsShown, r.Details), Cut: len([]rune(r.Details)) > detailsShown})
		for _, ref := range r.References {
			if refs[ref.URL] == nil {
				refs[ref.URL] = &reference{Type: ref.Type, URL: ref.URL}
			}
			if x := refs[ref.URL]; !slices.Contains(x.By, id) {
				x.By = append(x.By, id)
			}
		}
		for i, f := range fieldsOf(r, accounts[id]) {
			if i >= len(v.Fields) {
				v.Fields = append(v.Fields, row{Name: f.name})
			}
			v.Fields[i].Cells = append(v.Fields[i].Cells, f.cell)
		}
	}
	v.Fields = slices.DeleteFunc(v.Fields, row.empty)
	list := make([]reference, 0, len(refs))
	for _, r := range refs {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(x, y reference) int {
		return cmp.Or(len(y.By)-len(x.By), strings.Compare(x.Type, y.Type), strings.Compare(x.URL, y.URL))
	})
	v.References = first(list, referencesShown, &v.MoreReferences)
	return nil
}

func (r row) empty() bool {
	return !slices.ContainsFunc(r.Cells, func(c cell) bool { return len(c.Lines)+len(c.IDs) > 0 })
}

type field struct {
	name string
	cell cell
}

// fieldsOf are the fields of a record that are compared, always the same ones
// in the same order.
func fieldsOf(r *normalize.Record, a *query.Account) []field {
	var scores []string
	for _, s := range r.Severity {
		if score, rating, err := query.ScoreCVSS(s.Type, s.Score); err == nil {
			scores = append(scores, fmt.Sprintf("%.1f %s", score, rating))
		}
		scores = append(scores, cut(160, s.Score))
	}
	withdrawn := dayOf(r.Withdrawn)
	if a.Reason != "" {
		withdrawn += ": " + a.Reason
	}
	list := []field{
		{"Said by", cell{Lines: a.Sources}},
		{"Summary", texts(cut(400, r.Summary))},
		{"Severity", cell{Lines: scores[:min(len(scores), 8)]}},
		{"Vendor's rating", texts(cut(60, a.Severity.Vendor))},
		{"Weaknesses", texts(weaknesses(r))},
		{"Published", texts(dayOf(r.Published))},
		{"Modified", texts(dayOf(r.Modified))},
		{"Withdrawn", cell{Lines: texts(withdrawn).Lines, Bad: true}},
		{"Aliases", cell{IDs: r.Aliases[:min(len(r.Aliases), relatedShown)]}},
		{"About", cell{IDs: r.Upstream[:min(len(r.Upstream), relatedShown)]}},
		{"Packages", texts(packagesText(r))},
	}
	from := map[string]string{"Summary": "summary", "Severity": "severity", "Published": "published", "Modified": "modified", "Packages": "affected"}
	for i := range list {
		list[i].cell.From = a.Fields[from[list[i].name]]
	}
	return list
}

// texts is a cell of what is not empty.
func texts(list ...string) cell {
	return cell{Lines: slices.DeleteFunc(list, func(s string) bool { return s == "" })}
}

// weaknesses are the CWEs that a record names.
func weaknesses(r *normalize.Record) string {
	var s struct {
		CWEs []string `json:"cwe_ids"`
	}
	if len(r.DatabaseSpecific) == 0 || json.Unmarshal(r.DatabaseSpecific, &s) != nil {
		return "" // of another shape: a site's own feed may have such a member
	}
	return cut(200, strings.Join(s.CWEs, ", "))
}

func packagesText(r *normalize.Record) string {
	seen := map[string]bool{}
	for i := range r.Affected {
		if p := &r.Affected[i].Package; p.Name != "" {
			seen[p.Ecosystem+"\x00"+p.Name] = true
		}
	}
	if len(seen) == 0 {
		return ""
	}
	return countOf(len(seen))
}

// configured are the bounds of the CPE configurations of a record, as ranges
// of products. Criteria that are no CPE names are left out.
func configured(db pageDB, id string) (rows []query.RangeRow, err error) {
	r, err := readRecord(db, id)
	if err != nil || r == nil {
		return nil, err
	}
	list, err := store.Configurations(r)
	if err != nil {
		return nil, nil // of another shape: the record says so by its JSON
	}
	for m := range cpe.Vulnerable(list) {
		n, err := cpe.Parse(m.Criteria)
		if err != nil {
			continue
		}
		row := query.RangeRow{
			ID: id, Ecosystem: query.EcosystemCPE, Package: n.Key(), Type: "CPE", Introduced: plainCPE(m.VersionStartIncluding),
			After: plainCPE(m.VersionStartExcluding), Fixed: plainCPE(m.VersionEndExcluding), LastAffected: plainCPE(m.VersionEndIncluding),
			Withdrawn: r.Withdrawn,
		}
		if row.Introduced+row.After+row.Fixed+row.LastAffected == "" && n.Version != cpe.Any {
			row.Introduced = plainCPE(string(n.Version))
			row.LastAffected = row.Introduced
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// plainCPE is an attribute of a CPE name without the backslashes that quote
// in it.
func plainCPE(s string) string { return strings.ReplaceAll(s, `\`, "") }

// A verdict is what follows for one package.
type verdict struct {
	query.Question
	Answer    *query.Vulnerability
	Decisions []query.Decision
	Searched  []string
}

// newVerdict answers whether the package of a purl has the vulnerability.
func newVerdict(db pageDB, id, purl string) (*verdict, error) {
	q, err := query.ParsePurl(purl)
	if err != nil {
		return nil, wrong("%s", cut(600, err.Error()))
	}
	x, err := query.Explain(db, id, &q)
	if err != nil {
		return nil, err
	}
	return &verdict{Question: q, Answer: x.Answer, Decisions: x.Decisions, Searched: x.Searched}, nil
}

// Because says what decided a record's verdict.
func (*verdict) Because(a query.Assertion) string { return because(a.Finding) }

// Class names the verdict for the style.
func (v *verdict) Class() string { return verdictClass(v.Answer.Verdict) }

// because says what decided a finding.
func because(f query.Finding) string {
	text := f.Reason
	if text == "" && f.Event.Kind != 0 {
		text = f.Event.Kind.String() + " " + f.Event.Version
	}
	if f.Note != "" {
		text += " (" + f.Note + ")"
	}
	return text
}

// verdictClass names a verdict for the style.
func verdictClass(v versioncmp.Verdict) string {
	return strings.ReplaceAll(v.String(), " ", "-")
}
