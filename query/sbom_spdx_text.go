package query

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds a line of tag-value, in bytes.
const maxLine = 16 << 20

// readTagValue reads SPDX 2 in lines "Tag: value". A value between <text> and
// </text> may have several lines.
//
// Source: SPDX 2.3, clause 4.2 (data format requirements).
func readTagValue(d *draft, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var it *item // the package at hand
	inText := false
	n := 0
	for lines.Scan() {
		n++
		line := lines.Text()
		if inText || strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			inText = inText && !strings.Contains(line, "</text>")
			continue
		}
		tag, value, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("line %d: no tag", n)
		}
		inText = strings.Contains(value, "<text>") && !strings.Contains(value, "</text>")
		next, err := d.tag(it, tag, strings.TrimSpace(value))
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		it = next
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if inText {
		return fmt.Errorf("line %d: <text> without an end", n)
	}
	return d.end(it)
}

// tag takes one line in and returns the package to which the next belongs.
func (d *draft) tag(it *item, tag, value string) (*item, error) {
	switch tag {
	case "PackageName":
		return &item{Component: Component{Name: value}}, d.end(it)
	case "FileName", "SnippetSPDXID", "LicenseID", "Relationship":
		if f := strings.Fields(value); len(f) == 3 && f[1] == "DESCRIBES" {
			d.root = f[2]
		}
		return nil, d.end(it)
	case "SPDXVersion":
		d.format = value
	case "DocumentNamespace":
		d.id = value
	}
	if it == nil {
		return nil, nil
	}
	switch tag {
	case "SPDXID":
		it.ref = value
	case "PackageVersion":
		it.Version = value
	case "PrimaryPackagePurpose":
		it.setPurpose(value)
	case "ExternalRef":
		f := strings.Fields(value)
		if len(f) != 3 {
			return it, errors.New("ExternalRef: want category, type and locator")
		}
		it.identify(f[1], f[2])
	}
	return it, nil
}

func (d *draft) end(it *item) error {
	if it == nil {
		return nil
	}
	return d.add(*it)
}

// readRDF reads SPDX 2 as RDF/XML. Packages may stand anywhere: within
// relationships, and within other packages.
//
// Source: SPDX 2.3, the OWL ontology of namespace http://spdx.org/rdf/terms#.
func readRDF(d *draft, r io.Reader) error {
	x := xmlWalker{xml.NewDecoder(r)}
	x.dec.CharsetReader = onlyUTF8
	if _, err := x.root(); err != nil {
		return x.place(err)
	}
	if err := d.rdf(x, nil, 0); err != nil {
		return x.place(err)
	}
	return nil
}

// maxRDF bounds how deep elements nest: each level is one on the stack.
const maxRDF = 1000

// rdf reads the elements of one; it is the package that they are of.
func (d *draft) rdf(x xmlWalker, it *item, depth int) error {
	if depth > maxRDF {
		return errors.New("nested too deep")
	}
	return x.children(func(e xml.StartElement) error {
		if !strings.HasPrefix(e.Name.Space, "http://spdx.org/rdf/terms") {
			return x.dec.Skip()
		}
		switch e.Name.Local {
		case "Package":
			inner := &item{ref: fragment(attr(e, "about"))}
			if err := d.rdf(x, inner, depth+1); err != nil {
				return err
			}
			return d.end(inner)
		case "specVersion":
			return x.text(&d.format)
		case "SpdxDocument":
			d.id, _, _ = strings.Cut(attr(e, "about"), "#")
			return d.rdf(x, nil, depth+1)
		case "ExternalRef":
			return it.rdfRef(x)
		case "name", "versionInfo", "primaryPackagePurpose":
			return it.rdfText(x, e)
		}
		return d.rdf(x, it, depth+1)
	})
}

// rdfText reads an element that holds a text; only those of packages count.
func (it *item) rdfText(x xmlWalker, e xml.StartElement) error {
	var s string
	if err := x.text(&s); err != nil || it == nil {
		return err
	}
	switch e.Name.Local {
	case "name":
		it.Name = s
	case "versionInfo":
		it.Version = s
	default:
		it.setPurpose(strings.TrimPrefix(fragment(attr(e, "resource")), "purpose_"))
	}
	return nil
}

func (it *item) rdfRef(x xmlWalker) error {
	var kind, locator string
	err := x.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "referenceLocator":
			return x.text(&locator)
		case "referenceType":
			kind = attr(e, "resource")
			kind = kind[strings.LastIndexByte(kind, '/')+1:]
		}
		return x.dec.Skip()
	})
	if err == nil && it != nil {
		it.identify(kind, locator)
	}
	return err
}

func fragment(iri string) string { return iri[strings.LastIndexByte(iri, '#')+1:] }
