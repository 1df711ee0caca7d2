package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
)

// An ovalVendor is what differs between RPM distributions whose OVAL needs no
// more than a table: SUSE, Photon OS, Azure Linux.
type ovalVendor struct {
	// record makes what a definition says in prose, nil for one that is not
	// wanted.
	record func(o *rpmOVAL, m *ovalMetadata) (*Record, error)
	// release returns the ecosystem that a test of the installed release
	// names, "" for one that names none known.
	release func(l *ovalLeaf) string
	// isRelease reports whether a test is of the installed release.
	isRelease func(l *ovalLeaf) bool
	// document returns the ecosystem of a document whose criteria name no
	// release; it may be nil.
	document func(d Doc) string
	// openEnds says that "less than or equal" means: not fixed yet.
	openEnds bool
	// byComment reads a criterion whose test is missing; it may be nil.
	byComment func(string) (ovalLeaf, bool)
}

// rpmOVALParser returns the parser of a vendor's OVAL. A record comes in two
// pieces: what its definition says and, when the tests have been read, its
// affected entries. Architectures, where tests name them, are in
// ecosystem_specific.arch. Packages that a test calls not affected become
// statements.
func rpmOVALParser(v ovalVendor) Parser {
	return func(d Doc, emit func(*Record) error) error {
		o := &rpmOVAL{doc: d, emit: emit, vendor: v, modified: map[string]string{}}
		content, err := readOVAL(d.Body, o.define)
		if err != nil {
			return err
		}
		content.byComment = v.byComment
		for i := range content.definitions {
			if err := o.affected(content, &content.definitions[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

type rpmOVAL struct {
	doc    Doc
	emit   func(*Record) error
	vendor ovalVendor

	modified map[string]string    // by record, for its second piece
	skipped  map[string]Statement // Azure Linux: definitions that do not apply, by record
}

func (o *rpmOVAL) report(place, rule, message string) {
	o.doc.report(Finding{Place: place, Rule: rule, Message: message})
}

func (o *rpmOVAL) define(m *ovalMetadata) (string, error) {
	r, err := o.vendor.record(o, m)
	if err != nil || r == nil {
		return "", err
	}
	if r.Modified != "" {
		o.modified[r.ID] = r.Modified
	}
	return r.ID, o.emit(r)
}

// A rpmFinding is what the criteria of one definition say.
type rpmFinding struct {
	affected map[rpmKey][]Interval
	versions map[rpmKey][]string
	unhurt   []Statement
	dropped  map[string]int // why alternatives were dropped, how often
}

// A rpmKey names one affected entry; arches are sorted and joined by blanks.
type rpmKey struct{ ecosystem, name, arches string }

// affected emits the second piece of a record.
func (o *rpmOVAL) affected(content *ovalContent, def *ovalDefinition) error {
	found := rpmFinding{affected: map[rpmKey][]Interval{}, versions: map[rpmKey][]string{}, dropped: map[string]int{}}
	drop := func(err error) { found.dropped[err.Error()]++ }
	w := &ovalWalk{
		content: content,
		bounds:  o.bounds,
		match: func(context, packages []ovalLeaf) error {
			if err := o.match(context, packages, &found); err != nil {
				drop(err)
			}
			return nil
		},
		drop: drop,
	}
	if err := w.walk(&def.criteria, [][]ovalLeaf{nil}); err != nil {
		return err
	}
	for _, why := range slices.Sorted(maps.Keys(found.dropped)) {
		o.report(def.id, "bad-criteria", fmt.Sprintf("%s (%d)", why, found.dropped[why]))
	}
	r, err := found.record(def.id)
	if err != nil {
		return err
	}
	if skip, ok := o.skipped[def.id]; ok {
		r, err = skip.instead(r)
		if err != nil {
			return err
		}
	}
	r.Modified = o.modified[def.id]
	if len(r.Affected) == 0 && len(r.DatabaseSpecific) == 0 {
		o.report(def.id, "no-packages", "criteria name no package")
		return nil
	}
	return o.emit(r)
}

// instead makes statements like s of r's affected entries.
func (s Statement) instead(r *Record) (*Record, error) {
	out := &Record{ID: r.ID}
	for i := range r.Affected {
		p := r.Affected[i].Package
		s.Ecosystem, s.Package = p.Ecosystem, p.Name
		if err := out.AddStatements(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// bounds reports whether a test says of a package which versions it is about,
// or that none is.
func (o *rpmOVAL) bounds(l *ovalLeaf) bool {
	if l.kind != "rpminfo" || o.vendor.isRelease(l) {
		return false
	}
	_, ok := l.condition("evr")
	return ok || l.unhurt()
}

// unhurt reports a test that a package has the version 0, which none has:
// "is not affected".
func (l *ovalLeaf) unhurt() bool {
	c, ok := l.condition("version")
	return ok && c.operation == "equals" && c.value == "0"
}

var (
	errOVALContext = errors.New("test of something other than packages and releases")
	errOVALRelease = errors.New("no release that is known")
)

// match notes one alternative.
func (o *rpmOVAL) match(context, packages []ovalLeaf, found *rpmFinding) error {
	eco, err := o.ecosystem(context)
	if err != nil {
		return err
	}
	first := &packages[0]
	if first.unhurt() {
		for _, name := range first.names {
			found.unhurt = append(found.unhurt, Statement{Ecosystem: eco, Package: name, Status: NotAffected})
		}
		return nil
	}
	iv, versions, err := ovalInterval(withoutStart(packages))
	if err != nil {
		return err
	}
	if o.vendor.openEnds && iv.LastAffected != "" {
		iv.LastAffected = ""
	}
	for _, name := range first.names {
		k := rpmKey{eco, name, ovalArches(packages)}
		if len(versions) > 0 {
			found.versions[k] = append(found.versions[k], versions...)
		} else {
			found.affected[k] = append(found.affected[k], iv)
		}
	}
	return nil
}

// withoutStart drops conditions "greater than 0:0-0", which every version
// meets: SUSE's "is affected".
func withoutStart(packages []ovalLeaf) []ovalLeaf {
	out := slices.Clone(packages)
	for i := range out {
		out[i].conditions = slices.DeleteFunc(slices.Clone(out[i].conditions), func(c ovalCondition) bool {
			return c.field == "evr" && c.operation == "greater than" && strings.Trim(c.value, "0:-") == ""
		})
	}
	return out
}

// ecosystem finds out of which release the context speaks. Signatures say
// nothing; of live patches and running kernels nothing is known here.
func (o *rpmOVAL) ecosystem(context []ovalLeaf) (string, error) {
	eco := ""
	for i := range context {
		l := &context[i]
		switch {
		case o.vendor.isRelease(l):
			if e := o.vendor.release(l); e != "" && !l.negate {
				eco = e
			} else {
				return "", errOVALRelease
			}
		case l.signature():
		default:
			return "", errOVALContext
		}
	}
	if eco == "" && o.vendor.document != nil {
		eco = o.vendor.document(o.doc)
	}
	if eco == "" {
		return "", errOVALRelease
	}
	return eco, nil
}

// signature reports a test that a package is signed, or installed at all.
func (l *ovalLeaf) signature() bool {
	_, ok := l.condition("signature_keyid")
	return ok && !l.negate
}

var archPattern = lazyregexp.New(`^\^?\(?([a-z0-9_|]+)\)?\$?$`)

// ovalArches reads the condition on the architecture: "(aarch64|x86_64)".
func ovalArches(packages []ovalLeaf) string {
	for i := range packages {
		if c, ok := packages[i].condition("arch"); ok {
			if m := archPattern.FindStringSubmatch(c.value); m != nil {
				return strings.Join(set(strings.Split(m[1], "|")), " ")
			}
		}
	}
	return ""
}

// record makes the piece of a record.
func (f *rpmFinding) record(id string) (*Record, error) {
	r := &Record{ID: id}
	keys := map[rpmKey]bool{}
	for k := range f.affected {
		keys[k] = true
	}
	for k := range f.versions {
		keys[k] = true
	}
	for k := range keys {
		a := Affected{Package: Package{Ecosystem: k.ecosystem, Name: k.name}, Versions: set(f.versions[k])}
		if in := f.affected[k]; len(in) > 0 {
			a.Ranges = Ranges(Ecosystem, k.ecosystem, in)
		}
		if k.arches != "" {
			v, err := json.Marshal(map[string][]string{"arch": strings.Fields(k.arches)}, encodeOptions)
			if err != nil {
				return nil, err
			}
			a.EcosystemSpecific = v
		}
		r.Affected = append(r.Affected, a)
	}
	slices.SortFunc(r.Affected, func(a, b Affected) int {
		return cmp.Or(strings.Compare(a.Package.Ecosystem, b.Package.Ecosystem), strings.Compare(a.Package.Name, b.Package.Name),
			compareValues(a.EcosystemSpecific, b.EcosystemSpecific))
	})
	return r, r.AddStatements(f.unhurt...)
}
