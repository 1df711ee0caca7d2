package snapshot

import (
	"testing"
)

// benchPast is a repository of a dozen releases, opened as a client does.
func benchPast(b *testing.B) *Releases {
	w := newWorld(b, 51, 3000)
	for range 12 {
		w.churn()
		w.publish()
	}
	root, err := w.keys.FirstRoot()
	if err != nil {
		b.Fatal(err)
	}
	l, err := OpenReleases(b.Context(), ReleasesOptions{Repos: []Reader{w.repo}, Root: root})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkHistory asks for the history of one record over twelve releases.
func BenchmarkHistory(b *testing.B) {
	l := benchPast(b)
	b.ReportAllocs()
	for b.Loop() {
		if list, err := l.History(b.Context(), "TEST-00700", HistoryOptions{}); err != nil || len(list) == 0 {
			b.Fatal(list, err)
		}
	}
}

// BenchmarkCompareReleases compares the first of twelve releases with the last.
func BenchmarkCompareReleases(b *testing.B) {
	l := benchPast(b)
	from, err := l.Number(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		if err := l.Compare(b.Context(), from, l.Newest(), CompareOptions{Temp: b.TempDir()}, func(Change) error { n++; return nil }); err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(n), "changes")
}
