package normalize

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// redHatErratum is RHSA-2023:7435, RHBA-…, RHEA-….
var redHatErratum = lazyregexp.New(`^RH[SBE]A-\d{4}:\d+$`)

// RedHatAdvisory reads one of Red Hat's CSAF advisories, an erratum and the
// CVEs that it fixes. The record is the erratum, as in Red Hat's own OSV
// (RHSA-2023:7435), with an entry for each package of each product and module
// stream that it fixes for any of the CVEs. database_specific.redhat.cves has
// the vectors by CVE, which no part of OSV holds where CVEs differ.
//
// What an advisory calls affected or not affected is of its day; Red Hat keeps
// that up in VEX, and it is not taken.
func RedHatAdvisory(d Doc, emit func(*Record) error) error {
	doc, err := readCSAF(d)
	if err != nil {
		return err
	}
	t := &doc.Document.Tracking
	if !redHatErratum.MatchString(t.ID) {
		return fmt.Errorf("document/tracking/id: %.80q: %w", t.ID, ErrNoID)
	}
	r := &Record{
		ID: t.ID, Summary: doc.Document.Title,
		Published: csafTime(t.Initial), Modified: csafTime(t.Current),
	}
	if t.Status == "deleted" {
		r.Withdrawn = r.Modified
		return emit(r)
	}
	fixes := redHatFixes{doc: doc, index: doc.Tree.index(), record: r, entries: map[vexKey]*vexEntry{}, vectors: map[string]string{}}
	for i := range doc.Vulnerabilities {
		fixes.add(d, &doc.Vulnerabilities[i])
	}
	return fixes.finish(d, emit)
}

// redHatFixes gathers what an advisory fixes.
type redHatFixes struct {
	doc     *csafDocument
	index   *csafIndex
	record  *Record
	entries map[vexKey]*vexEntry
	vectors map[string]string // by CVE
	dropped map[string]int    // rules of findings, how often
	example map[string]string
}

// add takes in what is fixed for one CVE.
func (f *redHatFixes) add(d Doc, vuln *csafVulnerability) {
	if isCVE(vuln.CVE) {
		f.record.Upstream = addOnce(f.record.Upstream, vuln.CVE)
	}
	only := *vuln
	only.Status = map[string][]string{"fixed": vuln.Status["fixed"]}
	v := &vexRecord{doc: f.doc, vuln: &only, index: f.index, cve: vuln.CVE, report: f.note}
	v.remediate()
	v.threaten()
	v.place()
	if s, _ := vuln.severity(); len(s) > 0 && isCVE(vuln.CVE) {
		f.vectors[vuln.CVE] = s[0].Score
	}
	for k, e := range v.entries {
		if len(e.fixed) == 0 {
			continue
		}
		if f.entries[k] == nil {
			f.entries[k] = &vexEntry{fixed: map[string][]string{}}
		}
		for _, versions := range e.fixed {
			for _, version := range versions {
				f.entries[k].fixed[""] = addOnce(f.entries[k].fixed[""], version)
			}
		}
	}
}

func (f *redHatFixes) note(rule, message string) {
	if f.dropped == nil {
		f.dropped, f.example = map[string]int{}, map[string]string{}
	}
	if f.dropped[rule]++; f.example[rule] == "" {
		f.example[rule] = message
	}
}

func (f *redHatFixes) finish(d Doc, emit func(*Record) error) error {
	r := f.record
	v := &vexRecord{doc: f.doc, vuln: &csafVulnerability{}, index: f.index, entries: f.entries}
	r.Affected = v.affected()
	for i := range r.Affected {
		r.Affected[i].DatabaseSpecific = nil
	}
	r.References = append([]Reference{{Type: "ADVISORY", URL: "https://access.redhat.com/errata/" + r.ID}}, v.references()...)
	r.References = slices.CompactFunc(setFunc(r.References, compareReferences), func(a, b Reference) bool { return a.URL == b.URL })
	for _, rule := range slices.Sorted(maps.Keys(f.dropped)) {
		d.report(Finding{Place: r.ID, Rule: rule, Message: fmt.Sprintf("%s (%d)", f.example[rule], f.dropped[rule])})
	}
	specific := map[string]any{}
	if len(f.vectors) > 0 {
		specific["redhat"] = map[string]any{"cves": f.vectors}
	}
	if s := strings.TrimSpace(f.doc.Document.Severity.Text); s != "" {
		specific["severity"] = s
	}
	if len(specific) > 0 {
		if err := r.SetSpecific(specific); err != nil {
			return err
		}
	}
	return emit(r)
}
