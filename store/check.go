package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/advdb/advdb/normalize"
	bolt "go.etcd.io/bbolt"
)

// A Report is what Check found.
type Report struct {
	Records  int
	Digest   string   // SHA-256 over all records in key order, see [DB.Check]
	Problems []string // broken invariants, the first shownProblems of them
	Broken   int      // how many there are
}

// shownProblems is how many problems a report names.
const shownProblems = 100

func (r *Report) problem(format string, args ...any) {
	r.Broken++
	if len(r.Problems) < shownProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Check verifies every invariant of a state: that the file is sound; that
// records are in order, canonical, and named by their key; that the indexes
// have all of what the records say and nothing else; that the numbers are
// right. dir is where it may sort.
//
// The digest is the SHA-256 of, for each record in the order of IDs, the ID,
// a NUL, its canonical JSON, and a newline. It is the same wherever the
// records are the same.
func (d *DB) Check(ctx context.Context, dir string) (rep Report, err error) {
	index := newSorter(dir, indexLimit)
	defer index.close()
	err = d.db.View(func(tx *bolt.Tx) error {
		for e := range tx.Check() {
			rep.problem("file: %v", e)
		}
		h := sha256.New()
		if err := d.checkRecords(ctx, tx, &rep, h, index); err != nil {
			return err
		}
		rep.Digest = hex.EncodeToString(h.Sum(nil))
		if err := d.checkIndex(tx, &rep, index); err != nil {
			return err
		}
		return d.checkTables(tx, &rep)
	})
	return rep, err
}

func (d *DB) checkRecords(ctx context.Context, tx *bolt.Tx, rep *Report, h hash.Hash, index *sorter) error {
	t, ok := openTable(tx, recordTable)
	if !ok {
		rep.problem("records: no table")
		return nil
	}
	last := ""
	sources := map[string]int{}
	var terr error
	for k, v := range t.from(nil, &terr) {
		if err := ctx.Err(); err != nil {
			return err
		}
		id := string(k)
		if rep.Records > 0 && id <= last {
			rep.problem("records: %q is not behind %q", id, last)
		}
		last = id
		rep.Records++
		h.Write(k)
		h.Write([]byte{0})
		h.Write(v)
		h.Write([]byte{'\n'})
		if err := checkRecord(id, v, rep, sources, index); err != nil {
			return err
		}
	}
	if terr != nil {
		rep.problem("records: %v", terr)
	}
	if rep.Records != d.meta.Records {
		rep.problem("records: %d are there, the state says %d", rep.Records, d.meta.Records)
	}
	list, err := d.Sources()
	if err != nil {
		return err
	}
	for _, s := range list {
		if !s.Enrich && s.Records != sources[s.Name] {
			rep.problem("source %s: %d records name it, the state says %d", s.Name, sources[s.Name], s.Records)
		}
	}
	return nil
}

func checkRecord(id string, data []byte, rep *Report, sources map[string]int, index *sorter) error {
	r, err := normalize.Decode(data)
	if err != nil {
		rep.problem("record %s: %v", id, err)
		return nil
	}
	if r.ID != id {
		rep.problem("record %s: its ID is %q", id, r.ID)
	}
	if again, err := normalize.AppendEncode(nil, r); err != nil || !bytes.Equal(again, data) {
		rep.problem("record %s: not canonical (%v)", id, err)
	}
	var o normalize.Origin
	if _, err := r.Specific("advdb", &o); err != nil || len(o.Sources) == 0 {
		rep.problem("record %s: names no source (%v)", id, err)
	}
	for _, s := range o.Sources {
		sources[s]++
	}
	return addEntries(index, r)
}

// checkIndex compares the indexes with the entries that the records give.
func (d *DB) checkIndex(tx *bolt.Tx, rep *Report, index *sorter) error {
	ecosystems := map[string]int{}
	cursors := map[byte]*bolt.Cursor{}
	expect := func(tag byte) (k, v []byte) {
		c, ok := cursors[tag]
		if !ok {
			c = tx.Bucket(indexBuckets[tag]).Cursor()
			cursors[tag] = c
			return c.First()
		}
		return c.Next()
	}
	var serr error
	for k, v := range index.sorted(&serr) {
		tag, key := k[0], k[1:]
		if tag == packageTag {
			ecosystems[entryEcosystem(key)]++
		}
		ik, iv := expect(tag)
		for ik != nil && bytes.Compare(ik, key) < 0 {
			rep.problem("index %s: %q belongs to no record", indexBuckets[tag], ik)
			ik, iv = expect(tag)
		}
		switch {
		case !bytes.Equal(ik, key):
			rep.problem("index %s: %q is missing", indexBuckets[tag], key)
			cursors[tag].Prev()
		case !bytes.Equal(iv, v):
			rep.problem("index %s: %q is not what the record says", indexBuckets[tag], key)
		}
	}
	for tag, name := range indexBuckets {
		for k, _ := expect(tag); k != nil; k, _ = expect(tag) {
			rep.problem("index %s: %q belongs to no record", name, k)
		}
	}
	return checkEcosystems(tx, rep, ecosystems, serr)
}

func checkEcosystems(tx *bolt.Tx, rep *Report, want map[string]int, err error) error {
	if err != nil {
		return err
	}
	b := tx.Bucket(ecosystemBucket)
	for e, n := range want {
		if have := listSize(b.Get([]byte(e))); have != n {
			rep.problem("ecosystem %s: %d package entries, the state says %d", e, n, have)
		}
	}
	return b.ForEach(func(k, _ []byte) error {
		if want[string(k)] == 0 {
			rep.problem("ecosystem %s: no package entries", k)
		}
		return nil
	})
}

// checkTables reads the enrichment tables from end to end.
func (d *DB) checkTables(tx *bolt.Tx, rep *Report) error {
	return eachTable(tx, func(source string, t table) error {
		var terr error
		last := ""
		for k, v := range t.from(nil, &terr) {
			if string(k) <= last && last != "" || len(v) == 0 {
				rep.problem("table %s: bad row %q", source, k)
			}
			last = string(k)
		}
		if terr != nil {
			rep.problem("table %s: %v", source, terr)
		}
		return nil
	})
}
