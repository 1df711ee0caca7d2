package main

import (
	"fmt"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json/jsontext"
)

func (a *app) queryID(db *store.DB, id string) error {
	k, err := query.ID(db, id)
	if err != nil {
		return err
	}
	if k.Empty() {
		fmt.Fprintf(a.stderr, "%s: nothing is known of it\n", id)
		return errBad
	}
	if a.json {
		return a.printKnown(&k)
	}
	if k.Record != nil {
		v := jsontext.Value(k.Record)
		if err := v.Indent(); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s\n", v)
	}
	for _, l := range k.Links {
		fmt.Fprintf(a.stdout, "%s names it as %s\n", l.ID, linkWords(l))
	}
	for _, src := range sortedKeys(k.Rows) {
		fmt.Fprintf(a.stdout, "%s: %s\n", src, k.Rows[src])
	}
	return nil
}

// printKnown prints what is known of an ID as one object.
func (a *app) printKnown(k *query.Known) error {
	type named struct {
		ID string   `json:"id"`
		As []string `json:"as"`
	}
	links := []named{}
	for _, l := range k.Links {
		links = append(links, named{l.ID, strings.Split(linkWords(l), ", ")})
	}
	rows := map[string]jsontext.Value{}
	for src, v := range k.Rows {
		rows[src] = v
	}
	record := jsontext.Value(k.Record)
	if k.Record == nil {
		record = jsontext.Value("null")
	}
	return a.printJSON(map[string]any{"id": k.ID, "record": record, "named_by": links, "enrichment": rows})
}

func linkWords(l store.Link) string {
	var w []string
	if l.Alias {
		w = append(w, "alias")
	}
	if l.Upstream {
		w = append(w, "upstream")
	}
	if l.Related {
		w = append(w, "related")
	}
	return strings.Join(w, ", ")
}
