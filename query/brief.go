package query

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/advdb/advdb/normalize"
	"github.com/go-json-experiment/json/jsontext"
)

// A scan reads thousands of records and needs little of each. brief goes over
// the canonical JSON of a record (RFC 8785: no white space) with the searches of
// package bytes, and decodes those values alone that an answer needs. Where it
// meets anything else it gives up, and the record is decoded as a whole.

// errOther says that a text is not written as brief expects.
var errOther = errors.New("not canonical")

// brief returns what an answer needs of a record: of its affected entries those
// of the packages wanted alone, of database_specific the members that facts
// reads, and no references or credits. Details are there only without a
// summary, and cut.
func brief(data []byte, wanted func(ecosystem, name []byte) bool) (*normalize.Record, error) {
	r := new(normalize.Record)
	var details []byte
	rest, err := eachMember(data, func(name, value []byte) (err error) {
		switch string(name) {
		case "affected":
			return briefAffected(r, value, wanted)
		case "aliases":
			r.Aliases, err = texts(value)
		case "upstream":
			r.Upstream, err = texts(value)
		case "database_specific":
			r.DatabaseSpecific, err = only(value, "cwe_ids", "severity", "statements")
		case "details":
			details = value
		case "id":
			r.ID, err = text(value)
		case "modified":
			r.Modified, err = text(value)
		case "summary":
			r.Summary, err = text(value)
		case "withdrawn":
			r.Withdrawn, err = text(value)
		case "severity":
			r.Severity, err = severities(value)
		}
		return err
	})
	if err == nil && len(rest) > 0 {
		err = errOther
	}
	if err == nil && r.Summary == "" && details != nil {
		r.Details, err = text(cutText(details, maxDetails))
	}
	return r, err
}

// maxDetails is how much of details may make a summary, in bytes; see
// firstSentence.
const maxDetails = 4 << 10

func briefAffected(r *normalize.Record, list []byte, wanted func(ecosystem, name []byte) bool) error {
	return eachElement(list, func(value []byte) error {
		var pkg []byte
		if _, err := eachMember(value, func(name, value []byte) error {
			if string(name) == "package" {
				pkg = value
			}
			return nil
		}); err != nil || pkg == nil {
			return err
		}
		var ecosystem, name []byte
		if _, err := eachMember(pkg, func(member, value []byte) error {
			switch string(member) {
			case "ecosystem":
				ecosystem = value
			case "name":
				name = value
			}
			return nil
		}); err != nil {
			return err
		}
		e, err := plain(ecosystem)
		if err != nil {
			return err
		}
		n, err := plain(name)
		if err != nil || !wanted(e, n) {
			return err
		}
		var a normalize.Affected
		a.Package.Ecosystem, a.Package.Name = string(e), string(n)
		if _, err := eachMember(value, func(name, value []byte) (err error) {
			switch string(name) {
			case "database_specific":
				a.DatabaseSpecific, err = only(value, "severity")
			case "ecosystem_specific":
				a.EcosystemSpecific, err = only(value, "severity")
			case "ranges":
				a.Ranges, err = fixes(value)
			case "severity":
				a.Severity, err = severities(value)
			}
			return err
		}); err != nil {
			return err
		}
		r.Affected = append(r.Affected, a)
		return nil
	})
}

// fixes decodes ranges with their fixed versions alone.
func fixes(list []byte) (all []normalize.Range, err error) {
	err = eachElement(list, func(value []byte) error {
		var r normalize.Range
		_, err := eachMember(value, func(name, value []byte) (err error) {
			switch string(name) {
			case "type":
				r.Type, err = text(value)
			case "events":
				err = eachElement(value, func(event []byte) error {
					_, err := eachMember(event, func(name, value []byte) error {
						if string(name) != "fixed" {
							return nil
						}
						s, err := text(value)
						r.Events = append(r.Events, normalize.Event{Fixed: s})
						return err
					})
					return err
				})
			}
			return err
		})
		all = append(all, r)
		return err
	})
	return all, err
}

// severities decodes a list of severities.
func severities(list []byte) (all []normalize.Severity, err error) {
	err = eachElement(list, func(value []byte) error {
		var s normalize.Severity
		_, err := eachMember(value, func(name, value []byte) (err error) {
			switch string(name) {
			case "score":
				s.Score, err = text(value)
			case "type":
				s.Type, err = text(value)
			}
			return err
		})
		all = append(all, s)
		return err
	})
	return all, err
}

// only returns an object with those members alone that are named, nil where it
// has none or is no object: then it says nothing.
func only(object []byte, names ...string) (jsontext.Value, error) {
	if object[0] != '{' {
		return nil, nil
	}
	var out []byte
	_, err := eachMember(object, func(name, value []byte) error {
		for _, n := range names {
			if n == string(name) {
				out = append(fmt.Appendf(out, "%c%q:", "{,"[min(len(out), 1)], n), value...)
			}
		}
		return nil
	})
	if out != nil {
		out = append(out, '}')
	}
	return out, err
}

// texts decodes an array of strings.
func texts(list []byte) (all []string, err error) {
	err = eachElement(list, func(value []byte) error {
		s, err := text(value)
		all = append(all, s)
		return err
	})
	return all, err
}

// text decodes a string.
func text(value []byte) (string, error) {
	b, err := plain(value)
	return string(b), err
}

// plain is text that may share memory with the value.
func plain(value []byte) ([]byte, error) {
	switch {
	case len(value) < 2 || value[0] != '"':
		return nil, errOther
	case bytes.IndexByte(value, '\\') < 0:
		return value[1 : len(value)-1], nil
	}
	return jsontext.AppendUnquote(nil, value)
}

// cutText cuts a string to about n bytes, behind a whole character.
func cutText(value []byte, n int) []byte {
	if len(value) <= n+2 {
		return value
	}
	// Back to a space: neither in an escape sequence nor in a character.
	if at := bytes.LastIndexByte(value[:n], ' '); at > 0 {
		return append(bytes.Clone(value[:at]), '"')
	}
	return value
}

// eachMember calls f with the name and the value of each member of an object,
// and returns what follows the object. Names with escape sequences are as they
// are written.
func eachMember(b []byte, f func(name, value []byte) error) (rest []byte, err error) {
	if len(b) < 2 || b[0] != '{' {
		return nil, errOther
	}
	if b[1] == '}' {
		return b[2:], nil
	}
	for b = b[1:]; ; b = b[1:] {
		n, err := valueLen(b)
		if err != nil || b[0] != '"' || n >= len(b) || b[n] != ':' {
			return nil, errOther
		}
		name := b[1 : n-1]
		b = b[n+1:]
		if n, err = valueLen(b); err != nil || n >= len(b) {
			return nil, errOther
		}
		if err := f(name, b[:n:n]); err != nil {
			return nil, err
		}
		switch b = b[n:]; b[0] {
		case '}':
			return b[1:], nil
		case ',':
		default:
			return nil, errOther
		}
	}
}

// eachElement calls f with each element of an array.
func eachElement(b []byte, f func(value []byte) error) error {
	if len(b) < 2 || b[0] != '[' {
		return errOther
	}
	if b[1] == ']' {
		return nil
	}
	for b = b[1:]; ; b = b[1:] {
		n, err := valueLen(b)
		if err != nil || n >= len(b) {
			return errOther
		}
		if err := f(b[:n:n]); err != nil {
			return err
		}
		switch b = b[n:]; b[0] {
		case ']':
			return nil
		case ',':
		default:
			return errOther
		}
	}
}

// valueLen returns the length of the value that b begins with. It looks for
// its end and no closer.
func valueLen(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errOther
	}
	switch b[0] {
	case '"':
		return textLen(b)
	case '{', '[':
		return nestedLen(b)
	}
	n := bytes.IndexAny(b, ",}]")
	if n <= 0 {
		return 0, errOther
	}
	return n, nil
}

// textLen is the length of a string: up to the first quote before which there
// is an even number of backslashes.
func textLen(b []byte) (int, error) {
	for at := 1; ; {
		n := bytes.IndexByte(b[at:], '"')
		if n < 0 {
			return 0, errOther
		}
		at += n + 1
		quoted := 0
		for at-2-quoted > 0 && b[at-2-quoted] == '\\' {
			quoted++
		}
		if quoted%2 == 0 {
			return at, nil
		}
	}
}

// nestedLen is the length of an object or an array.
func nestedLen(b []byte) (int, error) {
	depth := 0
	for at := 0; at < len(b); {
		switch b[at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1, nil
			}
		case '"':
			n, err := textLen(b[at:])
			if err != nil {
				return 0, err
			}
			at += n
			continue
		}
		at++
	}
	return 0, errOther
}
