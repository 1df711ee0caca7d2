package query

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// A CPEFinding is what the CPE configurations of one record say of a product.
type CPEFinding struct {
	ID      string
	Product cpe.Name // the product asked about; of a question with wildcards, one that it means
	Answer  cpe.Answer
}

// ErrVague says that a CPE names no product at all.
var ErrVague = errors.New("vendor or product must be said")

// CPE answers whether the product is affected when it runs on platforms: one
// finding for each product meant and record whose configurations name it, in
// the order of IDs. Wildcards in part, vendor and product mean every product
// of which the state has configurations; ErrVague where both vendor and
// product are left open.
func CPE(db *store.DB, product cpe.Name, platforms ...cpe.Name) ([]CPEFinding, error) {
	keys, err := productKeys(db, product)
	if err != nil {
		return nil, err
	}
	var list []CPEFinding
	for _, key := range keys {
		if list, err = appendCPE(list, db, key, product, platforms); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b CPEFinding) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// productKeys are the products that a name means.
func productKeys(db *store.DB, product cpe.Name) (keys []string, err error) {
	if !product.Vague() {
		return []string{product.Key()}, nil
	}
	if product.Vendor == cpe.Any && product.Product == cpe.Any {
		return nil, fmt.Errorf("%s: %w", product, ErrVague)
	}
	err = db.Products(fixedPrefix(product), func(key string) error {
		n, err := cpe.Parse("cpe:2.3:" + key)
		if err == nil && product.MeansProduct(n) {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// fixedPrefix is what the keys of all products that n means begin with.
func fixedPrefix(n cpe.Name) string {
	if n.Part == cpe.Any {
		return ""
	}
	key := n.Key()
	if i := strings.IndexAny(key, `*?\`); i >= 0 {
		key = key[:i]
	}
	return key
}

func appendCPE(list []CPEFinding, db *store.DB, key string, product cpe.Name, platforms []cpe.Name) ([]CPEFinding, error) {
	ids, err := db.CPEs(key)
	if err != nil {
		return nil, err
	}
	meant, err := cpe.Parse("cpe:2.3:" + key)
	if err != nil {
		return nil, err
	}
	meant = product.WithProduct(meant)
	err = db.Lookup(ids, func(id string, data []byte) error {
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		c, err := store.Configurations(r)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if a := cpe.Match(c, meant, platforms...); a.Match != nil {
			list = append(list, CPEFinding{id, meant, a})
		}
		return nil
	})
	return list, err
}
