package main

import (
	"fmt"

	"github.com/advdb/advdb/store"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID...",
		Short: "Print records as OSV JSON",
		Long: `Show prints records by their IDs, indented; with --json in canonical form
(RFC 8785), one a line. The member database_specific.advdb says which sources
a record is from.
` + exitHelp + "\n     (1: there is no record of an ID)",
		Example: `  advdb show GHSA-jf85-cpcp-j695
  advdb show --json CVE-2021-44228 GO-2023-1571`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, ids []string) error { return a.show(ids) },
	}
}

func (a *app) show(ids []string) error {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	missing := false
	for _, id := range ids {
		data, err := db.Record(id)
		if err != nil {
			return err
		}
		if data == nil {
			missing = true
			fmt.Fprintf(a.stderr, "%s: no such record%s\n", id, a.hint(db, id))
			continue
		}
		if !a.json {
			v := jsontext.Value(data)
			if err := v.Indent(); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			data = v
		}
		if _, err := fmt.Fprintf(a.stdout, "%s\n", data); err != nil {
			return err
		}
	}
	if missing {
		return errBad
	}
	return nil
}

// hint names the records that speak of an ID which has none of its own.
func (a *app) hint(db *store.DB, id string) string {
	links, err := db.Links(id)
	if err != nil || len(links) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d records name it, such as %s (advdb query %s)", len(links), links[0].ID, id)
}
