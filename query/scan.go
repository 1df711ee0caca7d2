package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/versioncmp"
)

// A Match is a component that something affects, or of which it is unknown.
type Match struct {
	Component Component
	Findings  []Finding // affected and unknown, by ecosystem and ID
}

// A Gap is a component that could not be matched, and why: it is not clean.
type Gap struct {
	Component Component
	Reason    string
}

// A Scan is what a state says of the components of an SBOM.
type Scan struct {
	Components int
	Matches    []Match // in the order of the components
	Gaps       []Gap   // likewise
}

// ScanComponents matches components against a state: by purl, and those whose
// purl cannot be asked or has no data by CPE, where they have one.
func ScanComponents(db *store.DB, list []Component) (Scan, error) {
	s := Scan{Components: len(list)}
	for _, c := range list {
		findings, gap, err := matchComponent(db, c)
		if err != nil {
			return s, fmt.Errorf("%s %s: %w", c.Name, c.Version, err)
		}
		if gap != "" {
			s.Gaps = append(s.Gaps, Gap{c, gap})
			continue
		}
		s.take(c, findings)
	}
	return s, trim(db, len(list))
}

// matchComponent returns the findings of a component, or why there can be none.
func matchComponent(db *store.DB, c Component) (found []Finding, gap string, err error) {
	q, gap := componentQuestion(c)
	if gap == "" {
		a, err := Package(db, q)
		if err != nil || a.Covered() {
			return a.Findings, "", err
		}
		gap = "no data of " + q.Ecosystem + " is held"
	}
	if c.CPE == "" {
		return nil, gap, nil
	}
	found, gapCPE, err := matchCPE(db, c)
	if gapCPE != "" && c.Purl != "" {
		gapCPE = gap + "; " + gapCPE
	}
	return found, gapCPE, err
}

// matchCPE asks by a component's CPE. A CPE without a version has the
// component's.
func matchCPE(db *store.DB, c Component) (found []Finding, gap string, err error) {
	name, err := cpe.Parse(c.CPE)
	if err != nil {
		return nil, err.Error(), nil
	}
	if name.Version == cpe.Any && c.Version != "" {
		name.Version = cpe.Value(quotedCPE.Replace(strings.ToLower(c.Version)))
	}
	list, err := CPE(db, name)
	switch {
	case errors.Is(err, ErrVague):
		return nil, err.Error(), nil
	case err != nil:
		return nil, "", err
	case len(list) == 0:
		held, err := hasCPEs(db)
		if err != nil || !held {
			return nil, "no data by CPE is held", err
		}
	}
	for _, f := range list {
		found = append(found, f.finding())
	}
	return found, "", nil
}

// quotedCPE makes a text stand for itself as a value of a CPE.
var quotedCPE = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`)

var errEnoughCPEs = errors.New("there are some")

// hasCPEs reports whether the state has CPE configurations at all.
func hasCPEs(db *store.DB) (bool, error) {
	err := db.Products("", func(string) error { return errEnoughCPEs })
	if err == errEnoughCPEs {
		return true, nil
	}
	return false, err
}

// finding is the same as of a package, whose name is the product's.
func (f *CPEFinding) finding() Finding {
	out := Finding{ID: f.ID, Ecosystem: EcosystemCPE, Package: f.Product.Key(), Via: "CPE"}
	switch f.Answer.Verdict {
	case cpe.Affected:
		out.Verdict = versioncmp.Affected
	case cpe.Unknown:
		out.Verdict = versioncmp.Unknown
		out.Reason = "the CPE or the record does not say enough"
	default:
		out.Verdict = versioncmp.NotAffected
	}
	if m := f.Answer.Match; m != nil && m.VersionEndExcluding != "" {
		out.Event = versioncmp.Event{Kind: versioncmp.Fixed, Version: m.VersionEndExcluding}
	}
	if n := len(f.Answer.Assumed); n > 0 {
		out.Note = fmt.Sprintf("assuming %s", strings.Join(f.Answer.Assumed[0], " or "))
	}
	return out
}

// EcosystemCPE is what findings have as ecosystem that were made by CPE.
const EcosystemCPE = "CPE"

// componentQuestion returns what to ask of a component, or why nothing can be.
func componentQuestion(c Component) (q Question, gap string) {
	if c.Purl == "" {
		return q, "no purl"
	}
	q, err := ParsePurl(WithDistro(c.Purl, c.Distro))
	if err != nil {
		return q, err.Error()
	}
	if q.Version == "" {
		q.Version = c.Version
	}
	if q.Version == "" {
		return q, "no version"
	}
	return q, ""
}

// WithDistro adds the qualifier distro to a purl of that system ("debian-12");
// a purl without a namespace gets the system's.
func WithDistro(purl, distro string) string {
	if distro == "" {
		return purl
	}
	head, subpath, _ := strings.Cut(purl, "#")
	name, _, _ := strings.Cut(head, "?")
	system, _, _ := strings.Cut(distro, "-")
	if p := strings.Split(name, "/"); len(p) == 2 {
		head = p[0] + "/" + system + "/" + p[1] + head[len(name):]
	} else if len(p) == 3 && !sameSystem(p[0], p[1], system) {
		return purl
	}
	sep := "?"
	if strings.Contains(head, "?") {
		sep = "&"
	}
	head += sep + "distro=" + strings.ReplaceAll(distro, " ", "%20")
	if subpath != "" {
		head += "#" + subpath
	}
	return head
}

// sameSystem reports whether a purl's namespace is the operating system.
func sameSystem(typ, namespace, system string) bool {
	typ = strings.TrimPrefix(typ, "pkg:") + "/"
	a, ok := systems[typ+strings.ToLower(namespace)]
	b, ok2 := systems[typ+system]
	return ok && ok2 && a.ecosystem == b.ecosystem
}

func (s *Scan) take(c Component, findings []Finding) {
	var found []Finding
	for _, f := range findings {
		if f.Verdict != versioncmp.NotAffected {
			found = append(found, f)
		}
	}
	if len(found) > 0 {
		s.Matches = append(s.Matches, Match{c, found})
	}
}
