package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// scaleRecords are the sizes of the states that BenchmarkSnapshot publishes.
// Memory that grows between them grows with the number of records.
var scaleRecords = []int{150_000, 300_000, 600_000}

// BenchmarkSnapshot runs the real binary on states of real records, some of
// them under more than one ID: a first release, a pull of it into nothing, a
// verification, a release in which 1,000 records changed, a pull of that, and
// one with nothing new. It prints what each costs.
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
	sizes := scaleRecords
	if testing.Short() {
		sizes = []int{20_000}
	}
	for _, n := range sizes {
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
	db, next, keys, repo := filepath.Join(temp, "db"), filepath.Join(temp, "next"), filepath.Join(temp, "keys"), filepath.Join(temp, "repo")
	replica, held := filepath.Join(temp, "replica"), filepath.Join(temp, "held")
	data := multiplied(b, real, db, records, 0)
	multiplied(b, real, next, records, changedRecords)
	var setup measure
	setup.command(b, s.command("keys", "init", "--keys", keys, "--origin", "bench.example/scale"))
	publish := []string{"publish", "--repo", repo, "--keys", keys, "--json", "-q", "--db"}
	pull := []string{"pull", repo, "--root", filepath.Join(keys, "tuf", "1.root.json"), "--json", "-q", "--db", replica}
	b.Run("publish", func(b *testing.B) {
		b.SetBytes(data)
		s.loop(b, append(publish, db), nil, func() { os.RemoveAll(repo) })
		b.ReportMetric(float64(treeSize(b, filepath.Join(repo, "blob")))/float64(records), "B/record")
	})
	b.Run("pull", func(b *testing.B) {
		b.SetBytes(data)
		s.loop(b, pull, nil, func() { os.RemoveAll(replica) })
	})
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(data)
		s.loop(b, []string{"verify", "-q", "--db", replica}, nil, nil)
	})
	if err := os.CopyFS(held, os.DirFS(replica)); err != nil {
		b.Fatal(err)
	}
	b.Run("publish-next", func(b *testing.B) {
		b.SetBytes(data)
		before := filepath.Join(temp, "before")
		if err := os.CopyFS(before, os.DirFS(repo)); err != nil {
			b.Fatal(err)
		}
		s.loop(b, append(publish, next), nil, func() {
			os.RemoveAll(repo)
			if err := os.CopyFS(repo, os.DirFS(before)); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("delta", func(b *testing.B) {
		var got snapshot.Pulled
		s.loop(b, pull, &got, func() {
			os.RemoveAll(replica)
			if err := os.CopyFS(replica, os.DirFS(held)); err != nil {
				b.Fatal(err)
			}
		})
		if !got.Changed || got.Full {
			b.Fatalf("%+v", got)
		}
		b.ReportMetric(float64(got.Bytes)/changedRecords, "B/record")
	})
	b.Run("nothing", func(b *testing.B) {
		var got snapshot.Pulled
		s.loop(b, pull, &got, nil)
		if got.Changed {
			b.Fatalf("%+v", got)
		}
		b.ReportMetric(float64(got.Requests), "requests")
		b.ReportMetric(float64(got.Bytes), "B")
	})
}

// changedRecords is how many records a release changes of which the delta is
// measured.
const changedRecords = 1000

// loop runs the binary, each time behind prepare, and reports what it cost. out
// takes what it printed last.
func (s *scale) loop(b *testing.B, args []string, out any, prepare func()) {
	b.Helper()
	var m measure
	for b.Loop() {
		if prepare != nil {
			b.StopTimer()
			prepare()
			b.StartTimer()
		}
		if text := m.output(b, s.command(args...)); out != nil {
			if err := json.Unmarshal(text, out); err != nil {
				b.Fatalf("%v\n%s", err, text)
			}
		}
	}
	m.report(b)
}

func (s *scale) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.bin, args...)
	cmd.Env = s.env
	return cmd
}

// output runs a command as command does and returns what it printed.
func (m *measure) output(b *testing.B, cmd *exec.Cmd) []byte {
	b.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v\n%s", err, errs.Bytes())
	}
	m.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.peak = max(m.peak, u.Maxrss)
	}
	return out.Bytes()
}

// multiplyEnv tells TestMultiply what to do: from, to, records, change.
const multiplyEnv = "ADVDB_TEST_MULTIPLY"

// multiplied runs multiply in a process of its own and returns what it does:
// the peak memory of a process on Linux is at least that of who started it.
func multiplied(b *testing.B, from, to string, records, change int) (size int64) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMultiply$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %q %q", multiplyEnv, records, change, from, to))
	out, err := cmd.CombinedOutput()
	_, rest, _ := bytes.Cut(out, []byte("bytes: "))
	if _, serr := fmt.Sscan(string(rest), &size); err != nil || serr != nil {
		b.Fatalf("%v, %v\n%s", err, serr, out)
	}
	return size
}

// TestMultiply is the other process of multiplied.
func TestMultiply(t *testing.T) {
	var from, to string
	var records, change int
	if _, err := fmt.Sscanf(os.Getenv(multiplyEnv), "%d %d %q %q", &records, &change, &from, &to); err != nil {
		t.Skip("is run by BenchmarkSnapshot")
	}
	size, err := multiply(t.Context(), from, to, records, change)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("bytes:", size)
}

// multiply makes a state of so many records, and all rows of tables, out of
// those of another: each under its ID with "A-", then each with "B-" before
// it, and so on. So many of them, evenly, say one thing more. It returns the
// bytes of the records.
func multiply(ctx context.Context, from, to string, records, change int) (int64, error) {
	db, err := store.OpenDB(from)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	rep, err := store.OpenReplica(to)
	if err != nil {
		return 0, err
	}
	defer rep.Close()
	c := &copier{left: records}
	if change > 0 {
		c.every = records / change
	}
	err = rep.Build(ctx, func(w *store.Builder) (store.StateInfo, error) {
		c.w = w
		for pass := 'A'; c.left > 0; pass++ {
			if err := c.copy(db, string(pass)+"-"); err != nil {
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
	return c.size, err
}

// errPlenty ends a walk over records.
var errPlenty = errors.New("plenty")

// A copier copies records under other IDs.
type copier struct {
	w     *store.Builder
	left  int
	every int // each of so many records is changed; 0: none
	size  int64
	buf   []byte
}

func (c *copier) copy(db *store.DB, prefix string) error {
	err := db.Records("", func(_ string, data []byte) error {
		if c.left == 0 {
			return errPlenty
		}
		c.left--
		r, err := normalize.Decode(data)
		if err != nil {
			return err
		}
		r.ID = prefix + r.ID
		if c.every > 0 && c.left%c.every == 0 {
			r.Modified, r.Aliases = "2026-11-22T00:00:00Z", append(r.Aliases, fmt.Sprint("CVE-2026-", 10000+c.left))
		}
		if c.buf, err = normalize.AppendEncode(c.buf[:0], r); err != nil {
			return err
		}
		c.size += int64(len(c.buf))
		return c.w.Record(r, c.buf, []byte("x"))
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
