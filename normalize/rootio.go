package normalize

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Root reads Root's cve_feed: {distribution: [{distroversion, packages:
// [{pkg: {name, cves: {id: {vulnerable_ranges, fixed_versions, severity}}}}]}]}.
// Each ID becomes ROOT-<id>; packages are of "Root:Debian:12" and the like.
//
// A range is comparisons that hold together, "<2.9.14-1", or ">1 <2"; what
// begins just above a version is introduced in the least that can follow it
// (see [afterRoot]). Where none can be read the entry is a statement (under
// investigation). The severity stands in ecosystem_specific.
func Root(d Doc, emit func(*Record) error) error {
	body, err := textReader(d.Body)
	if err != nil {
		return err
	}
	dec := jsontext.NewDecoder(body, decodeOptions)
	err = eachMember(dec, func(distribution string) error {
		return eachValue(dec, func(i int, v jsontext.Value) error {
			f := rootFeed{doc: d, emit: emit, distribution: distribution}
			if err := json.Unmarshal(v, &f.release, decodeOptions); err != nil {
				return fmt.Errorf("%s/%d: %w", distribution, i, placed(err))
			}
			return f.parse()
		})
	})
	if err != nil {
		return err
	}
	return atEnd(dec)
}

// rootFeed is one release of one distribution.
type rootFeed struct {
	doc          Doc
	emit         func(*Record) error
	distribution string // as the feed writes it: debian
	release      struct {
		Version  string `json:"distroversion"`
		Packages []struct {
			Pkg struct {
				Name string             `json:"name"`
				CVEs map[string]rootCVE `json:"cves"`
			} `json:"pkg"`
		} `json:"packages"`
	}
}

type rootCVE struct {
	Ranges   []string `json:"vulnerable_ranges"`
	Fixed    []string `json:"fixed_versions"`
	Severity string   `json:"severity"`
}

// rootNames are the names that OSV gives what Root repackages.
var rootNames = map[string]string{"alpine": "Alpine", "debian": "Debian", "ubuntu": "Ubuntu", "pypi": "PyPI", "npm": "npm", "maven": "Maven"}

func (f *rootFeed) parse() error {
	name, ok := rootNames[strings.ToLower(f.distribution)]
	if !ok {
		f.doc.report(Finding{Place: f.distribution, Rule: "unknown-distribution", Message: f.distribution})
		name = f.distribution
	}
	ecosystem := "Root:" + name
	if f.release.Version != "" {
		ecosystem += ":" + f.release.Version
	}
	for _, p := range f.release.Packages {
		for _, id := range slices.Sorted(maps.Keys(p.Pkg.CVEs)) {
			if p.Pkg.Name == "" || !isAdvisoryID(id) {
				f.doc.report(Finding{Place: ecosystem + "/" + p.Pkg.Name, Rule: "unusable-id", Message: fmt.Sprintf("%q", id)})
				continue
			}
			r, err := f.record(ecosystem, p.Pkg.Name, id, p.Pkg.CVEs[id])
			if err != nil {
				return err
			}
			if err := f.emit(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *rootFeed) record(ecosystem, pkg, id string, c rootCVE) (*Record, error) {
	r := &Record{ID: "ROOT-" + id, Upstream: []string{id}}
	var in []Interval
	for _, text := range c.Ranges {
		iv, err := rootInterval(f.distribution, text)
		if err != nil {
			f.doc.report(Finding{Place: ecosystem + "/" + pkg + "/" + id, Rule: "bad-range", Message: fmt.Sprintf("%q: %v", text, err)})
			continue
		}
		in = append(in, iv)
	}
	if len(in) == 0 {
		return r, r.AddStatements(Statement{Ecosystem: ecosystem, Package: pkg, Status: UnderInvestigation,
			Detail: strings.Join(c.Ranges, " || ")})
	}
	a := Affected{Package: Package{Ecosystem: ecosystem, Name: pkg}, Ranges: Ranges(Ecosystem, ecosystem, in)}
	var err error
	if c.Severity != "" {
		a.EcosystemSpecific, err = json.Marshal(map[string]string{"severity": c.Severity}, encodeOptions)
	}
	r.Affected = []Affected{a}
	return r, err
}

// rootInterval reads comparisons that hold together.
func rootInterval(distribution, text string) (Interval, error) {
	iv := Interval{Introduced: "0"}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return iv, errors.New("empty")
	}
	for _, f := range fields {
		op := f[:len(f)-len(strings.TrimLeft(f, "<>="))]
		v := f[len(op):]
		if v == "" {
			return iv, fmt.Errorf("%q without a version", op)
		}
		switch op {
		case "<":
			iv.Fixed, iv.LastAffected = v, ""
		case "<=":
			iv.LastAffected, iv.Fixed = v, ""
		case ">=":
			iv.Introduced = v
		case ">":
			iv.Introduced = afterRoot(distribution, v)
		case "=", "==":
			iv = Interval{Introduced: v, LastAffected: v}
		default:
			return iv, fmt.Errorf("comparison %q", op)
		}
	}
	return iv, nil
}

// afterRoot returns a version just above one, so that no version anybody
// would build lies between: the next patch of Root's (.root.io.N), the next
// revision of apk (-rN), and for dpkg what follows the version with the least
// character that counts ("A~").
func afterRoot(distribution, version string) string {
	for _, mark := range []string{".root.io.", "+root.io.", "-r"} {
		i := strings.LastIndex(version, mark)
		if i < 0 || mark == "-r" && distribution != "alpine" {
			continue
		}
		if number := version[i+len(mark):]; isNumber(number) {
			return version[:i+len(mark)] + incrementDigits(number)
		}
	}
	switch {
	case distribution == "alpine":
		return version + "-r1" // no revision is revision 0
	case isDigitByte(version[len(version)-1]):
		return version + "A~"
	}
	return version + "0A~"
}
