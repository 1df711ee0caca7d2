package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/advdb/advdb/snapshot"
	"github.com/spf13/cobra"
)

// pullOptions are the flags of pull.
type pullOptions struct {
	root     string
	only     []string
	policy   string
	minSpeed int64
}

func (a *app) pullCommand() *cobra.Command {
	var opt pullOptions
	c := &cobra.Command{
		Use:   "pull REPO...",
		Short: "Make the database a replica of the newest release of a repository",
		Long: `Pull brings the database to the newest release of a repository, by the
cheapest way. More than one are
mirrors of each other. What arrives is verified; the database becomes the
signed state, or stays what it was.

The first time it needs --root, a root of the publisher that you trust. With
--only, records of these ecosystems alone are held and verified ("" for those
of none, such as bare CVEs); --only '*' is all again. With --witness-policy a
release must be cosigned by a quorum of witnesses that you choose, beside that
of the publisher; the database keeps it, and "quorum none" takes it back.

With --json one object: version, from, changed, full, files, requests, bytes,
records, state_root, time, mirror.
` + targetHelp + exitHelp + "\n     (3: nothing that can be trusted was offered; the database is what it was)",
		Example: `  advdb pull https://advdb.example.org --root root.json
  advdb pull /mnt/usb/repo https://advdb.example.org
  advdb pull oci://registry.example.org/advdb:main s3://advisories/main
  advdb pull https://advdb.example.org --only npm,PyPI`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.pull(c.Context(), args, opt, c.Flags().Changed("only"))
		},
	}
	f := c.Flags()
	f.StringVar(&opt.root, "root", "", "file of a trusted root, needed once")
	f.StringSliceVar(&opt.only, "only", nil, "hold these ecosystems only")
	f.StringVar(&opt.policy, "witness-policy", "", "file of witnesses of whom a quorum must have cosigned (C2SP tlog-policy); kept")
	f.Int64Var(&opt.minSpeed, "min-speed", 1024, "bytes a second below which a mirror is left; 0: none")
	return c
}

// trustedRoot reads the file of a root, if one is named.
func trustedRoot(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("--root: %w", err)}
	}
	return b, nil
}

// readPolicy reads a file of witnesses, if one is named.
func readPolicy(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = snapshot.CheckWitnesses(b)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("--witness-policy: %v", err)}
	}
	return b, nil
}

func (a *app) pull(ctx context.Context, targets []string, opt pullOptions, chosen bool) error {
	root, err := trustedRoot(opt.root)
	if err != nil {
		return err
	}
	witnesses, err := readPolicy(opt.policy)
	if err != nil {
		return err
	}
	p := snapshot.PullOptions{Dir: a.dir, Root: root, Witnesses: witnesses, Now: a.now(), MinSpeed: opt.minSpeed, Log: a.log()}
	if opt.minSpeed == 0 {
		p.MinSpeed = -1
	}
	if chosen {
		if p.Only = opt.only; len(opt.only) == 1 && opt.only[0] == "*" {
			p.Only = []string{}
		}
	}
	for _, t := range targets {
		r, err := a.openReader(t)
		if err != nil {
			return err
		}
		p.Mirrors = append(p.Mirrors, r)
	}
	start := time.Now()
	out, err := snapshot.Pull(ctx, p)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(out)
	}
	if !out.Changed {
		_, err = fmt.Fprintf(a.stdout, "release %d of %s is what is held\n", out.Version, out.Time)
	} else {
		_, err = fmt.Fprintf(a.stdout, "release %d of %s: %d records, root %s\n", out.Version, out.Time, out.Records, out.StateRoot)
	}
	a.sayf("%s in %d requests, %.1f s", size(out.Bytes), out.Requests, time.Since(start).Seconds())
	return err
}
