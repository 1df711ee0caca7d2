package snapshot

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// A world is a publisher with records that change as a test likes.
type world struct {
	t       testing.TB
	rnd     *rand.Rand
	now     time.Time
	records map[string]*normalize.Record
	scores  map[string][2]int // CVE → epss, percentile, in units of 1e-5
	keys    *Keyring
	repo    *Dir
	dir     string // of the publisher's database
	day     int
	temp    string
}

// newWorld is the same for each seed, but for its keys.
func newWorld(t testing.TB, seed uint64, records int) *world {
	t.Helper()
	temp := t.TempDir()
	keys, err := InitKeyring(filepath.Join(temp, "keys"), KeyringOptions{
		Origin: "test.example/main", Passphrase: func() ([]byte, error) { return []byte("pass"), nil },
		Now: testStart, cost: encrypted.Legacy,
	})
	if err != nil {
		t.Fatal(err)
	}
	repo, err := CreateDir(filepath.Join(temp, "repo"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: testStart, records: map[string]*normalize.Record{},
		scores: map[string][2]int{}, keys: keys, repo: repo, dir: filepath.Join(temp, "publisher"), temp: temp}
	for i := range records {
		w.put(i)
		w.scores[fmt.Sprintf("CVE-2024-%04d", i)] = [2]int{w.rnd.IntN(100000), w.rnd.IntN(100000)}
	}
	return w
}

var testStart = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

var testEcosystems = []string{"npm", "PyPI", "Debian:12", "Debian:13", "Go", "Alpine:v3.20"}

// put makes record i anew, of random ecosystems.
func (w *world) put(i int) {
	id := fmt.Sprintf("TEST-%05d", i)
	r := &normalize.Record{
		ID: id, Modified: w.now.Format(time.RFC3339), Published: "2024-01-01T00:00:00Z", SchemaVersion: "1.7.0",
		Summary: fmt.Sprintf("Weakness %d of a part", w.rnd.IntN(1000)), Aliases: []string{fmt.Sprintf("CVE-2024-%04d", i)},
		Details:          fmt.Sprintf("The parser reads %d bytes behind the end of its buffer when the header is %d bytes long.", w.rnd.IntN(4096), w.rnd.IntN(99)),
		DatabaseSpecific: []byte(`{"advdb":{"sources":["test"]}}`),
	}
	for range w.rnd.IntN(3) {
		r.Affected = append(r.Affected, normalize.Affected{
			Package: normalize.Package{Ecosystem: testEcosystems[w.rnd.IntN(len(testEcosystems))], Name: fmt.Sprintf("pkg%d", w.rnd.IntN(40))},
			Ranges:  []normalize.Range{{Type: normalize.Ecosystem, Events: []normalize.Event{{Introduced: "0"}, {Fixed: fmt.Sprintf("1.%d.0", w.rnd.IntN(50))}}}},
		})
	}
	w.records[id] = r
}

// churn changes a few records, as a release would.
func (w *world) churn() {
	w.now = w.now.Add(time.Hour)
	n := len(w.records)
	for range 1 + w.rnd.IntN(6) {
		w.put(w.rnd.IntN(n + 5))
	}
	ids := slices.Sorted(maps.Keys(w.records))
	for range w.rnd.IntN(3) {
		delete(w.records, ids[w.rnd.IntN(len(ids))])
	}
	for range w.rnd.IntN(4) {
		if r := w.records[ids[w.rnd.IntN(len(ids))]]; r != nil {
			again := *r
			again.Modified = w.now.Format(time.RFC3339)
			w.records[again.ID] = &again
		}
	}
	if w.rnd.IntN(3) == 0 {
		w.nextDay()
	}
}

// nextDay makes a day of scores: a few move, and with them most percentiles,
// by a rule.
func (w *world) nextDay() {
	w.day++
	shift := w.rnd.IntN(50)
	for _, cve := range slices.Sorted(maps.Keys(w.scores)) {
		s := w.scores[cve]
		s[1] = max(0, s[1]-shift*s[1]/100000)
		if w.rnd.IntN(40) == 0 {
			s = [2]int{w.rnd.IntN(100000), w.rnd.IntN(100000)}
		}
		w.scores[cve] = s
	}
	if w.rnd.IntN(5) == 0 {
		w.scores[fmt.Sprintf("CVE-2025-%04d", w.day)] = [2]int{w.rnd.IntN(100000), w.rnd.IntN(100000)}
	}
}

func (w *world) row(cve string) []byte {
	s := w.scores[cve]
	b := fmt.Appendf(nil, `{"date":"%s","epss":`, testStart.AddDate(0, 0, w.day).Format(time.DateOnly))
	b = append(appendDecimal(b, int64(s[0]), 5), `,"percentile":`...)
	return append(appendDecimal(b, int64(s[1]), 5), '}')
}

// db writes the records as a state of a database of their own.
func (w *world) db() *store.DB {
	w.t.Helper()
	rep, err := store.OpenReplica(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rep.Close()
	err = rep.Build(context.Background(), func(b *store.Builder) (store.StateInfo, error) {
		info := store.StateInfo{Number: 1, Created: w.now.Format(time.RFC3339), Sources: []store.SourceState{
			{Name: "epss", Enrich: true, Status: "ok", FetchedAt: w.now.Format(time.RFC3339)},
			{Name: "test", License: "CC0-1.0", Status: "ok", FetchedAt: w.now.Format(time.RFC3339), Documents: 3,
				Inputs: store.Inputs{DirHash: hashOf([]byte(w.now.String())).String(), URL: "https://feeds.example/test.zip", Commit: "c0ffee"}},
		}}
		for _, id := range slices.Sorted(maps.Keys(w.records)) {
			data, err := normalize.AppendEncode(nil, w.records[id])
			if err != nil {
				return info, err
			}
			if err := b.Record(w.records[id], data, []byte("x")); err != nil {
				return info, err
			}
		}
		for _, cve := range slices.Sorted(maps.Keys(w.scores)) {
			if err := b.Row("epss", []byte(cve), w.row(cve)); err != nil {
				return info, err
			}
		}
		return info, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := store.OpenDB(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { db.Close() })
	return db
}

func (w *world) publishOptions() PublishOptions {
	return PublishOptions{DB: w.db(), Repo: w.repo, Keys: w.keys, Now: w.now, Temp: w.temp}
}

// publish publishes what there is.
func (w *world) publish() Published {
	w.t.Helper()
	opt := w.publishOptions()
	out, err := Publish(context.Background(), opt)
	opt.DB.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// client is a folder that pulls.
func (w *world) client(name string) PullOptions {
	root, err := w.keys.FirstRoot()
	if err != nil {
		w.t.Fatal(err)
	}
	return PullOptions{Dir: filepath.Join(w.temp, name), Mirrors: []Reader{w.repo}, Root: root, Now: w.now, MinSpeed: -1}
}

// pull pulls, and must get what is published.
func (w *world) pull(opt PullOptions) Pulled {
	w.t.Helper()
	opt.Mirrors = slices.Clone(opt.Mirrors)
	out, err := Pull(context.Background(), opt)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// digest verifies a folder's state and returns its digest and number of records.
func (w *world) digest(dir string) string {
	w.t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	rep, err := db.Check(context.Background(), w.temp)
	if err != nil || rep.Broken > 0 {
		w.t.Fatalf("%s: %v %v", dir, err, rep.Problems)
	}
	return rep.Digest
}

// fileHash is what a replica's state is, byte for byte.
func (w *world) fileHash(dir string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "advdb.db"))
	if err != nil {
		return err.Error()
	}
	return hashOf(b).String()
}

// rows compares the enrichment table of a replica with the world's.
func (w *world) rows(dir string) {
	w.t.Helper()
	db, err := store.OpenDB(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	n := 0
	err = db.Rows("epss", func(k, v []byte) error {
		n++
		if want := w.row(string(k)); !bytes.Equal(v, want) {
			w.t.Errorf("row %s: %s, want %s", k, v, want)
		}
		return nil
	})
	if err != nil || n != len(w.scores) {
		w.t.Errorf("%d rows, want %d (%v)", n, len(w.scores), err)
	}
}
