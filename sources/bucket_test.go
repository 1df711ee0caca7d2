package sources_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/sources"
	"github.com/advdb/advdb/sources/sourcetest"
)

// fakeBucket is a bucket as osv.dev lays them out.
type fakeBucket struct {
	t        *testing.T
	records  map[string]time.Time
	modified time.Time // of all.zip
	spoil    string    // path of an object that comes with a wrong checksum
	absent   map[string]bool
	log      []string
}

func (b *fakeBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := strings.TrimPrefix(r.URL.EscapedPath(), "/A%20B/")
	b.log = append(b.log, p)
	var data []byte
	switch id := strings.TrimSuffix(p, ".json"); {
	case p == "all.zip":
		names := []string{}
		for id, at := range b.records {
			if !at.After(b.modified) {
				names = append(names, id+".json")
			}
		}
		slices.Sort(names)
		data = zipOf(b.t, names...)
		w.Header().Set("Last-Modified", b.modified.UTC().Format(http.TimeFormat))
	case p == "modified_id.csv":
		var lines []string
		for id, at := range b.records {
			lines = append(lines, at.UTC().Format(time.RFC3339Nano)+","+id+"\n")
		}
		slices.Sort(lines)
		slices.Reverse(lines) // by text, as osv.dev sorts them
		data = []byte(strings.Join(lines, ""))
	case b.records[id].IsZero() || b.absent[id]:
		http.NotFound(w, r)
		return
	default:
		data = fmt.Appendf(nil, `{"id":%q,"modified":%q}`, id, b.records[id].Format(time.RFC3339Nano))
	}
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	if p == b.spoil {
		sum++
	}
	w.Header().Add("X-Goog-Hash", "md5=xx==")
	w.Header().Add("X-Goog-Hash", "crc32c="+base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)))
	_, _ = w.Write(data)
}

func (b *fakeBucket) fetch(t *testing.T, docs *sourcetest.Memory) error {
	t.Helper()
	b.log = nil
	m := liveMirror(t, b, docs, sources.ClientOptions{Retries: -1}, sources.MirrorOptions{TempDir: t.TempDir()})
	return sources.Bucket("A B")(t.Context(), m)
}

func TestBucket(t *testing.T) {
	day := func(d int, ns int) time.Time { return time.Date(2024, 1, d, 0, 0, 0, ns, time.UTC) }
	b := &fakeBucket{t: t, records: map[string]time.Time{"A-1": day(1, 0), "A-2": day(2, 0), "A-3": day(3, 0)}, modified: day(3, 0), absent: map[string]bool{}}
	docs := &sourcetest.Memory{}
	step := func(name string, want ...string) {
		t.Helper()
		docs = docs.Reopen()
		if err := b.fetch(t, docs); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, b.log); d != "" {
			t.Errorf("%s: requests -want +got:\n%s", name, d)
		}
		held := slices.Sorted(maps.Keys(docs.Reopen().Documents()))
		var listed []string
		for id := range b.records {
			if !b.absent[id] {
				listed = append(listed, id+".json")
			}
		}
		slices.Sort(listed)
		if d := cmp.Diff(listed, held); d != "" {
			t.Errorf("%s: documents -want +got:\n%s", name, d)
		}
	}
	// What changed shortly before the archive's date may not be in it.
	step("first", "all.zip", "modified_id.csv", "A-3.json")
	step("nothing new", "modified_id.csv")
	// The text of "…00Z" stands above that of "…00.5Z": order is no guide.
	b.records["A-4"], b.records["A-5"] = day(4, 5e8), day(4, 0)
	step("new", "modified_id.csv", "A-4.json", "A-5.json")
	step("the same second again", "modified_id.csv")
	b.records["A-6"] = day(4, 1e8)
	step("late, within a second", "modified_id.csv", "A-6.json")
	b.records["A-7"] = day(1, 0)
	step("old and not held", "modified_id.csv", "A-7.json")
	delete(b.records, "A-7")
	step("gone", "modified_id.csv")
	b.records["A-8"], b.absent["A-8"] = day(5, 0), true
	step("listed before it is there", "modified_id.csv", "A-8.json")
	delete(b.absent, "A-8")
	step("there", "modified_id.csv", "A-8.json")
	for i := range 2500 {
		b.records[fmt.Sprintf("B-%d", i)] = day(6, i*int(time.Millisecond/10))
	}
	b.modified = day(7, 0)
	step("very many", "modified_id.csv", "all.zip")
}

// A body whose CRC-32C is not the one published is not believed; a list that
// lost a tenth takes nothing away.
func TestBucketRefuses(t *testing.T) {
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	b := &fakeBucket{t: t, records: map[string]time.Time{}, modified: at.Add(24 * time.Hour)}
	for i := range 100 {
		b.records[fmt.Sprintf("A-%d", i)] = at
	}
	docs := &sourcetest.Memory{}
	refused := func(name string, want error, text string) {
		t.Helper()
		before := len(docs.Reopen().Documents())
		err := b.fetch(t, docs.Reopen())
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v", name, err)
		}
		if after := len(docs.Reopen().Documents()); after != before {
			t.Errorf("%s: %d documents, then %d", name, before, after)
		}
	}
	b.spoil = "all.zip"
	refused("archive", sources.ErrChecksum, "CRC-32C")
	b.spoil = ""
	if err := b.fetch(t, docs); err != nil {
		t.Fatal(err)
	}
	docs = docs.Reopen()
	b.spoil = "modified_id.csv"
	refused("list", sources.ErrChecksum, "CRC-32C")
	b.spoil = "A-new.json"
	b.records["A-new"] = at.Add(48 * time.Hour)
	refused("record", sources.ErrChecksum, "CRC-32C")
	b.spoil = ""
	for i := range 20 {
		delete(b.records, fmt.Sprintf("A-%d", i))
	}
	refused("vanished", sources.ErrIncomplete, "more than a tenth")
}
