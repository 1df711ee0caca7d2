package normalize

import (
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
)

// vexDocuments yields the real VEX documents.
func vexDocuments(t testing.TB, yield func(name string, data []byte)) {
	root := sharedtest.Path(t, "upstream", "day2", "security.access.redhat.com", "data", "csaf", "v2", "vex")
	walkArchive(t, filepath.Join(root, "csaf_vex_2026-08-01.tar.zst"), func(d sharedDoc) {
		if strings.HasSuffix(d.name, ".json") {
			yield(d.name, d.data)
		}
	})
	loose, err := filepath.Glob(filepath.Join(root, "2026", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range loose {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		yield(name, data)
	}
}

var vexProductID = regexp.MustCompile(`^(.+):([^:]+)-(\d+:[^:]+)\.(noarch|x86_64|i686|aarch64|ppc64le|ppc64|s390x|src)$`)

// Every fixed RPM of the real documents must come out below its version, in
// its product: read independently, from the product IDs alone.
func TestRedHatVEXDocuments(t *testing.T) {
	documents, checked, exact := 0, 0, 0
	var affected, statements int
	rules := map[string]int{}
	vexDocuments(t, func(name string, data []byte) {
		documents++
		records, findings, err := parseDoc(t, RedHatVEX, name, string(data))
		if err != nil || len(records) != 1 {
			t.Fatal(name, err, len(records))
		}
		for _, f := range findings {
			rules[f.Rule]++
		}
		s, err := records[0].Statements()
		if err != nil {
			t.Fatal(err)
		}
		affected, statements = affected+len(records[0].Affected), statements+len(s)
		fixes, specifics := map[string][]string{}, map[string]string{}
		for _, a := range records[0].Affected {
			key := a.Package.Ecosystem + " " + a.Package.Name
			specifics[key] += string(a.DatabaseSpecific)
			for _, r := range a.Ranges {
				fixes[key] = append(fixes[key], r.Events[len(r.Events)-1].Fixed)
			}
		}
		var doc csafDocument
		if err := stdjson.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		index := doc.Tree.index()
		for _, id := range doc.Vulnerabilities[0].Status["fixed"] {
			m := vexProductID.FindStringSubmatch(id)
			if m == nil || strings.Contains(id, "sha256") {
				continue
			}
			place, module := m[1], ""
			if index.products[place] == nil { // a module stands between
				parts := strings.SplitN(place, ":", 2)
				place, module = parts[0], parts[1]
			}
			key := "Red Hat:" + index.products[place].Helper.CPE[len("cpe:/o:redhat:"):] + " " + m[2]
			checked++
			switch {
			case len(fixes[key]) == 0:
				t.Errorf("%s: %s: %s is not affected", name, id, key)
			case slices.Contains(fixes[key], m[3]):
				exact++
			case module == "" && !strings.Contains(specifics[key], `"`+m[3]+`"`):
				t.Errorf("%s: %s: fixed at %s", name, id, fixes[key])
			}
		}
	})
	t.Logf("%d documents, %d affected, %d statements, %d fixed products checked, %d with that very version, findings %v", documents, affected, statements, checked, exact, rules)
	if documents < 50 || checked < 5000 {
		t.Errorf("%d documents, %d products checked", documents, checked)
	}
}

func BenchmarkRedHatVEX(b *testing.B) {
	var all [][]byte
	n := 0
	vexDocuments(b, func(_ string, data []byte) {
		all = append(all, data)
		n += len(data)
	})
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		for _, data := range all {
			err := RedHatVEX(Doc{Body: strings.NewReader(string(data))}, func(*Record) error { return nil })
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
