package main

import (
	"context"
	"fmt"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

// publishOptions are the flags of publish.
type publishOptions struct {
	repo, keys string
	accept     []string
	baseEvery  uint64
	offlineAge time.Duration
	grace      time.Duration
	force      bool
}

func (a *app) publishCommand() *cobra.Command {
	var opt publishOptions
	c := &cobra.Command{
		Use:   "publish --repo DIR --keys DIR",
		Short: "Sign the state of the database and write it as the next release",
		Long: `Publish writes the state of the database into a repository: what changed since
the last release, and what leads from older ones to it, signed. The folder can
be served by any static web server, or carried. Where nothing changed it signs
the same release for a new term when that is due, and else does nothing. Files that no release
of the last week refers to are deleted (--grace).

Before it signs, it applies what it would publish and compares; and it refuses
a source that lost more than a tenth of its records, and a release in which
more than half of all records changed, until --accept names them (the source,
or "churn").

SOURCE_DATE_EPOCH sets the release's time; the same records at the same time
give the same segments and roots.

With --json one object: version, new, signed, base, state_root, records, puts,
deletes, touches, changed, delta_bytes, base_bytes, collected, checked.
` + exitHelp + "\n     (1: a gate stands against it, or another publisher was faster)",
		Example: `  advdb publish --repo /srv/advdb --keys keys
  advdb publish --repo /srv/advdb --keys keys --accept debian`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if opt.repo == "" || opt.keys == "" {
				return usagef("publish: --repo and --keys are needed")
			}
			return a.publish(c.Context(), opt)
		},
	}
	f := c.Flags()
	f.StringVar(&opt.repo, "repo", "", "folder of the repository")
	f.StringVar(&opt.keys, "keys", "", "folder of the keys")
	f.StringSliceVar(&opt.accept, "accept", nil, "sources that may have shrunk; \"churn\" for much change")
	f.Uint64Var(&opt.baseEvery, "base-every", 0, "a new base after so many releases (default 512)")
	f.DurationVar(&opt.offlineAge, "max-offline-age", 0, "how old a carried copy may be (default 1080h)")
	f.DurationVar(&opt.grace, "grace", 0, "keep what only older releases need for so long (default 168h; negative: for ever)")
	f.BoolVar(&opt.force, "force", false, "make a release although nothing changed")
	return c
}

func (a *app) publish(ctx context.Context, opt publishOptions) error {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := snapshot.OpenKeyring(opt.keys, a.passphrase(false))
	if err != nil {
		return err
	}
	repo, err := snapshot.CreateDir(opt.repo)
	if err != nil {
		return err
	}
	defer repo.Close()
	accept := map[string]bool{}
	for _, n := range opt.accept {
		accept[n] = true
	}
	start := time.Now()
	out, err := snapshot.Publish(ctx, snapshot.PublishOptions{
		DB: db, Repo: repo, Keys: keys, Now: a.now(), Gates: snapshot.Gates{Accept: accept},
		BaseEvery: opt.baseEvery, MaxOfflineAge: opt.offlineAge, Grace: opt.grace, Force: opt.force, Log: a.log(),
	})
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(out)
	}
	switch {
	case out.New:
		_, err = fmt.Fprintf(a.stdout, "release %d: %d records, root %s\n%d put, %d deleted, %d touched, %d values changed; delta %s, base %s\n",
			out.Version, out.Records, out.StateRoot, out.Puts, out.Deletes, out.Touches, out.Changed, size(out.Delta), size(out.BaseSize))
		a.sayf("%d ways to it applied and compared; %.1f s", out.Cover, time.Since(start).Seconds())
	case out.Signed:
		_, err = fmt.Fprintf(a.stdout, "release %d: unchanged, signed for a new term\n", out.Version)
	default:
		_, err = fmt.Fprintf(a.stdout, "release %d: unchanged\n", out.Version)
	}
	return err
}
