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

// checkIndex compares the indexes with the entries that the records give. Of
// a state of another indexVersion only those are compared whose entries are
// the same.
func (d *DB) checkIndex(tx *bolt.Tx, rep *Report, index *sorter) error {
	ecosystems := map[string]int{}
	walks := map[byte]*indexWalk{}
	for tag, name := range indexBuckets {
		if d.meta.Index == indexVersion || tag == aliasTag {
			walks[tag] = newIndexWalk(tx, tag, name)
		}
	}
	var serr error
	var last []byte
	for k, v := range index.sorted(&serr) {
		if tag := k[0]; walks[tag] != nil && !bytes.Equal(k, last) {
			walks[tag].expect(rep, k[1:], v)
		}
		if k[0] == packageTag {
			ecosystems[entryEcosystem(k[1:])]++
		}
		last = append(last[:0], k...)
	}
	for _, w := range walks {
		w.skip(rep, nil)
	}
	if d.meta.Index != indexVersion {
		return serr
	}
	return checkEcosystems(tx, rep, ecosystems, serr)
}

// An indexWalk goes through one index in order.
type indexWalk struct {
	tag  byte
	name []byte
	cur  *bolt.Cursor
	k, v []byte
}

func newIndexWalk(tx *bolt.Tx, tag byte, name []byte) *indexWalk {
	w := &indexWalk{tag: tag, name: name, cur: tx.Bucket(name).Cursor()}
	w.k, w.v = w.cur.First()
	return w
}

// expect goes behind the entry that a record gives.
func (w *indexWalk) expect(rep *Report, key, v []byte) {
	w.skip(rep, key)
	switch {
	case !bytes.Equal(w.k, key):
		rep.problem("index %s: %q is missing", w.name, key)
		return
	case !bytes.Equal(w.v, v):
		rep.problem("index %s: %q is not what the record says", w.name, key)
	}
	w.k, w.v = w.cur.Next()
}

// skip goes to the first entry at or behind key, nil for the end. What lies
// before it belongs to no record; of a binary package that is in order.
func (w *indexWalk) skip(rep *Report, key []byte) {
	for w.k != nil && (key == nil || bytes.Compare(w.k, key) < 0) {
		if w.tag != binaryTag {
			rep.problem("index %s: %q belongs to no record", w.name, w.k)
		}
		w.k, w.v = w.cur.Next()
	}
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
