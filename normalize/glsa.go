package normalize

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// GLSA reads one Gentoo Linux Security Advisory in XML. The record is
// GLSA-<id> (GLSA-202209-20) with the CVEs upstream, "modified" is the day of
// the last revision.
//
// What is affected is what a "vulnerable" atom matches and no "unaffected"
// one, as glsa-check reads them. Atoms with a slot hold in that slot only:
// each slot is an entry of its own, ecosystem_specific.slot. Where a package
// also has atoms without a slot, those make an entry for all other slots,
// which ecosystem_specific.not_slots lists. ecosystem_specific.arch has the
// architectures, if not all are meant.
//
// Source: https://www.gentoo.org/dtd/glsa.dtd, Gentoo's GLSA coordinator guide.
func GLSA(d Doc, emit func(*Record) error) error {
	s, err := newXMLScanner(d.Body)
	if err != nil {
		return err
	}
	name, attrs, err := s.child(0)
	if err == io.EOF {
		return s.fail(io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	if name != "glsa" {
		return s.fail(fmt.Errorf("<%s> where <glsa> is expected", name))
	}
	g := &glsa{doc: d, scan: s, id: attr(attrs, "id")}
	if g.id == "" {
		return ErrNoID
	}
	g.record.ID = "GLSA-" + g.id
	if err := g.read(); err != nil {
		return err
	}
	if _, _, err := s.child(0); err != io.EOF {
		if err == nil {
			err = s.fail(fmt.Errorf("a second root"))
		}
		return err
	}
	r, err := g.finish()
	if err != nil {
		return err
	}
	return emit(r)
}

type glsa struct {
	doc    Doc
	scan   *xmlScanner
	id     string
	record Record

	synopsis, description string
	access, impact        string
	product               string // type: ebuild, infrastructure, informational
	revision              int
}

func (g *glsa) report(rule, message string) {
	g.doc.report(Finding{Place: g.record.ID, Rule: rule, Message: message})
}

func (g *glsa) read() error {
	s := g.scan
	return s.each(func(name string, attrs []xml.Attr) (err error) {
		switch name {
		case "title":
			g.record.Summary, err = s.prose()
		case "synopsis":
			g.synopsis, err = s.prose()
		case "description":
			g.description, err = s.prose()
		case "product":
			g.product, err = attr(attrs, "type"), s.skip()
		case "announced":
			err = g.date("announced", &g.record.Published)
		case "revised":
			err = g.revised(attrs)
		case "bug":
			err = g.bug()
		case "access":
			g.access, err = s.text()
		case "impact":
			g.impact, err = attr(attrs, "type"), s.skip()
		case "affected":
			err = s.each(g.affected)
		case "references":
			err = s.each(g.reference)
		default:
			err = s.skip()
		}
		return err
	})
}

// glsaDays are the forms of dates, newest first.
var glsaDays = []string{time.DateOnly, "January 2, 2006", "January 02, 2006", "2 January 2006"}

func (g *glsa) date(member string, into *string) error {
	text, err := g.scan.text()
	if err == nil {
		*into = g.day(member, text)
	}
	return err
}

func (g *glsa) day(member, text string) string {
	for _, layout := range glsaDays {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	g.report("bad-time", fmt.Sprintf("%s: %q", member, text))
	return ""
}

// revised reads <revised count="1">2022-09-29</revised> and the older
// <revised>2014-01-05: 1</revised>.
func (g *glsa) revised(attrs []xml.Attr) error {
	text, err := g.scan.text()
	if err != nil {
		return err
	}
	day, count, old := strings.Cut(text, ":")
	if !old {
		count = attr(attrs, "count")
	}
	g.record.Modified = g.day("revised", strings.TrimSpace(day))
	if count = strings.TrimSpace(count); count != "" {
		if g.revision, err = strconv.Atoi(count); err != nil {
			g.report("bad-revision", fmt.Sprintf("%q", count))
		}
	}
	return nil
}

func (g *glsa) bug() error {
	text, err := g.scan.text()
	if err != nil {
		return err
	}
	if !isNumber(text) || text == "" {
		g.report("bad-bug", fmt.Sprintf("%q", text))
		return nil
	}
	g.record.References = append(g.record.References, Reference{Type: "REPORT", URL: "https://bugs.gentoo.org/" + text})
	return nil
}

// glsaCVE finds CVE IDs; until 2005 they were candidates, CAN-.
var glsaCVE = lazyregexp.New(`\b(?:CVE|CAN)-(\d{4}-\d{4,})\b`)

func (g *glsa) reference(name string, attrs []xml.Attr) error {
	link := attr(attrs, "link")
	text, err := g.scan.text()
	if err != nil || name != "uri" {
		return err
	}
	if link == "" {
		link = text
	}
	link = strings.TrimSpace(link)
	for _, m := range glsaCVE.FindAllStringSubmatch(text+" "+link, -1) {
		g.record.Upstream = addOnce(g.record.Upstream, "CVE-"+m[1])
	}
	if !isURI(link) {
		g.report("bad-reference", fmt.Sprintf("%q", link))
		return nil
	}
	g.record.References = append(g.record.References, Reference{Type: "WEB", URL: link})
	return nil
}

// finish completes the record.
func (g *glsa) finish() (*Record, error) {
	r := &g.record
	r.Details = g.synopsis
	if g.description != "" {
		r.Details = strings.TrimLeft(r.Details+"\n\n"+g.description, "\n")
	}
	if r.Modified == "" {
		r.Modified = r.Published
	}
	r.References = append(r.References, Reference{Type: "ADVISORY", URL: "https://security.gentoo.org/glsa/" + g.id})
	specific := map[string]any{}
	for name, v := range map[string]string{"access": g.access, "impact": g.impact} {
		if v != "" {
			specific[name] = v
		}
	}
	if g.product != "" && g.product != "ebuild" {
		specific["product"] = g.product
	}
	if g.revision > 1 {
		specific["revision"] = g.revision
	}
	if len(specific) == 0 {
		return r, nil
	}
	return r, r.SetSpecific(specific)
}
