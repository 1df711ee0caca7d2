package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/advdb/advdb/vex"
	"github.com/spf13/cobra"
)

func (a *app) scanCommand() *cobra.Command {
	var opt scanOptions
	c := &cobra.Command{
		Use:   "scan SBOM...",
		Short: "Say which packages of SBOMs are affected",
		Long: `Scan reads SBOMs (CycloneDX 1.2 to 1.7 as JSON or XML; SPDX 2 as JSON, tag-value,
YAML or RDF/XML; SPDX 3 as JSON-LD; - for standard input) and matches their
packages against the database: by purl, and by CPE where there is no purl that can
be asked. A finding is one vulnerability of one package, whatever the number of
records about it. What could not be matched (no purl, no version, an ecosystem
without data) is listed: it is not clean.

--format says what is printed:
  table      lines for people
  json       an object a SBOM, see below; the same as --json
  sarif      SARIF 2.1.0, of one SBOM
  cyclonedx  CycloneDX 1.6 as JSON: the SBOM with its vulnerabilities, of one SBOM
  openvex    OpenVEX 0.2.0, of one SBOM

--vex names a document (OpenVEX, CycloneDX or CSAF as JSON) that says of
vulnerabilities that they do not affect a product, or are fixed in it. What it is
about is marked as suppressed, with the reason, and violates no policy. A statement
counts for a package that it names by purl, reference or CPE, and, where it is
about the whole of what the SBOM is of, for all its packages or those it names.

--fail-on names what ends with status 1:
  any           a package is affected
  unknown       it cannot be decided whether a package is affected
  gaps          a package could not be matched
  fixable       a fixed version is named
  severity>=R   rated R or worse: low, medium, high, critical
  kev           in CISA's catalog of known exploited vulnerabilities
  exploited     exploited according to any list that is held
  epss>=N       EPSS of N or more, from 0 to 1
  age>D         a source was last fetched longer ago, such as age>36h or age>7d

With --json one object a SBOM: sbom, components, suppressed (how many), matches
(name, version, purl, cpe, vulns), gaps (name, version, purl, reason), notes (what
of the SBOM is not used). A vuln: id, aliases, verdict, suppressed (status,
justification, detail, by), records (id, ecosystem, verdict, event, reason, note,
fixed), fixed, severity (rating, score, vector, type, by, vendor), statements, kev,
epss, percentile, exploited, exploits, ssvc, cwes, summary.
` + exitHelp + "\n     (1: the policy is violated)",
		Example: `  advdb scan app.cdx.json
  advdb scan --fail-on kev --fail-on 'severity>=high' app.spdx.json
  advdb scan --format sarif -o app.sarif --vex app.openvex.json app.cdx.json
  syft -o cyclonedx-json alpine:3.17 | advdb scan -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.scan(args, opt) },
	}
	c.Flags().StringArrayVar(&opt.failOn, "fail-on", nil, "what violates the policy (may be repeated)")
	c.Flags().StringVar(&opt.format, "format", "", "table, json, sarif, cyclonedx or openvex (default table)")
	c.Flags().StringVarP(&opt.output, "output", "o", "", "write to a file instead of standard output")
	c.Flags().StringArrayVar(&opt.vex, "vex", nil, "a document that says what does not count (may be repeated)")
	return c
}

// scanOptions are the flags of scan.
type scanOptions struct {
	format, output string
	failOn, vex    []string
}

// scanFormats says how a report is written in each format, and whether of
// several SBOMs one is written after the other.
var scanFormats = map[string]struct {
	write   func(a *app, w io.Writer, r *scanReport) error
	several bool
}{
	"table":     {(*app).writeTable, true},
	"json":      {(*app).writeScanJSON, true},
	"sarif":     {(*app).writeSARIF, false},
	"cyclonedx": {(*app).writeCycloneDX, false},
	"openvex":   {(*app).writeOpenVEX, false},
}

// check fills in the format and holds that the flags go together.
func (o *scanOptions) check(json bool, files []string) error {
	switch {
	case json && o.format != "" && o.format != "json":
		return usagef("--json and --format %s: which one?", o.format)
	case json:
		o.format = "json"
	case o.format == "":
		o.format = "table"
	}
	f, ok := scanFormats[o.format]
	if !ok {
		return usagef("--format %s: want table, json, sarif, cyclonedx or openvex", o.format)
	}
	if !f.several && len(files) > 1 {
		return usagef("--format %s is of one SBOM, not of %d", o.format, len(files))
	}
	if n := slices.Index(files, "-"); n >= 0 && slices.Contains(files[n+1:], "-") {
		return usagef("standard input can be read once")
	}
	return nil
}

func (a *app) scan(files []string, opt scanOptions) error {
	p, err := parsePolicy(opt.failOn)
	if err != nil {
		return err
	}
	if err := opt.check(a.json, files); err != nil {
		return err
	}
	docs, err := readVEX(opt.vex)
	if err != nil {
		return err
	}
	if a.getenv("GOGC") == "" {
		// 12,000 records are read and little of each is kept: measured 4 %
		// more processor time for 10 % less memory.
		debug.SetGCPercent(60)
	}
	db, err := a.openToAsk()
	if err != nil {
		return err
	}
	defer db.Close()
	bad, err := a.tooOld(db, p)
	if err != nil {
		return err
	}
	err = a.toOutput(opt.output, func(w io.Writer) error {
		for _, f := range files {
			r, err := a.scanFile(db, f, opt.format, docs)
			if err == nil {
				err = scanFormats[opt.format].write(a, w, r)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f, err)
			}
			a.sayScan(r)
			bad = bad || p.violatedBy(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if bad {
		a.sayf("the policy is violated: %s", strings.Join(opt.failOn, ", "))
		return errBad
	}
	return nil
}

// toOutput has write write to standard output or to the file named, which is
// there when all of it is.
func (a *app) toOutput(name string, write func(io.Writer) error) error {
	if name == "" {
		return write(a.stdout)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".advdb-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// readVEX reads documents.
func readVEX(names []string) (docs []*vex.Document, err error) {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, usageError{err}
		}
		d, err := vex.Read(name, f)
		f.Close()
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", name, err)}
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// scanFile matches the packages of one SBOM.
func (a *app) scanFile(db *store.DB, name, format string, docs []*vex.Document) (*scanReport, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	r := &scanReport{name: name, meta: db.Meta()}
	if format == "cyclonedx" { // which writes again what it read
		in = io.TeeReader(in, &r.input)
	}
	var err error
	if r.sbom, err = query.ParseSBOM(in); err != nil {
		return nil, err
	}
	s, err := query.ScanComponents(db, r.sbom.Components)
	if err != nil {
		return nil, err
	}
	r.gaps = s.Gaps
	if r.found, err = query.Assess(db, s.Matches); err != nil {
		return nil, err
	}
	if len(docs) > 0 {
		r.vex = vex.Apply(docs, r.sbom, r.found)
	}
	return r, nil
}
