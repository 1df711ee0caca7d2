package sources

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxMetadata bounds provider-metadata.json, in bytes.
const maxMetadata = 4 << 20

// errNoDistribution says that a CSAF provider says of no place that has its
// documents and may be passed on.
var errNoDistribution = errors.New("no distribution with a directory or a public ROLIE feed")

// CSAFProvider fetches what a CSAF provider publishes: address is that of its
// provider-metadata.json (CSAF 2.0, 7.1.7), which is read each time and names
// the directory that [CSAF] follows, of several the first, or else the feeds
// that [ROLIE] does, all of them but those that may not be passed on
// (TLP:AMBER, TLP:RED).
func CSAFProvider(address string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		meta, err := readMetadata(ctx, m, address)
		if err != nil {
			return err
		}
		base, err := meta.directory(address)
		if err != nil {
			return err
		}
		if base != "" {
			return CSAF(base)(ctx, m)
		}
		feeds, err := meta.feeds(m, address)
		if err != nil {
			return err
		}
		return ROLIE(feeds...)(ctx, m)
	}
}

// providerMetadata is what is read of provider-metadata.json.
type providerMetadata struct {
	Distributions []struct {
		URL       string `json:"directory_url"` // CSAF 2.0
		Directory struct {
			URL string `json:"url"`
		} `json:"directory"` // CSAF 2.1
		ROLIE struct {
			Feeds []struct {
				URL   string `json:"url"`
				Label string `json:"tlp_label"`
			} `json:"feeds"`
		} `json:"rolie"`
	} `json:"distributions"`
}

func readMetadata(ctx context.Context, m *Mirror, address string) (*providerMetadata, error) {
	resp, err := m.open(ctx, request{url: address, always: true})
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	meta := new(providerMetadata)
	if err := json.UnmarshalRead(&limited{r: resp, left: maxMetadata}, meta, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, located(address, fmt.Errorf("%w: %w", ErrIncomplete, err))
	}
	return meta, nil
}

// directory returns the URL of the first directory, "" if there is none.
func (meta *providerMetadata) directory(address string) (string, error) {
	for i := range meta.Distributions {
		d := &meta.Distributions[i]
		for _, link := range []string{d.URL, d.Directory.URL} {
			if link != "" {
				return webAddress(address, "directory_url", link)
			}
		}
	}
	return "", nil
}

// passedOn are the TLP labels, of TLP 1 and 2, of what may be passed on to
// anybody or to a community. What others may not see is not fetched.
var passedOn = map[string]bool{"": true, "UNLABELED": true, "WHITE": true, "CLEAR": true, "GREEN": true}

// feeds returns the URLs of the feeds that may be passed on, each once.
func (meta *providerMetadata) feeds(m *Mirror, address string) ([]string, error) {
	var feeds []string
	for i := range meta.Distributions {
		for _, f := range meta.Distributions[i].ROLIE.Feeds {
			if !passedOn[strings.TrimPrefix(strings.ToUpper(f.Label), "TLP:")] {
				m.opt.Log.Warn("feed may not be passed on", "feed", f.URL, "label", f.Label)
				continue
			}
			feed, err := webAddress(address, "rolie", f.URL)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(feeds, feed) {
				feeds = append(feeds, feed)
			}
		}
	}
	if len(feeds) == 0 {
		return nil, located(address, errNoDistribution)
	}
	return feeds, nil
}

// webAddress resolves a link of the document at address.
func webAddress(address, member, link string) (string, error) {
	here, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	to, err := here.Parse(link)
	if err != nil || link == "" || to.Scheme != "https" && to.Scheme != "http" {
		return "", located(address, fmt.Errorf("%s %q: %w", member, link, ErrHostile))
	}
	return to.String(), nil
}
