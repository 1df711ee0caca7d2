package snapshot

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// benchRecords is the size of the state that benchmarks run on.
const benchRecords = 20000

func benchWorld(b *testing.B) (*world, int64) {
	w := newWorld(b, 99, benchRecords)
	db := w.db()
	defer db.Close()
	var n int64
	err := db.Records("", func(id string, data []byte) error {
		n += int64(len(id) + len(data))
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return w, n
}

// BenchmarkPublishBase is a first release, applied and compared.
func BenchmarkPublishBase(b *testing.B) {
	w, n := benchWorld(b)
	b.SetBytes(n)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		repo, err := CreateDir(filepath.Join(w.temp, fmt.Sprint("repo", i)))
		if err != nil {
			b.Fatal(err)
		}
		w.repo = repo
		out := w.publish()
		b.ReportMetric(float64(out.BaseSize)/benchRecords, "B/record")
		repo.Close()
	}
}

// BenchmarkPullFull is a pull into nothing.
func BenchmarkPullFull(b *testing.B) {
	w, n := benchWorld(b)
	w.publish()
	c := w.client("replica")
	b.SetBytes(n)
	b.ReportAllocs()
	for b.Loop() {
		if err := os.RemoveAll(c.Dir); err != nil {
			b.Fatal(err)
		}
		w.pull(c)
	}
}

// BenchmarkPullDelta is a pull of a release in which 1,000 records changed.
func BenchmarkPullDelta(b *testing.B) {
	w, _ := benchWorld(b)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	for i := range 1000 {
		w.put(i * 7)
	}
	w.publish()
	held, err := os.ReadFile(filepath.Join(c.Dir, "advdb.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var got Pulled
	for b.Loop() {
		b.StopTimer()
		if err := os.WriteFile(filepath.Join(c.Dir, "advdb.db"), held, 0o644); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if got = w.pull(c); got.From != 1 || got.Full {
			b.Fatalf("%+v", got)
		}
	}
	b.ReportMetric(float64(got.Bytes)/1000, "B/record") // with all that is signed
}

// BenchmarkPullNothing is a pull with nothing new.
func BenchmarkPullNothing(b *testing.B) {
	w, _ := benchWorld(b)
	w.publish()
	c := w.client("replica")
	w.pull(c)
	b.ReportAllocs()
	for b.Loop() {
		got := w.pull(c)
		if got.Changed {
			b.Fatal("changed")
		}
		b.ReportMetric(float64(got.Requests), "requests")
		b.ReportMetric(float64(got.Bytes), "B")
	}
}
