package cpe

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid says that a string is no CPE name.
var ErrInvalid = errors.New("invalid CPE")

// A Value is one attribute of a name: [Any], [NA], or text in lower case in
// which an unquoted "*" stands for any characters and an unquoted "?" for one
// or none. A backslash quotes "*", "?" and itself where they stand for
// themselves, and a lone hyphen; nothing else is quoted.
type Value string

const (
	Any Value = "*" // ANY: no restriction
	NA  Value = "-" // NA: the attribute does not apply
)

// A Name is a CPE name; its zero attributes are not valid, see [Parse].
//
// Source: NISTIR 7695, section 5 (well-formed names).
type Name struct {
	Part, Vendor, Product, Version, Update                  Value
	Edition, Language, SWEdition, TargetSW, TargetHW, Other Value
}

// attributes is the count of attributes of a name.
const attributes = 11

func (n *Name) fields() [attributes]*Value {
	return [attributes]*Value{
		&n.Part, &n.Vendor, &n.Product, &n.Version, &n.Update,
		&n.Edition, &n.Language, &n.SWEdition, &n.TargetSW, &n.TargetHW, &n.Other,
	}
}

// Parse reads a formatted string ("cpe:2.3:a:…") or a URI ("cpe:/a:…").
// Attributes that are left out at the end are [Any]. Its error wraps
// [ErrInvalid] and names the attribute.
//
// Source: NISTIR 7695, sections 6.1 (URI) and 6.2 (formatted string).
func Parse(s string) (Name, error) {
	s = strings.TrimSpace(s)
	if len(s) >= 8 && strings.EqualFold(s[:8], "cpe:2.3:") {
		return parseFormatted(s)
	}
	if len(s) >= 5 && strings.EqualFold(s[:5], "cpe:/") {
		return parseURI(s)
	}
	return Name{}, fmt.Errorf("%q: %w: neither cpe:2.3: nor cpe:/", s, ErrInvalid)
}

func anyName() Name {
	var n Name
	for _, f := range n.fields() {
		*f = Any
	}
	return n
}

func parseFormatted(s string) (Name, error) {
	n := anyName()
	fields := n.fields()
	rest, more := s[8:], true
	for i := 0; more; i++ {
		if i == attributes {
			return Name{}, fmt.Errorf("%q: %w: more than %d attributes", s, ErrInvalid, attributes)
		}
		var field string
		field, rest, more = cutUnquoted(rest)
		v, err := unbind(field)
		if err != nil {
			return Name{}, fmt.Errorf("%q: attribute %d: %w", s, i+1, err)
		}
		*fields[i] = v
	}
	return n, n.check(s)
}

// check holds that the part is one that CPE knows.
func (n *Name) check(s string) error {
	switch n.Part {
	case "a", "h", "o", Any, NA:
		return nil
	}
	return fmt.Errorf("%q: %w: part %q is not a, h or o", s, ErrInvalid, n.Part)
}

// cutUnquoted cuts s at the first colon that no backslash quotes.
func cutUnquoted(s string) (field, rest string, more bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// unbind reads one attribute of a formatted string.
func unbind(field string) (Value, error) {
	switch field {
	case "":
		return "", fmt.Errorf("%w: empty attribute", ErrInvalid)
	case "*":
		return Any, nil
	case "-":
		return NA, nil
	}
	if !strings.Contains(field, `\`) {
		return Value(strings.ToLower(field)), nil
	}
	b := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		c := field[i]
		if c != '\\' {
			b = append(b, c)
			continue
		}
		if i++; i == len(field) {
			return "", fmt.Errorf("%w: ends in a backslash", ErrInvalid)
		}
		if needsQuote(field[i]) || field == `\-` {
			b = append(b, '\\')
		}
		b = append(b, field[i])
	}
	return Value(strings.ToLower(string(b))), nil
}

func needsQuote(c byte) bool { return c == '*' || c == '?' || c == '\\' }

// String returns the formatted string of n.
func (n Name) String() string {
	b := []byte("cpe:2.3")
	for _, f := range n.fields() {
		b = append(b, ':')
		b = f.appendBound(b)
	}
	return string(b)
}

// Key returns "part:vendor:product" of n, quoted as in a formatted string.
// It is what [Products] gives.
func (n Name) Key() string {
	b := make([]byte, 0, 2+len(n.Vendor)+len(n.Product)+2)
	b = n.Part.appendBound(b)
	b = n.Vendor.appendBound(append(b, ':'))
	b = n.Product.appendBound(append(b, ':'))
	return string(b)
}

// appendBound appends v as a formatted string has it: everything but letters,
// digits, ".", "-" and "_" is quoted (NISTIR 7695, section 6.2.2.3).
func (v Value) appendBound(dst []byte) []byte {
	if v == `\-` {
		return append(dst, v...)
	}
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && i+1 < len(v):
			i++
			dst = append(dst, '\\', v[i])
		case c == '*' || c == '?' || plain(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '.' || c == '-' || c == '_' || c >= 0x80
}

// wild reports whether v holds an unquoted "*" or "?" and is not [Any].
func (v Value) wild() bool {
	if v == Any {
		return false
	}
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}

// text returns v without its quoting.
func (v Value) text() string {
	if !strings.Contains(string(v), `\`) {
		return string(v)
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		b = append(b, v[i])
	}
	return string(b)
}
