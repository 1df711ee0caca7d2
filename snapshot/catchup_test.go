package snapshot

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// catchUps are what random ways from one release to a later one cost.
type catchUps struct {
	list []catchUp
	base int // for so many the base was cheaper
}

// A catchUp is one of them.
type catchUp struct {
	from, to uint64
	files    int
	bytes    int64 // of the segments of the way
	perfect  int64 // of one segment that has what differs between the two, and no more
}

// measureCatchUps goes n random ways in a repository that has all of its
// releases: by segments alone, each time to the signed root.
func measureCatchUps(t testing.TB, w *world, n int) *catchUps {
	t.Helper()
	h := newPastStates(t, w)
	rnd := rand.New(rand.NewPCG(7, 7))
	c := &catchUps{}
	for range n {
		to := 2 + rnd.Uint64N(h.last-1)
		from := 1 + rnd.Uint64N(to-1)
		m := h.manifest(to)
		segs, cost := cheapest(sortedSegments(m.Segments), from, to)
		if cost < 0 {
			continue // the oldest segments of each level are named no more
		}
		if best, err := m.plan(from); err != nil {
			t.Fatal(err)
		} else if best.base {
			c.base++
		}
		if got := h.catchUp(from, m, segs); got != m.StateRoot {
			t.Errorf("from %d to %d: root %s, signed %s", from, to, got, m.StateRoot)
		}
		c.list = append(c.list, catchUp{from, to, len(segs), cover{segments: segs}.bytes(), h.perfect(from, to)})
	}
	return c
}

// pastStates are the releases of a repository.
type pastStates struct {
	t    testing.TB
	w    *world
	last uint64
	had  map[uint64]*Manifest
	libs map[uint64]*library
}

func newPastStates(t testing.TB, w *world) *pastStates {
	last := w.manifest()
	h := &pastStates{t, w, last.Version, map[uint64]*Manifest{last.Version: last}, map[uint64]*library{}}
	for v := range last.Version - 1 {
		entry, err := logEntry(t.Context(), w.repo, int64(v), int64(last.Version))
		if err != nil {
			t.Fatal(err)
		}
		var l Leaf
		if err := decodeJSON(entry, &l); err != nil {
			t.Fatal(err)
		}
		data, err := readAll(t.Context(), w.repo, targetPath(manifestTarget, l.Manifest), maxManifest)
		if err != nil {
			t.Fatalf("release %d: %v", l.Version, err)
		}
		if h.had[l.Version], err = decodeManifest(data); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, l := range h.libs {
			l.close()
		}
	})
	return h
}

func (h *pastStates) manifest(v uint64) *Manifest { return h.had[v] }

// open opens segments that the manifest of a release names.
func (h *pastStates) open(v uint64, list []Segment) []*segmentReader {
	h.t.Helper()
	if h.libs[v] == nil {
		h.libs[v] = newLibrary(h.w.repo, h.had[v], h.w.temp)
	}
	segs, err := h.libs[v].segments(h.t.Context(), list)
	if err != nil {
		h.t.Fatal(err)
	}
	return segs
}

// from opens what leads to a release from nothing.
func (h *pastStates) from(v uint64) []*segmentReader {
	way, err := h.had[v].plan(0)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.open(v, way.segments)
}

// catchUp applies segments to the state of a release and returns its root.
func (h *pastStates) catchUp(from uint64, m *Manifest, way []Segment) Hash {
	h.t.Helper()
	before, segs := h.from(from), h.open(m.Version, way)
	f := newForest()
	for it, err := range mergeRecords(mergeRecords(noItems, 0, before, nil), from, segs, nil) {
		if err != nil {
			h.t.Fatal(err)
		}
		f.add(it.collection, it.key, valueHash(it.data))
	}
	names := append(tableNames(before), tableNames(segs)...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		for it, err := range mergeTable(name, mergeTable(name, noItems, 0, before), from, segs) {
			if err != nil {
				h.t.Fatal(err)
			}
			f.add(name, it.key, valueHash(it.data))
		}
	}
	return topRoot(f.collections())
}

// perfect is the size of the segment that one would make who knew which
// release is held.
func (h *pastStates) perfect(from, to uint64) int64 {
	h.t.Helper()
	var dict *dictionary
	if list := h.had[to].Dictionaries; len(list) > 0 {
		var err error
		if dict, err = readDictionary(h.t.Context(), h.w.repo, list[len(list)-1]); err != nil {
			h.t.Fatal(err)
		}
	}
	w, err := newSegmentWriter(from, to, dict)
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.close()
	d := newDiffer(w, to)
	before, after := h.from(from), h.from(to)
	if err := d.diffRecords(mergeRecords(noItems, 0, before, nil), mergeRecords(noItems, 0, after, nil)); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range tableNames(after) {
		if err := d.diffTable(name, mergeTable(name, noItems, 0, before), mergeTable(name, noItems, 0, after)); err != nil {
			h.t.Fatal(err)
		}
	}
	s, err := w.finish(io.Discard)
	if err != nil {
		h.t.Fatal(err)
	}
	return s.Size
}

func (c *catchUps) mostFiles() (n int) {
	for _, x := range c.list {
		n = max(n, x.files)
	}
	return n
}

// BenchmarkCatchUp makes 200 releases of 5,000 records, of which one in 200
// changes each time, and compares 300 random ways with perfect deltas: without
// tables, and with one in which each third release moves all rows.
func BenchmarkCatchUp(b *testing.B) {
	for _, tables := range []bool{false, true} {
		b.Run(map[bool]string{false: "records", true: "tables"}[tables], func(b *testing.B) {
			for b.Loop() {
				w := newWorld(b, 71, 5000)
				if !tables {
					clear(w.scores)
				}
				for range 200 {
					at := w.now.Add(time.Hour)
					for range 6 {
						w.churn()
					}
					w.now = at
					w.publishKeeping()
				}
				c := measureCatchUps(b, w, 300)
				ratio, lines := c.report()
				b.Log(strings.Join(lines, "\n"))
				b.ReportMetric(ratio, "x-perfect")
				b.ReportMetric(float64(c.mostFiles()), "files")
			}
		})
	}
}

// report prints files and bytes against those of perfect deltas, by how far
// behind.
func (c *catchUps) report() (ratio float64, lines []string) {
	var bytes, perfect int64
	for _, far := range [][2]uint64{{1, 1}, {2, 8}, {9, 30}, {31, 100}, {101, 1 << 20}} {
		var some []catchUp
		var b, p int64
		for _, x := range c.list {
			if d := x.to - x.from; d >= far[0] && d <= far[1] {
				some = append(some, x)
				b, p = b+x.bytes, p+x.perfect
			}
		}
		bytes, perfect = bytes+b, perfect+p
		if len(some) == 0 {
			continue
		}
		slices.SortFunc(some, func(x, y catchUp) int { return cmp.Compare(x.bytes*y.perfect, y.bytes*x.perfect) })
		files := make([]int, len(some))
		for i, x := range some {
			files[i] = x.files
		}
		slices.Sort(files)
		mid, most := some[len(some)/2], some[len(some)-1]
		lines = append(lines, fmt.Sprintf("%d to %d behind: %d ways, files median %d, most %d; %d bytes each, a perfect delta %d; ratio %.2f, median %.2f, most %.2f",
			far[0], min(far[1], 200), len(some), files[len(files)/2], files[len(files)-1], b/int64(len(some)), p/int64(len(some)),
			float64(b)/float64(p), float64(mid.bytes)/float64(mid.perfect), float64(most.bytes)/float64(most.perfect)))
	}
	ratio = float64(bytes) / float64(perfect)
	return ratio, append(lines, fmt.Sprintf("all: %d ways, %d bytes, perfect deltas %d: ratio %.2f; of %d the base was cheaper", len(c.list), bytes, perfect, ratio, c.base))
}
