package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/advdb/advdb/query"
	"github.com/advdb/advdb/watch"
	"github.com/spf13/cobra"
)

// watchOptions are the flags of watch.
type watchOptions struct {
	once     bool
	every    time.Duration
	epss     float64
	webhooks []string
	ndjson   string
	atom     string
	feedID   string
}

func (a *app) watchCommand() *cobra.Command {
	var opt watchOptions
	c := &cobra.Command{
		Use:   "watch",
		Short: "Tell what becomes of the findings of stored SBOMs",
		Long: `Watch keeps an inventory of SBOMs (watch add, list, remove). When the database
changes, by sync, pull or import, it matches again what the change touches, and
tells of findings that are new, changed (verdict, severity, fixed version, known
exploitation, EPSS crossing --epss) or gone. It follows the database until it is
interrupted; with --once it looks at it once.

Events go to standard output or a file as NDJSON, to webhooks (Standard Webhooks;
signed with $ADVDB_WEBHOOK_SECRET, "whsec_" and base64), and into an Atom feed. A
receiver that is down gets its events later, each at least once and with an ID.

An event: id, time, kind (new, changed, gone), sbom, component, finding
(vulnerability, verdict, records, severity, score, fixed, exploited, exploits,
likely, summary), before, fields, state.
` + exitHelp + "\n     (1: a receiver could not be reached; its events stay)",
		Example: `  advdb watch add --name shop shop.cdx.json
  advdb watch --webhook https://hooks.example.org/advdb --atom /srv/www/findings.atom
  advdb pull && advdb watch --once --ndjson -`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.watch(c.Context(), opt) },
	}
	f := c.Flags()
	f.BoolVar(&opt.once, "once", false, "look at the database once and end")
	f.DurationVar(&opt.every, "every", 2*time.Second, "how often to look whether the database changed")
	f.Float64Var(&opt.epss, "epss", 0.1, "EPSS from which a vulnerability counts as likely to be exploited")
	f.StringArrayVar(&opt.webhooks, "webhook", nil, "URL to post events to (may be repeated)")
	f.StringVar(&opt.ndjson, "ndjson", "", "file to append events to, - for standard output (default - without other receivers)")
	f.StringVar(&opt.atom, "atom", "", "file to write an Atom feed to")
	f.StringVar(&opt.feedID, "atom-id", "urn:advdb:findings", "ID of the feed, an IRI")
	c.AddCommand(a.watchAddCommand(), a.watchListCommand(), a.watchRemoveCommand())
	for _, sub := range c.Commands() {
		sub.Args = usageArgs(sub.Args)
	}
	return c
}

func (a *app) watchAddCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "add SBOM...",
		Short: "Put SBOMs into the inventory, or newer versions of them",
		Long: `Add puts SBOMs into the inventory under the names of their files, or --name. One
that is there under the name is replaced. The first findings of an SBOM are its
baseline, not events.
` + exitHelp,
		Example: `  advdb watch add --name shop shop.cdx.json`,
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.watchAdd(args, name) },
	}
	c.Flags().StringVar(&name, "name", "", "name in the inventory (of one SBOM; default: the file's)")
	return c
}

func (a *app) watchListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the SBOMs of the inventory",
		Long: `List prints name, packages and findings of each SBOM. With --json one object a
SBOM: name, added, components, findings, due.
` + exitHelp,
		Example: `  advdb watch list`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.watchList() },
	}
}

func (a *app) watchRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME...",
		Short:   "Take SBOMs out of the inventory",
		Long:    "Remove takes SBOMs out of the inventory, and tells nothing of their findings.\n" + exitHelp,
		Example: `  advdb watch remove shop`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withInventory(func(v *watch.Inventory) error {
				for _, name := range args {
					if err := v.Remove(name); err != nil {
						return err
					}
					a.sayf("%s: removed", name)
				}
				return nil
			})
		},
	}
}

// withInventory opens the inventory for the time of f.
func (a *app) withInventory(f func(*watch.Inventory) error) error {
	v, err := watch.Open(a.dir)
	if err != nil {
		return err
	}
	return errors.Join(f(v), v.Close())
}

func (a *app) watchAdd(files []string, name string) error {
	if name != "" && len(files) > 1 {
		return usagef("watch add: --name is for one SBOM")
	}
	return a.withInventory(func(v *watch.Inventory) error {
		for _, file := range files {
			components, err := a.readSBOM(file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			as := name
			if as == "" {
				as = filepath.Base(file)
			}
			if err := v.Add(as, components, a.now()); err != nil {
				return err
			}
			a.sayf("%s: %d packages", as, len(components))
		}
		return nil
	})
}

// readSBOM reads an SBOM from a file, or with - from standard input.
func (a *app) readSBOM(name string) ([]query.Component, error) {
	if name == "-" {
		return query.ReadSBOM(a.stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return query.ReadSBOM(f)
}

func (a *app) watchList() error {
	return a.withInventory(func(v *watch.Inventory) error {
		list, err := v.Entries()
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		for _, e := range list {
			if a.json {
				if err := a.printJSON(e); err != nil {
					return err
				}
				continue
			}
			due := ""
			if e.Due {
				due = "not matched yet"
			}
			fmt.Fprintf(w, "%s\t%d packages\t%d findings\t%s\n", e.Name, e.Components, e.Findings, due)
		}
		return w.Flush()
	})
}

// watch follows the database, or looks at it once.
func (a *app) watch(ctx context.Context, opt watchOptions) error {
	if !(opt.epss > 0 && opt.epss <= 1) || opt.every <= 0 {
		return usagef("watch: --epss must be above 0 and at most 1, --every above 0")
	}
	receivers, done, err := a.receivers(opt)
	if err != nil {
		return err
	}
	defer done()
	if opt.once {
		return a.watchOnce(ctx, opt, receivers, true)
	}
	tick := time.NewTicker(opt.every)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := a.watchOnce(ctx, opt, receivers, first); err != nil && ctx.Err() == nil {
			a.log().Error("watch", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// receivers are those that the flags name.
func (a *app) receivers(opt watchOptions) (list []watch.Receiver, done func(), err error) {
	done = func() {}
	for _, u := range opt.webhooks {
		w, err := watch.NewWebhook(u, a.getenv("ADVDB_WEBHOOK_SECRET"))
		if err != nil {
			return nil, done, usageError{err}
		}
		list = append(list, w)
	}
	switch {
	case opt.ndjson == "-" || opt.ndjson == "" && len(opt.webhooks) == 0 && opt.atom == "":
		list = append(list, &watch.Lines{Writer: a.stdout, Label: "standard output"})
	case opt.ndjson != "":
		f, err := os.OpenFile(opt.ndjson, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, done, err
		}
		done = func() { f.Close() }
		list = append(list, &watch.Lines{Writer: f, Label: "file " + opt.ndjson})
	}
	return list, done, nil
}

// watchOnce makes one pass and delivers what there is. The inventory is free
// for others between passes.
func (a *app) watchOnce(ctx context.Context, opt watchOptions, receivers []watch.Receiver, say bool) error {
	return a.withInventory(func(v *watch.Inventory) error {
		start := time.Now()
		p, err := v.Match(ctx, watch.Options{EPSS: opt.epss, Now: a.now()})
		if err != nil {
			return err
		}
		sent, err := v.Deliver(ctx, receivers...)
		if opt.atom != "" && (p.Events > 0 || say) {
			err = errors.Join(err, a.writeFeed(v, opt))
		}
		if say || p.SBOMs > 0 || sent > 0 {
			a.sayf("state %d: %d records changed; %d SBOMs and %d packages matched, %d events, %d delivered, %.1f s",
				p.State, p.Records, p.SBOMs, p.Components, p.Events, sent, time.Since(start).Seconds())
		}
		return err
	})
}

// writeFeed writes the feed beside its file and renames it: readers see a
// whole one.
func (a *app) writeFeed(v *watch.Inventory, opt watchOptions) error {
	f, err := os.CreateTemp(filepath.Dir(opt.atom), "."+filepath.Base(opt.atom)+".*")
	if err != nil {
		return err
	}
	err = v.WriteAtom(f, strings.TrimSpace(opt.feedID), a.now())
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		os.Remove(f.Name())
		return err
	}
	return os.Rename(f.Name(), opt.atom)
}
