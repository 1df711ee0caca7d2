package main

import (
	"fmt"
	"os"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) proveCommand() *cobra.Command {
	var verify, key string
	c := &cobra.Command{
		Use:   "prove (ID | --verify FILE)",
		Short: "Prove that a record was published in a release",
		Long: `Prove prints, as JSON, the record and the hashes that lead from it to the signed
log of releases. Whoever trusts the key of the log can check it with --verify,
offline: with --log-key (what "advdb keys show" prints), or against the key
that the database trusts.

With --json, --verify prints one object: ok, id, origin, version, time.
` + exitHelp + "\n     (3: no release is held, or the proof does not hold)",
		Example: `  advdb prove CVE-2024-3094 > proof.json
  advdb prove --verify proof.json --log-key advdb.example.org/main+d615fa78+Ab6K…`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case verify != "" && len(args) == 0:
				return a.verifyProof(verify, key)
			case verify == "" && len(args) == 1:
				return a.prove(args[0])
			}
			return usagef("prove: an ID or --verify FILE")
		},
	}
	c.Flags().StringVar(&verify, "verify", "", "check this proof")
	c.Flags().StringVar(&key, "log-key", "", "verifier key of the log")
	return c
}

func (a *app) prove(id string) error {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := snapshot.Prove(db, id)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	b, err := p.Encode()
	if err == nil {
		_, err = a.stdout.Write(append(b, '\n'))
	}
	return err
}

func (a *app) verifyProof(path, key string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return usageError{err}
	}
	p, err := snapshot.DecodeProof(data)
	if err != nil {
		return err
	}
	if key == "" {
		if key, err = a.heldLogKey(); err != nil {
			return err
		}
	}
	v, err := snapshot.LogKey(key)
	if err != nil {
		return usageError{fmt.Errorf("--log-key: %w", err)}
	}
	if err := p.Verify(v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if a.json {
		return a.printJSON(struct {
			OK      bool   `json:"ok"`
			ID      string `json:"id"`
			Origin  string `json:"origin"`
			Version uint64 `json:"version"`
			Time    string `json:"time"`
		}{true, p.ID, p.Leaf.Origin, p.Leaf.Version, p.Leaf.Time})
	}
	_, err = fmt.Fprintf(a.stdout, "%s was part of release %d of %s, %s\n", p.ID, p.Leaf.Version, p.Leaf.Origin, p.Leaf.Time)
	return err
}

// heldLogKey is the verifier key of the log that the database trusts.
func (a *app) heldLogKey() (string, error) {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return "", err
	}
	defer db.Close()
	h, err := snapshot.ReadHeld(db)
	if err != nil || h == nil {
		return "", usagef("no release is held: --log-key is needed")
	}
	return h.LogKey()
}
