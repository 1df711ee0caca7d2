package sources

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// nvdPage is one answer of NVD's API, whose CVEs are put as they are read.
type nvdPage struct {
	start int // startIndex, -1 if not said
	total int // totalResults, -1 if not said
	count int // CVEs put
	put   func(element jsontext.Value) error
}

// check reports what is wrong with a page that was asked for from index
// start on. A page that is not the last must be full: with gaps, and not with
// an error, is how the API answers under load.
func (p *nvdPage) check(start int) error {
	switch {
	case p.start != start || p.total < 0:
		return fmt.Errorf("%w: startIndex %d, totalResults %d", ErrIncomplete, p.start, p.total)
	case p.count > nvdPageSize, start+p.count > p.total:
		return fmt.Errorf("%w: %d results from %d on, of %d", ErrIncomplete, p.count, start, p.total)
	case start+p.count < p.total && p.count < nvdPageSize:
		return fmt.Errorf("%w: %d results from %d on, of %d", ErrIncomplete, p.count, start, p.total)
	}
	return nil
}

// read reads {…,"vulnerabilities":[{"cve":…},…],…} to its end.
func (p *nvdPage) read(r io.Reader) error {
	dec := jsontext.NewDecoder(r, lenient)
	if err := expect(dec, '{'); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		if err := p.member(dec); err != nil {
			return err
		}
	}
	if err := expect(dec, '}'); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return fmt.Errorf("%w: offset %d: data after the end", ErrIncomplete, dec.InputOffset())
	}
	return nil
}

func (p *nvdPage) member(dec *jsontext.Decoder) error {
	name, err := dec.ReadToken()
	if err != nil {
		return broken(err)
	}
	switch name.String() {
	case "startIndex":
		return number(dec, &p.start)
	case "totalResults":
		return number(dec, &p.total)
	case "vulnerabilities":
		return p.elements(dec)
	}
	return broken(dec.SkipValue())
}

func (p *nvdPage) elements(dec *jsontext.Decoder) error {
	if err := expect(dec, '['); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return broken(err)
		}
		if err := p.put(v); err != nil {
			return err
		}
		p.count++
	}
	return expect(dec, ']')
}

func number(dec *jsontext.Decoder, n *int) error {
	t, err := dec.ReadToken()
	if err != nil {
		return broken(err)
	}
	if t.Kind() != '0' {
		return fmt.Errorf("%w: offset %d: no number", ErrIncomplete, dec.InputOffset())
	}
	v, err := t.Int()
	if err != nil {
		return fmt.Errorf("offset %d: %w", dec.InputOffset(), err)
	}
	*n = int(v)
	return nil
}

func expect(dec *jsontext.Decoder, kind jsontext.Kind) error {
	t, err := dec.ReadToken()
	if err != nil {
		return broken(err)
	}
	if t.Kind() != kind {
		return fmt.Errorf("%w: offset %d: %v where %q is expected", ErrIncomplete, dec.InputOffset(), t.Kind(), rune(kind))
	}
	return nil
}

// broken makes the end of input within a value what it is.
func broken(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
