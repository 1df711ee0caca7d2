package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) bundleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Carry releases in one file to where there is no network",
		Long: `Bundle carries releases across an air gap. The offline site hands out its state
("bundle state"); online, "bundle create" writes what that state needs into one
file; offline, "bundle import" verifies and applies it. The new state is the
receipt.
` + exitHelp,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("bundle: state, create, inspect or import?") },
	}
	c.AddCommand(a.bundleStateCommand(), a.bundleCreateCommand(), a.bundleInspectCommand(), a.bundleImportCommand())
	for _, sub := range c.Commands() {
		sub.Args = usageArgs(sub.Args)
	}
	return c
}

func (a *app) bundleStateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "state",
		Short: "Print what is held, for whoever makes the bundle",
		Long: `State prints a few hundred bytes of JSON: origin, release, and the log as it was
last seen. There is nothing secret in it. After an import it is the receipt.
` + exitHelp,
		Example: `  advdb bundle state > site.state`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			db, err := store.OpenDB(a.dir)
			if err != nil {
				return err
			}
			defer db.Close()
			s, err := snapshot.ReadState(db)
			if err != nil {
				return err
			}
			b, err := s.Encode()
			if err == nil {
				_, err = a.stdout.Write(append(b, '\n'))
			}
			return err
		},
	}
}

func (a *app) bundleCreateCommand() *cobra.Command {
	var repo, state, out string
	var since uint64
	var full bool
	c := &cobra.Command{
		Use:   "create --repo REPO (--since N | --state FILE | --full) -o FILE",
		Short: "Write what a state needs into one file",
		Long: `Create writes a bundle out of a repository (a folder, https://, s3://
or oci://, see "advdb pull"): for the state
that a site handed out, for any release from N on, or for a site that holds
nothing.

With --json one object: origin, version, from, time, records, files, bytes,
root_sha256, state_root.
` + exitHelp,
		Example: `  advdb bundle create --repo https://advdb.example.org --state site.state -o today.advbundle
  advdb bundle create --repo /srv/advdb --full -o all.advbundle`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			n := 0
			for _, name := range []string{"since", "state", "full"} {
				if c.Flags().Changed(name) {
					n++
				}
			}
			if repo == "" || out == "" || n != 1 {
				return usagef("bundle create: --repo, -o, and one of --since, --state, --full are needed")
			}
			return a.bundleCreate(c.Context(), repo, state, since, out)
		},
	}
	f := c.Flags()
	f.StringVar(&repo, "repo", "", "folder or URL of the repository")
	f.Uint64Var(&since, "since", 0, "for replicas of this release or a later one")
	f.StringVar(&state, "state", "", "file that \"bundle state\" printed")
	f.BoolVar(&full, "full", false, "for a site that holds nothing")
	f.StringVarP(&out, "output", "o", "", "file to write")
	return c
}

func (a *app) bundleCreate(ctx context.Context, repo, state string, since uint64, out string) (err error) {
	opt := snapshot.BundleOptions{Since: since}
	if state != "" {
		data, err := os.ReadFile(state)
		if err != nil {
			return usageError{fmt.Errorf("--state: %w", err)}
		}
		if opt.State, err = snapshot.DecodeState(data); err != nil {
			return fmt.Errorf("%s: %w", state, err)
		}
	}
	if opt.Repo, err = a.openReader(repo); err != nil {
		return err
	}
	f, err := os.Create(out + ".new")
	if err != nil {
		return err
	}
	b, err := snapshot.CreateBundle(ctx, f, opt)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(out + ".new")
		return err
	}
	if err := os.Rename(out+".new", out); err != nil {
		return err
	}
	return a.printBundle(b)
}

func (a *app) printBundle(b snapshot.Bundled) error {
	if a.json {
		return a.printJSON(b)
	}
	from := "from nothing"
	if b.From > 0 {
		from = fmt.Sprintf("from release %d on", b.From)
	}
	_, err := fmt.Fprintf(a.stdout, "%s release %d of %s, %s\n%d records, %d files, %s\nstate root %s\nfirst root sha256 %s\n",
		b.Origin, b.Version, b.Time, from, b.Records, b.Files, size(b.Bytes), b.State, b.Root)
	return err
}

func (a *app) bundleInspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a bundle holds",
		Long: `Inspect checks the shape of a bundle and the signatures in it, by the bundle's
own first root. Compare that root's SHA-256 with the publisher's before it is
the first to be trusted.

With --json the same object as "bundle create".
` + exitHelp,
		Example: `  advdb bundle inspect today.advbundle`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := snapshot.OpenBundle(args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			got, err := snapshot.Inspect(c.Context(), b)
			if err != nil {
				return err
			}
			return a.printBundle(got)
		},
	}
}

// importOptions are the flags of bundle import.
type importOptions struct {
	root   string
	only   []string
	warn   time.Duration
	refuse time.Duration
	accept string
	policy string
}

func (a *app) bundleImportCommand() *cobra.Command {
	var opt importOptions
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Verify a bundle and make the database its release",
		Long: `Import verifies a bundle and applies it; the medium may be read-only. The first
time it needs --root. Signatures, rollback and forks are never overridable and
depend on no clock. How old the release may be is the site's policy: by default
more than 7 days are said and more than the publisher's limit (45 days) are
refused, unless --accept-stale gives a reason, which is kept and shown.

With --json the object of "advdb pull", and attested, age_hours, warning.
` + exitHelp + "\n     (3: it cannot be trusted or is too old; the database is what it was)",
		Example: `  advdb bundle import /media/usb/today.advbundle
  advdb bundle import first.advbundle --root root.json
  advdb bundle import old.advbundle --accept-stale 'link down, ticket 12'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.bundleImport(c.Context(), args[0], opt) },
	}
	f := c.Flags()
	f.StringVar(&opt.root, "root", "", "file of a trusted root, needed once")
	f.StringSliceVar(&opt.only, "only", nil, "hold these ecosystems only")
	f.DurationVar(&opt.warn, "warn", 0, "say so from this age on (default 168h)")
	f.DurationVar(&opt.refuse, "refuse", 0, "refuse from this age on (default: the publisher's limit)")
	f.StringVar(&opt.policy, "witness-policy", "", "as of \"advdb pull\"")
	f.StringVar(&opt.accept, "accept-stale", "", "reason to import what is too old")
	return c
}

func (a *app) bundleImport(ctx context.Context, path string, opt importOptions) error {
	root, err := trustedRoot(opt.root)
	if err != nil {
		return err
	}
	witnesses, err := readPolicy(opt.policy)
	if err != nil {
		return err
	}
	b, err := snapshot.OpenBundle(path)
	if err != nil {
		return err
	}
	defer b.Close()
	out, err := snapshot.Import(ctx, snapshot.ImportOptions{
		Dir: a.dir, Bundle: b, Root: root, Only: opt.only, Now: a.now(), Warn: opt.warn, Refuse: opt.refuse, AcceptStale: opt.accept, Witnesses: witnesses,
	})
	if err != nil {
		return err
	}
	if out.Warning != "" {
		fmt.Fprintf(a.stderr, "advdb: warning: %s\n", out.Warning)
	}
	if a.json {
		return a.printJSON(out)
	}
	what := "imported"
	if !out.Changed {
		what = "is what is held"
	}
	_, err = fmt.Fprintf(a.stdout, "release %d of %s %s: %d records, root %s\n", out.Version, out.Time, what, out.Records, out.StateRoot)
	return err
}
