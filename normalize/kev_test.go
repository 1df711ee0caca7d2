package normalize

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/advdb/advdb/internal/sharedtest"
)

const kevSmall = `{"title":"t","catalogVersion":"2025.07.20","dateReleased":"2025-07-20T19:06:00.8332Z","count":1,"vulnerabilities":[
{"cveID":"CVE-2025-53770","vendorProject":"Microsoft","product":"SharePoint","vulnerabilityName":"SharePoint flaw","dateAdded":"2025-07-20",
"shortDescription":"Data is trusted. ","requiredAction":"Patch.","dueDate":"2025-07-21","knownRansomwareCampaignUse":"Known",
"notes":"https:\/\/a.example\/1 ; https:\/\/b.example\/2","cwes":["CWE-502","CWE-20"],"aNewMember":{"b":1,"a":2}}]}`

func TestKEV(t *testing.T) {
	records, findings, err := parseDoc(t, KEV, "", kevSmall)
	if err != nil || findings != nil {
		t.Fatal(err, findings)
	}
	want := `{"database_specific":{"aNewMember":{"a":2,"b":1},"cwes":["CWE-20","CWE-502"],"date_added":"2025-07-20","description":"Data is trusted.",` +
		`"due_date":"2025-07-21","name":"SharePoint flaw","notes":["https://a.example/1","https://b.example/2"],"product":"SharePoint","ransomware":true,` +
		`"required_action":"Patch.","vendor":"Microsoft"},"id":"CVE-2025-53770"}` + "\n"
	if d := cmp.Diff(want, encodeLines(t, records)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestKEVBadEntries(t *testing.T) {
	records, findings, err := parseDoc(t, KEV, "", `{"vulnerabilities":[{"cveID":"CVE-2020-0001","cwes":[]},{"cveID":"CVE-2020-0001"},
		{"cveID":"none"},{"cveID":["CVE-2020-0002"]},5,
		{"cveID":" CVE-2020-0003","dateAdded":"2020/01/02","knownRansomwareCampaignUse":"Maybe"}],"count":6}`)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("{\"database_specific\":{\"ransomware\":false},\"id\":\"CVE-2020-0001\"}\n{\"database_specific\":{\"ransomware\":false},\"id\":\"CVE-2020-0003\"}\n",
		encodeLines(t, records)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	want := []string{"vulnerabilities/1: duplicate", "vulnerabilities/2: bad-id", "vulnerabilities/3: unreadable-entry",
		"vulnerabilities/4: unreadable-entry", "CVE-2020-0003: unknown-word", "CVE-2020-0003: bad-time"}
	if d := cmp.Diff(want, rulesOf(findings)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}

func TestKEVBrokenDocument(t *testing.T) {
	for _, text := range []string{"", "<!DOCTYPE html><p>moved", kevSmall[:400], kevSmall + kevSmall, "[]", `{"title":"t"}`,
		`{"count":"one","vulnerabilities":[]}`, `{"vulnerabilities":{}}`, `{"count":2,"vulnerabilities":[{"cveID":"CVE-2020-0001"}]}`} {
		if _, _, err := parseDoc(t, KEV, "", text); err == nil {
			t.Errorf("%.40q: no error", text)
		}
	}
}

func FuzzKEV(f *testing.F) {
	fuzzDocuments(f, KEV, "x",
		kevSmall,
		`{"vulnerabilities":[{"cveID":"CVE-2020-0001","notes":" ; ; "}]}`)
}

// The real catalogs, against the count of CVE IDs in their text and, for the
// state of one day, against the catalog's CSV form.
func TestKEVCatalogs(t *testing.T) {
	feed := []string{"www.cisa.gov", "sites", "default", "files", "feeds", "known_exploited_vulnerabilities.json"}
	var day2 []*Record
	for _, path := range []string{
		sharedtest.Path(t, append([]string{"upstream", "day1"}, feed...)...),
		sharedtest.Path(t, "corpus", "kev", "known_exploited_vulnerabilities-2025-02-24-a20c0f5.json"),
		sharedtest.Path(t, append([]string{"upstream", "day2"}, feed...)...),
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		records, findings, err := parseDoc(t, KEV, filepath.Base(path), string(data))
		if n := strings.Count(string(data), `"cveID"`); err != nil || len(findings) > 0 || len(records) != n || n < 1000 {
			t.Errorf("%s: %d records of %d, %v, %v", path, len(records), n, findings, err)
		}
		day2 = records
	}
	f, err := os.Open(sharedtest.Path(t, "corpus", "kev", "known_exploited_vulnerabilities.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	due := map[string]string{}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		due[row[at["cveID"]]] = row[at["dueDate"]]
	}
	compared := 0
	for _, r := range day2 {
		var facts struct {
			Due string `json:"due_date"`
		}
		var ok bool
		if ok, err = r.Specific("due_date", &facts.Due); err != nil || !ok {
			t.Fatal(r.ID, err)
		}
		if want, ok := due[r.ID]; ok && want == facts.Due {
			compared++
		} else if ok {
			t.Errorf("%s: due %s, the CSV says %s", r.ID, facts.Due, want)
		}
	}
	if compared < 1000 {
		t.Errorf("%d entries compared", compared)
	}
}

func BenchmarkKEV(b *testing.B) {
	data, err := os.ReadFile(sharedtest.Path(b, "upstream", "day1", "www.cisa.gov", "sites", "default", "files", "feeds", "known_exploited_vulnerabilities.json"))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkParser(b, KEV, data)
}
