package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Branches fetches OVAL as ALT's repository database exports it: base/branches
// is {"branches": [name]}, and base/<name> a zip of XML files, which become the
// documents of the folder <name>.
//
// A branch that is listed no longer keeps its documents: it has reached its
// end of life, which withdraws nothing that was said of it. Each branch is
// committed by itself.
func Branches(base string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		var cursor branchCursor
		if err := m.Load(&cursor); err != nil {
			return err
		}
		if err := cursor.list(ctx, m, base+"branches"); err != nil {
			return err
		}
		for _, branch := range cursor.Branches {
			_, err := m.unpack(ctx, unpacking{dir: branch, url: base + escape(branch), name: Selection{Match: []string{"*.xml"}}.name, bare: true})
			if err != nil && !errors.Is(err, ErrUnchanged) {
				return err
			}
			if err := m.Commit(ctx, cursor); err != nil {
				return err
			}
		}
		return nil
	}
}

// branchCursor is what was listed.
type branchCursor struct {
	Branches []string `json:"branches,omitempty"`
}

var branchName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// list asks for the branches, if their list changed.
func (k *branchCursor) list(ctx context.Context, m *Mirror, address string) error {
	resp, err := m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	var body struct {
		Branches []string `json:"branches"`
	}
	err = json.UnmarshalRead(&limited{r: resp, left: maxListing}, &body, jsontext.AllowDuplicateNames(true))
	if err == nil && len(body.Branches) == 0 {
		err = errors.New("no branches")
	}
	if err != nil {
		return located(address, fmt.Errorf("%w: %w", ErrIncomplete, err))
	}
	for _, b := range body.Branches {
		if !branchName.MatchString(b) {
			return located(address, fmt.Errorf("branch %q: %w", b, ErrHostile))
		}
	}
	k.Branches = slices.Compact(slices.Sorted(slices.Values(body.Branches)))
	resp.Keep()
	return nil
}
