package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSorter sorts with buffers so small that most goes through runs.
func TestSorter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int{1, 300, 5000, 1 << 20} {
		s := newSorter(t.TempDir(), limit)
		for round := range 2 { // a sorter that was reset is as new
			type pair struct{ k, v string }
			var want []pair
			for i := range 2000 {
				p := pair{fmt.Sprintf("k%03d", rnd.IntN(300)), fmt.Sprint(i)}
				want = append(want, p)
				if err := s.add([]byte(p.k), []byte(p.v)); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortStableFunc(want, func(a, b pair) int { return bytes.Compare([]byte(a.k), []byte(b.k)) })
			if s.count != len(want) {
				t.Errorf("count %d, want %d", s.count, len(want))
			}
			var err error
			i := 0
			for k, v := range s.sorted(&err) {
				if string(k) != want[i].k || string(v) != want[i].v {
					t.Fatalf("limit %d, round %d: pair %d is %s %s, want %v", limit, round, i, k, v, want[i])
				}
				i++
			}
			if err != nil || i != len(want) {
				t.Fatalf("limit %d: %d of %d pairs, %v", limit, i, len(want), err)
			}
			if err := s.reset(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkSorter(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	keys := make([][]byte, 50_000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "CVE-%d-%d", 1999+rnd.IntN(27), rnd.IntN(100_000))
	}
	value := bytes.Repeat([]byte("0123456789abcdef"), 60)
	b.SetBytes(int64(len(keys) * (len(value) + 14)))
	b.ReportAllocs()
	for b.Loop() {
		s := newSorter(b.TempDir(), 16<<20)
		for _, k := range keys {
			if err := s.add(k, value); err != nil {
				b.Fatal(err)
			}
		}
		var err error
		for range s.sorted(&err) {
		}
		if err != nil || s.close() != nil {
			b.Fatal(err)
		}
	}
}
