package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/query"
	"github.com/spf13/cobra"
)

func (a *app) explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain ID [PURL]",
		Short: "Say who says what of a vulnerability, and what follows by which rule",
		Long: `Explain shows all that is held of a vulnerability, given by any of its IDs: which
IDs are one and who says so, also whose word does not count and why; each record
with its sources, and which source each merged field was taken from; what the
enrichment tables say; and for a package (PURL) each record's ranges and verdict,
the vendor's statements, and where each field of the answer comes from.

With --json one object: asked, group (id, members, edges), records (id, relation,
held, sources, fields, modified, withdrawn, reason, summary, severity, ranges,
statements, assertion), related, threat, answer (as of scan), searched, decisions
(field, value, from, rule).
` + exitHelp + "\n     (1: nothing is known of the ID)",
		Example: `  advdb explain CVE-2021-23337
  advdb explain GHSA-35jh-r3h4-6jhm pkg:npm/lodash@4.17.20
  advdb explain CVE-2023-0286 'pkg:deb/debian/openssl@1.1.1n-0+deb11u3?distro=bullseye'`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error { return a.explain(args) },
	}
	return c
}

func (a *app) explain(args []string) error {
	var q *query.Question
	if len(args) > 1 {
		p, err := query.ParsePurl(args[1])
		if err != nil {
			return usageError{err}
		}
		q = &p
	}
	db, err := a.openToAsk()
	if err != nil {
		return err
	}
	defer db.Close()
	x, err := query.Explain(db, args[0], q)
	if err != nil {
		return err
	}
	if !x.Known() {
		fmt.Fprintf(a.stderr, "%s: nothing is known of it\n", args[0])
		return errBad
	}
	if q != nil && len(x.Searched) == 0 {
		return fmt.Errorf("%s: %w", q.Ecosystem, errNotCovered)
	}
	if a.json {
		return a.printJSON(newExplainJSON(x))
	}
	printGroup(a.stdout, x)
	printThreat(a.stdout, &x.Threat)
	if err := printAccounts(a.stdout, x); err != nil {
		return err
	}
	if len(x.Related) > 0 {
		fmt.Fprintf(a.stdout, "related: %s\n", strings.Join(x.Related, " "))
	}
	if q == nil {
		return nil
	}
	return a.printDecisions(x)
}

// printGroup says which IDs are one, and by whose word.
func printGroup(w io.Writer, x *query.Explanation) {
	fmt.Fprintf(w, "%s\n", strings.Join(x.Group.Members, " = "))
	for _, e := range x.Group.Edges {
		if e.Unfit == "" {
			fmt.Fprintf(w, "  %s says that it is %s\n", e.By, e.Names)
		} else {
			fmt.Fprintf(w, "  %s says that it is %s, which does not count: %s\n", e.By, e.Names, e.Unfit)
		}
	}
}

func printThreat(w io.Writer, t *query.Threat) {
	if t.EPSS > 0 {
		fmt.Fprintf(w, "EPSS %.2f%% (above %.1f%% of all)\n", 100*t.EPSS, 100*t.Percentile)
	}
	if t.KEV != nil {
		ransomware := ""
		if t.KEV.Ransomware {
			ransomware = ", used by ransomware"
		}
		fmt.Fprintf(w, "known to be exploited: CISA, added %s, due %s%s\n", t.KEV.Added, cmp.Or(t.KEV.Due, "-"), ransomware)
	}
	if len(t.Exploited) > 0 {
		fmt.Fprintf(w, "exploited according to: %s\n", strings.Join(t.Exploited, " "))
	}
	if len(t.Exploits) > 0 {
		fmt.Fprintf(w, "exploits in: %s\n", strings.Join(t.Exploits, " "))
	}
	if s := t.SSVC; s != nil {
		fmt.Fprintf(w, "SSVC: exploitation %s, automatable %s, technical impact %s\n", s.Exploitation, s.Automatable, s.TechnicalImpact)
	}
}

// shownRanges is how many ranges of a record are shown where no package was
// asked about.
const shownRanges = 12

// printAccounts prints each record with its sources, ranges and statements;
// where a package was asked about only those that speak of it and those of the
// vulnerability itself.
func printAccounts(out io.Writer, x *query.Explanation) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	others := 0
	for i := range x.Accounts {
		r := &x.Accounts[i]
		silent := r.Assertion == nil && len(r.Ranges) == 0 && len(r.Statements) == 0
		switch {
		case !r.Held:
		case x.Searched != nil && silent && r.Relation != "member":
			others++
		default:
			printAccount(w, r, x.Searched != nil)
		}
	}
	if others > 0 {
		fmt.Fprintf(w, "and %d records about other packages\n", others)
	}
	return w.Flush()
}

// printAccount prints one record; all of it, or the first of many ranges.
func printAccount(w io.Writer, r *query.Account, all bool) {
	fmt.Fprintf(w, "%s\n", accountHead(r))
	if r.Assertion != nil {
		fmt.Fprintf(w, "    says %s\n", verdictText(r.Assertion))
	}
	for _, field := range sortedKeys(r.Fields) {
		fmt.Fprintf(w, "    %s from %s\n", field, r.Fields[field])
	}
	for i, row := range r.Ranges {
		if i == shownRanges && !all {
			fmt.Fprintf(w, "    and %d more\n", len(r.Ranges)-i)
			break
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\n", row.Ecosystem, row.Package, rangeText(row))
	}
	printStatements(w, r.Statements, all)
}

// accountHead is the first line of a record: who, how bad, what.
func accountHead(r *query.Account) string {
	head := []string{r.ID, "(" + strings.Join(r.Sources, ", ") + ")"}
	if r.Withdrawn != "" {
		head = append(head, "withdrawn "+r.Withdrawn, r.Reason)
	}
	if s := r.Severity; s.Type != "" {
		head = append(head, fmt.Sprintf("%s %.1f %s", s.Rating, s.Score, s.Vector))
	}
	if r.Severity.Vendor != "" {
		head = append(head, "rated "+r.Severity.Vendor)
	}
	return strings.Join(append(head, r.Summary), " ")
}

func printStatements(w io.Writer, list []normalize.Statement, all bool) {
	for i, s := range list {
		if i == shownRanges && !all {
			fmt.Fprintf(w, "    and %d more statements\n", len(list)-i)
			return
		}
		detail := ""
		if s.Detail != "" {
			detail = " (" + s.Detail + ")"
		}
		fmt.Fprintf(w, "    %s\t%s\t%s%s\n", s.Ecosystem, s.Package, strings.ReplaceAll(s.Status, "_", " "), detail)
	}
}

func rangeText(r query.RangeRow) string {
	var parts []string
	for _, p := range [][2]string{{"from ", r.Introduced}, {"after ", r.After}, {"fixed ", r.Fixed}, {"up to ", r.LastAffected}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	if r.Versions > 0 {
		parts = append(parts, fmt.Sprintf("%d versions by name", r.Versions))
	}
	return strings.Join(parts, ", ")
}

// verdictText is a verdict and what decided.
func verdictText(x *query.Assertion) string {
	text := x.Verdict.String()
	if why := cmp.Or(x.Reason, eventText(x.Finding)); why != "" {
		text += ": " + why
	}
	if x.Note != "" {
		text += " (" + x.Note + ")"
	}
	return text
}

// printDecisions prints what follows for the package.
func (a *app) printDecisions(x *query.Explanation) error {
	if x.Answer == nil {
		a.sayf("no record of it speaks of the package; searched: %s", strings.Join(x.Searched, ", "))
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, d := range x.Decisions {
		fmt.Fprintf(w, "=> %s\t%s\t%s\t%s\n", d.Field, d.Value, d.From, d.Rule)
	}
	return w.Flush()
}
