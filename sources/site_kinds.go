package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
)

// A siteKind is a way to fetch and a format that a site's feed can have.
type siteKind struct {
	format    string
	members   []string // of the file, beside those that all kinds have
	ecosystem bool     // the format needs to be told the ecosystem
	fetch     func(f *siteFeed) (Fetch, error)
	parse     func(f *siteFeed) normalize.Parser
}

// siteKinds are the kinds by name.
var siteKinds = map[string]siteKind{
	"csaf": {
		format: "csaf", members: []string{"url", "ecosystem"},
		fetch: func(f *siteFeed) (Fetch, error) { return CSAFProvider(f.URL), nil },
		parse: func(f *siteFeed) normalize.Parser { return normalize.CSAF(f.Ecosystem, f.prefix()) },
	},
	"oval": {
		format: "oval", members: []string{"url", "ecosystem"}, ecosystem: true,
		fetch: func(f *siteFeed) (Fetch, error) { return File("oval.xml", f.URL), nil },
		parse: func(f *siteFeed) normalize.Parser { return normalize.OVAL(f.Ecosystem, f.prefix()) },
	},
	"osv-directory": {
		format: "osv", members: []string{"url", "path", "match", "not"}, parse: parseOSV,
		fetch: func(f *siteFeed) (Fetch, error) {
			sel := f.selection()
			if f.Path == "" {
				return Index(f.URL, sel.Match...), nil
			}
			dir := filepath.FromSlash(f.Path)
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(f.dir, dir)
			}
			return Folder(dir, sel), nil
		},
	},
	"osv-archive": {
		format: "osv", members: []string{"url", "strip", "match", "not"}, parse: parseOSV,
		fetch: func(f *siteFeed) (Fetch, error) {
			if _, _, err := archiveForm(f.URL); err != nil {
				return nil, f.bad("url", "%v", err)
			}
			return Archive("", f.URL, f.selection()), nil
		},
	},
	"osv-bucket": {
		format: "osv", members: []string{"url"}, parse: parseOSV,
		fetch: func(f *siteFeed) (Fetch, error) { return BucketAt(f.URL), nil },
	},
	"osv-list": {
		format: "osv", members: []string{"url"}, parse: parseOSV,
		fetch: func(f *siteFeed) (Fetch, error) { return Listed(f.URL, f.URL[:strings.LastIndexByte(f.URL, '/')]), nil },
	},
	"rolie": {
		format: "csaf", members: []string{"url", "ecosystem"},
		fetch: func(f *siteFeed) (Fetch, error) { return ROLIE(f.URL), nil },
		parse: func(f *siteFeed) normalize.Parser { return normalize.CSAF(f.Ecosystem, f.prefix()) },
	},
	"secdb": {
		format: "secdb", members: []string{"url", "ecosystem"}, ecosystem: true,
		fetch: func(f *siteFeed) (Fetch, error) { return File("security.json", f.URL), nil },
		parse: func(f *siteFeed) normalize.Parser { return normalize.SecDB(f.Ecosystem) },
	},
}

// siteKindNames are the names of all kinds, sorted.
func siteKindNames() []string { return slices.Sorted(maps.Keys(siteKinds)) }

func parseOSV(*siteFeed) normalize.Parser { return normalize.OSV }

// prefix begins the IDs made for what the feed says of a CVE.
func (f *siteFeed) prefix() string { return strings.ToUpper(f.Name) }

// selection says which files are records: all .json, if the file does not
// say.
func (f *siteFeed) selection() Selection {
	sel := Selection{Strip: f.Strip, Match: f.Match, Not: f.Not}
	if len(sel.Match) == 0 {
		sel.Match = []string{"**/*.json"}
	}
	return sel
}

// Folder takes the documents of a local folder: its files, and those of the
// folders in it, that are selected. What it lacks is deleted. A folder without
// any is an error, so that one that is not mounted takes nothing away. Links
// that lead out of it are not followed.
func Folder(dir string, sel Selection) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return err
		}
		defer root.Close()
		seen := map[string]struct{}{}
		var errs []error
		err = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return errors.Join(err, context.Cause(ctx))
			}
			name := sel.name(p)
			if name == "" || !e.Type().IsRegular() {
				return nil
			}
			seen[name] = struct{}{}
			err = putFile(m, root, p, name)
			if err != nil && !ofDocument(err) {
				return err
			}
			errs = append(errs, err)
			return nil
		})
		if err == nil && len(seen) == 0 {
			err = fmt.Errorf("%w: no file of it is wanted", ErrIncomplete)
		}
		if err == nil {
			err = m.sweepOthers(seen)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		return errors.Join(errors.Join(errs...), m.Commit(ctx, nil))
	}
}

func putFile(m *Mirror, root *os.Root, p, name string) error {
	f, err := root.Open(filepath.FromSlash(path.Clean(p)))
	if err != nil {
		return err
	}
	defer f.Close()
	return m.Put(name, f)
}
