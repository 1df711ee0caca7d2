package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/store"
)

// A registry is the sources that a command works with: advdb's own and the
// site's, in the order of their names.
type registry []sources.Source

// registry returns the sources. The site's are those of --sources-d, else of
// $ADVDB_SOURCES_D, else of sources.d in the database's folder, which alone
// need not be there.
func (a *app) registry() (registry, error) {
	if a.known != nil {
		return a.known, nil
	}
	dir, optional := a.siteDir, false
	if dir == "" {
		dir = a.getenv("ADVDB_SOURCES_D")
	}
	if dir == "" {
		dir, optional = filepath.Join(a.dir, "sources.d"), true
	}
	site, err := sources.LoadSite(dir)
	if err != nil && !(optional && errors.Is(err, fs.ErrNotExist)) {
		return nil, usageError{fmt.Errorf("the site's own feeds: %w", err)}
	}
	list := slices.Concat(sources.All, site)
	slices.SortFunc(list, func(a, b sources.Source) int { return strings.Compare(a.Name, b.Name) })
	a.known = list
	return a.known, nil
}

// byName returns the source of that name.
func (r registry) byName(name string) (sources.Source, bool) {
	for _, s := range r {
		if s.Name == name {
			return s, true
		}
	}
	return sources.Source{}, false
}

// pick returns the named sources, all for none.
func (r registry) pick(names []string) ([]sources.Source, error) {
	if len(names) == 0 {
		return r, nil
	}
	var list []sources.Source
	for _, n := range names {
		s, ok := r.byName(n)
		if !ok {
			return nil, usagef("no source %q; see \"advdb sources\"", n)
		}
		list = append(list, s)
	}
	return list, nil
}

// feeds returns all sources as the store wants them: what is due is parsed,
// whichever sources are fetched.
func (r registry) feeds() []store.Feed {
	list := make([]store.Feed, len(r))
	for i, s := range r {
		list[i] = store.Feed{Name: s.Name, Version: s.Version, Enrich: s.Enrich, Parse: s.Parse}
	}
	return list
}

// states returns the table of sources with how fetching stands.
func (r registry) states(status map[string]store.Status) []store.SourceState {
	list := make([]store.SourceState, len(r))
	for i, s := range r {
		st := status[s.Name]
		list[i] = store.SourceState{
			Name: s.Name, Home: s.Home, License: s.License, Credit: s.Credit, Format: s.Format, Enrich: s.Enrich,
			FetchedAt: st.FetchedAt, Status: "never", Error: st.Error,
		}
		switch {
		case st.Error != "":
			list[i].Status = "error"
		case st.FetchedAt != "":
			list[i].Status = "ok"
		}
	}
	return list
}
