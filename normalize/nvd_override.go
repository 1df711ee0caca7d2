package normalize

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// NVDOverride reads one file of anchore/nvd-data-overrides: the CPE
// configurations that replace those of NVD for one CVE. The record has them in
// database_specific.nvd.configurations, where [Merge] lets them win; none at
// all, or an empty list, takes NVD's away. Why is in
// database_specific.nvd_override.
//
// Source: https://github.com/anchore/nvd-data-overrides, schema/.
func NVDOverride(d Doc, emit func(*Record) error) error {
	data, err := readText(d.Body)
	if err != nil {
		return err
	}
	var f nvdOverrideFile
	if err := json.Unmarshal(data, &f, decodeOptions); err != nil {
		return placed(err)
	}
	if !isCVE(f.Annotation.ID) {
		return fmt.Errorf("_annotation/cve_id: %q: %w", f.Annotation.ID, ErrNoID)
	}
	r, err := f.record()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Annotation.ID, err)
	}
	return emit(r)
}

type nvdOverrideFile struct {
	Annotation struct {
		ID          string `json:"cve_id"`
		CNA         string `json:"cna"`
		Description string `json:"description"`
		Modified    string `json:"modified"`
		Published   string `json:"published"`
		Reason      string `json:"reason"`
	} `json:"_annotation"`
	CVE *struct {
		Configurations jsontext.Value `json:"configurations"`
		References     []nvdReference `json:"references"`
	} `json:"cve"`
}

func (f *nvdOverrideFile) record() (*Record, error) {
	if f.CVE == nil {
		return nil, fmt.Errorf("cve: missing")
	}
	a := &f.Annotation
	r := &Record{ID: a.ID, Details: a.Description}
	r.Published, _ = nvdTime(a.Published)
	r.Modified, _ = nvdTime(a.Modified)
	r.References = (&nvdCVE{References: f.CVE.References}).references()
	configurations := f.CVE.Configurations
	if isEmptyJSON(configurations) {
		configurations = jsontext.Value("[]")
	}
	return r, r.SetSpecific(map[string]any{
		"nvd":          map[string]jsontext.Value{"configurations": configurations},
		"nvd_override": map[string]string{"cna": a.CNA, "reason": a.Reason},
	})
}
