package normalize

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// secdbPrefixes begin the IDs made for a tracker by CVE. Alpine's is
// osv-schema's; the others follow it and are not registered there.
var secdbPrefixes = map[string]string{
	"Alpine":     "ALPINE",
	"Wolfi":      "WOLFI",
	"Chainguard": "CHAINGUARD",
	"MinimOS":    "MINIMOS",
}

// SecDB returns the parser of apk's security database as ecosystem publishes
// it: {distroversion, packages: [{pkg: {name, secfixes: {version: [id]}}}]}.
//
// Each ID of the free text becomes a record, a CVE as ALPINE-CVE-2021-1 with
// the CVE upstream; what stands beside a CVE in one text (XSA-313) is related
// to it, and has a record of its own where there is no CVE. A package with
// one ID under several versions is fixed by the highest. The version "0" says
// "never affected": a statement, no range. A version that is none by apk's
// grammar makes no range; it stands in database_specific.fixed of the affected entry.
// A text that says more than the ID stands in database_specific.secfix.
//
// The ecosystem's suffix is the document's distroversion ("v3.19", "edge"),
// where it has none the first element of the document's name, if that looks
// like one; Alpine must have one.
//
// secdb has no times; records have no modified. A document in which secfixes
// is a list, as Alpine served on 2023-04-07 and 08, is an error.
func SecDB(ecosystem string) Parser {
	prefix, ok := secdbPrefixes[ecosystem]
	if !ok {
		prefix = strings.ToUpper(strings.ReplaceAll(ecosystem, " ", "-"))
	}
	return func(d Doc, emit func(*Record) error) error {
		p := secdbParser{doc: d, emit: emit, distribution: ecosystem, prefix: prefix + "-"}
		return p.parse()
	}
}

type secdbParser struct {
	doc          Doc
	emit         func(*Record) error
	distribution string
	prefix       string // of IDs, with its hyphen
	release      string // distroversion
	ecosystem    string
	seen         bool // packages were there
}

func (p *secdbParser) parse() error {
	body, err := textReader(p.doc.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	var early jsontext.Value
	err = eachMember(dec, func(name string) error {
		switch name {
		case "distroversion":
			return json.UnmarshalDecode(dec, &p.release)
		case "packages":
			if p.release != "" || p.distribution != "Alpine" {
				return p.packages(dec)
			}
			v, err := dec.ReadValue()
			early = v.Clone()
			return err
		}
		return dec.SkipValue()
	})
	if err != nil {
		return err
	}
	if err := atEnd(dec); err != nil {
		return err
	}
	if early != nil {
		return p.packages(jsontext.NewDecoder(bytes.NewReader(early), decodeOptions))
	}
	if !p.seen {
		return fmt.Errorf("packages: missing")
	}
	return nil
}

// textReader is readText for documents too large to be held.
func textReader(body io.Reader) (io.Reader, error) {
	r := bufio.NewReaderSize(body, 64<<10)
	head, err := r.Peek(512)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(head, byteOrderMark) {
		head = head[len(byteOrderMark):]
		if _, err := r.Discard(len(byteOrderMark)); err != nil {
			return nil, err
		}
	}
	return r, checkText(head)
}

// eachMember reads an object and calls f with the name of each member; f
// reads the value from dec.
func eachMember(dec *jsontext.Decoder, f func(name string) error) error {
	if k := dec.PeekKind(); k != '{' {
		return wrongKind(dec, "object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return placed(err)
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return placed(err)
		}
		if err := f(name.String()); err != nil {
			return placed(err)
		}
	}
	_, err := dec.ReadToken()
	return placed(err)
}

// wrongKind says what stands where want is expected, or the syntax error
// that stands there.
func wrongKind(dec *jsontext.Decoder, want string) error {
	at := dec.StackPointer()
	v, err := dec.ReadToken()
	if err != nil {
		return placed(err)
	}
	return placedAt(dec.InputOffset(), at, fmt.Errorf("%s where %s is expected", kindName(v.Kind()), want))
}

// atEnd checks that nothing follows the document.
func atEnd(dec *jsontext.Decoder) error {
	switch t, err := dec.ReadToken(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return placed(err)
	default:
		return placedAt(dec.InputOffset(), "", fmt.Errorf("%s after the document's end", kindName(t.Kind())))
	}
}

// locate finds out the ecosystem of the document.
func (p *secdbParser) locate() error {
	if p.release == "" {
		first, _, _ := strings.Cut(p.doc.Name, "/")
		if first == "edge" || len(first) > 1 && first[0] == 'v' && isDigitByte(first[1]) {
			p.release = first
		}
	}
	p.ecosystem = p.distribution
	switch {
	case p.release != "":
		p.ecosystem += ":" + p.release
	case p.distribution == "Alpine":
		return fmt.Errorf("distroversion: missing")
	}
	return nil
}

func (p *secdbParser) packages(dec *jsontext.Decoder) error {
	p.seen = true
	if err := p.locate(); err != nil {
		return err
	}
	if k := dec.PeekKind(); k != '[' {
		return wrongKind(dec, "array")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		if err := p.onePackage(dec); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// onePackage reads {"pkg": {"name": …, "secfixes": …}}; its pieces are emitted
// before the next package is read.
func (p *secdbParser) onePackage(dec *jsontext.Decoder) error {
	var entry struct {
		Pkg struct {
			Name     string         `json:"name"`
			Secfixes jsontext.Value `json:"secfixes"`
		} `json:"pkg"`
	}
	at := dec.InputOffset()
	if err := json.UnmarshalDecode(dec, &entry, decodeOptions); err != nil {
		return err
	}
	name := entry.Pkg.Name
	if name == "" {
		p.doc.report(Finding{Place: fmt.Sprintf("offset %d", at), Rule: "unreadable-entry", Message: "a package without a name"})
		return nil
	}
	fixes := secdbPackage{parser: p, name: name, found: map[string]*secdbEntry{}}
	if k := entry.Pkg.Secfixes.Kind(); len(entry.Pkg.Secfixes) > 0 && k != '{' && k != 'n' {
		return fmt.Errorf("packages/%s: secfixes: offset %d: %s where object is expected", name, at, kindName(k))
	}
	if err := fixes.read(entry.Pkg.Secfixes); err != nil {
		return fmt.Errorf("packages/%s: secfixes: %w", name, err)
	}
	return fixes.emit()
}
