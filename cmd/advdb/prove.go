package main

import (
	"fmt"
	"os"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
	"github.com/spf13/cobra"
)

func (a *app) proveCommand() *cobra.Command {
	var verify, key, provenance string
	c := &cobra.Command{
		Use:   "prove (ID | --provenance REPO | --verify FILE)",
		Short: "Prove that a record was published in a release, or what that was made from",
		Long: `Prove prints, as JSON, the record and the hashes that lead from it to the signed
log of releases. Whoever trusts the key of the log can check it with --verify,
offline: with --log-key (what "advdb keys show" prints), or against the key
that the database trusts.

With --provenance it reads what the release that is held was made from out of
its repository (a folder, URL or bundle), checks it against the keys that the
database trusts, and prints each source: digest, when it was fetched, and where.
With --json it prints the DSSE envelope as it was signed: an in-toto statement
of SLSA provenance v1. --verify checks such a file as well.

With --json, --verify prints one object: ok, id, origin, version, time; of a
provenance ok, origin, version, time, builder, sources.
` + exitHelp + "\n     (3: no release is held, or the proof does not hold)",
		Example: `  advdb prove CVE-2024-3094 > proof.json
  advdb prove --provenance https://advdb.example.org
  advdb prove --provenance today.advbundle --json > release.intoto.json
  advdb prove --verify proof.json --log-key advdb.example.org/main+d615fa78+Ab6K…`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case verify != "" && provenance == "" && len(args) == 0:
				return a.verifyProof(verify, key)
			case provenance != "" && verify == "" && len(args) == 0:
				return a.provenance(c.Context(), provenance)
			case verify == "" && provenance == "" && len(args) == 1:
				return a.prove(args[0])
			}
			return usagef("prove: an ID, --provenance REPO or --verify FILE")
		},
	}
	c.Flags().StringVar(&verify, "verify", "", "check this proof")
	c.Flags().StringVar(&provenance, "provenance", "", "folder, URL or bundle to read the provenance of the release held from")
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
	if snapshot.IsProvenance(data) {
		return a.verifyProvenance(path, data)
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
	if err != nil {
		return "", err
	}
	if h == nil {
		return "", usagef("no release is held: --log-key is needed")
	}
	return h.LogKey()
}
