package sources

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxMetadata bounds provider-metadata.json, in bytes.
const maxMetadata = 4 << 20

// errNoDirectory says that a CSAF provider distributes by ROLIE feeds only.
var errNoDirectory = errors.New("no distribution with a directory_url")

// CSAFProvider fetches what a CSAF provider publishes: address is that of its
// provider-metadata.json (CSAF 2.0, 7.1.7), which is read each time and names
// the directory that [CSAF] then follows. Of several directories the first
// counts; ROLIE feeds are not read.
func CSAFProvider(address string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		base, err := directoryOf(ctx, m, address)
		if err != nil {
			return err
		}
		return CSAF(base)(ctx, m)
	}
}

func directoryOf(ctx context.Context, m *Mirror, address string) (string, error) {
	resp, err := m.open(ctx, request{url: address, always: true})
	if err != nil {
		return "", err
	}
	defer resp.Close()
	var meta struct {
		Distributions []struct {
			Directory string `json:"directory_url"`
		} `json:"distributions"`
	}
	if err := json.UnmarshalRead(&limited{r: resp, left: maxMetadata}, &meta, jsontext.AllowDuplicateNames(true)); err != nil {
		return "", located(address, fmt.Errorf("%w: %w", ErrIncomplete, err))
	}
	here, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	for _, d := range meta.Distributions {
		if d.Directory == "" {
			continue
		}
		to, err := here.Parse(d.Directory)
		if err != nil || to.Scheme != "https" && to.Scheme != "http" {
			return "", located(address, fmt.Errorf("directory_url %q: %w", d.Directory, ErrHostile))
		}
		return to.String(), nil
	}
	return "", located(address, errNoDirectory)
}
