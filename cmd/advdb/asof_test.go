package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/advdb/advdb/store"
)

// TestParseWhen reads what names a past release.
func TestParseWhen(t *testing.T) {
	for s, want := range map[string]when{
		"12":                        {number: 12},
		"2026-08-01":                {time: time.Date(2026, 8, 1, 23, 59, 59, 0, time.UTC)},
		"2026-08-01T10:30:00Z":      {time: time.Date(2026, 8, 1, 10, 30, 0, 0, time.UTC)},
		"2026-08-01T10:30:00+02:00": {time: time.Date(2026, 8, 1, 8, 30, 0, 0, time.UTC)},
	} {
		got, err := parseWhen(s)
		if err != nil || got.number != want.number || !got.time.Equal(want.time) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "-3", "yesterday", "2026-13-01", "2026-08-01 10:00", "./12", "18446744073709551616"} {
		if got, err := parseWhen(s); err == nil {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

// TestPrune keeps the states that were used last, what is being made, and
// what is not ours.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	start := time.Now().Add(-time.Hour)
	for i := range 7 {
		at := filepath.Join(dir, fmt.Sprint(i+1))
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		// 4 was used last, then 3, 2, 1, 7, 6, 5.
		when := start.Add(time.Duration((i+3)%7) * time.Minute)
		if err := os.Chtimes(at, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "notes"), 0o755); err != nil {
		t.Fatal(err)
	}
	busy, err := store.OpenReplica(filepath.Join(dir, "5"))
	if err != nil {
		t.Fatal(err)
	}
	old := start.Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "5"), old, old); err != nil {
		t.Fatal(err)
	}
	left := func() (names []string) {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, e.Name())
		}
		return names
	}
	if err := prune(dir, 4); err != nil {
		t.Fatal(err)
	}
	if got, want := left(), []string{"1", "2", "3", "4", "5", "notes"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	busy.Close()
	if err := prune(dir, 1); err != nil {
		t.Fatal(err)
	}
	if got, want := left(), []string{"4", "notes"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}
