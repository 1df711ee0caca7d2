package main

import (
	"context"

	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) rebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild [SOURCE...]",
		Short: "Make parts and records anew from the documents held, offline",
		Long: `Rebuild parses every document again, without any request, and writes all
records and indexes anew. Where nothing is wrong the records come out the
same, byte for byte (the digest of "advdb verify"). Named sources restrict
what is reported, not what is rebuilt.
` + exitHelp + " (a document does not parse)",
		Example: `  advdb rebuild
  advdb rebuild --json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.rebuild(c.Context(), args) },
	}
}

func (a *app) rebuild(ctx context.Context, names []string) error {
	known, err := a.registry()
	if err != nil {
		return err
	}
	chosen, err := known.pick(names)
	if err != nil {
		return err
	}
	st, err := store.Open(a.dir, store.Options{Now: a.now, Log: a.log()})
	if err != nil {
		return err
	}
	defer st.Close()
	r := &syncRun{a: a, known: known, store: st, clock: newStopwatch(), progress: a.newProgress()}
	defer r.progress.stop()
	outs, err := r.update(ctx, nil, true)
	if err != nil {
		return err
	}
	return r.report(chosen, nil, outs)
}
