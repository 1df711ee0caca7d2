package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	nvdFeeds = "https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-"
	// nvdFirstYear is the oldest yearly feed; it holds what is older as well.
	nvdFirstYear = 2002
)

// NVD fetches the National Vulnerability Database: by its yearly and
// "modified" feeds, or by its API 2.0 where [MirrorOptions].API asks for that
// or the secret NVD_API_KEY is there. What the other way left is deleted once
// one way has brought all.
//
// A feed is fetched when its .meta file names another SHA-256 (of the
// uncompressed JSON) than that of the feed that is held, and taken only if it
// has that checksum. A year without a .meta that was never held is passed
// over: the feed of a new year comes some days late.
func NVD() Fetch {
	return func(ctx context.Context, m *Mirror) error {
		var cursor nvdCursor
		if err := m.Load(&cursor); err != nil {
			return err
		}
		key := m.opt.Secret("NVD_API_KEY")
		if m.opt.API || key != "" {
			a := &nvdAPI{m: m, key: key, cursor: cursor}
			return a.fetch(ctx)
		}
		return fetchNVDFeeds(ctx, m, &cursor)
	}
}

// nvdCursor is how far NVD was fetched, by either way.
type nvdCursor struct {
	Feeds map[string]string `json:"feeds,omitempty"` // SHA-256 of each feed held, as .meta has it
	API   *nvdWindow        `json:"api,omitempty"`   // nil: the API was not used, or its documents are gone
}

func fetchNVDFeeds(ctx context.Context, m *Mirror, cursor *nvdCursor) error {
	if cursor.Feeds == nil {
		cursor.Feeds = map[string]string{}
	}
	var errs []error
	for _, feed := range nvdFeedNames(m.opt.Now().UTC().Year()) {
		err := fetchNVDFeed(ctx, m, cursor, feed)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if !ofDocument(err) && !errors.Is(err, ErrChecksum) {
			break
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if len(cursor.Feeds) == 0 {
		missing := &StatusError{URL: nvdFeeds + "*.meta", Status: http.StatusNotFound}
		return fmt.Errorf("%w: %w: no feed of any year", missing, ErrIncomplete)
	}
	if cursor.API != nil {
		if err := deleteBelow(m, nvdAPIFolder+"/"); err != nil {
			return err
		}
		cursor.API = nil
	}
	return m.Commit(ctx, cursor)
}

// nvdFeedNames returns the feeds of all years, and at the end the one with
// what was modified lately, which is newer than they are.
func nvdFeedNames(thisYear int) []string {
	var names []string
	for y := nvdFirstYear; y <= thisYear; y++ {
		names = append(names, strconv.Itoa(y))
	}
	return append(names, "modified")
}

// fetchNVDFeed fetches one feed if its .meta says that it changed, and
// commits it. A feed that changes between .meta and body is asked for again,
// once.
func fetchNVDFeed(ctx context.Context, m *Mirror, cursor *nvdCursor, feed string) error {
	err := tryNVDFeed(ctx, m, cursor, feed, false)
	if errors.Is(err, ErrChecksum) {
		err = tryNVDFeed(ctx, m, cursor, feed, true)
	}
	return err
}

func tryNVDFeed(ctx context.Context, m *Mirror, cursor *nvdCursor, feed string, again bool) error {
	name := "nvdcve-2.0-" + feed + ".json"
	held := cursor.Feeds[feed]
	meta, err := m.open(ctx, request{url: nvdFeeds + feed + ".meta", owner: name, always: again})
	if errors.Is(err, ErrUnchanged) || NotFound(err) && held == "" {
		return nil
	}
	if err != nil {
		return prefixed(name, err)
	}
	sum, err := readMeta(meta)
	_ = meta.Close()
	if err != nil {
		return prefixed(name, located(meta.URL, err))
	}
	if sum != held || m.opt.Force {
		if err := putNVDFeed(ctx, m, name, nvdFeeds+feed+".json.gz", sum); err != nil {
			return err
		}
		cursor.Feeds[feed] = sum
	}
	meta.Keep()
	return m.Commit(ctx, cursor)
}

func putNVDFeed(ctx context.Context, m *Mirror, name, url, sum string) error {
	resp, err := m.open(ctx, request{url: url, always: true})
	if err != nil {
		return prefixed(name, err)
	}
	defer resp.Close()
	return located(url, m.Put(name, &summed{r: resp, want: sum, hash: sha256.New()}))
}

// readMeta returns the checksum that a .meta file names. The file is lines
// of "key:value".
func readMeta(r io.Reader) (string, error) {
	data, err := io.ReadAll(&limited{r: r, left: 4096})
	if err != nil {
		return "", err
	}
	sum := ""
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok && key != "" {
			return "", fmt.Errorf("%w: line %.40q is no key and value", ErrIncomplete, line)
		}
		if key == "sha256" {
			sum = strings.ToUpper(value)
		}
	}
	if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
		return "", fmt.Errorf("%w: sha256 is %.80q", ErrIncomplete, sum)
	}
	return sum, nil
}

// summed ends in ErrChecksum where what r yields does not have the SHA-256
// want, in upper case.
type summed struct {
	r    io.Reader
	want string
	hash hash.Hash
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	if err == io.EOF {
		if got := strings.ToUpper(hex.EncodeToString(s.hash.Sum(nil))); got != s.want {
			return 0, fmt.Errorf("%w: sha256 is %s, .meta says %s", ErrChecksum, got, s.want)
		}
	}
	return n, err
}

// deleteBelow deletes the documents whose names begin with prefix.
func deleteBelow(m *Mirror, prefix string) error {
	var names []string
	err := m.Names(func(name string) bool {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := m.Delete(name); err != nil {
			return err
		}
	}
	return nil
}
