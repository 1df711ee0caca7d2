package normalize

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// A generator is a document made while it is read.
type generator struct {
	head, tail string
	item       func(i int) string
	n, next    int
	rest       string
}

func (g *generator) Read(p []byte) (int, error) {
	for g.rest == "" {
		switch {
		case g.next == 0:
			g.rest = g.head
		case g.next <= g.n:
			g.rest = g.item(g.next)
		case g.next == g.n+1:
			g.rest = g.tail
		default:
			return 0, io.EOF
		}
		g.next++
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// Feeds of any size are read in bounded memory: the live heap while the last
// records are emitted is what it was while the first were.
func TestParsersStream(t *testing.T) {
	comma := func(i int) string {
		if i == 1 {
			return ""
		}
		return ","
	}
	tests := []struct {
		doc    string
		parser Parser
		body   *generator
	}{
		{"security.json", SecDB("Wolfi"), &generator{head: `{"packages":[`, tail: `]}`, n: 200_000, item: func(i int) string {
			return fmt.Sprintf(`%s{"pkg":{"name":"p%d","secfixes":{"1.%d-r0":["CVE-2024-%d"]}}}`, comma(i), i, i, 10000+i)
		}}},
		{"tracker.json", Debian, &generator{head: `{`, tail: `}`, n: 200_000, item: func(i int) string {
			return fmt.Sprintf(`%s"p%d":{"CVE-2024-%d":{"releases":{"sid":{"status":"open"}}}}`, comma(i), i, 10000+i)
		}}},
		{"DSA/list", Debian, &generator{n: 200_000, item: func(i int) string {
			return fmt.Sprintf("[29 Mar 2023] DSA-%d-1 p - x\n\t{CVE-2024-%d}\n\t[sid] - p 1-%d\n", i, 10000+i, i)
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.doc, func(t *testing.T) {
			n, before := 0, uint64(0)
			err := tt.parser(Doc{Name: tt.doc, Body: tt.body}, func(*Record) error {
				switch n++; n {
				case 1000:
					before = liveHeap()
				case 199_000:
					if after := liveHeap(); after > before+1<<20 {
						t.Errorf("the heap grew by %d KiB", (after-before)>>10)
					}
				}
				return nil
			})
			if err != nil || n != 200_000 {
				t.Errorf("%d records, error %v", n, err)
			}
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func benchParser(b *testing.B, p Parser, doc string, path ...string) {
	data, err := os.ReadFile(sharedtest.Path(b, append([]string{"upstream", "day1"}, path...)...))
	if err != nil {
		b.Fatal(err)
	}
	text := string(data)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p(Doc{Name: doc, Body: strings.NewReader(text)}, func(*Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSecDB(b *testing.B) {
	benchParser(b, SecDB("Wolfi"), "security.json", "packages.wolfi.dev", "os", "security.json")
}

func BenchmarkDebianTracker(b *testing.B) {
	benchParser(b, Debian, "tracker.json", "security-tracker.debian.org", "tracker", "data", "json")
}

func BenchmarkDebianList(b *testing.B) {
	benchParser(b, Debian, "DSA/list", "salsa.debian.org", "security-tracker-team", "security-tracker", "-", "raw", "master", "data", "DSA", "list")
}

func BenchmarkOSVYAML(b *testing.B) {
	var docs []string
	size := 0
	walkArchive(b, sharedtest.Path(b, "upstream", "day1", "github.com", "pypa", "advisory-database", "archive", "refs", "heads", "main.tar.gz"),
		func(d sharedDoc) {
			if strings.HasSuffix(d.name, ".yaml") && strings.Contains(d.name, "/vulns/") && len(docs) < 200 {
				docs = append(docs, string(d.data))
				size += len(d.data)
			}
		})
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, d := range docs {
			if err := OSVYAML(Doc{Body: strings.NewReader(d)}, func(*Record) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkUnite unites the pieces of all IDs of Debian's tracker.
func BenchmarkUnite(b *testing.B) {
	f, err := os.Open(sharedtest.Path(b, "upstream", "day1", "security-tracker.debian.org", "tracker", "data", "json"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	pieces := map[string][]*Record{}
	err = Debian(Doc{Name: "tracker.json", Body: f}, func(r *Record) error {
		pieces[r.ID] = append(pieces[r.ID], r)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, p := range pieces {
			if len(p) > 1 {
				dst := *p[0]
				if err := Unite(&dst, p[1:]...); err != nil {
					b.Fatal(err)
				}
				n++
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/ID")
}
