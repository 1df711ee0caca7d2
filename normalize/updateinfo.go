package normalize

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// An updateVendor is what differs between those who publish updateinfo.
type updateVendor struct {
	// ecosystem returns where the packages of a collection belong, "" for
	// nowhere known.
	ecosystem func(d Doc, u *update, c *updateCollection) string
	// repository names the repository of a document for
	// ecosystem_specific.repository; it may be nil.
	repository func(d Doc) string
	// page returns the address of the advisory's page, "" for none; it may be
	// nil.
	page func(id string) string
	// stream returns the first version of the release stream that an update
	// is of, such as "6.12" of kernel6.12, "" where there is none; it may be
	// nil.
	stream func(d Doc, u *update) string
	// upstream holds the types of references, beside cve, whose IDs are what
	// the advisory is about; others are links.
	upstream map[string]bool
}

// An update is one <update>: an advisory.
type update struct {
	ID          string
	Type        string // security, bugfix, enhancement, newpackage
	Title       string
	Summary     string
	Description string
	Severity    string
	Issued      string
	Updated     string
	References  []updateReference
	Collections []updateCollection
}

type updateReference struct{ Href, ID, Type, Title string }

// An updateCollection is the packages of one repository, and the module that
// they are of.
type updateCollection struct {
	Short    string
	Name     string
	Module   string // "name:stream"
	Packages []updatePackage
}

type updatePackage struct{ Name, Epoch, Version, Release, Arch string }

// evr is the package's version as rpm writes it: epoch 0 is written out, as
// the OVAL of these distributions has it.
func (p *updatePackage) evr() string {
	epoch := p.Epoch
	if epoch == "" || epoch == "(none)" {
		epoch = "0"
	}
	return epoch + ":" + p.Version + "-" + p.Release
}

// updateinfo returns the parser of updateinfo.xml: <updates> of <update>s, each
// an advisory with the packages that fix it.
//
// Updates of another type than security are read too if they name a CVE.
// Packages are entries by name and module; those that are fixed at the same
// version are one, with their architectures in ecosystem_specific.arch. Source
// packages make an entry only where the update has no others: their name would
// speak of architectures that the update leaves out.
//
// Source: libdnf and createrepo_c's src/xml_parser_updateinfo.c; dnf's
// documentation, "updateinfo". Times are UTC.
func updateinfo(v updateVendor) Parser {
	return func(d Doc, emit func(*Record) error) error {
		body, err := textXML(d.Body)
		if err != nil {
			return err
		}
		p := &updateParser{doc: d, emit: emit, vendor: v, scan: &xmlScanner{dec: xml.NewDecoder(body)}}
		return p.parse()
	}
}

type updateParser struct {
	doc    Doc
	emit   func(*Record) error
	vendor updateVendor
	scan   *xmlScanner
}

func (p *updateParser) report(place, rule, message string) {
	p.doc.report(Finding{Place: place, Rule: rule, Message: message})
}

func (p *updateParser) parse() error {
	s, seen := p.scan, false
	for {
		name, _, err := s.child(0)
		switch {
		case err == io.EOF && seen:
			return nil
		case err == io.EOF:
			return fmt.Errorf("offset %d: %w", s.dec.InputOffset(), ErrEmpty)
		case err != nil:
			return err
		case name != "updates":
			return s.fail(fmt.Errorf("<%s> where <updates> is expected", name))
		}
		seen = true
		err = s.each(func(name string, attrs []xml.Attr) error {
			if name != "update" {
				return s.skip()
			}
			u := &update{Type: attr(attrs, "type")}
			if err := p.read(u); err != nil {
				return err
			}
			return p.one(u)
		})
		if err != nil {
			return err
		}
	}
}

// read reads one <update>.
func (p *updateParser) read(u *update) error {
	s := p.scan
	return s.each(func(name string, attrs []xml.Attr) error {
		var into *string
		switch name {
		case "id":
			into = &u.ID
		case "title":
			into = &u.Title
		case "summary":
			into = &u.Summary
		case "description":
			into = &u.Description
		case "severity":
			into = &u.Severity
		case "issued":
			u.Issued = attr(attrs, "date")
		case "updated":
			u.Updated = attr(attrs, "date")
		case "references":
			return s.each(func(_ string, attrs []xml.Attr) error {
				u.References = append(u.References, updateReference{attr(attrs, "href"), attr(attrs, "id"), attr(attrs, "type"), attr(attrs, "title")})
				return s.skip()
			})
		case "pkglist":
			return s.each(func(_ string, attrs []xml.Attr) error { return p.collection(u, attr(attrs, "short")) })
		}
		if into == nil {
			return s.skip()
		}
		text, err := s.text()
		*into = text
		return err
	})
}

func (p *updateParser) collection(u *update, short string) error {
	s, c := p.scan, updateCollection{Short: short}
	err := s.each(func(name string, attrs []xml.Attr) error {
		switch name {
		case "name":
			text, err := s.text()
			c.Name = text
			return err
		case "module":
			if n, stream := attr(attrs, "name"), attr(attrs, "stream"); n != "" && stream != "" {
				c.Module = n + ":" + stream
			}
		case "package":
			c.Packages = append(c.Packages, updatePackage{attr(attrs, "name"), attr(attrs, "epoch"), attr(attrs, "version"), attr(attrs, "release"), attr(attrs, "arch")})
		}
		return s.skip()
	})
	u.Collections = append(u.Collections, c)
	return err
}

var updateID = lazyregexp.New(`^[A-Z][A-Za-z0-9._]+-[A-Za-z0-9][A-Za-z0-9.:_+-]*$`)

// one emits the record of an update.
func (p *updateParser) one(u *update) error {
	if !updateID.MatchString(u.ID) {
		p.report(fmt.Sprintf("offset %d", p.scan.dec.InputOffset()), "bad-id", fmt.Sprintf("%.80q", u.ID))
		return nil
	}
	r := &Record{ID: u.ID, Summary: u.subject(), Details: u.Description}
	r.Published = p.time(u, "issued", u.Issued)
	r.Modified = p.time(u, "updated", u.Updated)
	if r.Modified == "" {
		r.Modified = r.Published
	}
	p.refer(r, u)
	if u.Type != "security" && !slices.ContainsFunc(r.Upstream, isCVE) {
		return nil
	}
	if err := p.affected(r, u); err != nil {
		return err
	}
	if u.Severity != "" {
		if err := r.SetSpecific(map[string]any{"severity": u.Severity}); err != nil {
			return err
		}
	}
	return p.emit(r)
}

// subject returns the title, without what stands before the ID in it.
func (u *update) subject() string {
	if _, rest, ok := strings.Cut(u.Title, u.ID+": "); ok {
		return strings.TrimSpace(rest)
	}
	if u.Title == "" {
		return u.Summary
	}
	return u.Title
}

// time reads "2018-01-11 21:05", with seconds or without, a day, or RFC 3339.
func (p *updateParser) time(u *update, name, s string) string {
	if s == "" {
		return ""
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "2006-01-02 15:04:05 MST"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	p.report(u.ID, "bad-time", fmt.Sprintf("%s: %.40q", name, s))
	return ""
}

// refer sorts references into upstream and links.
func (p *updateParser) refer(r *Record, u *update) {
	if p.vendor.page != nil {
		if url := p.vendor.page(u.ID); url != "" {
			r.References = append(r.References, Reference{Type: "ADVISORY", URL: url})
		}
	}
	for _, ref := range u.References {
		typ := "WEB"
		switch {
		case ref.Type == "cve" || p.vendor.upstream[ref.Type] || isCVE(ref.ID):
			if id := strings.TrimSpace(ref.ID); updateID.MatchString(id) {
				r.Upstream = addOnce(r.Upstream, id)
			} else {
				p.report(u.ID, "bad-id", fmt.Sprintf("reference %.80q", ref.ID))
			}
		case ref.Type == "self", ref.ID == u.ID:
			typ = "ADVISORY"
		case ref.Type == "bugzilla":
			typ = "REPORT"
		}
		if isURI(ref.Href) {
			r.References = append(r.References, Reference{Type: typ, URL: ref.Href})
		}
	}
	r.References = slices.CompactFunc(r.References, func(a, b Reference) bool { return a.URL == b.URL })
}
