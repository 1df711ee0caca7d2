package watch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkMatch is from an update to its events: an inventory of 1,000 SBOMs
// of 300 packages out of 20,000, and a delta of 1,000 records.
func BenchmarkMatch(b *testing.B) {
	const sboms, packages, all, delta = 1000, 300, 20_000, 1000
	dir := b.TempDir()
	v := open(b, dir)
	r := rand.New(rand.NewPCG(1, 2))
	fixed := make([]int, all)
	state := func() string {
		var s strings.Builder
		for i, f := range fixed {
			fmt.Fprintf(&s, "CVE-2026-%05d package-%d %d.0\n", i, i, f)
		}
		return s.String()
	}
	publish(b, dir, 1, state())
	for i := range sboms {
		var purls []string
		for range packages {
			purls = append(purls, fmt.Sprintf("pkg:pypi/package-%d@%d.5", int(float64(all)*r.Float64()*r.Float64()), r.IntN(4)))
		}
		if err := v.Add(fmt.Sprintf("sbom-%d", i), components(purls...), day); err != nil {
			b.Fatal(err)
		}
	}
	match(b, v)
	number := uint64(1)
	var sum Pass
	for b.Loop() {
		b.StopTimer()
		for range delta {
			fixed[r.IntN(all)]++
		}
		number++
		publish(b, dir, number, state())
		b.StartTimer()
		p := match(b, v)
		sum.SBOMs, sum.Components, sum.Events = sum.SBOMs+p.SBOMs, sum.Components+p.Components, sum.Events+p.Events
	}
	n := float64(b.N)
	b.ReportMetric(float64(sum.SBOMs)/n, "sboms/op")
	b.ReportMetric(float64(sum.Components)/n, "components/op")
	b.ReportMetric(float64(sum.Events)/n, "events/op")
}
