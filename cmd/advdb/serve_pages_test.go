package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestServePages wants pages by default, of what the fixtures hold, and none
// where they are not wanted.
func TestServePages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	fixtureDB(t, dir)
	s := startServe(t, nil, "--db", dir)
	for path, want := range map[string]string{
		"/":                    "Search",
		"/vuln/CVE-2021-38561": "GO-2021-0113",
		"/package/Go/golang.org/x/text?version=v0.3.6": `<span class="chip v-affected">affected</span>`,
		"/sources": "Licence and credit",
	} {
		if status, body := s.get(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %q in\n%s", path, status, want, body)
		}
	}
	s = startServe(t, nil, "--db", dir, "--pages=false")
	if status, body := s.get("/", "Accept", "text/html"); status != 404 || !strings.HasPrefix(body, "{") {
		t.Errorf("%d %s", status, body)
	}
}
