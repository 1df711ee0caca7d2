package query

import "github.com/advdb/advdb/store"

// Known is what a state has of an ID.
type Known struct {
	ID     string
	Record []byte       // canonical JSON; nil if no record has this ID
	Links  []store.Link // records that name the ID
	Rows   map[string][]byte
}

// Empty reports whether nothing is known of the ID.
func (k *Known) Empty() bool { return k.Record == nil && len(k.Links) == 0 && len(k.Rows) == 0 }

// ID returns what the state has of an ID or alias: its record, the records
// that name it, and what the enrichment tables say, by source.
func ID(db *store.DB, id string) (k Known, err error) {
	k.ID = id
	if k.Record, err = db.Record(id); err != nil {
		return k, err
	}
	if k.Links, err = db.Links(id); err != nil {
		return k, err
	}
	k.Rows, err = db.Enrichment(id)
	return k, err
}
