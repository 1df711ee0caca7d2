package normalize

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

// The three forms that the table has had, and both spellings of the date.
func TestEPSSForms(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"before 2021-09-01", "epss_scores-2021-04-14.csv.gz", "cve,epss\nCVE-2020-5902,0.65117\n",
			`{"database_specific":{"date":"2021-04-14","epss":0.65117},"id":"CVE-2020-5902"}`},
		{"before 2022-02-04", "epss_scores-2021-09-01.csv", "cve,epss,percentile\r\nCVE-2020-5902,0.65117,0.9981063485700858\r\n",
			`{"database_specific":{"date":"2021-09-01","epss":0.65117,"percentile":0.9981063485700858},"id":"CVE-2020-5902"}`},
		{"with a comment", "epss_scores-current.csv", "#model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000\ncve,epss,percentile\nCVE-2020-5902,0.96817,0.99999",
			`{"database_specific":{"date":"2022-02-04","epss":0.96817,"model":"v2022.01.01","percentile":0.99999},"id":"CVE-2020-5902"}`},
		{"with a date in Z", "", "#model_version:v2025.03.14,score_date:2025-08-24T12:55:00Z\ncve,epss,percentile\nCVE-2020-5902,1,0.0\n",
			`{"database_specific":{"date":"2025-08-24","epss":1,"model":"v2025.03.14","percentile":0},"id":"CVE-2020-5902"}`},
		{"tiny, and columns in another order", "", "cve,percentile,epss\nCVE-2020-5902,1e-05,0.0000001\n",
			`{"database_specific":{"epss":1e-7,"percentile":0.00001},"id":"CVE-2020-5902"}`},
	} {
		records, findings, err := parseDoc(t, EPSS, tt.file, tt.text)
		if err != nil || findings != nil {
			t.Errorf("%s: %v, %v", tt.name, err, findings)
		}
		if d := cmp.Diff(tt.want+"\n", encodeLines(t, records)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestEPSSBadRows(t *testing.T) {
	records, findings, err := parseDoc(t, EPSS, "", "cve,epss,percentile,rank\n"+
		"CVE-2020-0001,0.1,0.2,1\nCVE-2020-0002,0.1\nCVE-1,0.1,0.2\nCVE-2020-0003,1.5,0.2\nCVE-2020-0004,NaN,0.2\nCVE-2020-0005,0x1p-2,0.2\n\nCVE-2020-0006,,0.2\nCVE-2020-0007,0.2,0.3,9,9\n")
	if err != nil || len(records) != 2 {
		t.Fatal(err, len(records))
	}
	want := []string{"line 1: unknown-column", "line 3: bad-row", "line 4: bad-row", "line 5: bad-row", "line 6: bad-row", "line 7: bad-row", "line 9: bad-row"}
	if d := cmp.Diff(want, rulesOf(findings)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}

func TestEPSSBrokenDocument(t *testing.T) {
	const table = "#model_version:v1,score_date:2025-08-24\ncve,epss\nCVE-2020-0001,0.1\n"
	for name, tt := range map[string]struct{ text, want string }{
		"empty":             {"", "empty document"},
		"page of a server":  {"<html>moved</html>", "web page"},
		"header alone":      {"cve,epss,percentile\n", "no rows"},
		"no header":         {"CVE-2020-0001,0.1\n", "line 1: header expected"},
		"another file":      {table + table, "line 4: comment behind the header"},
		"header twice":      {table + "cve,epss\nCVE-2020-0002,0.1\n", "line 4: header again"},
		"no scores":         {"cve,percentile\nCVE-2020-0001,0.1\n", "no column epss"},
		"bad rows only":     {"cve,epss\nx,y\n", "no rows"},
		"a line of no end":  {table + strings.Repeat("9", 70<<10), "line 4: longer"},
		"JSON with a cause": {`{"status":"ERR"}`, "line 1: header expected"},
	} {
		if _, _, err := parseDoc(t, EPSS, "", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzEPSS(f *testing.F) {
	fuzzDocuments(f, EPSS, "x",
		"#model_version:v1,score_date:2025-08-24T00:00:00+0000\ncve,epss,percentile\nCVE-2020-0001,0.1,1e-9\n",
		"cve,epss\nCVE-2020-0001,1\n")
}

// Every row of the real and the bulk tables becomes a record.
func TestEPSSTables(t *testing.T) {
	files := []string{sharedtest.Path(t, "upstream", "day1", "epss.cyentia.com", "epss_scores-current.csv.gz"),
		sharedtest.Path(t, "upstream", "day2", "epss.cyentia.com", "epss_scores-current.csv.gz")}
	dated, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "corpus", "epss"), "*", "*", "*", "*", "*", "*", "*.gz"))
	if err != nil || len(dated) != 4 {
		t.Fatal(dated, err)
	}
	for _, file := range append(files, dated...) {
		text, err := io.ReadAll(unpacked(t, file))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Count(string(text), "\nCVE-")
		records, findings, err := parseDoc(t, EPSS, filepath.Base(file), string(text))
		if err != nil || len(findings) > 0 || len(records) != want || want == 0 {
			t.Errorf("%s: %d records of %d rows, %v, %v", file, len(records), want, findings, err)
		}
		var date string
		if ok, err := records[0].Specific("date", &date); !ok || err != nil || len(date) != len("2021-04-14") {
			t.Errorf("%s: date %q, %v", file, date, err)
		}
	}
}

func BenchmarkEPSS(b *testing.B) {
	data, err := io.ReadAll(unpacked(b, sharedtest.Path(b, "upstream", "day1", "epss.cyentia.com", "epss_scores-current.csv.gz")))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkParser(b, EPSS, data)
}
