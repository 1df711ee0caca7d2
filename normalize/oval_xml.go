package normalize

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// xmlDepth bounds the nesting of elements.
const xmlDepth = 200

// An xmlScanner walks over elements without building a tree. Names go without
// their prefix.
type xmlScanner struct {
	dec   *xml.Decoder
	stack []string
}

// textXML looks at the beginning of a document of XML.
func textXML(body io.Reader) (io.Reader, error) {
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
	head = bytes.ToLower(bytes.TrimLeft(head, " \t\r\n"))
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("offset 0: %w", ErrEmpty)
	case bytes.HasPrefix(head, []byte("<html")), bytes.HasPrefix(head, []byte("<!doctype html")):
		return nil, fmt.Errorf("offset 0: %w", ErrHTML)
	}
	return r, nil
}

// fail says where err happened.
func (s *xmlScanner) fail(err error) error {
	if len(s.stack) == 0 {
		return fmt.Errorf("offset %d: %w", s.dec.InputOffset(), err)
	}
	return fmt.Errorf("offset %d: %s: %w", s.dec.InputOffset(), strings.Join(s.stack, "/"), err)
}

// token returns the next token, with the nesting checked.
func (s *xmlScanner) token() (xml.Token, error) {
	t, err := s.dec.RawToken()
	if err == io.EOF && len(s.stack) == 0 {
		return nil, io.EOF
	}
	if err != nil {
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			err = errors.New(syntax.Msg)
		} else if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, s.fail(err)
	}
	switch t := t.(type) {
	case xml.StartElement:
		if len(s.stack) == xmlDepth {
			return nil, s.fail(fmt.Errorf("nested deeper than %d", xmlDepth))
		}
		s.stack = append(s.stack, t.Name.Local)
	case xml.EndElement:
		if n := len(s.stack); n == 0 || s.stack[n-1] != t.Name.Local {
			return nil, s.fail(fmt.Errorf("unexpected </%s>", t.Name.Local))
		}
		s.stack = s.stack[:len(s.stack)-1]
	}
	return t, nil
}

// child returns the next element at depth, io.EOF where the enclosing one
// ends. Outside of the root only blanks may stand.
func (s *xmlScanner) child(depth int) (string, []xml.Attr, error) {
	for {
		t, err := s.token()
		if err != nil {
			return "", nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Name.Local, t.Attr, nil
		case xml.EndElement:
			if len(s.stack) < depth {
				return "", nil, io.EOF
			}
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return "", nil, s.fail(errors.New("text outside of the root"))
			}
		}
	}
}

// each calls f for each element in the current one and reads over its end. f
// reads the element to its end.
func (s *xmlScanner) each(f func(name string, attrs []xml.Attr) error) error {
	depth := len(s.stack)
	for {
		name, attrs, err := s.child(depth)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(name, attrs); err != nil {
			return err
		}
	}
}

// skip reads over the current element.
func (s *xmlScanner) skip() error {
	for depth := len(s.stack); len(s.stack) >= depth; {
		if _, err := s.token(); err != nil {
			return err
		}
	}
	return nil
}

// text reads the current element to its end and returns its text, without
// that of elements in it, trimmed.
func (s *xmlScanner) text() (string, error) {
	var b []byte
	for depth := len(s.stack); len(s.stack) >= depth; {
		t, err := s.token()
		if err != nil {
			return "", err
		}
		if c, ok := t.(xml.CharData); ok && len(s.stack) == depth {
			b = append(b, c...)
		}
	}
	return string(bytes.TrimSpace(b)), nil
}

// attr returns the value of an attribute, by its name without prefix.
func attr(attrs []xml.Attr, name string) string {
	for i := range attrs {
		if attrs[i].Name.Local == name {
			return attrs[i].Value
		}
	}
	return ""
}
