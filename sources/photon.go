package sources

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
)

// PhotonCVE fetches VMware's CVE lists of Photon OS below base: photon_versions.json
// names the branches, each of which has cve_data_photon<branch>.json. The
// branch dev is left out. The list of a branch that is named no more stays.
func PhotonCVE(base string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		var cursor struct {
			Branches []string `json:"branches,omitempty"`
		}
		if err := m.Load(&cursor); err != nil {
			return err
		}
		branches, err := photonBranches(ctx, m, base+"photon_versions.json")
		if errors.Is(err, ErrUnchanged) {
			branches, err = cursor.Branches, nil
		}
		if err != nil {
			return err
		}
		cursor.Branches = branches
		urls := map[string]string{}
		for _, b := range branches {
			name := "cve_data_photon" + b + ".json"
			urls[name] = base + escape(name)
		}
		if err := copyAll(ctx, m, urls, cursor); err != nil {
			return err
		}
		return m.Commit(ctx, cursor)
	}
}

// photonBranches asks for the list of branches.
func photonBranches(ctx context.Context, m *Mirror, address string) ([]string, error) {
	resp, err := m.Get(ctx, address)
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	var list struct {
		Branches []string `json:"branches"`
	}
	if err := json.UnmarshalRead(&limited{r: resp, left: maxListing}, &list); err != nil {
		return nil, located(address, fmt.Errorf("%w: %w", ErrIncomplete, err))
	}
	var branches []string
	for _, b := range list.Branches {
		if b != "dev" && checkName(b) == nil {
			branches = append(branches, b)
		}
	}
	if len(branches) == 0 {
		return nil, located(address, fmt.Errorf("%w: no branch", ErrIncomplete))
	}
	resp.Keep()
	return branches, nil
}
