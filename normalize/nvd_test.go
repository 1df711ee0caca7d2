package normalize

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/cpe"
	"github.com/advdb/advdb/internal/sharedtest"
)

// parseDoc runs a parser over text and returns what it emits and reports.
func parseDoc(t testing.TB, parse Parser, name, text string) ([]*Record, []Finding, error) {
	t.Helper()
	var records []*Record
	var findings []Finding
	d := Doc{Source: "test", Name: name, Body: strings.NewReader(text), Report: func(f Finding) { findings = append(findings, f) }}
	err := parse(d, func(r *Record) error {
		records = append(records, r)
		return nil
	})
	return records, findings, err
}

// encodeLines returns the records' canonical JSON, one a line.
func encodeLines(t testing.TB, records []*Record) string {
	t.Helper()
	var b []byte
	for _, r := range records {
		var err error
		if b, err = AppendEncode(b, r); err != nil {
			t.Fatal(err)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// rulesOf lists findings as "place: rule".
func rulesOf(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Place+": "+f.Rule)
	}
	return out
}

func nvdPage(entries ...string) string {
	return `{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE","version":"2.0","timestamp":"2026-01-01T00:00:00.000","vulnerabilities":[` +
		strings.Join(entries, ",") + `]}`
}

const nvdWhole = `{"cve":{"id":"CVE-2021-44228","sourceIdentifier":"security@apache.org","published":"2021-12-10T10:15:09.143",
"lastModified":"2026-06-17T04:12:05.4601234","vulnStatus":"Analyzed","cveTags":[],
"descriptions":[{"lang":"es","value":"un fallo"},{"lang":"en","value":"a flaw"}],
"affected":[{"source":"security@apache.org","affectedData":[{"product":"Log4j2"}]}],
"metrics":{
 "cvssMetricV31":[{"source":"cna","type":"Secondary","cvssData":{"vectorString":"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","baseScore":9.3}},
                  {"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H/","baseScore":10.0}}],
 "cvssMetricV2":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"AV:N/AC:M/Au:N/C:C/I:C/A:C","baseScore":9.3}}],
 "ssvcV203":[{"source":"cisa","ssvcData":{"version":"2.0.3"}}]},
"cisaExploitAdd":"2021-12-10","cisaActionDue":"2021-12-24",
"weaknesses":[{"source":"a","type":"Primary","description":[{"lang":"en","value":"CWE-502"},{"lang":"en","value":"NVD-CWE-noinfo"}]},
              {"source":"b","type":"Secondary","description":[{"lang":"en","value":"CWE-20"},{"lang":"en","value":"CWE-502"}]}],
"configurations":[{"operator":"AND","negate":false,"nodes":[{"operator":"OR","negate":false,"cpeMatch":[
  {"vulnerable":true,"criteria":"cpe:2.3:o:siemens:fw:*:*:*:*:*:*:*:*","versionStartExcluding":"1.0","versionEndExcluding":" 2.0","matchCriteriaId":"AA"}]},
  {"operator":"OR","negate":true,"cpeMatch":[{"vulnerable":false,"criteria":"cpe:2.3:h:siemens:dev:-:*:*:*:*:*:*:*","matchCriteriaId":"BB"}]}]}],
"references":[{"url":"https://example.org/a","source":"x","tags":["Third Party Advisory"]},
 {"url":"https://example.org/a","source":"y","tags":["Exploit"]},{"url":"https://example.org/b","source":"x","tags":["Vendor Advisory","Patch"]},
 {"url":"https://example.org/c","tags":["Vendor Advisory"]},{"url":"https://example.org/d"}]}}`

const nvdWholeWant = `{"database_specific":{"cwe_ids":["CWE-20","CWE-502"],"nvd":{` +
	`"affected":[{"affectedData":[{"product":"Log4j2"}],"source":"security@apache.org"}],"cisaActionDue":"2021-12-24","cisaExploitAdd":"2021-12-10",` +
	`"configurations":[{"negate":false,"nodes":[{"cpeMatch":[{"criteria":"cpe:2.3:o:siemens:fw:*:*:*:*:*:*:*:*","matchCriteriaId":"AA","versionEndExcluding":" 2.0","versionStartExcluding":"1.0","vulnerable":true}],"negate":false,"operator":"OR"},` +
	`{"cpeMatch":[{"criteria":"cpe:2.3:h:siemens:dev:-:*:*:*:*:*:*:*","matchCriteriaId":"BB","vulnerable":false}],"negate":true,"operator":"OR"}],"operator":"AND"}],` +
	`"cvss":[{"kind":"Primary","score":10,"source":"nvd@nist.gov","type":"CVSS_V3","vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},` +
	`{"kind":"Secondary","score":9.3,"source":"cna","type":"CVSS_V3","vector":"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},` +
	`{"kind":"Primary","score":9.3,"source":"nvd@nist.gov","type":"CVSS_V2","vector":"AV:N/AC:M/Au:N/C:C/I:C/A:C"}],` +
	`"metrics":{"ssvcV203":[{"source":"cisa","ssvcData":{"version":"2.0.3"}}]},"source":"security@apache.org","vulnStatus":"Analyzed"}},` +
	`"details":"a flaw","id":"CVE-2021-44228","modified":"2026-06-17T04:12:05.4601234Z","published":"2021-12-10T10:15:09.143Z",` +
	`"references":[{"type":"EVIDENCE","url":"https://example.org/a"},{"type":"FIX","url":"https://example.org/b"},{"type":"ADVISORY","url":"https://example.org/c"},{"type":"WEB","url":"https://example.org/d"}],` +
	`"severity":[{"score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","type":"CVSS_V3"}]}` + "\n"

// One entry with everything that the schema had at some time: the
// configurations unaltered, drift kept, Primary before Secondary.
func TestNVDRecord(t *testing.T) {
	for name, text := range map[string]string{"page": nvdPage(nvdWhole), "single": nvdWhole, "mark": "\ufeff" + nvdPage(nvdWhole)} {
		records, findings, err := parseDoc(t, NVD, "x.json", text)
		if err != nil || findings != nil {
			t.Fatalf("%s: %v, %v", name, err, findings)
		}
		if d := cmp.Diff(nvdWholeWant, encodeLines(t, records)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func nvdSmall(id, rest string) string { return fmt.Sprintf(`{"cve":{"id":%q%s}}`, id, rest) }

func TestNVDSeverity(t *testing.T) {
	metric := func(kind, vector string) string {
		return fmt.Sprintf(`[{"source":"s","type":%q,"cvssData":{"vectorString":%q,"baseScore":5}}]`, kind, vector)
	}
	const v2, v30, v31, v4 = "AV:N/AC:M/Au:N/C:C/I:C/A:C", "CVSS:3.0/AV:N", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N"
	for _, tt := range []struct {
		name, metrics string
		want          []Severity
	}{
		{"version 2 alone", `"cvssMetricV2":` + metric("Primary", v2), []Severity{{Type: "CVSS_V2", Score: v2}}},
		{"version 2 beside 3", `"cvssMetricV2":` + metric("Primary", v2) + `,"cvssMetricV30":` + metric("Primary", v30), []Severity{{Type: "CVSS_V3", Score: v30}}},
		{"3.1 before 3.0", `"cvssMetricV30":` + metric("Primary", v30) + `,"cvssMetricV31":` + metric("Secondary", v31), []Severity{{Type: "CVSS_V3", Score: v31}}},
		{"4 and 3", `"cvssMetricV40":` + metric("Secondary", v4) + `,"cvssMetricV31":` + metric("Primary", v31),
			[]Severity{{Type: "CVSS_V4", Score: v4}, {Type: "CVSS_V3", Score: v31}}},
		{"a vector of another version", `"cvssMetricV31":` + metric("Primary", v2), nil},
		{"another shape", `"cvssMetricV31":{"a":1}`, nil},
	} {
		records, findings, err := parseDoc(t, NVD, "", nvdPage(nvdSmall("CVE-2020-0001", `,"metrics":{`+tt.metrics+`}`)))
		if err != nil || findings != nil || len(records) != 1 {
			t.Fatalf("%s: %v, %v, %d records", tt.name, err, findings, len(records))
		}
		if d := cmp.Diff(tt.want, records[0].Severity); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if tt.want == nil && !bytes.Contains(records[0].DatabaseSpecific, []byte("cvssMetricV31")) {
			t.Errorf("%s: the metric is lost: %s", tt.name, records[0].DatabaseSpecific)
		}
	}
}

func TestNVDRejected(t *testing.T) {
	records, _, err := parseDoc(t, NVD, "", nvdPage(nvdSmall("CVE-2020-0001",
		`,"vulnStatus":"Rejected","published":"2020-01-01T00:00:00.000","lastModified":"2020-02-01T00:00:00.000"`)))
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	if r := records[0]; r.Withdrawn != "2020-02-01T00:00:00.000Z" || r.Affected != nil {
		t.Errorf("withdrawn %q, affected %v", r.Withdrawn, r.Affected)
	}
}

func TestNVDTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2021-12-10T10:15:09.143":       "2021-12-10T10:15:09.143Z",
		"2021-12-10T10:15:09.1430001":   "2021-12-10T10:15:09.1430001Z",
		"2021-12-10T10:15:09":           "2021-12-10T10:15:09Z",
		"2021-12-10T10:15:09Z":          "2021-12-10T10:15:09Z",
		"2021-12-10T10:15:09.143+02:00": "2021-12-10T08:15:09.143Z",
		"2021-12-10":                    "",
		"yesterday":                     "",
	} {
		if got, ok := nvdTime(in); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t; want %q", in, got, ok, want)
		}
	}
}

// A broken entry is reported and the rest goes on.
func TestNVDBrokenEntry(t *testing.T) {
	records, findings, err := parseDoc(t, NVD, "", nvdPage(
		nvdSmall("CVE-2020-0001", ""), `{"cve":3}`, `{"cve":{"id":"CVE-2020-0002","references":"none"}}`, `7`, `{}`,
		nvdSmall("CVE-20-1", ""), nvdSmall("CVE-2020-0003", `,"published":"soon"`)))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	if d := cmp.Diff([]string{"CVE-2020-0001", "CVE-2020-0003"}, ids); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
	want := []string{"vulnerabilities/1: unreadable-entry", "CVE-2020-0002: unreadable-entry", "vulnerabilities/3: unreadable-entry",
		"vulnerabilities/4: unreadable-entry", "vulnerabilities/5: bad-id", "CVE-2020-0003: bad-time"}
	if d := cmp.Diff(want, rulesOf(findings)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}

func TestNVDBrokenDocument(t *testing.T) {
	page := nvdPage(nvdSmall("CVE-2020-0001", ""))
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "offset 0"},
		{"page of a server", "<html>403</html>", "offset 0"},
		{"cut in an entry", page[:len(page)-9], "offset "},
		{"cut behind the entries", page[:len(page)-1], "offset "},
		{"something behind it", page + "{}", "offset "},
		{"an array", "[" + page + "]", "array where object is expected"},
		{"another shape", `{"vulnerabilities":{}}`, "object where array is expected"},
		{"an error message", `{"message":"forbidden"}`, "vulnerabilities: missing"},
		{"the retired schema", `{"CVE_data_type":"CVE","CVE_Items":[]}`, "retired schema 1.1"},
		{"no JSON within", `{"vulnerabilities":[{"cve":{"id":}}]}`, "offset 33: vulnerabilities/0/cve/id"},
	} {
		_, _, err := parseDoc(t, NVD, "", tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestParsersReturnEmitsError(t *testing.T) {
	stop := errors.New("stop")
	for name, p := range map[string]struct {
		parse Parser
		text  string
	}{
		"NVD":        {NVD, nvdPage(nvdWhole)},
		"KEV":        {KEV, kevSmall},
		"EPSS":       {EPSS, "cve,epss\nCVE-2020-0001,0.1\n"},
		"RedHatVEX":  {RedHatVEX, vexSmall},
		"OracleOVAL": {OracleOVAL, ovalSmall},
	} {
		err := p.parse(Doc{Body: strings.NewReader(p.text)}, func(*Record) error { return stop })
		if err != stop {
			t.Errorf("%s: %v, want emit's error as it is", name, err)
		}
	}
}

func FuzzNVD(f *testing.F) {
	fuzzDocuments(f, NVD, "x",
		nvdPage(nvdWhole),
		nvdWhole,
		nvdPage(`{"cve":3}`, nvdSmall("CVE-2020-0001", `,"metrics":{"cvssMetricV2":[{}]}`)))
}

// All feeds, counted independently: no entry is lost, and each
// configurations tree stands in its record as served.
func TestNVDFeeds(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "upstream", "day1", "nvd.nist.gov", "feeds", "json", "cve", "2.0"), "*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	total := 0
	for _, file := range files {
		data, err := io.ReadAll(unpacked(t, file))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{}
		var doc struct {
			Vulnerabilities []struct{ CVE map[string]any }
		}
		if err := stdjson.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		for _, v := range doc.Vulnerabilities {
			want[v.CVE["id"].(string)] = v.CVE["configurations"]
		}
		err = NVD(Doc{Body: bytes.NewReader(data), Report: func(f Finding) {
			if f.Rule != "bad-time" || f.Place != "CVE-2010-1724" { // edited by hand: month 14
				t.Errorf("%s: %+v", file, f)
			}
		}}, func(r *Record) error {
			total++
			checkNVD(t, r, want)
			delete(want, r.ID)
			return nil
		})
		if err != nil || len(want) != 0 {
			t.Errorf("%s: %v, %d entries lost", file, err, len(want))
		}
	}
	t.Logf("%d files, %d records", len(files), total)
	if total < 15000 {
		t.Errorf("%d records", total)
	}
}

func checkNVD(t *testing.T, r *Record, want map[string]any) {
	var specific struct {
		NVD map[string]stdjson.RawMessage `json:"nvd"`
	}
	if err := stdjson.Unmarshal(r.DatabaseSpecific, &specific); err != nil {
		t.Fatal(err)
	}
	var got any
	if raw := specific.NVD["configurations"]; raw != nil {
		if err := stdjson.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if _, err := cpe.Decode(raw); err != nil {
			t.Errorf("%s: %v", r.ID, err)
		}
	}
	if list, ok := want[r.ID].([]any); ok && len(list) == 0 {
		want[r.ID] = nil
	}
	if !cmp.Equal(want[r.ID], got) {
		t.Errorf("%s: configurations differ", r.ID)
	}
	if r.Affected != nil || r.Modified == "" && r.ID != "CVE-2010-1724" || r.Published == "" {
		t.Errorf("%s: affected %v, published %q, modified %q", r.ID, r.Affected, r.Published, r.Modified)
	}
}

// Real pages of the API, among them empty ones and the newest shape.
func TestNVDPages(t *testing.T) {
	root := sharedtest.Path(t, "corpus", "nvd-2.0")
	pages, records := 0, 0
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, filepath.Join("api", "cve", "testdata")) || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pages++
		want := strings.Count(string(data), `"vulnStatus"`)
		got, findings, err := parseDoc(t, NVD, path, string(data))
		if err != nil || len(findings) > 0 || len(got) != want {
			t.Errorf("%s: %v, %v, %d records of %d", path, err, findings, len(got), want)
		}
		records += len(got)
		return nil
	})
	if err != nil || pages < 10 || records < 20 {
		t.Errorf("%d pages, %d records, %v", pages, records, err)
	}
}

func BenchmarkNVD(b *testing.B) {
	path := sharedtest.Path(b, "upstream", "day1", "nvd.nist.gov", "feeds", "json", "cve", "2.0", "nvdcve-2.0-2022.json.gz")
	data, err := io.ReadAll(unpacked(b, path))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkParser(b, NVD, data)
}

func benchmarkParser(b *testing.B, parse Parser, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := parse(Doc{Body: bytes.NewReader(data)}, func(*Record) error { n++; return nil })
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}
