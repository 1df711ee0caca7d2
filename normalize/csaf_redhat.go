package normalize

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// RedHatVEX reads one of Red Hat's CSAF VEX documents, which says of one CVE
// where it stands in each product.
//
// The record is "REDHAT-" and the CVE. Each package of each product, named by
// its CPE ("Red Hat:enterprise_linux:9::appstream"), and of each module stream
// is one entry: fixed at the version of the advisory, or affected from 0 on
// without an end. ecosystem_specific.module is the stream ("postgresql:15");
// where the document does not say it, module_build is the build that the
// version names. Other answers are statements. What is no RPM (Maven, OCI, whole products) is
// listed in database_specific.redhat.components by status and product.
//
// Sources: https://www.redhat.com/en/blog/vulnerability-exploitability-exchange-vex-beta-files-now-available,
// and the OSV records that Red Hat publishes for the form of ecosystem, purl and versions.
func RedHatVEX(d Doc, emit func(*Record) error) error {
	doc, err := readCSAF(d)
	if err != nil {
		return err
	}
	if doc.Document.Tracking.Status == "deleted" {
		return emitDeletedVEX(doc, emit)
	}
	if len(doc.Vulnerabilities) == 0 {
		return fmt.Errorf("vulnerabilities: missing")
	}
	index := doc.Tree.index()
	for i := range doc.Vulnerabilities {
		v := &vexRecord{doc: doc, vuln: &doc.Vulnerabilities[i], index: index}
		if v.cve = cmp.Or(v.vuln.CVE, doc.Document.Tracking.ID); !isCVE(v.cve) {
			d.report(Finding{Place: fmt.Sprintf("vulnerabilities/%d", i), Rule: "bad-id", Message: fmt.Sprintf("%q is no CVE ID", v.cve)})
			continue
		}
		v.report = func(rule, message string) { d.report(Finding{Place: v.cve, Rule: rule, Message: message}) }
		r, err := v.record()
		if err != nil {
			v.report("unreadable-entry", err.Error())
			continue
		}
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// emitDeletedVEX emits a withdrawn record, if the document says since when:
// without a time there is nothing to say, and the part ends with its content.
func emitDeletedVEX(doc *csafDocument, emit func(*Record) error) error {
	id, when := doc.Document.Tracking.ID, csafTime(doc.Document.Tracking.Current)
	if !isCVE(id) || when == "" {
		return nil
	}
	return emit(&Record{ID: "REDHAT-" + id, Upstream: []string{id}, Modified: when, Withdrawn: when})
}

// csafTime reads a time and writes it in UTC; what is no time is empty.
func csafTime(s string) string {
	t, ok := parseTime(s)
	if !ok {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// A vexRecord is a record in the making.
type vexRecord struct {
	doc    *csafDocument
	vuln   *csafVulnerability
	index  *csafIndex
	cve    string
	report func(rule, message string)

	remedies   map[string][]*csafRemediation // by product ID
	impacts    map[string]string             // by product ID, where it is not the document's
	advisories map[string]string             // date by ID of vendor fixes
	mitigation []string

	entries    map[vexKey]*vexEntry
	components map[string]map[string][]string // purls by status and product
	nameless   []string                       // components without a purl
}

func (v *vexRecord) record() (*Record, error) {
	t := &v.doc.Document.Tracking
	r := &Record{
		ID:        "REDHAT-" + v.cve,
		Upstream:  []string{v.cve},
		Summary:   strings.TrimSpace(cmp.Or(v.vuln.Title, v.vuln.note("summary", ""), v.doc.Document.Title)),
		Details:   v.vuln.note("description", ""),
		Published: csafTime(t.Initial),
		Modified:  csafTime(t.Current),
	}
	var mixed bool
	r.Severity, mixed = v.vuln.severity()
	v.remediate()
	v.threaten()
	v.place()
	v.findings()
	r.Affected = v.affected()
	r.References = v.references()
	r.Credits = v.credits()
	if err := r.AddStatements(v.statements()...); err != nil {
		return nil, err
	}
	return r, r.SetSpecific(v.specific(mixed))
}

// remediate sorts the remediations by product.
func (v *vexRecord) remediate() {
	v.remedies = map[string][]*csafRemediation{}
	v.advisories = map[string]string{}
	for i := range v.vuln.Remediations {
		m := &v.vuln.Remediations[i]
		switch m.Category {
		case "workaround", "mitigation":
			v.mitigation = addOnce(v.mitigation, m.Details)
			continue
		case "vendor_fix":
			if id := vexAdvisory(m.URL); id != "" {
				v.advisories[id] = max(v.advisories[id], csafTime(m.Date))
			}
		}
		for _, id := range v.index.members(m.Products, m.Groups) {
			v.remedies[id] = append(v.remedies[id], m)
		}
	}
}

// vexAdvisory cuts the ID out of an advisory's address.
func vexAdvisory(url string) string {
	id := url[strings.LastIndexByte(url, '/')+1:]
	if strings.HasPrefix(id, "RH") && len(id) > 5 && id[4] == '-' {
		return id
	}
	return ""
}

// threaten notes the impacts that differ from the document's own.
func (v *vexRecord) threaten() {
	v.impacts = map[string]string{}
	for i := range v.vuln.Threats {
		t := &v.vuln.Threats[i]
		if t.Category != "impact" || strings.EqualFold(t.Details, v.doc.Document.Severity.Text) {
			continue
		}
		for _, id := range v.index.members(t.Products, t.Groups) {
			v.impacts[id] = t.Details
		}
	}
}

// findings reports what the document's tree lacks.
func (v *vexRecord) findings() {
	if n := len(v.nameless); n > 0 {
		v.report("no-purl", fmt.Sprintf("%d components without purl, such as %q", n, v.nameless[0]))
	}
	for _, id := range v.index.clashes {
		v.report("duplicate-product", id)
	}
}

func (v *vexRecord) references() []Reference {
	var out []Reference
	seen := map[string]bool{}
	add := func(typ, url string) {
		if url != "" && !seen[url] {
			seen[url] = true
			out = append(out, Reference{Type: typ, URL: url})
		}
	}
	for _, ref := range slices.Concat(v.doc.Document.References, v.vuln.References) {
		switch {
		case ref.Category == "self":
			add("ADVISORY", ref.URL)
		case strings.HasPrefix(ref.URL, "https://bugzilla.redhat.com/"):
			add("REPORT", ref.URL)
		default:
			add("WEB", ref.URL)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.advisories)) {
		add("ADVISORY", "https://access.redhat.com/errata/"+id)
	}
	return out
}

func (v *vexRecord) credits() []Credit {
	var out []Credit
	for _, a := range v.vuln.Acknowledgments {
		for _, name := range a.Names {
			if a.Organization != "" {
				name += " (" + a.Organization + ")"
			}
			out = append(out, Credit{Name: name, Type: "FINDER"})
		}
	}
	return out
}

// specific returns the members of database_specific but the statements.
func (v *vexRecord) specific(mixed bool) map[string]any {
	red := map[string]any{}
	put := func(name string, n int, value any) {
		if n > 0 {
			red[name] = value
		}
	}
	put("advisories", len(v.advisories), v.advisories)
	put("components", len(v.components), v.components)
	put("mitigations", len(v.mitigation), v.mitigation)
	grouped := v.groupedNotAffected()
	put("not_affected", len(grouped), grouped)
	statement := v.vuln.note("other", "Statement")
	put("statement", len(statement), statement)
	if mixed {
		vectors := []string{}
		for i := range v.vuln.Scores {
			vectors = addOnce(vectors, cmp.Or(v.vuln.Scores[i].V4.Vector, v.vuln.Scores[i].V3.Vector, v.vuln.Scores[i].V2.Vector))
		}
		red["vectors"] = vectors
	}
	m := map[string]any{}
	if len(red) > 0 {
		m["redhat"] = red
	}
	if s := v.doc.Document.Severity.Text; s != "" {
		m["severity"] = s
	}
	if id := v.vuln.CWE.ID; id != "" {
		m["cwe_ids"] = []string{id}
	}
	return m
}
