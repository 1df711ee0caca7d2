package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/advdb/advdb/snapshot"
	"github.com/advdb/advdb/store"
)

// release opens what the database stands for.
func (a *app) release() (*snapshot.Held, error) {
	db, err := store.OpenDB(a.dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	h, err := snapshot.ReadHeld(db)
	if err == nil && h == nil {
		err = fmt.Errorf("%w: no release is held; pull one", store.ErrNoData)
	}
	return h, err
}

// provenance prints what the release that is held was made from.
func (a *app) provenance(ctx context.Context, target string) error {
	h, err := a.release()
	if err != nil {
		return err
	}
	r, err := a.openCarrier(target)
	if err != nil {
		return err
	}
	s, data, err := h.FetchProvenance(ctx, r)
	if errors.Is(err, snapshot.ErrNotFound) {
		return fmt.Errorf("%s: provenance of release %d: %w", target, h.Version, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if a.json {
		_, err := a.stdout.Write(append(data, '\n'))
		return err
	}
	return a.printProvenance(h, s)
}

// openCarrier opens a repository, or a bundle of a part of one.
func (a *app) openCarrier(target string) (snapshot.Reader, error) {
	if st, err := os.Stat(target); err == nil && st.Mode().IsRegular() {
		return snapshot.OpenBundle(target)
	}
	return a.openReader(target)
}

// verifyProvenance checks a file against what the database holds and trusts.
func (a *app) verifyProvenance(path string, data []byte) error {
	h, err := a.release()
	if err != nil {
		return err
	}
	s, err := h.VerifyProvenance(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !a.json {
		return a.printProvenance(h, s)
	}
	return a.printJSON(struct {
		OK      bool   `json:"ok"`
		Origin  string `json:"origin"`
		Version uint64 `json:"version"`
		Time    string `json:"time"`
		Builder string `json:"builder"`
		Sources int    `json:"sources"`
	}{true, h.Origin, h.Version, h.Time, s.Predicate.RunDetails.Builder.ID, len(s.Predicate.BuildDefinition.ResolvedDependencies)})
}

func (a *app) printProvenance(h *snapshot.Held, s *snapshot.Statement) error {
	run, def := s.Predicate.RunDetails, s.Predicate.BuildDefinition
	fmt.Fprintf(a.stdout, "release %d of %s, %s\nbuilt by %s with advdb %s\n", h.Version, h.Origin, h.Time, run.Builder.ID, run.Builder.Version["advdb"])
	for _, g := range def.ExternalParameters.Accept {
		fmt.Fprintf(a.stdout, "gate lifted: %s\n", g)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	for _, r := range def.ResolvedDependencies {
		kind, digest := "-", ""
		for _, kind = range []string{"gitCommit", "sha256", "dirHash"} {
			if digest = r.Digest[kind]; digest != "" {
				break
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%.16s\t%s\t%s\n", r.Name, kind, digest, r.Annotations["fetchedAt"], r.URI)
	}
	return w.Flush()
}
