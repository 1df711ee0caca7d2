package sources_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/advdb/advdb/sources"
)

const (
	cveRaw     = "raw.githubusercontent.com/CVEProject/cvelistV5/main/"
	cveArchive = "github.com/CVEProject/cvelistV5/archive/refs/heads/main.tar.gz"
)

// cveTar is the archive of the CVE List with one file an ID.
func cveTar(t *testing.T, names ...string) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range names {
		body := fmt.Sprintf(`{"archive":%q}`, name)
		if err := w.WriteHeader(&tar.Header{Name: "cvelistV5-main/" + name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return string(gzipped(t, buf.Bytes()))
}

// deltaLog is a log of runs: each a time and the IDs it updated.
func deltaLog(runs ...string) string {
	var list []string
	for _, run := range runs {
		fields := strings.Fields(run)
		var entries []string
		for _, id := range fields[1:] {
			entries = append(entries, fmt.Sprintf(`{"cveId":%q}`, id))
		}
		list = append(list, fmt.Sprintf(`{"fetchTime":%q,"new":[],"updated":[%s],"error":[{"cveId":"CVE-2026-0666"}]}`, fields[0], strings.Join(entries, ",")))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func TestCVEList(t *testing.T) {
	const one, two, three = "cves/2026/1xxx/CVE-2026-1001.json", "cves/2026/1xxx/CVE-2026-1002.json", "cves/2026/12xxx/CVE-2026-12345.json"
	f := sources.CVEList()
	s := newFeedSite(t)
	s.put(cveArchive, cveTar(t, one, two))
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	s.want("no log", []string{"deltaLog.json 404", "main.tar.gz"}, []string{one, two})
	s.put(cveRaw+"cves/deltaLog.json", deltaLog("2026-01-02T00:00:00Z CVE-2026-1001"))
	if err := s.fetch(f); err != nil {
		t.Fatal(err)
	}
	s.want("a log", []string{"deltaLog.json", "main.tar.gz 304"}, []string{one, two})

	// The newest first; one CVE twice, asked for once; one broken.
	s.put(cveRaw+"cves/deltaLog.json", deltaLog("2026-01-03T00:00:00Z CVE-2026-1001 CVE-2026-12345", "2026-01-02T12:00:00Z CVE-2026-1001 CVE-2026-1002", "2026-01-01T00:00:00Z CVE-2026-1002"),
		cveRaw+one, `{"raw":1}`, cveRaw+two, `{"raw":`, cveRaw+three, `{"raw":3}`)
	if err := s.fetch(f); !errors.Is(err, sources.ErrIncomplete) || !strings.Contains(err.Error(), two) {
		t.Errorf("a broken file: error is %v", err)
	}
	all := []string{three, one, two}
	s.want("delta", []string{"deltaLog.json", "CVE-2026-1002.json", "CVE-2026-12345.json", "CVE-2026-1001.json"}, all)
	if got := string(s.docs.Reopen().Documents()[two]); !strings.Contains(got, "archive") {
		t.Errorf("the broken file lost its last content: %s", got)
	}
	s.put(cveRaw+two, `{"raw":2}`)
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	if got := string(s.docs.Reopen().Documents()[two]); got != `{"raw":2}` {
		t.Errorf("mended: %s", got)
	}
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("nothing new", []string{"deltaLog.json 304"}, all)

	// The log begins after the last fetch: the archive is the only way.
	s.put(cveRaw+"cves/deltaLog.json", deltaLog("2026-03-01T00:00:00Z CVE-2026-1001"), cveArchive, cveTar(t, one, three))
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("over the horizon", []string{"deltaLog.json", "main.tar.gz"}, []string{three, one})

	// So it is where the log names more than is asked for one by one.
	var many []string
	for i := range 2001 {
		many = append(many, fmt.Sprintf("CVE-2026-%d", 20000+i))
	}
	s.put(cveRaw+"cves/deltaLog.json", deltaLog("2026-03-02T00:00:00Z "+strings.Join(many, " "), "2026-02-28T00:00:00Z"), cveArchive, cveTar(t, one))
	if err := s.fetch(f); err != nil {
		t.Error(err)
	}
	s.want("many", []string{"deltaLog.json", "main.tar.gz"}, []string{one})
	for _, bad := range []string{`[]`, `{}`, `[{"fetchTime":"now"}]`} {
		s.put(cveRaw+"cves/deltaLog.json", bad)
		if err := s.fetch(f); !errors.Is(err, sources.ErrIncomplete) {
			t.Errorf("%s: error is %v", bad, err)
		}
	}
}
