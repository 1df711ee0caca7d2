package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json/jsontext"
	bolt "go.etcd.io/bbolt"
)

// anyProduct is where products are indexed whose names hold wildcards
// ("h:intel:*"): they may be meant by any question.
const anyProduct = "*"

// cpeProducts are the products that the record's CPE configurations name. Of
// configurations that cannot be read there are none: the record keeps them.
func cpeProducts(r *normalize.Record) []string {
	configurations, err := Configurations(r)
	if err != nil || len(configurations) == 0 {
		return nil
	}
	products := cpe.Products(configurations)
	for i, p := range products {
		if hasWildcard(p) {
			products[i] = anyProduct
		}
	}
	slices.Sort(products)
	return slices.Compact(products)
}

// hasWildcard reports whether a product's key holds a "*" or "?" that is not
// quoted by a backslash.
func hasWildcard(key string) bool {
	for i := 0; i < len(key); i++ {
		switch key[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}

// Configurations returns the CPE configurations of a record: those of NVD
// (database_specific.nvd.configurations) or, where NVD has none, one for each
// product that the CVE's own containers give a CPE
// (database_specific.cve.affected).
func Configurations(r *normalize.Record) (cpe.Configurations, error) {
	if bytes.Contains(r.DatabaseSpecific, []byte(`"configurations"`)) {
		var nvd struct {
			Configurations jsontext.Value `json:"configurations"`
		}
		ok, err := r.Specific("nvd", &nvd)
		if err != nil {
			return nil, err
		}
		if ok && len(nvd.Configurations) > 0 {
			if c, err := cpe.Decode(nvd.Configurations); err != nil || len(c) > 0 {
				return c, err
			}
		}
	}
	if !bytes.Contains(r.DatabaseSpecific, []byte(`"cpes"`)) {
		return nil, nil
	}
	var cve struct {
		Affected []cveProduct `json:"affected"`
	}
	if _, err := r.Specific("cve", &cve); err != nil {
		return nil, err
	}
	var c cpe.Configurations
	for i := range cve.Affected {
		if list := cve.Affected[i].criteria(); len(list) > 0 {
			c = append(c, cpe.One(list))
		}
	}
	return c, nil
}

// A cveProduct is one element of database_specific.cve.affected.
type cveProduct struct {
	CPEs     []string          `json:"cpes"`
	Ranges   []normalize.Range `json:"ranges"`
	Versions []string          `json:"versions"`
}

// criteria says of each of the product's CPEs what its versions say: a
// criterion for each range and version. Where there is none, the CPE alone
// speaks; of a product whose text could not be read it would say too much, and
// such a one has neither.
func (p *cveProduct) criteria() (list []cpe.Criterion) {
	for _, name := range p.CPEs {
		n, err := cpe.Parse(name)
		if err != nil {
			continue
		}
		if n.Version != cpe.Any {
			list = append(list, cpe.Criterion{Vulnerable: true, Criteria: name})
			continue
		}
		for _, v := range p.Versions {
			one := n
			one.Version = cpeVersion(v)
			list = append(list, cpe.Criterion{Vulnerable: true, Criteria: one.String()})
		}
		for i := range p.Ranges {
			list = append(list, rangeCriteria(name, &p.Ranges[i])...)
		}
	}
	return list
}

// cpeVersion quotes a version for a CPE, in which it is lower case.
func cpeVersion(v string) cpe.Value {
	return cpe.Value(strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(strings.ToLower(v)))
}

// rangeCriteria writes the spans of a range as bounds of a CPE.
func rangeCriteria(name string, rg *normalize.Range) (list []cpe.Criterion) {
	set := versioncmp.Compile(versioncmp.ForCPE(), [][]versioncmp.Event{versionEvents(rg.Events)}, nil)
	for _, s := range set.Spans() {
		m := cpe.Criterion{Vulnerable: true, Criteria: name}
		if s.Lo.Version != "0" {
			m.VersionStartIncluding = s.Lo.Version
		}
		if s.Hi.Inclusive {
			m.VersionEndIncluding = s.Hi.Version
		} else {
			m.VersionEndExcluding = s.Hi.Version
		}
		list = append(list, m)
	}
	return list
}

// CPEs returns the IDs of records whose CPE configurations name the product
// (part:vendor:product), or may by a wildcard, in order.
func (d *DB) CPEs(product string) (ids []string, err error) {
	for _, key := range []string{product, anyProduct} {
		err := d.scan(cpeBucket, append([]byte(key), 0), func(rest, _ []byte) error {
			ids = append(ids, string(rest))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Products calls yield with each product (part:vendor:product, quoted as in a
// CPE) that a configuration names without wildcards and that begins with
// prefix, in order, until it returns an error.
func (d *DB) Products(prefix string, yield func(product string) error) error {
	return d.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(cpeBucket)
		if b == nil {
			return errors.New("no index of CPEs")
		}
		c := b.Cursor()
		k, _ := c.Seek([]byte(prefix))
		for k != nil && bytes.HasPrefix(k, []byte(prefix)) {
			key, _, ok := bytes.Cut(k, []byte{0})
			if !ok {
				return errCorrupt
			}
			product := string(key)
			if product != anyProduct {
				if err := yield(product); err != nil {
					return err
				}
			}
			k, _ = c.Seek([]byte(product + "\x01"))
		}
		return nil
	})
}
