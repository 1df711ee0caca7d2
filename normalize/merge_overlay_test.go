package normalize

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

const (
	nvdPart      = `{"id":"CVE-2024-1","modified":"2024-01-02T00:00:00Z","details":"NVD's","database_specific":{"nvd":{"configurations":[{"nodes":["nvd"]}],"vulnStatus":"Analyzed"}}}`
	overridePart = `{"id":"CVE-2024-1","modified":"2024-01-01T00:00:00Z","details":"other","database_specific":{"nvd":{"configurations":[{"nodes":["z"]},{"nodes":["a"]}]},"nvd_override":{"reason":"r"}}}`
	emptyPart    = `{"id":"CVE-2024-1","database_specific":{"nvd":{"configurations":[]}}}`
)

func overlayPart(t *testing.T, source, text, gone string) Part {
	t.Helper()
	r, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Part{Source: source, Document: "d", Record: r, Day: "2024-06-01T00:00:00Z", Gone: gone}
}

// The curated configurations of nvd-overrides stand in the place of NVD's,
// neither beside them nor behind them, and say nothing else of the record.
func TestMergeOverlay(t *testing.T) {
	const withdrawn = `{"id":"CVE-2024-1","modified":"2024-01-02T00:00:00Z","withdrawn":"2024-01-02T00:00:00Z","database_specific":{"nvd":{"vulnStatus":"Rejected"}}}`
	const day = "2024-05-05T00:00:00Z"
	tests := []struct {
		name           string
		parts          []Part
		configurations string
		details        string
		withdrawn      string
		sources        []string
	}{
		{"beside NVD", []Part{overlayPart(t, "nvd-overrides", overridePart, ""), overlayPart(t, "nvd", nvdPart, "")},
			`[{"nodes":["z"]},{"nodes":["a"]}]`, "NVD's", "", []string{"nvd", "nvd-overrides"}},
		{"taken away", []Part{overlayPart(t, "nvd", nvdPart, ""), overlayPart(t, "nvd-overrides", emptyPart, "")},
			`[]`, "NVD's", "", []string{"nvd", "nvd-overrides"}},
		{"alone", []Part{overlayPart(t, "nvd-overrides", overridePart, "")},
			`[{"nodes":["z"]},{"nodes":["a"]}]`, "other", "", []string{"nvd-overrides"}},
		{"gone itself", []Part{overlayPart(t, "nvd", nvdPart, ""), overlayPart(t, "nvd-overrides", overridePart, day)},
			`[{"nodes":["nvd"]}]`, "NVD's", "", []string{"nvd"}},
		{"of a rejected CVE", []Part{overlayPart(t, "nvd", withdrawn, ""), overlayPart(t, "nvd-overrides", overridePart, "")},
			`[{"nodes":["z"]},{"nodes":["a"]}]`, "other", "2024-01-02T00:00:00Z", []string{"nvd", "nvd-overrides"}},
		{"of a CVE that is gone", []Part{overlayPart(t, "nvd", nvdPart, day), overlayPart(t, "nvd-overrides", overridePart, "")},
			`[{"nodes":["nvd"]}]`, "NVD's", day, []string{"nvd"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, origin, err := Merge("CVE-2024-1", tt.parts)
			if err != nil {
				t.Fatal(err)
			}
			var nvd struct {
				Configurations any `json:"configurations"`
			}
			if _, err := r.Specific("nvd", &nvd); err != nil {
				t.Fatal(err)
			}
			got := marshal(t, nvd.Configurations)
			if got != tt.configurations || r.Details != tt.details || r.Withdrawn != tt.withdrawn {
				t.Errorf("configurations %s, details %q, withdrawn %q", got, r.Details, r.Withdrawn)
			}
			if d := cmp.Diff(tt.sources, origin.Sources); d != "" {
				t.Error(d)
			}
		})
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v, encodeOptions)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
