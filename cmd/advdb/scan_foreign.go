package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/advdb/advdb/report"
)

// foreign is a report as the package report takes it.
func (a *app) foreign(r *scanReport) *report.Report {
	return &report.Report{Name: r.name, SBOM: r.sbom, Found: r.found, Gaps: r.gaps, Time: a.now(),
		State: fmt.Sprintf("%d %s", r.meta.Number, r.meta.Created), Version: version()}
}

func (a *app) writeSARIF(w io.Writer, r *scanReport) error { return report.SARIF(w, a.foreign(r)) }

func (a *app) writeOpenVEX(w io.Writer, r *scanReport) error { return report.OpenVEX(w, a.foreign(r)) }

// writeCycloneDX writes the SBOM again, where it is of CycloneDX.
func (a *app) writeCycloneDX(w io.Writer, r *scanReport) error {
	if !strings.HasPrefix(r.sbom.Format, "CycloneDX") {
		return report.CycloneDX(w, a.foreign(r), nil)
	}
	data := bytes.TrimLeft(bytes.TrimPrefix(r.input.Bytes(), []byte("\xef\xbb\xbf")), " \t\r\n")
	form := cyclonedx.BOMFileFormatJSON
	if bytes.HasPrefix(data, []byte("<")) {
		form = cyclonedx.BOMFileFormatXML
	}
	bom := new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(data), form).Decode(bom); err != nil {
		return err
	}
	return report.CycloneDX(w, a.foreign(r), bom)
}

// version is that of the program, "" where it was not built of a release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}
