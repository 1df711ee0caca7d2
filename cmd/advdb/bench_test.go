package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/store"
)

// BenchmarkSync runs the real binary on real feeds: everything from nothing
// (first), the next day on top of it (next), and again with nothing new
// (again). It prints processor seconds, peak memory, records a processor
// second, and the size of the files a record.
func BenchmarkSync(b *testing.B) {
	day1, day2 := sharedtest.Path(b, "upstream", "day1"), sharedtest.Path(b, "upstream", "day2")
	bin := filepath.Join(b.TempDir(), "advdb")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	base := filepath.Join(b.TempDir(), "base")
	b.Run("first", func(b *testing.B) {
		var m measure
		for b.Loop() {
			os.RemoveAll(base)
			m.run(b, bin, base, day1)
		}
		m.report(b)
		reportSizes(b, base, m.cpu.Seconds()/float64(b.N))
	})
	b.Run("rebuild", func(b *testing.B) {
		var m measure
		for b.Loop() {
			m.command(b, exec.Command(bin, "rebuild", "-q", "--db", base))
		}
		m.report(b)
	})
	b.Run("next", func(b *testing.B) {
		var m measure
		for b.Loop() {
			b.StopTimer()
			dir := filepath.Join(b.TempDir(), "next")
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			m.run(b, bin, dir, day2)
			os.RemoveAll(dir)
		}
		m.report(b)
	})
	b.Run("again", func(b *testing.B) {
		var m measure
		for b.Loop() {
			m.run(b, bin, base, day1)
		}
		m.report(b)
	})
}

// measure adds up what runs of a command cost.
type measure struct {
	cpu  time.Duration
	peak int64 // KiB
}

func (m *measure) run(b *testing.B, bin, dir, upstream string) {
	b.Helper()
	m.command(b, exec.Command(bin, append([]string{"sync", "-q", "--db", dir, "--upstream", upstream}, realSources...)...))
}

func (m *measure) command(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	m.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.peak = max(m.peak, u.Maxrss)
	}
}

func (m *measure) report(b *testing.B) {
	b.ReportMetric(m.cpu.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(m.peak)/1024, "peak-MiB")
}

func reportSizes(b *testing.B, dir string, cpu float64) {
	db, err := store.OpenDB(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	n := float64(db.Meta().Records)
	b.ReportMetric(n/cpu, "records/cpu-s")
	for _, f := range []string{"advdb.db", "work.db"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err == nil {
			b.ReportMetric(float64(info.Size())/n, f+"-B/record")
		}
	}
}

// BenchmarkColdQuery runs the real binary for one question.
func BenchmarkColdQuery(b *testing.B) {
	day1 := sharedtest.Path(b, "upstream", "day1")
	bin, dir := filepath.Join(b.TempDir(), "advdb"), filepath.Join(b.TempDir(), "db")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	var setup measure
	setup.run(b, bin, dir, day1)
	for _, q := range []string{"pkg:npm/lodash@4.17.20", "pkg:pypi/django@3.2.0", "CVE-2021-44228"} {
		b.Run(filepath.Base(q), func(b *testing.B) {
			var m measure
			for b.Loop() {
				m.command(b, exec.Command(bin, "query", "-q", "--db", dir, q))
			}
			m.report(b)
		})
	}
	b.Run("version", func(b *testing.B) {
		var m measure
		for b.Loop() {
			m.command(b, exec.Command(bin, "vercmp", "npm", "1.0.0", "1.0.1"))
		}
		m.report(b)
	})
}
