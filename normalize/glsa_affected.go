package normalize

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

const gentoo = "Gentoo"

// glsaAtoms are the runs of versions that the atoms of one slot match.
type glsaAtoms struct{ vulnerable, unaffected glsaSet }

// affected reads a <package>, and skips the <service> of infrastructure.
func (g *glsa) affected(name string, attrs []xml.Attr) error {
	pkg := strings.TrimSpace(attr(attrs, "name"))
	if name != "package" {
		return g.scan.skip()
	}
	arch := attr(attrs, "arch")
	slots := map[string]*glsaAtoms{}
	err := g.scan.each(func(name string, attrs []xml.Attr) error {
		text, err := g.scan.text()
		if err != nil || name != "vulnerable" && name != "unaffected" {
			return err
		}
		slot := attr(attrs, "slot")
		if slot == "*" {
			slot = ""
		}
		run, err := glsaAtom(attr(attrs, "range"), text)
		if err != nil {
			g.report("bad-range", fmt.Sprintf("%s: %s: %v", pkg, name, err))
			return nil
		}
		if slots[slot] == nil {
			slots[slot] = &glsaAtoms{}
		}
		if a := slots[slot]; name == "vulnerable" {
			a.vulnerable = append(a.vulnerable, run)
		} else {
			a.unaffected = append(a.unaffected, run)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if pkg == "" {
		g.report("unreadable-entry", "a package without a name")
		return nil
	}
	return g.entries(pkg, arch, slots)
}

// entries adds an entry of affected for each slot.
func (g *glsa) entries(pkg, arch string, slots map[string]*glsaAtoms) error {
	all := slots[""]
	if all == nil {
		all = &glsaAtoms{}
	}
	var named []string
	for slot := range slots {
		if slot != "" {
			named = append(named, slot)
		}
	}
	slices.Sort(named)
	for _, slot := range append(named, "") {
		vulnerable, unaffected := all.vulnerable, all.unaffected
		if slot != "" {
			vulnerable = slices.Concat(vulnerable, slots[slot].vulnerable)
			unaffected = slices.Concat(unaffected, slots[slot].unaffected)
		}
		left := vulnerable.without(unaffected)
		if len(left) == 0 {
			continue
		}
		a := Affected{
			Package: Package{Ecosystem: gentoo, Name: pkg},
			Ranges:  Ranges(Ecosystem, gentoo, left.intervals()),
		}
		if err := glsaSpecific(&a, slot, named, arch); err != nil {
			return err
		}
		g.record.Affected = append(g.record.Affected, a)
	}
	return nil
}

func glsaSpecific(a *Affected, slot string, named []string, arch string) (err error) {
	v := struct {
		Arch     []string `json:"arch,omitempty"`
		NotSlots []string `json:"not_slots,omitempty"`
		Slot     string   `json:"slot,omitempty"`
	}{Slot: slot}
	if arch != "*" {
		v.Arch = set(strings.FieldsFunc(arch, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }))
	}
	if slot == "" {
		v.NotSlots = named
	}
	if len(v.Arch) > 0 || v.Slot != "" || len(v.NotSlots) > 0 {
		a.EcosystemSpecific, err = json.Marshal(v, encodeOptions)
	}
	return err
}

var errGLSAWildcard = errors.New("a wildcard that is not behind a number")

// glsaAtom reads one atom. The operators are those of glsa.dtd; rge, rgt, rle
// and rlt compare revisions of one version.
func glsaAtom(op, version string) (glsaRun, error) {
	if version == "*" && op == "eq" || version == "" && op == "" {
		return glsaRun{lo: glsaLow, hi: glsaHigh}, nil
	}
	if prefix, ok := strings.CutSuffix(version, "*"); ok && op == "eq" {
		return glsaWildcard(prefix)
	}
	before, after, err := glsaPoints(version)
	if err != nil {
		return glsaRun{}, err
	}
	base, _, _ := strings.Cut(version, "-r")
	first, _, err := glsaPoints(base)
	if err != nil {
		return glsaRun{}, err
	}
	last, _, err := glsaPoints(base + "_p0") // above all revisions of base, below all that follow it
	if err != nil {
		return glsaRun{}, err
	}
	switch op {
	case "lt":
		return glsaRun{glsaLow, before}, nil
	case "le":
		return glsaRun{glsaLow, after}, nil
	case "eq":
		return glsaRun{before, after}, nil
	case "ge":
		return glsaRun{before, glsaHigh}, nil
	case "gt":
		return glsaRun{after, glsaHigh}, nil
	case "rlt":
		return glsaRun{first, before}, nil
	case "rle":
		return glsaRun{first, after}, nil
	case "rge":
		return glsaRun{before, last}, nil
	case "rgt":
		return glsaRun{after, last}, nil
	}
	return glsaRun{}, fmt.Errorf("range %q", op)
}

// glsaWildcard reads "1.2*", which matches all versions whose components
// begin with those (PMS 8.3.1): from 1.2_alpha0 up to 1.3_alpha0.
func glsaWildcard(prefix string) (glsaRun, error) {
	prefix = strings.TrimSuffix(prefix, ".")
	i := strings.LastIndexByte(prefix, '.') + 1
	number := prefix[i:]
	if !isNumber(number) {
		return glsaRun{}, fmt.Errorf("%q: %w", prefix+"*", errGLSAWildcard)
	}
	lo, _, err := glsaPoints(prefix + "_alpha0")
	if err != nil {
		return glsaRun{}, err
	}
	hi, _, err := glsaPoints(prefix[:i] + incrementDigits(number) + "_alpha0")
	return glsaRun{lo, hi}, err
}
