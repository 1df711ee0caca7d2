package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
)

// An oracleContext is under what a package is affected.
type oracleContext struct {
	release, arch, module, flavour string
}

// oracleKey names one affected entry: a context without its architecture,
// and a package.
type oracleKey struct {
	context oracleContext
	name    string
}

// affected emits the second piece of a record.
func (o *oracleOVAL) affected(content *ovalContent, def *ovalDefinition) error {
	found := map[oracleKey]map[Interval][]string{} // architectures by interval
	commented := 0
	w := &ovalWalk{
		content: content,
		bounds:  oracleBounds,
		match: func(context, packages []ovalLeaf) error {
			commented += boolInt(packages[0].commented)
			if err := o.match(def.id, context, packages, found); err != nil {
				o.report(def.id, "bad-criteria", err.Error())
			}
			return nil
		},
		drop: func(err error) { o.report(def.id, "bad-criteria", err.Error()) },
	}
	if err := w.walk(&def.criteria, [][]ovalLeaf{nil}); err != nil {
		return err
	}
	if commented > 0 {
		o.report(def.id, "missing-tests", fmt.Sprintf("%d packages read from comments", commented))
	}
	if len(found) == 0 {
		o.report(def.id, "no-packages", "criteria name no package")
		return nil
	}
	r := &Record{ID: def.id}
	for key, intervals := range found {
		affected, err := key.affected(intervals)
		if err != nil {
			return err
		}
		r.Affected = append(r.Affected, affected...)
	}
	slices.SortFunc(r.Affected, func(a, b Affected) int {
		return cmp.Or(strings.Compare(a.Package.Ecosystem, b.Package.Ecosystem), strings.Compare(a.Package.Name, b.Package.Name),
			compareValues(a.EcosystemSpecific, b.EcosystemSpecific))
	})
	return o.emit(r)
}

const oracleRelease = "oraclelinux-release"

func oracleBounds(l *ovalLeaf) bool {
	_, ok := l.condition("evr")
	return ok && l.kind == "rpminfo" && !slices.Contains(l.names, oracleRelease)
}

// match notes one alternative.
func (o *oracleOVAL) match(id string, context, packages []ovalLeaf, found map[oracleKey]map[Interval][]string) error {
	iv, versions, err := ovalInterval(packages)
	if err != nil {
		return fmt.Errorf("%s: %w", packages[0].names, err)
	}
	if len(versions) > 0 {
		return fmt.Errorf("%s: single versions", packages[0].names)
	}
	c := oracleContext{flavour: cmp.Or(oracleFlavour(iv.end()), o.about[id].flavour)}
	for i := range context {
		if err := c.add(&context[i]); err != nil {
			return err
		}
	}
	if c.release == "" {
		if c.release = oraclePlatform(o.about[id].platforms); c.release == "" {
			return fmt.Errorf("%s: no release", packages[0].names)
		}
	}
	arch := c.arch
	c.arch = ""
	for _, name := range packages[0].names {
		k := oracleKey{c, name}
		if found[k] == nil {
			found[k] = map[Interval][]string{}
		}
		found[k][iv] = addOnce(found[k][iv], arch)
	}
	return nil
}

// oraclePlatform returns the release of the one platform of a definition
// whose criteria name none.
func oraclePlatform(platforms []string) string {
	if len(platforms) != 1 {
		return ""
	}
	rest, ok := strings.CutPrefix(platforms[0], "Oracle Linux ")
	if !ok {
		return ""
	}
	return rest
}

// add reads one test of the context.
func (c *oracleContext) add(l *ovalLeaf) error {
	if l.negate {
		return fmt.Errorf("negated test of %s %s", l.kind, l.names)
	}
	if l.kind == "textfilecontent54" {
		var err error
		c.module, err = ovalModule(l)
		return err
	}
	known := false
	for _, cond := range l.conditions {
		switch cond.field {
		case "signature_keyid":
			known = true
		case "version":
			if slices.Contains(l.names, oracleRelease) {
				c.release, known = ovalLiteral(cond.value), true
			}
		case "arch":
			c.arch, known = ovalLiteral(cond.value), true
		case "release":
			if f := oracleFlavour(cond.value); f != "" {
				c.flavour, known = f, true
			}
		}
	}
	if !known {
		return fmt.Errorf("unknown test of %s %s", l.kind, l.names)
	}
	return nil
}

// ovalLiteral takes the anchors and quoting out of a pattern that is one
// word: "^8", "x86_64", "^7\.9$".
func ovalLiteral(pattern string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$"), `\`, "")
}

var (
	ovalModuleFile   = lazyregexp.New(`/modules\.d/([^/]+)\.module$`)
	ovalModuleHead   = lazyregexp.New(`\\\[([^\\\]]+)\\\]`)
	ovalModuleStream = lazyregexp.New(`stream\\s\*=\\s\*((?:[^\\\[\]()|*+?\s]|\\[^\w\s])+)`)
	errNoStream      = errors.New("test of a module without a stream")
)

// ovalModule reads "name:stream" of a test that a module stream is enabled,
// as the RPM distributions write it: a pattern on the text of the module's
// file, in which the stream stands before or behind the state, or both.
func ovalModule(l *ovalLeaf) (string, error) {
	var name string
	if m := ovalModuleFile.FindStringSubmatch(l.path); m != nil {
		name = m[1]
	} else if m := ovalModuleHead.FindStringSubmatch(l.pattern); m != nil {
		name = m[1]
	}
	cond, _ := l.condition("text")
	stream := ""
	for _, m := range ovalModuleStream.FindAllStringSubmatch(cond.value, -1) {
		s := strings.ReplaceAll(m[1], `\`, "")
		if stream != "" && s != stream {
			return "", fmt.Errorf("module %s: streams %s and %s in one test", name, stream, s)
		}
		stream = s
	}
	if name == "" || stream == "" {
		return "", fmt.Errorf("%q: %w", cond.value, errNoStream)
	}
	return name + ":" + stream, nil
}

// affected makes the entries of a package: one for each set of architectures
// that have the same intervals.
func (k oracleKey) affected(intervals map[Interval][]string) ([]Affected, error) {
	byArch := map[string][]Interval{}
	for iv, arches := range intervals {
		key := strings.Join(set(arches), " ")
		if slices.Contains(arches, "") {
			key = ""
		}
		byArch[key] = append(byArch[key], iv)
	}
	var out []Affected
	for arches, in := range byArch {
		eco := "Oracle Linux:" + k.context.release
		if k.context.flavour != "" {
			eco += ":" + k.context.flavour
		}
		specific, err := k.specific(strings.Fields(arches))
		if err != nil {
			return nil, err
		}
		out = append(out, Affected{
			Package:           Package{Ecosystem: eco, Name: k.name},
			EcosystemSpecific: specific,
			Ranges:            Ranges(Ecosystem, eco, in),
		})
	}
	return out, nil
}

func (k oracleKey) specific(arches []string) ([]byte, error) {
	s := struct {
		Arch    []string `json:"arch,omitempty"`
		Flavour string   `json:"flavour,omitempty"`
		Module  string   `json:"module,omitempty"`
	}{arches, k.context.flavour, k.context.module}
	if len(arches) == 0 && s.Flavour == "" && s.Module == "" {
		return nil, nil
	}
	return json.Marshal(s, encodeOptions)
}
