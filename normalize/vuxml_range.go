package normalize

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// vuxmlEcosystem returns where a name of VuXML is at home.
func vuxmlEcosystem(name string) string {
	switch name {
	case "FreeBSD":
		return "FreeBSD:base"
	case "FreeBSD-kernel":
		return "FreeBSD:kernel"
	}
	return "FreeBSD:ports"
}

// interval reads a <range>: up to one lower and one upper bound, or eq. ok is
// false where it says nothing that can be used.
func (v *vuxml) interval() (iv Interval, ok bool, err error) {
	iv.Introduced = "0"
	bad := false
	err = v.scan.each(func(op string, _ []xml.Attr) error {
		version, err := v.scan.text()
		if err != nil {
			return err
		}
		if version == "" || strings.ContainsAny(version, " \t\n<>") {
			bad = true
		}
		ok = true
		switch op {
		case "lt":
			iv.Fixed = version
		case "le":
			iv.LastAffected = version
		case "ge":
			iv.Introduced = version
		case "gt":
			iv.Introduced = nextPort(version)
		case "eq":
			iv.Introduced, iv.LastAffected = version, version
		default:
			bad = true
		}
		if bad {
			v.report("bad-range", fmt.Sprintf("%s %q", op, version))
		}
		return nil
	})
	if iv.Fixed != "" && iv.LastAffected != "" {
		v.report("bad-range", fmt.Sprintf("both lt %s and le %s", iv.Fixed, iv.LastAffected))
		bad = true
	}
	return iv, ok && !bad, err
}

// nextPort returns the version just above one: its next PORTREVISION, which
// is a whole number and compares last (Porter's Handbook, 5.2.4).
func nextPort(version string) string {
	if version == "0" {
		return "0" // above nothing: every version
	}
	body, epoch, hasEpoch := strings.Cut(version, ",")
	revision := "0"
	if i := strings.LastIndexByte(body, '_'); i >= 0 && isNumber(body[i+1:]) {
		body, revision = body[:i], body[i+1:]
	}
	next := body + "_" + incrementDigits(revision)
	if hasEpoch {
		next += "," + epoch
	}
	return next
}

func (v *vuxml) date(name string, _ []xml.Attr) error {
	text, err := v.scan.text()
	if err != nil {
		return err
	}
	day, perr := time.Parse(time.DateOnly, text)
	if perr != nil {
		v.report("bad-time", fmt.Sprintf("%s: %q", name, text))
		return nil
	}
	switch name {
	case "discovery":
		v.discovery = text
	case "entry":
		v.entry = day.Format(time.RFC3339)
	case "modified":
		v.modified = day.Format(time.RFC3339)
	}
	return nil
}

// vuxmlLinks are the references that name something by its number, and where
// that is to be found.
var vuxmlLinks = map[string]struct{ kind, before, after string }{
	"bid":       {"WEB", "https://www.securityfocus.com/bid/", ""},
	"certvu":    {"WEB", "https://www.kb.cert.org/vuls/id/", ""},
	"freebsdsa": {"ADVISORY", "https://www.freebsd.org/security/advisories/FreeBSD-", ".asc"},
	"mlist":     {"DISCUSSION", "", ""},
	"url":       {"WEB", "", ""},
}

func (v *vuxml) reference(name string, _ []xml.Attr) error {
	text, err := v.scan.text()
	if err != nil || text == "" { // <url></url> is common
		return err
	}
	if name == "cvename" {
		if !isCVE(text) {
			v.report("bad-id", fmt.Sprintf("%q is no CVE ID", text))
			return nil
		}
		v.record.Upstream = addOnce(v.record.Upstream, text)
		return nil
	}
	if name == "freebsdpr" { // "ports/123456": numbers went on when Bugzilla came
		text = "https://bugs.freebsd.org/" + text[strings.LastIndexByte(text, '/')+1:]
		v.record.References = append(v.record.References, Reference{Type: "REPORT", URL: text})
		return nil
	}
	link, known := vuxmlLinks[name]
	url := link.before + strings.Join(strings.Fields(text), "") + link.after
	if !known || !isURI(url) {
		v.other = addOnce(v.other, name+":"+text)
		return nil
	}
	v.record.References = append(v.record.References, Reference{Type: link.kind, URL: url})
	return nil
}

// finish completes the record.
func (v *vuxml) finish() error {
	r := &v.record
	r.Published, r.Modified = v.entry, v.modified
	if r.Modified == "" {
		r.Modified = v.entry
	}
	r.References = append(r.References, Reference{Type: "ADVISORY", URL: "https://vuxml.freebsd.org/freebsd/" + v.vid + ".html"})
	for _, name := range v.order {
		eco := vuxmlEcosystem(name)
		a := Affected{Package: Package{Ecosystem: eco, Name: name}}
		if in := v.ports[name]; len(in) > 0 {
			a.Ranges = Ranges(Ecosystem, eco, in)
			r.Affected = append(r.Affected, a)
		}
	}
	specific := map[string]any{}
	if v.discovery != "" {
		specific["discovery"] = v.discovery
	}
	if len(v.other) > 0 {
		specific["references"] = v.other
	}
	if len(specific) == 0 {
		return nil
	}
	return r.SetSpecific(specific)
}
