package normalize

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// ErrYAML says that YAML uses what no feed needs, or holds more than one
// document.
var ErrYAML = errors.New("unsupported YAML")

// maxYAMLNodes bounds what aliases of one YAML document may expand to.
const maxYAMLNodes = 1 << 20

// readYAML reads the one YAML document of body as a tree of nodes, in which
// every scalar still has the text that was written. Invalid UTF-8, which YAML
// forbids, is read as U+FFFD.
func readYAML(body io.Reader) (*yaml.Node, error) {
	data, err := readText(body)
	if err != nil {
		return nil, err
	}
	text := string(data)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	l, err := yaml.NewLoader(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	var doc, more yaml.Node
	if err := l.Load(&doc); err != nil {
		return nil, placedYAML(err)
	}
	switch err := l.Load(&more); {
	case err == nil:
		return nil, fmt.Errorf("line %d: %w: a second document", more.Line, ErrYAML)
	case !errors.Is(err, io.EOF):
		return nil, placedYAML(err)
	}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		return doc.Content[0], nil
	}
	return &doc, nil
}

// placedYAML rewrites an error of the YAML library into a path: line, cause.
func placedYAML(err error) error {
	var at *yaml.LoadError
	if errors.As(err, &at) {
		return fmt.Errorf("line %d: %s", at.Mark.Line, at.Message)
	}
	return err
}

// A yamlEncoder writes a tree of YAML nodes as JSON. Scalars are JSON strings
// of the text as it was written, whatever YAML makes of it (1.10 is a
// version, not a number), except below members that typed names.
type yamlEncoder struct {
	typed map[string]bool // members whose values keep their YAML types
	times map[string]bool // members of the root that hold a time
	nodes int
	out   []byte
}

func (e *yamlEncoder) append(n *yaml.Node, typed bool, depth int) error {
	if e.nodes++; e.nodes > maxYAMLNodes || depth > 100 {
		return fmt.Errorf("line %d: %w: too large or too deep", n.Line, ErrYAML)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return e.append(n.Alias, typed, depth+1)
	case yaml.MappingNode:
		return e.appendMapping(n, typed, depth)
	case yaml.SequenceNode:
		return e.appendSequence(n, typed, depth)
	case yaml.ScalarNode:
		return e.appendScalar(n, typed)
	}
	return fmt.Errorf("line %d: %w", n.Line, ErrYAML)
}

func (e *yamlEncoder) appendMapping(n *yaml.Node, typed bool, depth int) error {
	e.out = append(e.out, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge" {
			return fmt.Errorf("line %d: %w: a key that is no plain name", k.Line, ErrYAML)
		}
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.appendString(k.Value); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if depth == 0 && e.times[k.Value] && v.Kind == yaml.ScalarNode {
			if err := e.appendString(yamlTime(v.Value)); err != nil {
				return err
			}
			continue
		}
		if err := e.append(v, typed || e.typed[k.Value], depth+1); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *yamlEncoder) appendSequence(n *yaml.Node, typed bool, depth int) error {
	e.out = append(e.out, '[')
	for i, v := range n.Content {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.append(v, typed, depth+1); err != nil {
			return err
		}
	}
	e.out = append(e.out, ']')
	return nil
}

// jsonNumber is the grammar of RFC 8259, section 6.
var jsonNumber = lazyregexp.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

func (e *yamlEncoder) appendScalar(n *yaml.Node, typed bool) error {
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		e.out = append(e.out, "null"...)
	case typed && tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		e.out = append(e.out, "true"...)
	case typed && tag == "!!bool" && strings.EqualFold(n.Value, "false"):
		e.out = append(e.out, "false"...)
	case typed && (tag == "!!int" || tag == "!!float") && jsonNumber.MatchString(n.Value):
		e.out = append(e.out, n.Value...)
	default:
		return e.appendString(n.Value)
	}
	return nil
}

func (e *yamlEncoder) appendString(s string) (err error) {
	e.out, err = jsontext.AppendQuote(e.out, s)
	return err
}

// yamlTimes are the forms of time that YAML 1.1 allows
// (https://yaml.org/type/timestamp.html); without a zone it is UTC.
var yamlTimes = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02t15:04:05Z07:00",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05", "2006-01-02",
}

// yamlTime writes a time as RFC 3339 in UTC; what is none stays as it is.
func yamlTime(s string) string {
	for _, layout := range yamlTimes {
		if t, err := time.Parse(layout, s); err == nil {
			if layout == time.RFC3339 && strings.HasSuffix(s, "Z") {
				return s
			}
			return t.UTC().Format(time.RFC3339Nano)
		}
	}
	return s
}
