package sources

import (
	"bytes"
	"fmt"
	"io"
	"path"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// A shape watches bytes go by and says whether they can be a whole document.
type shape interface {
	write(p []byte) error
	end() error
}

// checked returns a reader of what r yields whose end is an error unless the
// whole of a document so named was read.
func checked(name string, r io.Reader) io.Reader {
	c := &checking{r: r, shape: &textShape{}}
	switch path.Ext(name) {
	case ".json":
		c.shape = &jsonShape{}
	case ".xml":
		c.shape = &xmlShape{}
	case ".jsonl":
		c.shape = &linesShape{}
	}
	return c
}

type checking struct {
	r     io.Reader
	shape shape
}

func (c *checking) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if serr := c.shape.write(p[:n]); serr != nil {
		return 0, serr
	}
	if err == io.EOF {
		if serr := c.shape.end(); serr != nil {
			return 0, serr
		}
	}
	return n, err
}

// head collects the first bytes that are not white space.
type head struct{ b []byte }

const headSize = 2048

// add reports whether the head is complete.
func (h *head) add(p []byte) bool {
	for len(h.b) == 0 && len(p) > 0 && (blank(p[0]) || ofMark(p[0])) {
		p = p[1:]
	}
	h.b = append(h.b, p[:min(len(p), headSize-len(h.b))]...)
	return len(h.b) == headSize
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// ofMark reports whether c is of the byte order mark that some put before
// UTF-8.
func ofMark(c byte) bool { return c == 0xef || c == 0xbb || c == 0xbf }

// page reports whether the head is that of a web page.
func (h *head) page() bool {
	low := bytes.ToLower(h.b)
	return bytes.HasPrefix(low, []byte("<!doctype html")) || bytes.HasPrefix(low, []byte("<html"))
}

func (h *head) check() error {
	switch {
	case len(h.b) == 0:
		return fmt.Errorf("%w: empty", ErrIncomplete)
	case h.page():
		return fmt.Errorf("%w: a web page", ErrIncomplete)
	}
	return nil
}

// textShape wants something that is no web page.
type textShape struct{ head }

func (s *textShape) write(p []byte) error {
	if s.add(p) {
		return s.check()
	}
	return nil
}

func (s *textShape) end() error { return s.check() }

// xmlShape wants an element that is closed at the end.
type xmlShape struct {
	head
	tail []byte
}

func (s *xmlShape) write(p []byte) error {
	full := s.add(p)
	s.tail = append(s.tail, p[max(0, len(p)-headSize):]...)
	s.tail = s.tail[max(0, len(s.tail)-headSize):]
	if full {
		return s.check()
	}
	return nil
}

func (s *xmlShape) end() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.b[0] != '<' {
		return fmt.Errorf("%w: not XML", ErrIncomplete)
	}
	tail := withoutComments(s.tail)
	open := bytes.LastIndex(tail, []byte("</"))
	if open < 0 || bytes.IndexByte(tail[open:], '>') != len(tail)-open-1 {
		return fmt.Errorf("%w: XML does not end with the end of an element", ErrIncomplete)
	}
	root := bytes.TrimSpace(tail[open+2 : len(tail)-1])
	if first := firstElement.FindSubmatch(comment.ReplaceAll(s.b, nil)); first != nil && !bytes.Equal(first[1], root) {
		return fmt.Errorf("%w: XML begins with <%s> and ends with </%s>", ErrIncomplete, first[1], root)
	}
	return nil
}

// withoutComments cuts off white space and comments at the end.
func withoutComments(tail []byte) []byte {
	for {
		tail = bytes.TrimRight(tail, " \t\r\n")
		start := bytes.LastIndex(tail, []byte("<!--"))
		if !bytes.HasSuffix(tail, []byte("-->")) || start < 0 {
			return tail
		}
		tail = tail[:start]
	}
}

// firstElement matches the start of an element, and not that of a declaration
// or processing instruction before it.
var (
	firstElement = lazyregexp.New(`<([^\s!?/<>][^\s/<>]*)`)
	comment      = lazyregexp.New(`(?s)<!--.*?(-->|$)`)
)

// linesShape wants lines of which the last is a JSON object, first character
// to last.
type linesShape struct {
	head
	first, last byte // of the last line that is not blank
	ended       bool // it has a line end
}

func (s *linesShape) write(p []byte) error {
	full := s.add(p)
	for _, c := range p {
		switch {
		case c == '\n':
			s.ended = true
		case blank(c), ofMark(c):
		case s.ended || s.first == 0:
			s.first, s.last, s.ended = c, c, false
		default:
			s.last = c
		}
	}
	if full {
		return s.check()
	}
	return nil
}

func (s *linesShape) end() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.first != '{' || s.last != '}' {
		return fmt.Errorf("%w: the last line is no JSON object", ErrIncomplete)
	}
	return nil
}

// jsonShape wants one object or array and nothing after it. Whether what is
// in it is JSON is for the parser to say.
type jsonShape struct {
	offset   int64
	depth    int
	started  bool
	inString bool
	escaped  bool
}

func (s *jsonShape) write(p []byte) error {
	for i := 0; i < len(p); i++ {
		c := p[i]
		if s.inString {
			i += s.str(p[i:])
			continue
		}
		if err := s.token(c, s.offset+int64(i)); err != nil {
			return err
		}
	}
	s.offset += int64(len(p))
	return nil
}

// str goes on in a string and returns how many bytes it took, less one.
func (s *jsonShape) str(p []byte) int {
	for i, c := range p {
		switch {
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.inString = false
			return i
		}
	}
	return len(p) - 1
}

func (s *jsonShape) token(c byte, offset int64) error {
	if s.depth == 0 {
		return s.outside(c, offset)
	}
	switch c {
	case '"':
		s.inString = true
	case '{', '[':
		s.depth++
	case '}', ']':
		s.depth--
	}
	return nil
}

// outside takes a byte that is outside of the value.
func (s *jsonShape) outside(c byte, offset int64) error {
	switch {
	case blank(c), !s.started && ofMark(c):
		return nil
	case s.started:
		return fmt.Errorf("%w: offset %d: %q after the end of the JSON", ErrIncomplete, offset, c)
	case c != '{' && c != '[':
		return fmt.Errorf("%w: offset %d: %q is not the begin of a JSON object or array", ErrIncomplete, offset, c)
	}
	s.started, s.depth = true, 1
	return nil
}

func (s *jsonShape) end() error {
	switch {
	case !s.started:
		return fmt.Errorf("%w: empty", ErrIncomplete)
	case s.depth > 0 || s.inString:
		return fmt.Errorf("%w: JSON ends within a value at offset %d", ErrIncomplete, s.offset)
	}
	return nil
}
