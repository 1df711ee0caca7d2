package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json"
)

// world makes a state of OSV records, one a line, and of the rows of
// enrichment tables: "TABLE KEY JSON" lines.
func world(t testing.TB, records, rows string) *store.DB {
	t.Helper()
	rep, err := store.OpenReplica(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer rep.Close()
	err = rep.Build(t.Context(), func(b *store.Builder) (store.StateInfo, error) {
		for _, r := range parseRecords(t, records) {
			data, err := normalize.AppendEncode(nil, r)
			if err != nil {
				return store.StateInfo{}, err
			}
			if err := b.Record(r, data, []byte("leaf")); err != nil {
				return store.StateInfo{}, err
			}
		}
		info := store.StateInfo{Number: 1, Created: "2026-08-01T00:00:00Z"}
		lines := strings.Split(strings.TrimSpace(rows), "\n")
		slices.Sort(lines)
		for _, line := range lines {
			f := strings.SplitN(strings.TrimSpace(line), " ", 3)
			if len(f) < 3 {
				continue
			}
			if err := b.Row(f[0], []byte(f[1]), []byte(f[2])); err != nil {
				return info, err
			}
		}
		return info, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := rep.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func parseRecords(t testing.TB, text string) (list []*normalize.Record) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		r := &normalize.Record{Modified: "2026-07-01T00:00:00Z", SchemaVersion: "1.7.0"}
		if err := json.Unmarshal([]byte(line), r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *normalize.Record) int { return strings.Compare(a.ID, b.ID) })
	return list
}
