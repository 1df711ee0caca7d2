package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// A CPEFinding is what the CPE configurations of one record say of a product.
type CPEFinding struct {
	ID     string
	Answer cpe.Answer
}

// ErrVague says that a CPE names no one product.
var ErrVague = errors.New("part, vendor and product must be said without wildcards")

// CPE answers whether the product is affected when it runs on platforms: one
// finding for each record whose configurations name the product, in the order
// of IDs. It returns ErrVague where part, vendor or product are left open.
func CPE(db *store.DB, product cpe.Name, platforms ...cpe.Name) ([]CPEFinding, error) {
	if product.Part == cpe.Any || strings.ContainsAny(string(product.Vendor+product.Product), "*?") {
		return nil, fmt.Errorf("%s: %w", product, ErrVague)
	}
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
		if a := cpe.Match(c, product, platforms...); a.Match != nil {
			list = append(list, CPEFinding{id, a})
		}
	}
	return list, nil
}
