package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/advdb/advdb/sources"
	"github.com/spf13/cobra"
)

func (a *app) mirrorCommand() *cobra.Command {
	var out, upstream string
	var wait patience
	c := &cobra.Command{
		Use:   "mirror --out DIR [SOURCE...]",
		Short: "Copy feeds into a folder from which another advdb can sync",
		Long: `Mirror fetches the named sources (default: all) and keeps what upstream served,
as it was served, in a folder laid out as <host>/<path>. Carried to another
site, "advdb sync --upstream DIR" builds everything from it. The database is
not touched.
` + exitHelp + " (a source failed)",
		Example: `  advdb mirror --out /mnt/feeds
  advdb mirror --out /mnt/feeds alpine debian`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.mirror(c.Context(), args, out, upstream, wait) },
	}
	c.Flags().StringVar(&out, "out", "", "folder to write (required)")
	c.Flags().StringVar(&upstream, "upstream", "", "answer requests from this folder or URL, laid out as <host>/<path>")
	wait.flags(c.Flags())
	return c
}

func (a *app) mirror(ctx context.Context, names []string, out, upstream string, wait patience) error {
	if out == "" {
		return usagef("mirror: --out is required")
	}
	known, err := a.registry()
	if err != nil {
		return err
	}
	chosen, err := known.pick(names)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	clientOptions := wait.client(a, upstream)
	clientOptions.Wrap = func(rt http.RoundTripper) http.RoundTripper { return sources.Record(out, rt) }
	client, err := sources.NewClient(clientOptions)
	if err != nil {
		return usageError{fmt.Errorf("--upstream: %w", err)}
	}
	failed := false
	for _, s := range chosen {
		m, err := sources.NewMirror(&hashes{sums: map[string][sha256.Size]byte{}}, sources.MirrorOptions{
			Client: client, Force: true, Secret: a.getenv, Log: a.log().With("source", s.Name), Now: a.now,
		})
		if err != nil {
			return err
		}
		if err := s.Fetch(ctx, m); err != nil {
			failed = true
			fmt.Fprintf(a.stderr, "%s: %s\n", s.Name, errText(err))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		st := m.Stats()
		if err := a.printMirrored(s.Name, st, err); err != nil {
			return err
		}
	}
	if failed {
		return errBad
	}
	return nil
}

func (a *app) printMirrored(name string, st sources.Stats, failed error) error {
	if a.json {
		return a.printJSON(struct {
			Source    string `json:"source"`
			Documents int    `json:"documents"`
			Requests  int    `json:"requests"`
			Bytes     int64  `json:"bytes"`
			Error     string `json:"error,omitempty"`
		}{name, st.Put, st.Requests, st.Bytes, errText(failed)})
	}
	_, err := fmt.Fprintf(a.stdout, "%-12s %7d documents in %d requests, %s\n", name, st.Put, st.Requests, size(st.Bytes))
	return err
}

// hashes is a sources.Documents that keeps no documents: a mirror keeps what
// was served, and what it was made into is of no use to it.
type hashes struct {
	sums  map[string][sha256.Size]byte
	state []byte
}

func (h *hashes) Put(name string, r io.Reader) (bool, error) {
	d := sha256.New()
	if _, err := io.Copy(d, r); err != nil {
		return false, err
	}
	sum := [sha256.Size]byte(d.Sum(nil))
	changed := h.sums[name] != sum
	h.sums[name] = sum
	return changed, nil
}

func (h *hashes) Delete(name string) error {
	delete(h.sums, name)
	return nil
}

func (h *hashes) Names(yield func(string) bool) error {
	for _, n := range slices.Sorted(maps.Keys(h.sums)) {
		if !yield(n) {
			break
		}
	}
	return nil
}

func (h *hashes) Load() ([]byte, error) { return h.state, nil }

func (h *hashes) Commit(state []byte) error {
	h.state = state
	return nil
}
