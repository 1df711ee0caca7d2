package normalize

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// sqliteDatabase returns a database that SQLite 3 wrote: pages of 512 bytes,
// so that the table has three levels and long texts are on overflow pages;
// rows were deleted, a column was added behind the last of them but one.
func sqliteDatabase(tb testing.TB) []byte {
	tb.Helper()
	f, err := os.Open("testdata/exploits.db.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

var sqliteIntegers = []string{"0", "1", "-1", "127", "-128", "128", "32767", "-32769", "8388608", "2147483648",
	"-1099511627776", "140737488355328", "9223372036854775807", "-9223372036854775808"}

func TestSQLite(t *testing.T) {
	f, err := readSQLite(bytes.NewReader(sqliteDatabase(t)))
	if err != nil {
		t.Fatal(err)
	}
	var want []sqliteRow
	for i := range 3000 {
		if (i+1)%11 == 0 {
			continue
		}
		filler := strings.Repeat("x", i%40)
		if i%50 == 0 {
			filler = strings.Repeat("x", 3000)
		}
		url := fmt.Sprintf("https://example.org/%s%d", filler, i)
		if i%7 == 0 {
			url = ""
		}
		want = append(want, sqliteRow{fmt.Sprintf("CVE-2020-%05d", 10000+i), sqliteIntegers[i%len(sqliteIntegers)], url})
	}
	want = append(want, sqliteRow{"CVE-2021-44228", "0", "u", "added"})
	var got []sqliteRow
	var names []string
	err = f.table("exploits", func(columns []string, r sqliteRow) error {
		names = columns
		got = append(got, append(sqliteRow{r[0], r[1]}, r[3:]...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"id", "n", "score", "referenceURL", "UNIQUE(id", "later"}, names); d != "" {
		t.Logf("columns: %s", d)
	}
	if names[0] != "id" || names[3] != "referenceURL" {
		t.Errorf("columns are %q", names)
	}
	if err := f.table("none", nil); !errors.Is(err, ErrSQLite) {
		t.Errorf("a table that is not there: error is %v", err)
	}
}

// A damaged database is an error or other rows, never a panic or a circle.
func TestSQLiteDamaged(t *testing.T) {
	data := sqliteDatabase(t)
	read := func(b []byte) error {
		f, err := readSQLite(bytes.NewReader(b))
		if err != nil {
			return err
		}
		return f.table("exploits", func([]string, sqliteRow) error { return nil })
	}
	for _, n := range []int{0, 15, 99, 100, 511, 512, 1024, len(data) / 2, len(data) - 1} {
		if err := read(data[:n]); err == nil {
			t.Errorf("cut after %d bytes: no error", n)
		}
	}
	for at := 0; at < len(data); at += 977 {
		b := bytes.Clone(data)
		for i := at; i < min(at+4, len(b)); i++ {
			b[i] ^= 0xff
		}
		if err := read(b); err != nil && !errors.Is(err, ErrSQLite) {
			t.Errorf("bytes at %d turned: error is %v", at, err)
		}
	}
	circle := bytes.Clone(data)
	for page := 1; page < len(circle)/512; page++ {
		if p := circle[page*512:]; p[0] == 5 {
			copy(p[8:12], []byte{0, 0, byte((page + 1) >> 8), byte(page + 1)})
		}
	}
	if err := read(circle); !errors.Is(err, ErrSQLite) {
		t.Errorf("pages that lead to themselves: error is %v", err)
	}
}

func TestInTheWildShared(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "upstream", "day1", "pub-4c1eae2a180542b19ea7c88f1e4ccf07.r2.dev", "inthewild.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ids, places []string
	d := Doc{Name: "inthewild.db", Body: f, Report: func(f Finding) { places = append(places, f.Message) }}
	if err := InTheWild(d, func(r *Record) error { ids = append(ids, r.ID); return nil }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"CVE-2022-25084", "CVE-2022-6969", "CVE-2023-38646", "CVE-2024-21338"}, ids); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`"ADV200006" is no CVE ID`}, places); d != "" {
		t.Error(d)
	}
}

func FuzzInTheWild(f *testing.F) {
	fuzzDocuments(f, InTheWild, "inthewild.db", string(sqliteDatabase(f)), "SQLite format 3\x00")
}
