package main

import (
	"fmt"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/store"
)

// states returns the table of sources with how fetching stands, and where
// each was fetched from.
func (r *syncRun) states(status map[string]store.Status) ([]store.SourceState, error) {
	list := r.known.states(status)
	for i := range list {
		state, err := r.store.Documents(list[i].Name).Load()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list[i].Name, err)
		}
		list[i].Inputs.URL, list[i].Inputs.Commit = sources.Origin(state)
	}
	return list, nil
}
