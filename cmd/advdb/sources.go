package main

import (
	"cmp"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) sourcesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sources [SOURCE]",
		Short: "List the sources: licence, age, counts, errors, findings",
		Long: `Sources lists every source that this advdb knows, fetched or not. With the name
of one it prints all that is known of it, its licence's attribution and the
first findings of each document among it: what a parser left out, and what
breaks a rule of OSV.

With --json an array of: name, home, license, credit, format, enrich, records,
documents, fetched_at (when what is held was last confirmed to be current),
newest (the latest modified that upstream gave), status (ok, error, never),
error, findings.
` + exitHelp,
		Example: `  advdb sources
  advdb sources debian
  advdb sources --json | jq '.[] | select(.status != "ok")'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showSource(args[0])
			}
			return a.listSources()
		},
	}
}

// knownSources joins the table in the binary, the state, and the status of
// the last fetches, of which the later goes before. db is nil where there is
// no state.
func (a *app) knownSources(db *store.DB) ([]store.SourceState, error) {
	known, err := a.registry()
	if err != nil {
		return nil, err
	}
	status, err := store.ReadStatus(a.dir)
	if err != nil {
		return nil, err
	}
	list := known.states(status)
	if db == nil {
		return list, nil
	}
	held, err := db.Sources()
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		i := indexSource(list, h.Name)
		if i < 0 {
			list = append(list, h)
			continue
		}
		s := &list[i]
		s.Records, s.Documents, s.Newest, s.Findings = h.Records, h.Documents, h.Newest, h.Findings
		if s.FetchedAt < h.FetchedAt {
			s.FetchedAt = h.FetchedAt
		}
		if _, local := status[h.Name]; !local {
			s.Status, s.Error = h.Status, h.Error
		}
	}
	return list, nil
}

// heldSources is knownSources of the state in the database's folder, if any.
func (a *app) heldSources() ([]store.SourceState, error) {
	db, err := store.OpenDB(a.dir)
	if errors.Is(err, store.ErrNoData) {
		return a.knownSources(nil)
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return a.knownSources(db)
}

func indexSource(list []store.SourceState, name string) int {
	for i := range list {
		if list[i].Name == name {
			return i
		}
	}
	return -1
}

func (a *app) listSources() error {
	list, err := a.heldSources()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(list)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tSTATUS\tFETCHED\tRECORDS\tDOCUMENTS\tFINDINGS\tNEWEST\tLICENSE")
	for _, s := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", s.Name, s.Status, cmp.Or(s.FetchedAt, "-"),
			s.Records, s.Documents, s.Findings, cmp.Or(s.Newest, "-"), s.License)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range list {
		if s.Error != "" {
			fmt.Fprintf(a.stdout, "\n%s: %s\n", s.Name, s.Error)
		}
	}
	return nil
}

// showSource prints one source.
func (a *app) showSource(name string) error {
	list, err := a.heldSources()
	if err != nil {
		return err
	}
	i := indexSource(list, name)
	if i < 0 {
		return usagef("no source %q; see \"advdb sources\"", name)
	}
	s := list[i]
	found, err := store.ReadFindings(a.dir, name)
	if err != nil && !errors.Is(err, store.ErrBusy) {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			store.SourceState
			First []store.DocumentFindings `json:"first_findings"`
		}{s, found})
	}
	fmt.Fprintf(a.stdout, "%s\n  home       %s\n  license    %s\n  credit     %s\n  format     %s\n", s.Name, s.Home, s.License, cmp.Or(s.Credit, "-"), s.Format)
	fmt.Fprintf(a.stdout, "  status     %s\n  fetched    %s\n  newest     %s\n  records    %d\n  documents  %d\n  findings   %d\n",
		s.Status, cmp.Or(s.FetchedAt, "-"), cmp.Or(s.Newest, "-"), s.Records, s.Documents, s.Findings)
	if s.Error != "" {
		fmt.Fprintf(a.stdout, "  error      %s\n", s.Error)
	}
	for _, d := range found {
		fmt.Fprintf(a.stdout, "%s: %d findings\n", d.Document, d.Count)
		for _, f := range d.First {
			fmt.Fprintf(a.stdout, "  %s: %s: %s\n", f.Place, f.Rule, f.Message)
		}
	}
	return nil
}
