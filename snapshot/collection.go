package snapshot

import (
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
)

// Records are in collections by the ecosystems that they speak of, without
// suffixes, so that a replica of some ecosystems can be verified by itself:
// "record/npm", "record/Go,npm", and "record/" for those of no ecosystem.
// Enrichment tables are collections of their own: "enrich/epss".
const (
	recordPrefix = "record/"
	enrichPrefix = "enrich/"
)

// collectionOf returns the collection of a record.
func collectionOf(r *normalize.Record) string {
	var one string
	var list []string
	for i := range r.Affected {
		e, _, _ := strings.Cut(r.Affected[i].Package.Ecosystem, ":")
		e = plainName(e)
		switch {
		case e == "" || e == one && list == nil:
		case one == "":
			one = e
		case !slices.Contains(list, e):
			if list == nil {
				list = append(list, one)
			}
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	if list == nil {
		return recordPrefix + one
	}
	slices.Sort(list)
	return recordPrefix + strings.Join(list, ",")
}

// plainName takes out of an ecosystem's name what would make a collection's
// ambiguous.
func plainName(e string) string {
	if !strings.ContainsAny(e, ",\x00/") {
		return e
	}
	return strings.Map(func(r rune) rune {
		if r == ',' || r == 0 || r == '/' {
			return '_'
		}
		return r
	}, e)
}

// ecosystemsOf returns the ecosystems of a record collection.
func ecosystemsOf(collection string) []string {
	return strings.Split(strings.TrimPrefix(collection, recordPrefix), ",")
}

// A selection is the ecosystems that a replica holds; nil is all.
type selection []string

// wants reports whether a collection belongs to the selection: enrichment
// always does, and records that speak of one of its ecosystems.
func (s selection) wants(collection string) bool {
	if s == nil || strings.HasPrefix(collection, enrichPrefix) {
		return true
	}
	return slices.ContainsFunc(ecosystemsOf(collection), func(e string) bool { return slices.Contains(s, e) })
}

// pick returns the collections of list that belong to the selection.
func (s selection) pick(list []Collection) []Collection {
	var out []Collection
	for _, c := range list {
		if s.wants(c.Name) {
			out = append(out, c)
		}
	}
	return out
}
