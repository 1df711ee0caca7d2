package normalize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// InTheWild reads the database of inTheWild.io: SQLite, of which the table
// "exploits" is read. Each record has a CVE as its ID and nothing but
// DatabaseSpecific: {"reports": [{"source", "time", "type", "url"}]}, where
// type is "exploitation" (seen in the wild) or "exploit" (there is one).
// Entries under an ID of another kind (ADV200006) are reported. IDs were
// collected from prose and may have a dash for the hyphen, or a space.
//
// Source: https://github.com/gmatuz/inthewilddb.
func InTheWild(d Doc, emit func(*Record) error) error {
	f, err := readSQLite(d.Body)
	if err != nil {
		return err
	}
	rows := exploitRows[wildReport]{}
	err = f.table("exploits", func(columns []string, r sqliteRow) error {
		field := func(name string) string {
			if i := slices.Index(columns, name); i >= 0 && i < len(r) {
				return r[i]
			}
			return ""
		}
		id, ok := looseCVE(field("id"))
		if !ok {
			d.report(Finding{Place: "exploits", Rule: "bad-id", Message: fmt.Sprintf("%q is no CVE ID", field("id"))})
			return nil
		}
		rows.add([]string{id}, wildReport{Source: field("source"), Time: wildTime(field("timeStamp")), Type: field("type"), URL: field("referenceURL")})
		return nil
	})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errors.New("exploits: no row with a CVE")
	}
	for id, list := range rows {
		slices.SortFunc(list, compareReports)
		rows[id] = slices.Compact(list)
	}
	return rows.emit("reports", emit)
}

type wildReport struct {
	Source string `json:"source,omitempty"`
	Time   string `json:"time,omitempty"`
	Type   string `json:"type,omitempty"`
	URL    string `json:"url,omitempty"`
}

func compareReports(a, b wildReport) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.URL, b.URL), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Type, b.Type))
}

// wildTime reads a time, or a day, and writes it as RFC 3339.
func wildTime(s string) string {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly, time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return ""
}
