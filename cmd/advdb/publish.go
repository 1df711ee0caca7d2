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
	keep       int
	force      bool
	known      string
	witnesses  string
	builder    string
}

func (a *app) publishCommand() *cobra.Command {
	var opt publishOptions
	c := &cobra.Command{
		Use:   "publish --repo REPO --keys DIR",
		Short: "Sign the state of the database and write it as the next release",
		Long: `Publish writes the state of the database into a repository: what changed since
the last release, and what leads from older ones to it, signed. A folder can
be served by any static web server, or carried. Where nothing changed it signs
the same release for a new term when that is due, and else does nothing. Files that no release
of the last week refers to are deleted (--grace), one release after that was
found; the newest two bases and the first of each quarter stay (--keep).

Before it signs, it applies what it would publish and compares; and it refuses
a source that lost more than a tenth of its records, and a release in which
more than half of all records changed, until --accept names them (the source,
or "churn"). With --known-answers it asks the database questions whose answers
are known, one JSON object a line, and does not sign where one is answered
otherwise: {"purl":"pkg:npm/lodash@4.17.20","affected":["CVE-2021-23337"]}.

The witnesses of the keys' policy ("keys policy"), and of --witness-policy, are
asked to cosign the log; where their quorum is not reached nothing is announced,
and the next run asks again. What the release was made from is written as SLSA
provenance, which "advdb prove --provenance" reads.

SOURCE_DATE_EPOCH sets the release's time; the same records at the same time
give the same segments and roots.

With --json one object: version, new, signed, base, state_root, records, puts,
deletes, touches, changed, delta_bytes, base_bytes, collected, checked.
` + targetHelp + exitHelp + "\n     (1: a gate stands against it, or another publisher was faster)",
		Example: `  advdb publish --repo /srv/advdb --keys keys
  advdb publish --repo /srv/advdb --keys keys --accept debian
  advdb publish --repo s3://advisories/main --keys keys
  advdb publish --repo oci://registry.example.org/advdb:main --keys keys`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if opt.repo == "" || opt.keys == "" {
				return usagef("publish: --repo and --keys are needed")
			}
			return a.publish(c.Context(), opt)
		},
	}
	f := c.Flags()
	f.StringVar(&opt.repo, "repo", "", "the repository: a folder, s3://… or oci://…")
	f.StringVar(&opt.keys, "keys", "", "folder of the keys")
	f.StringSliceVar(&opt.accept, "accept", nil, "sources that may have shrunk; \"churn\" for much change")
	f.Uint64Var(&opt.baseEvery, "base-every", 0, "a new base after so many releases (default 512)")
	f.DurationVar(&opt.offlineAge, "max-offline-age", 0, "how old a carried copy may be (default 1080h)")
	f.IntVar(&opt.keep, "keep", 0, "keep the first base of each of so many quarters (default: of all; negative: of none)")
	f.DurationVar(&opt.grace, "grace", 0, "keep what only older releases need for so long (default 168h; negative: for ever)")
	f.BoolVar(&opt.force, "force", false, "make a release although nothing changed")
	f.StringVar(&opt.known, "known-answers", "", "file of questions that must be answered so before anything is signed")
	f.StringVar(&opt.witnesses, "witness-policy", "", "file of witnesses to ask beside those of the keys' policy (C2SP tlog-policy)")
	f.StringVar(&opt.builder, "builder", "", "URI of who builds, for the provenance (default: https:// and the origin)")
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
	repo, closeRepo, err := a.openRepository(opt.repo)
	if err != nil {
		return err
	}
	defer closeRepo()
	gates := snapshot.Gates{Accept: map[string]bool{}}
	if gates.Check, err = opt.answers(db); err != nil {
		return err
	}
	witnesses, err := readPolicy(opt.witnesses)
	if err != nil {
		return err
	}
	for _, n := range opt.accept {
		gates.Accept[n] = true
	}
	start := time.Now()
	out, err := snapshot.Publish(ctx, snapshot.PublishOptions{
		DB: db, Repo: repo, Keys: keys, Now: a.now(), Gates: gates, Builder: opt.builder, Witnesses: witnesses,
		BaseEvery: opt.baseEvery, MaxOfflineAge: opt.offlineAge, Grace: opt.grace, Keep: opt.keep, Force: opt.force, Log: a.log(),
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
