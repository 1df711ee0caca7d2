package sources

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// maxName is the longest name of a document, in bytes.
const maxName = 512

// checkName refuses what cannot name a document: names are slash-separated,
// without empty, "." and ".." elements, and without control characters and
// backslashes.
func checkName(name string) error {
	bad := name == "" || len(name) > maxName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
	for e := range strings.SplitSeq(name, "/") {
		bad = bad || e == "" || e == "." || e == ".."
	}
	if bad {
		return fmt.Errorf("document name %q: %w", name, ErrHostile)
	}
	return nil
}

// limited ends in ErrTooLarge where r yields more than left bytes.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// ended remembers whether its reader was read to its end.
type ended struct {
	r   io.Reader
	err error
}

func (e *ended) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil {
		e.err = err
	}
	return n, err
}

// drain makes sure that the end was reached, where checksums are compared.
func (e *ended) drain() error {
	if e.err == nil {
		n, err := io.Copy(io.Discard, e.r)
		if err == nil && n > 0 {
			err = fmt.Errorf("%w: %d bytes were not stored", ErrIncomplete, n)
		}
		return err
	}
	if e.err == io.EOF {
		return nil
	}
	return e.err
}

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
	if len(h.b) == 0 {
		p = bytes.TrimLeft(bytes.TrimPrefix(p, []byte("\xef\xbb\xbf")), " \t\r\n")
	}
	h.b = append(h.b, p[:min(len(p), headSize-len(h.b))]...)
	return len(h.b) == headSize
}

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
	tail := bytes.TrimRight(s.tail, " \t\r\n")
	open := bytes.LastIndex(tail, []byte("</"))
	if open < 0 || bytes.IndexByte(tail[open:], '>') != len(tail)-open-1 {
		return fmt.Errorf("%w: XML does not end with the end of an element", ErrIncomplete)
	}
	root := bytes.TrimSpace(tail[open+2 : len(tail)-1])
	if !bytes.Contains(s.b, append([]byte("<"), root...)) {
		return fmt.Errorf("%w: XML ends with </%s>, which is not its first element", ErrIncomplete, root)
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
	if s.offset == 0 {
		s.offset = int64(len(p) - len(bytes.TrimPrefix(p, []byte("\xef\xbb\xbf"))))
		p = p[s.offset:]
	}
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
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
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
