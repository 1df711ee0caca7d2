package normalize

import (
	"bytes"
	"encoding/xml"
	"io"
)

// proseBlocks are elements of XHTML and GuideXML that begin a line of their
// own.
var proseBlocks = nameSet("p", "li", "ul", "ol", "pre", "code", "blockquote", "div", "h1", "h2", "h3", "h4", "br", "tr", "dt", "dd")

// maxProse bounds what is kept of one text, in bytes.
const maxProse = 1 << 20

// A proseText gathers text: a line a block, runs of blanks as one.
type proseText struct {
	b     []byte
	line  bool // the next word begins a line
	blank bool // blanks came since the last word
}

func (p *proseText) add(text []byte) {
	for i, word := range bytes.FieldsFunc(text, isXMLBlank) {
		switch {
		case len(p.b) == 0:
		case p.line:
			p.b = append(p.b, '\n')
		case i > 0 || p.blank || isXMLBlank(rune(text[0])):
			p.b = append(p.b, ' ')
		}
		p.b = append(p.b, word...)
		p.line, p.blank = false, false
	}
	p.blank = len(text) > 0 && isXMLBlank(rune(text[len(text)-1]))
}

func isXMLBlank(c rune) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// prose reads the current element to its end and returns its text and that of
// all elements in it.
func (s *xmlScanner) prose() (string, error) {
	var p proseText
	for depth := len(s.stack); len(s.stack) >= depth; {
		t, err := s.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			p.line = p.line || proseBlocks[t.Name.Local]
		case xml.EndElement:
			p.line = p.line || proseBlocks[t.Name.Local]
		case xml.CharData:
			if len(p.b)+len(t) <= maxProse {
				p.add(t)
			}
		}
	}
	return string(p.b), nil
}

// newXMLScanner looks at the beginning of a document and returns a scanner of
// it. Of entities only the predefined ones and those of HTML are known: none
// that a document type declares is ever looked up, inside or outside of the
// document, and a reference to one is an error.
func newXMLScanner(body io.Reader) (*xmlScanner, error) {
	body, err := textXML(body)
	if err != nil {
		return nil, err
	}
	dec := xml.NewDecoder(body)
	dec.Entity = xml.HTMLEntity
	return &xmlScanner{dec: dec}, nil
}
