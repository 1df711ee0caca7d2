package query

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Members of CycloneDX are those of versions 1.2 to 1.7.
//
// Source: ECMA-424, https://cyclonedx.org/docs/1.6/json/ and /xml/.

// metadata reads what the BOM is of.
func (d *draft) metadata(w walker) error {
	return w.object(func(name string) error {
		if name != "component" {
			return w.dec.SkipValue()
		}
		return d.component(w, &d.subject)
	})
}

func (d *draft) components(w walker) error {
	return w.array(func() error {
		var it item
		if err := d.component(w, &it); err != nil {
			return err
		}
		return d.add(it)
	})
}

// component reads one component; those within it are added before it.
func (d *draft) component(w walker, it *item) error {
	var group string
	err := w.object(func(name string) error {
		switch name {
		case "type":
			var kind string
			err := w.text(&kind)
			it.setType(kind)
			return err
		case "group":
			return w.text(&group)
		case "name":
			return w.text(&it.Name)
		case "version":
			return w.text(&it.Version)
		case "purl":
			return w.text(&it.Purl)
		case "cpe":
			return w.text(&it.CPE)
		case "bom-ref":
			return w.text(&it.ref)
		case "components":
			return d.components(w)
		}
		it.swid = it.swid || name == "swid"
		return w.dec.SkipValue()
	})
	it.inGroup(group)
	return err
}

func (it *item) setType(kind string) {
	it.system, it.file = kind == "operating-system", kind == "file"
}

func (it *item) inGroup(group string) {
	if group != "" {
		it.Name = group + "/" + it.Name
	}
}

// readXML reads CycloneDX.
func readXML(d *draft, r io.Reader) error {
	x := xmlWalker{xml.NewDecoder(r)}
	x.dec.CharsetReader = onlyUTF8
	start, err := x.root()
	if err != nil {
		return x.place(err)
	}
	version, ok := strings.CutPrefix(start.Name.Space, "http://cyclonedx.org/schema/bom/")
	if !ok || start.Name.Local != "bom" {
		return ErrSBOM
	}
	d.format, d.id = "CycloneDX "+version, attr(start, "serialNumber")
	err = x.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "metadata":
			return x.children(func(e xml.StartElement) error {
				if e.Name.Local != "component" {
					return x.dec.Skip()
				}
				return d.componentXML(x, e, &d.subject)
			})
		case "components":
			return d.componentsXML(x)
		}
		return x.dec.Skip()
	})
	if err != nil {
		return x.place(err)
	}
	return nil
}

func (d *draft) componentsXML(x xmlWalker) error {
	return x.children(func(e xml.StartElement) error {
		if e.Name.Local != "component" {
			return x.dec.Skip()
		}
		var it item
		if err := d.componentXML(x, e, &it); err != nil {
			return err
		}
		return d.add(it)
	})
}

func (d *draft) componentXML(x xmlWalker, start xml.StartElement, it *item) error {
	it.setType(attr(start, "type"))
	it.ref = attr(start, "bom-ref")
	var group string
	texts := map[string]*string{"group": &group, "name": &it.Name, "version": &it.Version, "purl": &it.Purl, "cpe": &it.CPE}
	err := x.children(func(e xml.StartElement) error {
		name := e.Name.Local
		if s := texts[name]; s != nil {
			return x.text(s)
		}
		if name == "components" {
			return d.componentsXML(x)
		}
		it.swid = it.swid || name == "swid"
		return x.dec.Skip()
	})
	it.inGroup(group)
	return err
}

// An xmlWalker goes over an XML document, element by element.
type xmlWalker struct{ dec *xml.Decoder }

// root reads up to the outermost element.
func (x xmlWalker) root() (xml.StartElement, error) {
	for {
		t, err := x.dec.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if e, ok := t.(xml.StartElement); ok {
			return e, nil
		}
	}
}

// children calls child for each element of the one that was begun, which reads
// it to its end.
func (x xmlWalker) children(child func(xml.StartElement) error) error {
	for {
		t, err := x.dec.Token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if err := child(e); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// text reads the text of the element that was begun into s.
func (x xmlWalker) text(s *string) error {
	var b strings.Builder
	for {
		t, err := x.dec.Token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.CharData:
			b.Write(e)
		case xml.StartElement:
			if err := x.dec.Skip(); err != nil {
				return err
			}
		case xml.EndElement:
			*s = strings.TrimSpace(b.String())
			return nil
		}
	}
}

// place says where in the document an error was met.
func (x xmlWalker) place(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	line, column := x.dec.InputPos()
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// onlyUTF8 lets documents pass whose charset is a part of UTF-8.
func onlyUTF8(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return in, nil
	}
	return nil, fmt.Errorf("charset %q is not read: convert it to UTF-8", charset)
}
