package query

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/advdb/advdb/internal/sharedtest"
	"github.com/advdb/advdb/normalize"
	"github.com/google/go-cmp/cmp"
)

// Vectors and scores are those of published advisories and of the examples of
// the specifications.
func TestScoreCVSS(t *testing.T) {
	for _, c := range []struct {
		kind, vector string
		score        float64
		rating       Rating
	}{
		{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, Critical}, // CVE-2021-44228
		{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 7.5, High},
		{"CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Medium},
		{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, None},
		{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C", 8.8, High}, // temporal
		{"CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C", 10, High},
		{"CVSS_V2", "(AV:N/AC:L/Au:N/C:N/I:P/A:N)", 5, Medium},
		{"CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, Critical},
		{"CVSS_V3", " CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N\n", 7.3, High}, // says its version itself
	} {
		score, rating, err := ScoreCVSS(c.kind, c.vector)
		if err != nil || score != c.score || rating != c.rating {
			t.Errorf("%s: %v %v, %v; want %v %v", c.vector, score, rating, err, c.score, c.rating)
		}
	}
	for _, bad := range []string{"", "CVSS:3.1/", "CVSS:3.1/AV:X", "CVSS:5.0/AV:N", "7.5", "AV:N/AC:L/Au:N"} {
		if score, _, err := ScoreCVSS("CVSS_V2", bad); err == nil {
			t.Errorf("%q scores %v", bad, score)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	const v3, v4 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	own := severityOf("A", []normalize.Severity{{Type: "CVSS_V3", Score: v3}, {Type: "CVSS_V4", Score: v4}, {Type: "CVSS_V3", Score: "junk"}})
	if diff := cmp.Diff(Severity{Rating: High, Score: 7.3, Vector: v4, Type: "CVSS_V4", By: "A"}, own); diff != "" {
		t.Errorf("the newest CVSS counts (-want +got):\n%s", diff)
	}
	ubuntu := severityOf("U", []normalize.Severity{{Type: "Ubuntu", Score: "negligible"}})
	got := ubuntu.or(severityOf("C", []normalize.Severity{{Type: "CVSS_V3", Score: v3}}))
	if diff := cmp.Diff(Severity{Rating: High, Score: 7.5, Vector: v3, Type: "CVSS_V3", By: "C", Vendor: "negligible", Word: "U"}, got); diff != "" {
		t.Errorf("the word stays beside another's score (-want +got):\n%s", diff)
	}
	if got := ubuntu.or(Severity{}); got.Rating != Low || got.By != "U" {
		t.Errorf("a word alone rates: %+v", got)
	}
}

var scoredVector = regexp.MustCompile(`"vectorString"\s*:\s*"([^"]+)",\s*"baseScore"\s*:\s*([0-9.]+)`)

// TestScoresOfNVD computes the score of every vector in the NVD records at
// hand, beside which NVD has its own.
func TestScoresOfNVD(t *testing.T) {
	n := 0
	err := filepath.WalkDir(sharedtest.Path(t, "corpus"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range scoredVector.FindAllStringSubmatch(string(data), -1) {
			kind := "CVSS_V3"
			if m[1][0] == 'A' {
				kind = "CVSS_V2"
			}
			want, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return err
			}
			n++
			vector := strings.ReplaceAll(m[1], `\/`, "/")
			if got, _, err := ScoreCVSS(kind, vector); err != nil || got != want {
				t.Errorf("%s: %s: %v, %v, theirs %v", filepath.Base(path), vector, got, err, want)
			}
		}
		return nil
	})
	if err != nil || n < 50 {
		t.Errorf("%d vectors, %v", n, err)
	}
}
