package query

import (
	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// A CPEFinding is what the CPE configurations of one record say of a product.
type CPEFinding struct {
	ID     string
	Answer cpe.Answer
}

// CPE answers whether the product is affected when it runs on platforms: one
// finding for each record whose configurations name the product, in the order
// of IDs. The product's part, vendor and product must be said.
func CPE(db *store.DB, product cpe.Name, platforms ...cpe.Name) ([]CPEFinding, error) {
	ids, err := db.CPEs(product.Key())
	if err != nil {
		return nil, err
	}
	var list []CPEFinding
	for _, id := range ids {
		data, err := db.Record(id)
		if err != nil {
			return nil, err
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return nil, err
		}
		c, err := store.Configurations(r)
		if err != nil {
			return nil, err
		}
		list = append(list, CPEFinding{id, cpe.Match(c, product, platforms...)})
	}
	return list, nil
}
