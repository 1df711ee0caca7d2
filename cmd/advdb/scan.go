package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) scanCommand() *cobra.Command {
	var failOn []string
	c := &cobra.Command{
		Use:   "scan SBOM...",
		Short: "Say which packages of SBOMs are affected",
		Long: `Scan reads SBOMs (CycloneDX JSON or XML, SPDX 2 JSON or tag-value; - for standard
input) and matches their packages, by purl, against the database. A finding is
one vulnerability of one package, whatever the number of records about it. What
could not be matched (no purl, no version, an ecosystem without data) is listed:
it is not clean.

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

With --json one object a SBOM: sbom, components, matches (name, version, purl,
vulns), gaps (name, version, purl, reason). A vuln: id, aliases, verdict, records
(id, ecosystem, verdict, event, reason, note, fixed), fixed, severity (rating,
score, vector, type, by, vendor), statements, kev, epss, percentile, exploited,
exploits, ssvc, cwes, summary.
` + exitHelp + "\n     (1: the policy is violated)",
		Example: `  advdb scan app.cdx.json
  advdb scan --fail-on kev --fail-on 'severity>=high' app.spdx.json
  syft -o cyclonedx-json alpine:3.17 | advdb scan -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.scan(args, failOn) },
	}
	c.Flags().StringArrayVar(&failOn, "fail-on", nil, "what violates the policy (may be repeated)")
	return c
}

func (a *app) scan(files, failOn []string) error {
	p, err := parsePolicy(failOn)
	if err != nil {
		return err
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
	for _, f := range files {
		report, err := a.scanFile(db, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		bad = bad || p.violatedBy(report)
		if a.json {
			err = a.printJSON(report)
		} else {
			err = a.printScan(report)
		}
		if err != nil {
			return err
		}
	}
	if bad {
		a.sayf("the policy is violated: %s", strings.Join(failOn, ", "))
		return errBad
	}
	return nil
}

// scanFile matches the packages of one SBOM.
func (a *app) scanFile(db *store.DB, name string) (*scanReport, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	components, err := query.ReadSBOM(in)
	if err != nil {
		return nil, err
	}
	s, err := query.ScanComponents(db, components)
	if err != nil {
		return nil, err
	}
	found, err := query.Assess(db, s.Matches)
	if err != nil {
		return nil, err
	}
	return newScanReport(name, &s, found), nil
}
