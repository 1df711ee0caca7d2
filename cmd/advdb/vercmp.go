package main

import (
	"fmt"
	"os"

	"github.com/advdb/advdb/versioncmp"
	"github.com/spf13/cobra"
)

func (a *app) vercmpCommand() *cobra.Command {
	var check string
	c := &cobra.Command{
		Use:   "vercmp ECOSYSTEM A B",
		Short: "Compare two versions as an ecosystem's own tool does",
		Long: `Vercmp prints <, =, > or ? (one of them is no version, or the ecosystem has no
order). With --check it reads lines "A < B", "A = B" or "A > B", prints those
that it would answer otherwise, and their number.
` + exitHelp + "\n     (1: a pair differs)",
		Example: `  advdb vercmp Debian 1.0~rc1 1.0
  advdb vercmp Maven 1.0-alpha1 1.0
  advdb vercmp --check pairs.txt PyPI`,
		Args: func(c *cobra.Command, args []string) error {
			if check != "" {
				return cobra.ExactArgs(1)(c, args)
			}
			return cobra.ExactArgs(3)(c, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if check != "" {
				return a.checkVersions(check, args[0])
			}
			rel := versioncmp.Relation(args[0], args[1], args[2])
			if a.json {
				return a.printJSON(map[string]string{"ecosystem": args[0], "a": args[1], "relation": rel, "b": args[2]})
			}
			_, err := fmt.Fprintln(a.stdout, rel)
			return err
		},
	}
	c.Flags().StringVar(&check, "check", "", "file of pairs (- for standard input)")
	return c
}

func (a *app) checkVersions(path, ecosystem string) error {
	if versioncmp.For(ecosystem) == nil {
		return usagef("ecosystem %q has no order of versions here", ecosystem)
	}
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return usageError{err}
		}
		defer f.Close()
		in = f
	}
	passed, failed, err := versioncmp.Check(in, ecosystem, func(line int, text, got string) {
		fmt.Fprintf(a.stdout, "%d: %s: got %s\n", line, text, got)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := fmt.Fprintf(a.stdout, "%d passed, %d failed\n", passed, failed); err != nil {
		return err
	}
	if failed > 0 {
		return errBad
	}
	return nil
}
