package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// bodhiRows is how many updates a page has; Bodhi gives no more.
const bodhiRows = 100

// bodhiPause is the wait after a page, for those who serve them.
const bodhiPause = time.Second

// bodhiMargin is how far before the newest push known the next fetch begins:
// a push is dated when it begins, and is seen when it ends.
const bodhiMargin = 24 * time.Hour

// Bodhi fetches the stable security updates of a Bodhi server, such as
// Fedora's: base is the URL of its root. Each update is a document,
// <release>/<alias>.json, without the members that are about people or change
// with every vote (comments, user, feedback, test cases, karma).
//
// The first time, and when forced, all pages are read, and what none of them
// has is deleted. Then, and at every other time, only what was pushed since
// the newest push known. Pages move while they are turned: a fetch of all that
// saw fewer updates than the server counts is an error, and keeps what it saw.
func Bodhi(base string) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		b := &bodhi{m: m, base: base}
		if err := m.Load(&b.cursor); err != nil {
			return err
		}
		return b.fetch(ctx)
	}
}

// bodhi is a Bodhi fetch at work.
type bodhi struct {
	m      *Mirror
	base   string
	cursor bodhiCursor
	newest time.Time           // of the pushes seen
	seen   map[string]struct{} // documents
	total  int                 // as the last page says
}

// bodhiCursor is from when on pushes are asked for, and how many pages that
// took: they can be asked for again.
type bodhiCursor struct {
	Since string `json:"since,omitempty"` // a day, UTC
	Pages int    `json:"pages,omitzero"`
}

func (b *bodhi) fetch(ctx context.Context) error {
	if b.cursor.Since == "" || b.m.opt.Force {
		if err := b.all(ctx); err != nil {
			return err
		}
	}
	for {
		since := b.cursor.Since
		if err := b.since(ctx, since); err != nil {
			return err
		}
		next := b.day()
		if next <= since {
			return b.m.Commit(ctx, b.cursor)
		}
		for page := range b.cursor.Pages {
			b.m.Forget(b.address(since, page+1))
		}
		b.cursor = bodhiCursor{Since: next}
	}
}

// day is from when on to ask for pushes the next time.
func (b *bodhi) day() string {
	if b.newest.IsZero() {
		return ""
	}
	return b.newest.Add(-bodhiMargin).Format(time.DateOnly)
}

func (b *bodhi) address(since string, page int) string {
	q := url.Values{"page": {strconv.Itoa(page)}, "rows_per_page": {strconv.Itoa(bodhiRows)}, "status": {"stable"}, "type": {"security"}}
	if since != "" {
		q.Set("pushed_since", since)
	}
	return b.base + "/updates/?" + q.Encode()
}

// all reads all pages. Documents are committed page by page, the cursor when
// all are there.
func (b *bodhi) all(ctx context.Context) error {
	b.seen = map[string]struct{}{}
	pages := 1
	for page := 1; page <= pages; page++ {
		address := b.address("", page)
		resp, err := b.m.open(ctx, request{url: address, always: true})
		if err != nil {
			return err
		}
		pages, err = b.page(ctx, resp)
		if err != nil {
			return err
		}
		if err := b.m.Commit(ctx, nil); err != nil {
			return err
		}
	}
	if len(b.seen) < b.total || len(b.seen) == 0 {
		return located(b.address("", 1), fmt.Errorf("%w: %d updates seen, %d counted", ErrIncomplete, len(b.seen), b.total))
	}
	if err := b.m.sweepOthers(b.seen); err != nil {
		return err
	}
	b.cursor = bodhiCursor{Since: b.day()}
	return nil
}

// since reads the pages of what was pushed since a day.
func (b *bodhi) since(ctx context.Context, day string) error {
	for page := 1; page == 1 || page <= b.cursor.Pages; page++ {
		resp, err := b.m.Get(ctx, b.address(day, page))
		if errors.Is(err, ErrUnchanged) {
			continue
		}
		if err != nil {
			return err
		}
		pages, err := b.page(ctx, resp)
		if err != nil {
			return err
		}
		b.cursor.Pages = pages
		resp.Keep()
	}
	return nil
}

// page puts the updates of a page, and returns how many pages there are. It
// closes resp.
func (b *bodhi) page(ctx context.Context, resp *Response) (pages int, err error) {
	defer resp.Close()
	pages, err = b.read(&limited{r: resp, left: b.m.opt.MaxDocument})
	if err == nil && pages > maxPages {
		err = fmt.Errorf("%w: %d pages", ErrTooLarge, pages)
	}
	if err == nil && b.m.client.live {
		err = b.m.opt.Sleep(ctx, bodhiPause)
	}
	return pages, located(resp.URL, err)
}

// bodhiDropped are the members of an update that are left out.
var bodhiDropped = []string{"comments", "user", "test_cases", "karma", "meets_testing_requirements", "test_gating_status", "version_hash"}

// read reads a page. Its updates are put only when all of it was read.
func (b *bodhi) read(r io.Reader) (pages int, err error) {
	var body struct {
		Updates []map[string]jsontext.Value `json:"updates"`
		Pages   int                         `json:"pages"`
		Total   int                         `json:"total"`
	}
	lenient := json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := json.UnmarshalRead(r, &body, lenient); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if body.Updates == nil {
		return 0, fmt.Errorf("%w: no list of updates", ErrIncomplete)
	}
	b.total = body.Total
	for i, u := range body.Updates {
		if err := b.update(u, lenient); err != nil {
			return 0, fmt.Errorf("updates/%d: %w", i, err)
		}
	}
	return body.Pages, nil
}

func (b *bodhi) update(u map[string]jsontext.Value, lenient json.Options) error {
	for _, member := range bodhiDropped {
		delete(u, member)
	}
	if err := dropFeedback(u, lenient); err != nil {
		return err
	}
	data, err := json.Marshal(u, json.Deterministic(true), lenient)
	if err != nil {
		return err
	}
	var head struct {
		Alias   string `json:"alias"`
		Pushed  string `json:"date_pushed"`
		Release struct {
			Name string `json:"name"`
		} `json:"release"`
	}
	if err := json.Unmarshal(data, &head, lenient); err != nil {
		return err
	}
	name := head.Release.Name + "/" + head.Alias + ".json"
	if err := b.m.Put(name, bytes.NewReader(data)); err != nil {
		return err
	}
	if b.seen != nil {
		b.seen[name] = struct{}{}
	}
	if at, err := time.Parse(time.DateTime, head.Pushed); err == nil && at.After(b.newest) {
		b.newest = at
	}
	return nil
}

// dropFeedback leaves out what testers said of each bug.
func dropFeedback(u map[string]jsontext.Value, lenient json.Options) error {
	if len(u["bugs"]) == 0 {
		return nil
	}
	var bugs []map[string]jsontext.Value
	if err := json.Unmarshal(u["bugs"], &bugs, lenient); err != nil {
		return fmt.Errorf("bugs: %w", err)
	}
	for _, bug := range bugs {
		delete(bug, "feedback")
	}
	data, err := json.Marshal(bugs, json.Deterministic(true), lenient)
	u["bugs"] = data
	return err
}
