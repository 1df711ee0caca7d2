package main

import (
	"fmt"
	"os"

	"github.com/advdb/advdb/snapshot"
	"github.com/spf13/cobra"
)

func (a *app) keysPolicyCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "policy --keys DIR [FILE]",
		Short: "Show, or sign, which witnesses must cosign releases",
		Long: `Policy prints the policy that clients are given: who signs the log of releases,
which witnesses "advdb publish" asks to cosign it, and how many of them every
client wants (C2SP tlog-policy). With FILE it is signed anew by targets; the next
publish carries it to clients. Its log must be the one that is there.
` + exitHelp,
		Example: `  advdb keys policy --keys keys > policy
  advdb keys policy --keys keys policy

  A policy of which two of three witnesses must cosign:
    log advdb.example.org/main+d615fa78+Ab6K…
    witness a a.example/w+3a4b5c6d+BF… https://a.example/witness
    witness b b.example/w+1a2b3c4d+BC… https://b.example/witness
    witness c c.example/w+0a1b2c3d+BD… https://c.example/witness
    group all-of-them 2 a b c
    quorum all-of-them`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" {
				return usagef("keys: --keys is needed")
			}
			return a.keysPolicy(dir, args)
		},
	}
	c.Flags().StringVar(&dir, "keys", "", "folder of the keys")
	return c
}

func (a *app) keysPolicy(dir string, args []string) error {
	k, err := snapshot.OpenKeyring(dir, a.passphrase(false))
	if err != nil {
		return err
	}
	if len(args) == 1 {
		data, err := os.ReadFile(args[0])
		if err == nil {
			err = snapshot.CheckWitnesses(data)
		}
		if err != nil {
			return usageError{fmt.Errorf("%s: %v", args[0], err)}
		}
		return k.SetPolicy(data, a.now())
	}
	policy, err := k.Policy()
	if err == nil {
		_, err = a.stdout.Write(policy)
	}
	return err
}
