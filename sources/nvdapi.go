package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	nvdAPIURL    = "https://services.nvd.nist.gov/rest/json/cves/2.0"
	nvdAPIFolder = "api"
	apiKeyHeader = "apiKey" // spelled so at https://nvd.nist.gov/developers/start-here

	nvdPageSize  = 2000                 // the most the API gives
	nvdMaxWindow = 120 * 24 * time.Hour // the longest range of lastModified it takes
	nvdAttempts  = 4                    // for one page, and for one window

	// NVD's limits are 5 requests in 30 seconds, with a key 50.
	nvdPause    = 6 * time.Second
	nvdKeyPause = 600 * time.Millisecond

	nvdTime = "2006-01-02T15:04:05" // UTC, though it does not say so, with any fraction
)

var (
	cveID   = lazyregexp.New(`^CVE-\d{4}-\d{4,19}$`)
	lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
)

// nvdWindow is how far the API was followed.
type nvdWindow struct {
	Since time.Time `json:"since,omitzero"` // all that was modified before is held; zero: not yet all

	// Of the first load, while it is going on:
	Begun  time.Time `json:"begun,omitzero"`
	Newest time.Time `json:"newest,omitzero"` // lastModified seen
	Next   int       `json:"next,omitempty"`  // index at which it goes on
}

// nvdAPI is a fetch by the API at work: at first all CVEs page by page, then
// those modified since, in windows. Each CVE is a document "api/CVE-….json"
// of the form {"cve":…}, as in a page.
//
// The cursor is the earlier of the begin of the run and the newest
// lastModified seen, never the time at the end; windows without any result
// do not move it.
type nvdAPI struct {
	m      *Mirror
	key    string
	cursor nvdCursor

	asked  bool      // a request was made: the next one waits
	newest time.Time // lastModified
}

func (a *nvdAPI) fetch(ctx context.Context) error {
	begun := a.m.opt.Now().UTC().Truncate(time.Millisecond)
	if a.cursor.API == nil || a.m.opt.Force {
		a.cursor.API = &nvdWindow{Begun: begun}
	}
	w := a.cursor.API
	if w.Since.IsZero() {
		if err := a.load(ctx, w); err != nil {
			return err
		}
	}
	if err := a.follow(ctx, w, begun); err != nil {
		return err
	}
	if len(a.cursor.Feeds) > 0 {
		if err := deleteBelow(a.m, "nvdcve-"); err != nil {
			return err
		}
		a.cursor.Feeds = nil
	}
	return a.m.Commit(ctx, a.cursor)
}

// load fetches all CVEs, with a commit a page, so that it goes on where it
// was stopped. What is modified meanwhile is followed from its begin.
func (a *nvdAPI) load(ctx context.Context, w *nvdWindow) error {
	a.newest = w.Newest
	err := a.pages(ctx, "", &w.Next, func() error {
		w.Newest = a.newest
		return a.m.Commit(ctx, a.cursor)
	})
	if err != nil {
		return err
	}
	if w.Newest.IsZero() {
		return fmt.Errorf("%s: %w: no CVE at all", nvdAPIURL, ErrIncomplete)
	}
	*w = nvdWindow{Since: earlier(w.Begun, w.Newest)}
	return nil
}

// follow fetches what was modified since the cursor, oldest window first,
// with a commit a window. It asks at least once, whatever the clock says.
func (a *nvdAPI) follow(ctx context.Context, w *nvdWindow, begun time.Time) error {
	until := begun
	if !w.Since.Before(begun) {
		until = w.Since.Add(time.Minute)
	}
	for start := w.Since; start.Before(until); start = start.Add(nvdMaxWindow) {
		end := earlier(start.Add(nvdMaxWindow), until)
		a.newest = time.Time{}
		next := 0
		if err := a.pages(ctx, nvdRange(start, end), &next, nil); err != nil {
			return err
		}
		if a.newest.After(w.Since) {
			w.Since = earlier(a.newest, begun)
		}
		if err := a.m.Commit(ctx, a.cursor); err != nil {
			return err
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// nvdRange is the part of the query for a range of lastModified. Both ends
// must be given; colons must stay as they are.
func nvdRange(start, end time.Time) string {
	const layout = "2006-01-02T15:04:05.000Z"
	return "lastModStartDate=" + start.UTC().Format(layout) + "&lastModEndDate=" + end.UTC().Format(layout) + "&"
}

// errShrunk says that there are fewer results than a page ago, so that those
// on the next page may have moved to one that is done.
var errShrunk = errors.New("the number of results went down between pages")

// pages fetches the pages from *next on, and calls done after each. It
// begins anew if results went away between pages.
func (a *nvdAPI) pages(ctx context.Context, query string, next *int, done func() error) error {
	for attempt := 1; ; attempt++ {
		err := a.onePass(ctx, query, next, done)
		if !errors.Is(err, errShrunk) || attempt == nvdAttempts {
			return err
		}
		a.m.opt.Log.Info("beginning anew", "url", nvdAPIURL, "reason", err)
		*next = 0
	}
}

func (a *nvdAPI) onePass(ctx context.Context, query string, next *int, done func() error) error {
	total := -1
	for {
		p, err := a.page(ctx, query, *next)
		if err != nil {
			return err
		}
		if p.total < total || *next > p.total {
			return fmt.Errorf("%s: %w: %d, then %d", nvdAPIURL, errShrunk, max(total, *next), p.total)
		}
		total = p.total
		*next += p.count
		if done != nil {
			if err := done(); err != nil {
				return err
			}
		}
		if *next >= total {
			return nil
		}
	}
}

// page fetches the page that begins at index start, again if it breaks off,
// stalls or is not full.
func (a *nvdAPI) page(ctx context.Context, query string, start int) (p nvdPage, err error) {
	url := fmt.Sprintf("%s?%sstartIndex=%d&resultsPerPage=%d", nvdAPIURL, query, start, nvdPageSize)
	for attempt := range nvdAttempts {
		if err := a.pause(ctx, attempt); err != nil {
			return p, err
		}
		p, err = a.onePage(ctx, url)
		if err == nil {
			err = located(url, p.check(start))
		}
		if err == nil || isStatus(err) || ctx.Err() != nil {
			return p, err
		}
		a.m.opt.Log.Info("page again", "url", url, "error", err)
	}
	return p, err
}

// pause keeps NVD's pace, and waits longer before a further attempt.
func (a *nvdAPI) pause(ctx context.Context, attempt int) error {
	if !a.asked || !a.m.client.live {
		a.asked = true
		return context.Cause(ctx)
	}
	wait := nvdPause
	if a.key != "" {
		wait = nvdKeyPause
	}
	return a.m.opt.Sleep(ctx, wait<<attempt)
}

func (a *nvdAPI) onePage(ctx context.Context, url string) (nvdPage, error) {
	req := request{url: url, always: true}
	if a.key != "" {
		req.header = http.Header{apiKeyHeader: {a.key}}
	}
	resp, err := a.m.open(ctx, req)
	if err != nil {
		return nvdPage{}, err
	}
	defer resp.Close()
	p := nvdPage{start: -1, total: -1, put: a.put}
	if err := p.read(resp); err != nil {
		return p, located(url, err)
	}
	return p, nil
}

// put makes one element of a page's vulnerabilities a document.
func (a *nvdAPI) put(element jsontext.Value) error {
	var v struct {
		CVE struct {
			ID           string `json:"id"`
			LastModified string `json:"lastModified"`
		} `json:"cve"`
	}
	if err := json.Unmarshal(element, &v, lenient); err != nil {
		return err
	}
	if !cveID.MatchString(v.CVE.ID) {
		return fmt.Errorf("%w: an element without a CVE's ID: %.40q", ErrIncomplete, v.CVE.ID)
	}
	at, err := time.Parse(nvdTime, v.CVE.LastModified)
	if err != nil {
		return prefixed(v.CVE.ID, err)
	}
	if at.After(a.newest) {
		a.newest = at
	}
	return a.m.Put(nvdAPIFolder+"/"+v.CVE.ID+".json", bytes.NewReader(element))
}
