package normalize

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// OVAL puts definitions first and the tests, objects and states that they
// refer to behind them. readOVAL hands out what a definition says in prose as
// it passes, and keeps no more than criteria, tests, objects and states, with
// IDs as numbers; a vendor's file then makes ranges of them.
//
// Source: OVAL 5.11, https://oval.mitre.org/language/version5.11/.

// An ovalID is an ID such as "oval:com.oracle.elsa:tst:20070057001": a name
// space, numbered in order of appearance, and the number at its end.
type ovalID struct {
	space  uint32
	number uint64
}

// An ovalContent is what is kept of a document.
type ovalContent struct {
	definitions []ovalDefinition
	tests       map[ovalID]ovalTest
	objects     map[ovalID]ovalObject
	states      map[ovalID][]ovalCondition
	variables   map[ovalID][]string
	spaces      map[string]uint32

	// byComment reads a criterion whose test is missing by its comment; it is
	// the vendor's, and may be nil. Comments are kept once each.
	byComment func(string) (ovalLeaf, bool)
	comments  []string
	commentAt map[string]uint32
}

// An ovalDefinition is the criteria of one definition; id is the vendor's.
type ovalDefinition struct {
	id       string
	criteria ovalCriteria
}

// An ovalCriteria joins children by AND or OR, or is a leaf: one test.
type ovalCriteria struct {
	children []ovalCriteria
	test     ovalID
	comment  uint32
	leaf     bool
	or       bool
	negate   bool
}

type ovalTest struct {
	object ovalID
	states []ovalID
	kind   string // the element's name without "_test": rpminfo, dpkginfo, uname…
	none   bool   // holds where no such object is there
}

// An ovalObject is what a test looks at: a package by name, or text in a file.
type ovalObject struct {
	name     string
	variable ovalID // names the packages where name is empty
	path     string
	pattern  string
}

// An ovalCondition is one entity of a state: a field, such as evr, and what it
// must be.
type ovalCondition struct{ field, operation, value string }

// id reads an ID.
func (c *ovalContent) id(s string) ovalID {
	space, number := s, ^uint64(0)
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if n, err := strconv.ParseUint(s[i+1:], 10, 64); err == nil {
			space, number = s[:i], n
		}
	}
	at, ok := c.spaces[space]
	if !ok {
		at = uint32(len(c.spaces))
		c.spaces[strings.Clone(space)] = at
	}
	return ovalID{at, number}
}

// comment keeps a comment and returns its number.
func (c *ovalContent) comment(s string) uint32 {
	at, ok := c.commentAt[s]
	if !ok {
		at = uint32(len(c.comments))
		s = strings.Clone(s)
		c.comments = append(c.comments, s)
		c.commentAt[s] = at
	}
	return at
}

// readOVAL reads a document. define gets the metadata of each definition as
// it passes and returns the ID under which its criteria are to be kept; with
// none they are dropped. Its error ends the reading and is returned as it is.
func readOVAL(body io.Reader, define func(*ovalMetadata) (string, error)) (*ovalContent, error) {
	body, err := textXML(body)
	if err != nil {
		return nil, err
	}
	c := &ovalContent{
		tests: map[ovalID]ovalTest{}, objects: map[ovalID]ovalObject{}, states: map[ovalID][]ovalCondition{},
		variables: map[ovalID][]string{}, spaces: map[string]uint32{}, commentAt: map[string]uint32{},
	}
	s := &xmlScanner{dec: xml.NewDecoder(body)}
	sections := map[string]bool{}
	for {
		name, _, err := s.child(0)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if name != "oval_definitions" {
			return nil, s.fail(fmt.Errorf("<%s> where <oval_definitions> is expected", name))
		}
		if err := c.sections(s, sections, define); err != nil {
			return nil, err
		}
	}
	if !sections["definitions"] {
		return nil, s.fail(fmt.Errorf("<definitions>: missing"))
	}
	c.commentAt = nil
	return c, nil
}

// sections reads what stands in the root.
func (c *ovalContent) sections(s *xmlScanner, seen map[string]bool, define func(*ovalMetadata) (string, error)) error {
	return s.each(func(name string, _ []xml.Attr) error {
		seen[name] = true
		switch name {
		case "definitions":
			return s.each(func(_ string, attrs []xml.Attr) error { return c.definition(s, attrs, define) })
		case "tests":
			return s.each(func(name string, attrs []xml.Attr) error { return c.test(s, name, attrs) })
		case "objects":
			return s.each(func(_ string, attrs []xml.Attr) error { return c.object(s, attrs) })
		case "states":
			return s.each(func(_ string, attrs []xml.Attr) error { return c.state(s, attrs) })
		case "variables":
			return s.each(func(_ string, attrs []xml.Attr) error { return c.variable(s, attrs) })
		}
		return s.skip()
	})
}

func (c *ovalContent) definition(s *xmlScanner, attrs []xml.Attr, define func(*ovalMetadata) (string, error)) error {
	m := &ovalMetadata{ID: attr(attrs, "id"), Class: attr(attrs, "class")}
	var criteria ovalCriteria
	err := s.each(func(name string, attrs []xml.Attr) error {
		switch name {
		case "metadata":
			return m.read(s)
		case "criteria":
			return c.criteria(s, attrs, &criteria)
		}
		return s.skip()
	})
	if err != nil {
		return err
	}
	id, err := define(m)
	if err != nil {
		return err
	}
	if id != "" {
		c.definitions = append(c.definitions, ovalDefinition{id, criteria})
	}
	return nil
}

func (c *ovalContent) criteria(s *xmlScanner, attrs []xml.Attr, out *ovalCriteria) error {
	out.or = strings.EqualFold(attr(attrs, "operator"), "OR")
	out.negate = attr(attrs, "negate") == "true"
	return s.each(func(name string, attrs []xml.Attr) error {
		switch name {
		case "criteria":
			var child ovalCriteria
			err := c.criteria(s, attrs, &child)
			out.children = append(out.children, child)
			return err
		case "criterion":
			out.children = append(out.children, ovalCriteria{
				leaf: true, test: c.id(attr(attrs, "test_ref")), negate: attr(attrs, "negate") == "true",
				comment: c.comment(attr(attrs, "comment"))})
		}
		return s.skip()
	})
}

func (c *ovalContent) test(s *xmlScanner, name string, attrs []xml.Attr) error {
	t := ovalTest{kind: ovalKind(name), none: attr(attrs, "check_existence") == "none_exist" || attr(attrs, "check") == "none satisfy"}
	id := c.id(attr(attrs, "id"))
	err := s.each(func(name string, attrs []xml.Attr) error {
		switch name {
		case "object":
			t.object = c.id(attr(attrs, "object_ref"))
		case "state":
			t.states = append(t.states, c.id(attr(attrs, "state_ref")))
		}
		return s.skip()
	})
	c.tests[id] = t
	return err
}

// ovalKind returns the kind of a test by its element's name; common kinds are
// one string for all tests.
func ovalKind(element string) string {
	switch element {
	case "rpminfo_test":
		return "rpminfo"
	case "dpkginfo_test":
		return "dpkginfo"
	case "textfilecontent54_test":
		return "textfilecontent54"
	}
	return strings.TrimSuffix(element, "_test")
}

func (c *ovalContent) object(s *xmlScanner, attrs []xml.Attr) error {
	var o ovalObject
	id := c.id(attr(attrs, "id"))
	err := s.each(func(name string, attrs []xml.Attr) error {
		if ref := attr(attrs, "var_ref"); ref != "" && name == "name" {
			o.variable = c.id(ref)
		}
		text, err := s.text()
		switch name {
		case "name":
			o.name = text
		case "filepath":
			o.path = text
		case "pattern":
			o.pattern = text
		}
		return err
	})
	c.objects[id] = o
	return err
}

func (c *ovalContent) state(s *xmlScanner, attrs []xml.Attr) error {
	var conditions []ovalCondition
	id := c.id(attr(attrs, "id"))
	err := s.each(func(name string, attrs []xml.Attr) error {
		operation := attr(attrs, "operation")
		if operation == "" {
			operation = "equals" // the schema's default
		}
		text, err := s.text()
		conditions = append(conditions, ovalCondition{name, operation, text})
		return err
	})
	c.states[id] = conditions
	return err
}

func (c *ovalContent) variable(s *xmlScanner, attrs []xml.Attr) error {
	id := c.id(attr(attrs, "id"))
	return s.each(func(name string, _ []xml.Attr) error {
		if name != "value" {
			return s.skip()
		}
		text, err := s.text()
		c.variables[id] = append(c.variables[id], text)
		return err
	})
}
