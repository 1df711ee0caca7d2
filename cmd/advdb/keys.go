package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/advdb/advdb/snapshot"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func (a *app) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make, rotate and show the keys of a publisher",
		Long: `Keys makes and shows the keys with which snapshots are signed. They are files
in one folder, each encrypted with the passphrase ($ADVDB_KEY_PASSPHRASE, or
asked for). The keys of root and targets are needed to rotate only: keep their
files elsewhere, offline. What clients are given once is tuf/1.root.json.
` + exitHelp,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usagef("keys: init, rotate, policy or show?") },
	}
	c.AddCommand(a.keysInitCommand(), a.keysRotateCommand(), a.keysPolicyCommand(), a.keysShowCommand())
	for _, sub := range c.Commands() {
		sub.Args = usageArgs(sub.Args)
	}
	return c
}

func (a *app) keysInitCommand() *cobra.Command {
	var dir, origin string
	var roles []string
	c := &cobra.Command{
		Use:   "init --keys DIR --origin NAME",
		Short: "Make new keys",
		Long: `Init makes the keys of a new publisher: root (2 of 3), targets, releases,
snapshot and timestamp (1 of 1), and the log of releases. --role changes how
many of how many must sign.

With --json one object: origin, log, roles (name, threshold, days, keys),
root_version, root_sha256.
` + exitHelp,
		Example: `  advdb keys init --keys keys --origin advdb.example.org/main
  advdb keys init --keys keys --origin example.org/a --role root=3/5 --role releases=2/3`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" || origin == "" {
				return usagef("keys init: --keys and --origin are needed")
			}
			opt := snapshot.KeyringOptions{Origin: origin, Passphrase: a.passphrase(true), Now: a.now(), Keys: map[string]int{}, Threshold: map[string]int{}}
			for _, r := range roles {
				name, of, _ := strings.Cut(r, "=")
				var m, n int
				if _, err := fmt.Sscanf(of, "%d/%d", &m, &n); err != nil || m < 1 || n < m {
					return usagef("--role %q: want NAME=M/N", r)
				}
				opt.Threshold[name], opt.Keys[name] = m, n
			}
			k, err := snapshot.InitKeyring(dir, opt)
			if err != nil {
				return err
			}
			return a.showKeys(k)
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "keys", "", "folder of the keys")
	f.StringVar(&origin, "origin", "", "the publisher's name, for ever")
	f.StringArrayVar(&roles, "role", nil, "NAME=M/N: M of N keys must sign")
	return c
}

func (a *app) keysRotateCommand() *cobra.Command {
	var dir, drop string
	c := &cobra.Command{
		Use:   "rotate --keys DIR [ROLE]",
		Short: "Give a role a new key, or sign root and targets for a new term",
		Long: `Rotate makes a new key for a role in place of an old one (--drop, or the
oldest) and signs the next root with old and new root keys. Without a role it
signs root and targets again as they are, before they expire. The next
"advdb publish" carries it to clients; those that were away follow the chain.
` + exitHelp,
		Example: `  advdb keys rotate --keys keys timestamp
  advdb keys rotate --keys keys                new term for root and targets`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" {
				return usagef("keys: --keys is needed")
			}
			k, err := snapshot.OpenKeyring(dir, a.passphrase(false))
			if err != nil {
				return err
			}
			role := ""
			if len(args) == 1 {
				role = args[0]
			}
			if _, err := k.Rotate(role, drop, a.now()); err != nil {
				return err
			}
			return a.showKeys(k)
		},
	}
	c.Flags().StringVar(&dir, "keys", "", "folder of the keys")
	c.Flags().StringVar(&drop, "drop", "", "ID of the key to drop")
	return c
}

func (a *app) keysShowCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show --keys DIR",
		Short: "Show roles, thresholds and public keys",
		Long: `Show prints what is public: roles, thresholds, key IDs, and the SHA-256 of the
first root, by which a client can check the file that it was given.

With --json the same object as "keys init".
` + exitHelp,
		Example: `  advdb keys show --keys keys`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return usagef("keys: --keys is needed")
			}
			k, err := snapshot.OpenKeyring(dir, a.passphrase(false))
			if err != nil {
				return err
			}
			return a.showKeys(k)
		},
	}
	c.Flags().StringVar(&dir, "keys", "", "folder of the keys")
	return c
}

// passphrase returns how the passphrase is got: the environment, or a prompt,
// twice for a new one.
func (a *app) passphrase(fresh bool) func() ([]byte, error) {
	return func() ([]byte, error) {
		if p := a.getenv("ADVDB_KEY_PASSPHRASE"); p != "" {
			return []byte(p), nil
		}
		f, ok := a.stdin.(*os.File)
		if !ok || !term.IsTerminal(int(f.Fd())) {
			return nil, usagef("$ADVDB_KEY_PASSPHRASE is not set, and there is no terminal to ask on")
		}
		ask := func(what string) ([]byte, error) {
			fmt.Fprint(a.stderr, what)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprintln(a.stderr)
			return b, err
		}
		p, err := ask("Passphrase of the keys: ")
		if err != nil || !fresh {
			return p, err
		}
		again, err := ask("Once more: ")
		if err == nil && string(p) != string(again) {
			err = usagef("the passphrases differ")
		}
		return p, err
	}
}

func (a *app) showKeys(k *snapshot.Keyring) error {
	first, err := k.FirstRoot()
	if err != nil {
		return err
	}
	_, version, err := k.Root()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(first)
	type role struct {
		Name string `json:"name"`
		snapshot.Role
	}
	var roles []role
	for _, name := range k.Roles() {
		roles = append(roles, role{name, k.Role(name)})
	}
	if a.json {
		return a.printJSON(struct {
			Origin string `json:"origin"`
			Log    string `json:"log"`
			Roles  []role `json:"roles"`
			Root   int64  `json:"root_version"`
			SHA256 string `json:"root_sha256"`
		}{k.Origin(), k.LogKey(), roles, version, hex.EncodeToString(sum[:])})
	}
	fmt.Fprintf(a.stdout, "origin        %s\nroot          version %d; first root sha256 %x\nlog           %s\n", k.Origin(), version, sum, k.LogKey())
	for _, r := range roles {
		fmt.Fprintf(a.stdout, "%-13s %d of %d, signs for %d days\n", r.Name, r.Threshold, len(r.Keys), r.Days)
		for _, key := range r.Keys {
			fmt.Fprintf(a.stdout, "              %s  %s\n", key.ID, cmp.Or(key.File, "-"))
		}
	}
	return nil
}
