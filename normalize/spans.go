package normalize

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"

	"github.com/advdb/advdb/versioncmp"
)

// fill makes spans, sorted and without overlap, the ranges and versions of a:
// one version alone becomes an entry of versions. It reports whether that is
// exact; where it is not, a version that a range begins behind is in it.
func (a *Affected) fill(spans []versioncmp.Span) (exact bool) {
	var wide []versioncmp.Span
	for _, s := range spans {
		if v, ok := s.Single(); ok {
			a.Versions = append(a.Versions, v)
		} else {
			wide = append(wide, s)
		}
	}
	ranges, inexact := rangesOf(versioncmp.For(a.Package.Ecosystem), wide)
	a.Ranges = append(a.Ranges, ranges...)
	a.retypeSemver()
	return !inexact
}

// rangesOf writes spans as ranges; inexact says that an excluded bound had to
// be included.
func rangesOf(s *versioncmp.Scheme, spans []versioncmp.Span) (out []Range, inexact bool) {
	if len(spans) == 0 {
		return nil, false
	}
	ranges, exact := versioncmp.Events(s, spans)
	for _, events := range ranges {
		r := Range{Type: Ecosystem}
		for _, e := range events {
			r.Events = append(r.Events, eventOf(e))
		}
		out = append(out, r)
	}
	return out, !exact
}

// anyOf returns the versions that meet one requirement at least. Requirements
// that cannot be read, or that no version meets, are left out and in the
// error.
func anyOf(grammar string, requirements []string) (spans []versioncmp.Span, err error) {
	var errs []error
	for _, text := range requirements {
		s, err := versioncmp.ParseRequirement(grammar, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		spans = append(spans, s...)
	}
	return spans, errors.Join(errs...)
}

// unsafe returns what is affected where safe are the requirements on versions
// that are not (patched and unaffected together): all others. Requirements
// that cannot be read make nothing safe, and are in the error.
func unsafe(grammar, ecosystem string, safe []string) ([]versioncmp.Span, error) {
	spans, err := anyOf(grammar, safe)
	rest, cerr := versioncmp.Complement(versioncmp.For(ecosystem), spans)
	return rest, errors.Join(err, cerr)
}

// decodeYAML reads the YAML mapping of d into v, through JSON: scalars are
// strings as they were written, but below the members of typed; the members of
// times, of the root, are RFC 3339.
func decodeYAML(d Doc, typed, times map[string]bool, v any) error {
	root, err := readYAML(d.Body)
	if err != nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %w: no mapping", root.Line, ErrYAML)
	}
	e := yamlEncoder{typed: typed, times: times}
	if err := e.append(root, false, 0); err != nil {
		return err
	}
	if err := json.Unmarshal(e.out, v, decodeOptions); err != nil {
		return fmt.Errorf("as JSON: %w", placed(err))
	}
	return nil
}

// A textList is a list of texts that may also be written as one text, or as
// null.
type textList []string

// UnmarshalJSONFrom reads either form.
func (l *textList) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '[':
		return json.UnmarshalDecode(dec, (*[]string)(l))
	case 'n':
		*l = nil
		return dec.SkipValue()
	}
	var one string
	if err := json.UnmarshalDecode(dec, &one); err != nil {
		return err
	}
	*l = textList{one}
	return nil
}
