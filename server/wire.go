package server

import (
	"bytes"
	"time"

	"github.com/advdb/advdb/normalize"
)

// Clients read answers with protobuf's JSON, and the official ones refuse a
// record with a member or an enumerated value that the OSV type does not have,
// or a time that is not RFC 3339. Records here may have such members (nothing
// of upstream is thrown away), so each is looked through before it is sent,
// and where need be reduced to what OSV defines.

// A shape is what the OSV type says of a value; nil: anything.
type shape struct {
	members map[string]*shape // of an object, or of each object in an array
	words   map[string]bool   // a string out of these
	time    bool              // a string with a time as protobuf writes it
}

func members(m map[string]*shape) *shape { return &shape{members: m} }

func words(list ...string) *shape {
	s := &shape{words: map[string]bool{}}
	for _, w := range list {
		s.words[w] = true
	}
	return s
}

// Shapes of the OSV type.
//
// Source: the OSV schema 1.9.0, proto/vulnerability.proto.
var (
	severityType  = words("CVSS_V2", "CVSS_V3", "CVSS_V4", "Ubuntu")
	referenceType = words("ADVISORY", "ARTICLE", "DETECTION", "DISCUSSION", "EVIDENCE", "FIX", "GIT", "INTRODUCED", "PACKAGE", "REPORT", "WEB")
	creditType    = words("ANALYST", "COORDINATOR", "FINDER", "OTHER", "REMEDIATION_DEVELOPER", "REMEDIATION_REVIEWER",
		"REMEDIATION_VERIFIER", "REPORTER", "SPONSOR", "TOOL")
	rangeType = words(normalize.Ecosystem, normalize.Git, normalize.Semver)

	timeShape     = &shape{time: true}
	severityShape = members(map[string]*shape{"score": nil, "type": severityType})
	affectedShape = members(map[string]*shape{
		"database_specific": nil, "ecosystem_specific": nil, "severity": severityShape, "versions": nil,
		"package": members(map[string]*shape{"ecosystem": nil, "name": nil, "purl": nil}),
		"ranges": members(map[string]*shape{
			"database_specific": nil, "repo": nil, "type": rangeType,
			"events": members(map[string]*shape{"fixed": nil, "introduced": nil, "last_affected": nil, "limit": nil}),
		}),
	})
	recordShape = members(map[string]*shape{
		"affected": affectedShape, "aliases": nil, "database_specific": nil, "details": nil, "id": nil,
		"credits":  members(map[string]*shape{"contact": nil, "name": nil, "type": creditType}),
		"modified": timeShape, "published": timeShape, "withdrawn": timeShape, "related": nil,
		"references":     members(map[string]*shape{"type": referenceType, "url": nil}),
		"schema_version": nil, "severity": severityShape, "summary": nil, "upstream": nil,
	})
)

// wireForm returns a record's canonical JSON as it is sent: data itself, or
// what of it the OSV type defines.
func wireForm(data []byte) ([]byte, error) {
	w := walker{b: data}
	if w.fits(recordShape) && w.at == len(data) {
		return data, nil
	}
	r, err := normalize.Decode(data)
	if err != nil {
		return nil, err
	}
	reduce(r)
	return normalize.AppendEncode(nil, r)
}

// reduce takes away what the OSV type does not define.
func reduce(r *normalize.Record) {
	r.Extra = nil
	r.Modified, r.Published, r.Withdrawn = protoTime(r.Modified), protoTime(r.Published), protoTime(r.Withdrawn)
	r.Severity = reduceSeverity(r.Severity)
	for i := range r.Affected {
		a := &r.Affected[i]
		a.Extra, a.Package.Extra = nil, nil
		a.Severity = reduceSeverity(a.Severity)
		for j := range a.Ranges {
			a.Ranges[j].Extra = nil
			for k := range a.Ranges[j].Events {
				a.Ranges[j].Events[k].Extra = nil
			}
		}
	}
	for i := range r.References {
		if r.References[i].Extra = nil; !referenceType.words[r.References[i].Type] {
			r.References[i].Type = "WEB"
		}
	}
	for i := range r.Credits {
		if r.Credits[i].Extra = nil; !creditType.words[r.Credits[i].Type] {
			r.Credits[i].Type = ""
		}
	}
}

// reduceSeverity leaves the scores of types that are known.
func reduceSeverity(in []normalize.Severity) []normalize.Severity {
	var out []normalize.Severity
	for _, s := range in {
		if s.Extra = nil; severityType.words[s.Type] {
			out = append(out, s)
		}
	}
	return out
}

// protoTime writes a time as protobuf's JSON does: in UTC, with no, three, six
// or nine digits of a second. What is no time is left out.
func protoTime(text string) string {
	if text == "" || isProtoTime(text) {
		return text
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return ""
	}
	layout := "2006-01-02T15:04:05.000000000Z"
	switch ns := t.Nanosecond(); {
	case ns == 0:
		layout = "2006-01-02T15:04:05Z"
	case ns%1e6 == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case ns%1e3 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return t.UTC().Format(layout)
}

// isProtoTime reports whether a time has the form that protobuf writes.
// Whether there is such a day is not looked at.
func isProtoTime(text string) bool {
	const form = "0000-00-00T00:00:00"
	if len(text) < len(form)+1 || text[len(text)-1] != 'Z' {
		return false
	}
	for i := range len(form) {
		if c := text[i]; form[i] == '0' && (c < '0' || c > '9') || form[i] != '0' && c != form[i] {
			return false
		}
	}
	fraction := text[len(form) : len(text)-1]
	if fraction == "" {
		return true
	}
	if fraction[0] != '.' || len(fraction)%3 != 1 || len(fraction) > 10 || len(fraction) < 4 || fraction[len(fraction)-3:] == "000" {
		return false
	}
	for _, c := range []byte(fraction[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// modifiedOf returns the member modified of a record's canonical JSON as
// protobuf writes it.
func modifiedOf(data []byte) string {
	w := walker{b: data}
	if !w.take('{') {
		return ""
	}
	for {
		key, ok := w.text()
		if !ok || !w.take(':') {
			return ""
		}
		if string(key) == "modified" {
			text, _ := w.text()
			return protoTime(string(text))
		}
		if !w.skip() || !w.take(',') {
			return ""
		}
	}
}

// A walker reads JSON without white space, as canonical JSON is. Everything
// else it does not understand, and says so; it never reads past the end.
type walker struct {
	b  []byte
	at int
}

// take steps over c, if that is next.
func (w *walker) take(c byte) bool {
	if w.at < len(w.b) && w.b[w.at] == c {
		w.at++
		return true
	}
	return false
}

// text reads a string and returns what stands between its quotes, escapes as
// they are.
func (w *walker) text() ([]byte, bool) {
	if !w.take('"') {
		return nil, false
	}
	begin := w.at
	for {
		i := bytes.IndexByte(w.b[w.at:], '"')
		if i < 0 {
			return nil, false
		}
		w.at += i + 1
		escapes := 0
		for j := w.at - 2; j >= begin && w.b[j] == '\\'; j-- {
			escapes++
		}
		if escapes%2 == 0 {
			return w.b[begin : w.at-1], true
		}
	}
}

// skip steps over a value.
func (w *walker) skip() bool {
	depth := 0
	for w.at < len(w.b) {
		switch w.b[w.at] {
		case '"':
			if _, ok := w.text(); !ok {
				return false
			}
		case '{', '[':
			depth++
			w.at++
		case '}', ']':
			if depth == 0 {
				return true
			}
			depth--
			w.at++
		case ',':
			if depth == 0 {
				return true
			}
			w.at++
			continue
		default:
			w.at++
			continue
		}
		if depth == 0 {
			return true
		}
	}
	return depth == 0
}

// fits steps over a value and reports whether it has the shape.
func (w *walker) fits(s *shape) bool {
	switch {
	case s == nil:
		return w.skip()
	case s.words != nil:
		text, ok := w.text()
		return ok && s.words[string(text)]
	case s.time:
		text, ok := w.text()
		return ok && isProtoTime(string(text))
	case w.take('['):
		if w.take(']') {
			return true
		}
		for w.object(s) {
			if w.take(']') {
				return true
			}
			if !w.take(',') {
				return false
			}
		}
		return false
	}
	return w.object(s)
}

// object steps over an object whose members are all of the shape.
func (w *walker) object(s *shape) bool {
	if !w.take('{') {
		return false
	}
	if w.take('}') {
		return true
	}
	for {
		key, ok := w.text()
		if !ok || !w.take(':') {
			return false
		}
		member, known := s.members[string(key)]
		if !known || !w.fits(member) {
			return false
		}
		if w.take('}') {
			return true
		}
		if !w.take(',') {
			return false
		}
	}
}
