package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
)

// scaleRecords are the sizes of the states that BenchmarkSnapshot publishes.
// Memory that grows between them grows with the number of records.
var scaleRecords = []int{150_000, 300_000, 600_000}

// BenchmarkSnapshot runs the real binary: publishes a state of real records,
// some of them under more than one ID, as a first release, pulls it into
// nothing, and pulls a day of change. It prints what each costs.
func BenchmarkSnapshot(b *testing.B) {
	day1 := sharedtest.Path(b, "upstream", "day1")
	temp := b.TempDir()
	bin, real := filepath.Join(temp, "advdb"), filepath.Join(temp, "real")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	if out, err := exec.Command(bin, "sync", "-q", "--db", real, "--upstream", day1).CombinedOutput(); err != nil {
		b.Logf("sync: %v\n%s", err, out) // feeds that are not of this day
	}
	s := &scale{bin: bin, env: append(os.Environ(), "ADVDB_KEY_PASSPHRASE=bench", "TMPDIR="+temp)}
	for _, n := range scaleRecords {
		b.Run(fmt.Sprint(n), func(b *testing.B) { s.bench(b, real, n) })
	}
}

// A scale is how BenchmarkSnapshot runs the binary.
type scale struct {
	bin string
	env []string
}

func (s *scale) bench(b *testing.B, real string, records int) {
	temp := b.TempDir()
	db, keys, repo := filepath.Join(temp, "db"), filepath.Join(temp, "keys"), filepath.Join(temp, "repo")
	data := multiply(b, real, db, records)
	var setup measure
	setup.command(b, s.command("keys", "init", "--keys", keys, "--origin", "bench.example/scale"))
	publish := []string{"publish", "--db", db, "--repo", repo, "--keys", keys, "--json", "-q"}
	pull := []string{"pull", repo, "--db", filepath.Join(temp, "replica"), "--root", filepath.Join(keys, "tuf", "1.root.json"), "-q"}
	b.Run("publish", func(b *testing.B) {
		var m measure
		b.SetBytes(data)
		for b.Loop() {
			os.RemoveAll(repo)
			m.command(b, s.command(publish...))
		}
		m.report(b)
		b.ReportMetric(float64(records), "records")
	})
	b.Run("pull", func(b *testing.B) {
		var m measure
		b.SetBytes(data)
		for b.Loop() {
			os.RemoveAll(filepath.Join(temp, "replica"))
			m.command(b, s.command(pull...))
		}
		m.report(b)
		b.ReportMetric(float64(records), "records")
		b.ReportMetric(float64(treeSize(b, filepath.Join(repo, "blob")))/float64(records), "B/record")
	})
	b.Run("verify", func(b *testing.B) {
		var m measure
		b.SetBytes(data)
		for b.Loop() {
			m.command(b, s.command("verify", "-q", "--db", filepath.Join(temp, "replica")))
		}
		m.report(b)
	})
}

func (s *scale) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin, args...)
	cmd.Env = s.env
	return cmd
}

// multiply makes a state of so many records, and all rows of tables, out of
// those of another: each under its ID with "A-", then each with "B-" before
// it, and so on. It returns the bytes of the records.
func multiply(b *testing.B, from, to string, records int) (size int64) {
	b.Helper()
	db, err := store.OpenDB(from)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rep, err := store.OpenReplica(to)
	if err != nil {
		b.Fatal(err)
	}
	defer rep.Close()
	err = rep.Build(b.Context(), func(w *store.Builder) (store.StateInfo, error) {
		left := records
		for pass := 'A'; left > 0; pass++ {
			if err := copyUnder(db, w, string(pass)+"-", &left, &size); err != nil {
				return store.StateInfo{}, err
			}
		}
		sources, err := db.Sources()
		if err != nil {
			return store.StateInfo{}, err
		}
		tables, err := db.Tables()
		for _, t := range tables {
			err = errors.Join(err, db.Rows(t, func(k, v []byte) error { return w.Row(t, k, v) }))
		}
		return store.StateInfo{Number: 1, Created: db.Meta().Created, Sources: sources}, err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// errPlenty ends a walk over records.
var errPlenty = errors.New("plenty")

func copyUnder(db *store.DB, w *store.Builder, prefix string, left *int, size *int64) error {
	var buf []byte
	err := db.Records("", func(_ string, data []byte) error {
		if *left == 0 {
			return errPlenty
		}
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		r.ID = prefix + r.ID
		if buf, err = normalize.AppendEncode(buf[:0], r); err != nil {
			return err
		}
		*left--
		*size += int64(len(buf))
		return w.Record(r, buf, []byte("x"))
	})
	if err == errPlenty {
		return nil
	}
	return err
}

// treeSize is the size of all files of a folder.
func treeSize(b *testing.B, dir string) (n int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

