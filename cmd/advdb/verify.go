package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check every invariant of the database",
		Long: `Verify reads the whole state: that the file is sound, that records are in
order, canonical and named by their key, and that indexes and numbers are what
the records say; where feeds are synced also that every document has the bytes
it was fetched with, and that parts are what the documents say. It prints a digest over all canonical records in the order of
their IDs: two databases with one digest hold the same records.

With --json one object: ok, records, digest, problems.
` + exitHelp + "\n     (1: an invariant is broken)",
		Example: `  advdb verify
  advdb verify --json | jq -r .digest`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.verify(c.Context()) },
	}
}

func (a *app) verify(ctx context.Context) error {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	rep, err := db.Check(ctx, os.TempDir())
	if err != nil {
		return err
	}
	work, err := store.CheckWork(ctx, a.dir, os.TempDir())
	switch {
	case errors.Is(err, store.ErrBusy):
		a.sayf("documents and parts are not checked: %v", err)
	case err != nil:
		return err
	}
	rep.Broken += work.Broken
	rep.Problems = append(rep.Problems, work.Problems...)
	if a.json {
		problems := rep.Problems
		if problems == nil {
			problems = []string{}
		}
		err = a.printJSON(struct {
			OK       bool     `json:"ok"`
			Records  int      `json:"records"`
			Digest   string   `json:"digest"`
			Problems []string `json:"problems"`
		}{rep.Broken == 0, rep.Records, rep.Digest, problems})
	} else {
		for _, p := range rep.Problems {
			fmt.Fprintln(a.stdout, p)
		}
		if more := rep.Broken - len(rep.Problems); more > 0 {
			fmt.Fprintf(a.stdout, "and %d more\n", more)
		}
		_, err = fmt.Fprintf(a.stdout, "%d records, digest %s, %d problems\n", rep.Records, rep.Digest, rep.Broken)
	}
	if err == nil && rep.Broken > 0 {
		return errBad
	}
	return err
}
