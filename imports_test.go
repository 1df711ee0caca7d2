package advdb

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/advdb/advdb/"

// allowed are the packages of ours that each package may import: imports go
// one way (docs/architecture.md).
var allowed = map[string][]string{
	"versioncmp":          {"internal/lazyregexp"},
	"cpe":                 {"versioncmp"},
	"normalize":           {"internal/lazyregexp", "versioncmp"},
	"sources":             {"internal/lazyregexp", "normalize"},
	"sources/fixture":     {},
	"sources/sourcetest":  {"normalize", "sources", "sources/fixture"},
	"store":               {"cpe", "normalize", "versioncmp"},
	"query":               {"cpe", "normalize", "store", "versioncmp"},
	"snapshot":            {"normalize", "store", "versioncmp"},
	"server":              {"cpe", "normalize", "query", "snapshot", "store", "versioncmp"},
	"report":              {"query", "versioncmp"},
	"vex":                 {"cpe", "query"},
	"cmd/advdb":           {"cpe", "normalize", "query", "report", "server", "snapshot", "sources", "sources/fixture", "store", "versioncmp", "vex", "watch"},
	"internal/lazyregexp": {},
	"watch":               {"normalize", "query", "snapshot", "store"},
	"internal/sharedtest": {},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(p.ImportPath, module)
		if !ok {
			continue
		}
		seen++
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s is not in the table of docs/architecture.md and this test", name)
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			if name != "store" && strings.HasPrefix(imp, "go.etcd.io/bbolt") {
				t.Errorf("%s imports bbolt: only store does", name)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, the table has %d", seen, len(allowed))
	}
}
