package normalize

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// VuXML reads FreeBSD's vuln.xml, the flat form, in which no entity is left
// to be looked up. Each entry is VUXML-<vid> with the CVEs upstream.
//
// Ports are packages of "FreeBSD:ports"; the entries about the system itself,
// "FreeBSD" and "FreeBSD-kernel", are of "FreeBSD:base" and "FreeBSD:kernel". A
// <package> with several names and several ranges says each of each; the same
// port in several of them is one entry of affected. Versions stand as written,
// with revision and epoch (142.0.0,2).
//
// A cancelled entry makes no record: where there was one it is withdrawn by
// that.
//
// Source: VuXML 1.1, https://www.vuxml.org/dtd/vuxml-1/vuxml-11.dtd.
func VuXML(d Doc, emit func(*Record) error) error {
	s, err := newXMLScanner(d.Body)
	if err != nil {
		return err
	}
	for {
		name, _, err := s.child(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if name != "vuxml" {
			return s.fail(fmt.Errorf("<%s> where <vuxml> is expected", name))
		}
		err = s.each(func(name string, attrs []xml.Attr) error {
			if name != "vuln" {
				return s.skip()
			}
			v := &vuxml{doc: d, scan: s, vid: attr(attrs, "vid"), ports: map[string][]Interval{}}
			return v.vuln(emit)
		})
		if err != nil {
			return err
		}
	}
}

// vuxml is one <vuln>.
type vuxml struct {
	doc  Doc
	scan *xmlScanner
	vid  string

	record    Record
	ports     map[string][]Interval // by name
	order     []string
	cancelled bool
	discovery string
	entry     string
	modified  string
	other     []string // references that have no address
}

func (v *vuxml) report(rule, message string) {
	v.doc.report(Finding{Place: v.record.ID, Rule: rule, Message: message})
}

func (v *vuxml) vuln(emit func(*Record) error) error {
	v.record.ID = "VUXML-" + v.vid
	if err := v.scan.each(v.member); err != nil {
		return err
	}
	if v.cancelled {
		return nil
	}
	if !isUUID(v.vid) {
		v.report("bad-id", fmt.Sprintf("vid %q", v.vid))
		return nil
	}
	if err := v.finish(); err != nil {
		return fmt.Errorf("%s: %w", v.record.ID, err)
	}
	return emit(&v.record)
}

// isUUID reports whether s is a UUID in lower-case hex.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func (v *vuxml) member(name string, _ []xml.Attr) (err error) {
	s := v.scan
	switch name {
	case "cancelled":
		v.cancelled = true
		err = s.skip()
	case "topic":
		v.record.Summary, err = s.prose()
	case "affects":
		err = s.each(func(name string, _ []xml.Attr) error {
			if name != "package" && name != "system" {
				return s.skip()
			}
			return v.affects()
		})
	case "description":
		v.record.Details, err = s.prose()
	case "references":
		err = s.each(v.reference)
	case "dates":
		err = s.each(v.date)
	default:
		err = s.skip()
	}
	return err
}

// affects reads a <package>: names, then ranges, each of which holds for each
// name.
func (v *vuxml) affects() error {
	var names []string
	var intervals []Interval
	ranges := 0
	err := v.scan.each(func(name string, _ []xml.Attr) error {
		switch name {
		case "name":
			text, err := v.scan.text()
			names = append(names, text)
			return err
		case "range":
			ranges++
			iv, ok, err := v.interval()
			if ok {
				intervals = append(intervals, iv)
			}
			return err
		}
		return v.scan.skip()
	})
	if err != nil {
		return err
	}
	if ranges == 0 {
		v.report("no-range", fmt.Sprintf("%q", names))
	}
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "*?[{") {
			v.report("bad-name", fmt.Sprintf("%q", name))
			continue
		}
		v.order = addOnce(v.order, name)
		v.ports[name] = append(v.ports[name], intervals...)
	}
	return nil
}
