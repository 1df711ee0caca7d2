package query

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A walker goes over a JSON document, value by value, and holds none of it.
type walker struct{ dec *jsontext.Decoder }

// newWalker reads leniently: tools write invalid UTF-8 and repeat members.
func newWalker(r io.Reader) walker {
	return walker{jsontext.NewDecoder(r, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))}
}

// object calls member with the name of each member; member reads its value.
// null is an object without members.
func (w walker) object(member func(name string) error) error {
	if empty, err := w.open('{'); empty || err != nil {
		return err
	}
	for w.dec.PeekKind() != '}' {
		name, err := w.dec.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

// array calls element for each element, which reads it. null is an array
// without elements.
func (w walker) array(element func() error) error {
	if empty, err := w.open('['); empty || err != nil {
		return err
	}
	for w.dec.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

// objects is an array of objects: begin is called for each, then member for
// each member, then end.
func (w walker) objects(begin func(), member func(name string) error, end func() error) error {
	return w.array(func() error {
		begin()
		if err := w.object(member); err != nil {
			return err
		}
		return end()
	})
}

// open reads the begin of an object or an array.
func (w walker) open(kind jsontext.Kind) (empty bool, err error) {
	t, err := w.dec.ReadToken()
	switch {
	case err != nil:
		return false, err
	case t.Kind() == 'n':
		return true, nil
	case t.Kind() != kind:
		return false, fmt.Errorf("%s where %s belongs", kindNames[t.Kind()], kindNames[kind])
	}
	return false, nil
}

// text reads a string into s; null is an empty one, a number its digits.
func (w walker) text(s *string) error {
	t, err := w.dec.ReadToken()
	switch {
	case err != nil:
		return err
	case t.Kind() == 'n':
		*s = ""
		return nil
	case t.Kind() != '"' && t.Kind() != '0':
		return fmt.Errorf("%s where a string belongs", kindNames[t.Kind()])
	}
	*s = t.String()
	return nil
}

var kindNames = map[jsontext.Kind]string{
	'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "a boolean", 'f': "a boolean", '}': "an end", ']': "an end",
}

// place says where in the document an error was met.
func (w walker) place(err error) error {
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return fmt.Errorf("%s: offset %d: %w", pointer(s.JSONPointer), s.ByteOffset, s.Err)
	}
	return fmt.Errorf("%s: offset %d: %w", pointer(w.dec.StackPointer()), w.dec.InputOffset(), err)
}

func pointer(p jsontext.Pointer) string {
	if p == "" {
		return "/"
	}
	return string(p)
}

// readJSON reads CycloneDX, SPDX 2 and SPDX 3: their members have different
// names, and what says which one it is may stand at the end.
func readJSON(d *draft, r io.Reader) error {
	w := newWalker(r)
	var kind, spec, spdx, context string
	err := w.object(func(name string) error {
		switch name {
		case "bomFormat":
			return w.text(&kind)
		case "specVersion":
			return w.text(&spec)
		case "serialNumber", "documentNamespace":
			return w.text(&d.id)
		case "metadata":
			return d.metadata(w)
		case "components":
			return d.components(w)
		case "spdxVersion":
			return w.text(&spdx)
		case "documentDescribes":
			return w.array(func() error { return w.text(&d.root) })
		case "packages":
			return d.packages(w)
		case "relationships":
			return d.relationships(w)
		case "@context":
			v, err := w.dec.ReadValue()
			context = string(v)
			return err
		case "@graph":
			return d.graph(w)
		}
		return w.dec.SkipValue()
	})
	if err == nil {
		if _, err = w.dec.ReadToken(); err == io.EOF {
			err = nil
		} else if err == nil {
			err = errors.New("text behind the end")
		}
	}
	switch {
	case err != nil && errors.Is(err, ErrSBOM):
		return err
	case err != nil:
		return w.place(err)
	case kind == "CycloneDX":
		d.format = strings.TrimSpace("CycloneDX " + spec)
	case spdx != "":
		d.format = spdx
	case strings.Contains(context, "spdx.org/rdf/3"):
		d.format = "SPDX-3"
	}
	return nil
}
