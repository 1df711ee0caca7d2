package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A secdbPackage gathers what one package's secfixes say of each ID.
type secdbPackage struct {
	parser *secdbParser
	name   string
	found  map[string]*secdbEntry
	order  []string // IDs as they came
}

// A secdbEntry is what a package says of one ID.
type secdbEntry struct {
	id       string // as upstream writes it
	related  []string
	fixed    []Interval
	unsorted []string // versions that the rule refuses
	texts    []string // texts that say more than the ID
	never    bool     // under version "0"
}

// read takes {version: [text]}.
func (s *secdbPackage) read(secfixes jsontext.Value) error {
	if len(secfixes) == 0 || secfixes.Kind() == 'n' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(secfixes), decodeOptions)
	return eachMember(dec, func(version string) error {
		var texts []string
		if err := json.UnmarshalDecode(dec, &texts, decodeOptions); err != nil {
			return err
		}
		ordered := s.accepts(version)
		for _, text := range texts {
			s.add(version, ordered, text)
		}
		return nil
	})
}

// apkVersion is the grammar of apk's versions ("apk version --check"; apk-tools
// doc/apk-package.5) with one more form, the number after the letter, which apk
// 2 built and which has a place in the order: opensmtpd's 6.6.4p1-r1. Others,
// such as 4.8.0.-r1 and 57-1-r2, are slips of the pen: apk orders them somewhere,
// but nobody knows what was meant.
var apkVersion = lazyregexp.New(`^[0-9]+(\.[0-9]+)*([a-z][0-9]*)?` +
	`(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(~[0-9a-f]+)?(-r[0-9]+)?$`)

// accepts reports whether version can be the bound of a range.
func (s *secdbPackage) accepts(version string) bool {
	if apkVersion.MatchString(version) {
		return true
	}
	s.report("bad-version", fmt.Sprintf("%q is no version of apk's", version))
	return false
}

func (s *secdbPackage) report(rule, message string) {
	s.parser.doc.report(Finding{
		Place:   s.parser.ecosystem + "/" + s.name,
		Rule:    rule,
		Message: message,
	})
}

func (s *secdbPackage) add(version string, ordered bool, text string) {
	fix := parseSecfix(text)
	if len(fix.cves)+len(fix.others) == 0 || len(fix.bad) > 0 {
		s.report("unusable-id", fmt.Sprintf("%s: %q", version, text))
	}
	ids, related := fix.cves, fix.others
	if len(ids) == 0 {
		ids, related = fix.others, nil
	}
	for _, id := range ids {
		e := s.entry(id)
		for _, r := range related {
			e.related = addOnce(e.related, r)
		}
		if !fix.onlyIDs(text) {
			e.texts = addOnce(e.texts, text)
		}
		switch {
		case version == "0":
			e.never = true
		case !ordered:
			e.unsorted = addOnce(e.unsorted, version)
		default:
			e.fixed = append(e.fixed, Interval{Introduced: "0", Fixed: version})
		}
	}
}

// onlyIDs reports whether text holds nothing but the IDs read from it and
// blanks.
func (f *secfix) onlyIDs(text string) bool {
	if len(f.cves) == 1 && f.cves[0] == text {
		return true
	}
	for _, word := range strings.Fields(text) {
		cve := strings.ToUpper(strings.ReplaceAll(word, "_", "-"))
		if !slices.Contains(f.cves, cve) && !slices.Contains(f.others, word) {
			return false
		}
	}
	return true
}

func (s *secdbPackage) entry(id string) *secdbEntry {
	e, ok := s.found[id]
	if !ok {
		e = &secdbEntry{id: id}
		s.found[id] = e
		s.order = append(s.order, id)
	}
	return e
}

// emit sends a piece of a record for each ID of the package.
func (s *secdbPackage) emit() error {
	for _, id := range s.order {
		r, err := s.record(s.found[id])
		if err != nil {
			return fmt.Errorf("packages/%s: %s: %w", s.name, id, err)
		}
		if err := s.parser.emit(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *secdbPackage) record(e *secdbEntry) (*Record, error) {
	r := &Record{ID: s.parser.prefix + e.id, Upstream: []string{e.id}, Related: e.related}
	if strings.HasPrefix(e.id, s.parser.prefix) { // the distribution's own: ALPINE-13661
		r.ID, r.Upstream = e.id, nil
	}
	if e.never {
		if len(e.fixed) > 0 {
			s.report("contradiction", e.id+" is both never affecting and fixed")
		}
		st := Statement{Ecosystem: s.parser.ecosystem, Package: s.name, Status: NotAffected, Detail: strings.Join(e.texts, "; ")}
		if err := r.AddStatements(st); err != nil {
			return nil, err
		}
	}
	if len(e.fixed) == 0 && len(e.unsorted) == 0 {
		return r, nil
	}
	a, err := s.affected(e)
	r.Affected = []Affected{a}
	return r, err
}

func (s *secdbPackage) affected(e *secdbEntry) (Affected, error) {
	a := Affected{Package: Package{Ecosystem: s.parser.ecosystem, Name: s.name}}
	if len(e.fixed) > 0 {
		a.Ranges = Ranges(Ecosystem, s.parser.ecosystem, e.fixed)
	}
	if len(e.unsorted) == 0 && len(e.texts) == 0 {
		return a, nil
	}
	var err error
	a.DatabaseSpecific, err = json.Marshal(struct {
		Fixed  []string `json:"fixed,omitempty"`
		Secfix []string `json:"secfix,omitempty"`
	}{e.unsorted, e.texts}, encodeOptions)
	return a, err
}
