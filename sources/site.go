package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
	"go.yaml.in/yaml/v4"
)

// maxSiteFile bounds a file that describes a site's own feed, in bytes.
const maxSiteFile = 1 << 20

// LoadSite reads a site's own feeds: each *.yaml and *.yml in dir is one
// source (docs/site-feeds.md). They come in the order of their names.
//
// An error names the file, the line and the member: YAML that cannot be
// read, a member that is not known or missing, a name that is taken, an
// address that is none. All of what is wrong in all files is told at once.
func LoadSite(dir string) ([]Source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Source
	var errs []error
	taken := map[string]string{}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		file := filepath.Join(dir, e.Name())
		s, err := loadSiteFile(file)
		if err == nil && taken[s.Name] != "" {
			err = fmt.Errorf("%s: name: %q is taken by %s", file, s.Name, taken[s.Name])
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		taken[s.Name] = file
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	return list, errors.Join(errs...)
}

func loadSiteFile(file string) (Source, error) {
	data, err := readSmall(file)
	if err != nil {
		return Source{}, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		var at *yaml.LoadError
		if errors.As(err, &at) {
			err = fmt.Errorf("line %d: %s", at.Mark.Line, at.Message)
		}
		return Source{}, fmt.Errorf("%s: %w", file, err)
	}
	f := &siteFeed{dir: filepath.Dir(file), lines: map[string]int{}}
	if len(doc.Content) != 1 {
		return Source{}, fmt.Errorf("%s: line 1: empty", file)
	}
	if err := f.read(doc.Content[0]); err != nil {
		return Source{}, fmt.Errorf("%s: %w", file, err)
	}
	s, err := f.source()
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func readSmall(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSiteFile {
		return nil, &fs.PathError{Op: "read", Path: file, Err: ErrTooLarge}
	}
	return os.ReadFile(file)
}

// A siteFeed is a file as it is read.
type siteFeed struct {
	Name      string
	Home      string
	License   string
	Credit    string
	Every     string
	Kind      string
	URL       string
	Path      string // of a folder, relative to the file's
	Ecosystem string
	Strip     int
	Match     []string
	Not       []string

	dir   string
	lines map[string]int // by member
}

// read reads the members of the file.
func (f *siteFeed) read(root *yaml.Node) error {
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: members such as \"name: acme\" are expected", root.Line)
	}
	into := map[string]any{
		"name": &f.Name, "home": &f.Home, "license": &f.License, "credit": &f.Credit, "every": &f.Every, "kind": &f.Kind,
		"url": &f.URL, "path": &f.Path, "ecosystem": &f.Ecosystem, "strip": &f.Strip, "match": &f.Match, "not": &f.Not,
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		target, ok := into[k.Value]
		switch {
		case !ok:
			return fmt.Errorf("line %d: %q is no member of a feed", k.Line, k.Value)
		case f.lines[k.Value] > 0:
			return fmt.Errorf("line %d: %s: again, after line %d", k.Line, k.Value, f.lines[k.Value])
		}
		f.lines[k.Value] = k.Line
		if err := v.Load(target); err != nil {
			return fmt.Errorf("line %d: %s: %w", v.Line, k.Value, siteCause(err))
		}
	}
	return nil
}

// siteCause is what the YAML library says of one value, on one line.
func siteCause(err error) error {
	return errors.New(strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " "))
}

// bad is an error about a member: where it stands, or that it is missing.
func (f *siteFeed) bad(member, format string, args ...any) error {
	at := ""
	if line := f.lines[member]; line > 0 {
		at = fmt.Sprintf("line %d: ", line)
	}
	return fmt.Errorf("%s%s: %s", at, member, fmt.Sprintf(format, args...))
}

var siteName = lazyregexp.New(`^[a-z][a-z0-9-]{0,62}$`)

// source makes a source of what was read.
func (f *siteFeed) source() (Source, error) {
	kind, ok := siteKinds[f.Kind]
	switch {
	case f.Name == "":
		return Source{}, f.bad("name", "missing")
	case !siteName.MatchString(f.Name):
		return Source{}, f.bad("name", "%q is not made of a to z, 0 to 9 and \"-\"", f.Name)
	case f.Kind == "":
		return Source{}, f.bad("kind", "missing; one of %s", strings.Join(siteKindNames(), ", "))
	case !ok:
		return Source{}, f.bad("kind", "%q is not one of %s", f.Kind, strings.Join(siteKindNames(), ", "))
	}
	if _, known := ByName(f.Name); known {
		return Source{}, f.bad("name", "%q is a source that advdb has", f.Name)
	}
	if err := f.check(kind); err != nil {
		return Source{}, err
	}
	every := 6 * time.Hour
	if f.Every != "" {
		var err error
		if every, err = time.ParseDuration(f.Every); err != nil || every <= 0 {
			return Source{}, f.bad("every", "%q is no time such as 6h", f.Every)
		}
	}
	s := Source{
		Name: f.Name, Home: f.Home, License: f.License, Credit: f.Credit, Format: kind.format, Every: every, Version: 1,
		Parse: kind.parse(f),
	}
	if s.Home == "" {
		s.Home = f.URL + f.Path
	}
	if s.License == "" {
		s.License = "NOASSERTION"
	}
	if s.Credit == "" {
		s.Credit = f.Name
	}
	var err error
	s.Fetch, err = kind.fetch(f)
	return s, err
}

// check finds members that are missing, of no use, or wrong.
func (f *siteFeed) check(kind siteKind) error {
	for _, member := range []string{"url", "path", "ecosystem", "strip", "match", "not"} {
		if f.lines[member] > 0 && !slices.Contains(kind.members, member) {
			return f.bad(member, "means nothing for kind %s", f.Kind)
		}
	}
	switch {
	case slices.Contains(kind.members, "path"):
		if (f.URL == "") == (f.Path == "") {
			return f.bad("url", "either url or path is expected")
		}
	case f.URL == "":
		return f.bad("url", "missing")
	}
	if u, err := url.Parse(f.URL); f.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return f.bad("url", "%q is no address that begins with https://", f.URL)
	}
	if kind.ecosystem && !siteEcosystem.MatchString(f.Ecosystem) {
		return f.bad("ecosystem", "%q is no name such as \"Acme Linux\"", f.Ecosystem)
	}
	if f.Strip < 0 {
		return f.bad("strip", "%d is below 0", f.Strip)
	}
	for _, p := range append(slices.Clone(f.Match), f.Not...) {
		if !validPattern(p) {
			return f.bad("match", "%q is no pattern", p)
		}
	}
	return nil
}

var siteEcosystem = lazyregexp.New(`^[A-Za-z][A-Za-z0-9 ._-]*(:[^\s].*)?$`)

// validPattern reports whether each element of a pattern is well-formed.
func validPattern(p string) bool {
	for e := range strings.SplitSeq(p, "/") {
		if _, err := filepath.Match(e, ""); err != nil || e == "" {
			return false
		}
	}
	return true
}
