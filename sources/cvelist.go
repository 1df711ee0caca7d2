package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	cveListArchive = "https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.tar.gz"
	cveListRaw     = "https://raw.githubusercontent.com/CVEProject/cvelistV5/main/"
	cveListLog     = cveListRaw + "cves/deltaLog.json"

	// cveListMargin is how much older than the log an archive may be that is
	// served after it.
	cveListMargin = time.Hour
	// cveListMost is how many files are asked for one by one: more come
	// faster, and at less cost to the server, with the archive.
	cveListMost = 2000
	// maxDeltaLog bounds deltaLog.json, in bytes; it had 3.8 MB in 2025.
	maxDeltaLog = 128 << 20
)

// CVEList fetches the CVE List: once the archive of its repository, then what
// deltaLog.json says was added or updated since, each file once. The log goes
// back 30 days: where it does not reach back to the last fetch, where it
// names more than cveListMost files, or where there is none, the archive is
// fetched again. Documents are named by their path in the repository.
//
// A file that the log names and that answers 404 is left as it is; one that is
// broken is reported, keeps its last content, and is asked for again.
func CVEList() Fetch {
	return func(ctx context.Context, m *Mirror) error {
		l := &cveList{m: m}
		if err := m.Load(&l.cursor); err != nil {
			return err
		}
		if m.opt.Force {
			l.cursor = cveListCursor{}
		}
		return l.fetch(ctx)
	}
}

type cveList struct {
	m      *Mirror
	cursor cveListCursor
}

// cveListCursor is how far the log was followed.
type cveListCursor struct {
	Newest time.Time            `json:"newest,omitzero"`  // of the log's runs, the last one done
	Broken map[string]time.Time `json:"broken,omitempty"` // files, by name, that came and were no document
}

// A deltaRun is one element of deltaLog.json, which has the newest first.
type deltaRun struct {
	FetchTime time.Time    `json:"fetchTime"`
	New       []deltaEntry `json:"new"`
	Updated   []deltaEntry `json:"updated"`
}

type deltaEntry struct {
	CVE string `json:"cveId"`
}

func (l *cveList) fetch(ctx context.Context) error {
	resp, err := l.m.Get(ctx, cveListLog)
	switch {
	case errors.Is(err, ErrUnchanged):
		return l.update(ctx, maps.Clone(l.cursor.Broken))
	case NotFound(err):
		l.m.opt.Log.Warn("no log of changes", "url", cveListLog)
		return l.whole(ctx)
	case err != nil:
		return err
	}
	defer resp.Close()
	runs, err := readDeltaLog(resp)
	if err != nil {
		return located(cveListLog, err)
	}
	due := l.due(runs)
	if l.cursor.Newest.IsZero() || l.cursor.Newest.Before(oldestRun(runs)) || len(due) > cveListMost {
		l.cursor = cveListCursor{Newest: newestRun(runs).Add(-cveListMargin)}
		resp.Keep()
		return l.whole(ctx)
	}
	if err := l.update(ctx, due); err != nil {
		return err
	}
	if newest := newestRun(runs); newest.After(l.cursor.Newest) {
		l.cursor.Newest = newest
	}
	resp.Keep()
	return l.m.Commit(ctx, l.cursor)
}

// whole makes the documents what the archive holds.
func (l *cveList) whole(ctx context.Context) error {
	sel := Selection{Strip: 1, Match: []string{"cves/**/CVE-*.json"}}
	if err := l.m.Unpack(ctx, "", cveListArchive, sel.name); err != nil {
		return err
	}
	return l.m.Commit(ctx, l.cursor)
}

// readDeltaLog reads the log. One without any run is refused: it says
// nothing of what changed.
func readDeltaLog(r io.Reader) ([]deltaRun, error) {
	var runs []deltaRun
	if err := json.UnmarshalRead(&limited{r: r, left: maxDeltaLog}, &runs); err != nil {
		if errors.Is(err, ErrTooLarge) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("%w: the log is empty", ErrIncomplete)
	}
	return runs, nil
}

func compareRuns(a, b deltaRun) int { return a.FetchTime.Compare(b.FetchTime) }

func newestRun(runs []deltaRun) time.Time { return slices.MaxFunc(runs, compareRuns).FetchTime.UTC() }

func oldestRun(runs []deltaRun) time.Time { return slices.MinFunc(runs, compareRuns).FetchTime.UTC() }

// due returns the files of runs since the last one done, each with the time of
// the newest run that names it.
func (l *cveList) due(runs []deltaRun) map[string]time.Time {
	due := maps.Clone(l.cursor.Broken)
	for _, run := range runs {
		if !run.FetchTime.After(l.cursor.Newest) {
			continue
		}
		for _, e := range slices.Concat(run.New, run.Updated) {
			name := cveListName(e.CVE)
			if name != "" && !run.FetchTime.Before(due[name]) {
				note(&due, name, run.FetchTime.UTC())
			}
		}
	}
	return due
}

// cveListName returns where the repository has a CVE, "" for what is no ID:
// cves/2023/44xxx/CVE-2023-44487.json.
func cveListName(id string) string {
	year, number, ok := strings.Cut(strings.TrimPrefix(id, "CVE-"), "-")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	if !ok || !strings.HasPrefix(id, "CVE-") || len(year) != 4 || len(number) < 4 || len(number) > 19 || !digits(year+number) {
		return ""
	}
	return "cves/" + year + "/" + number[:len(number)-3] + "xxx/" + id + ".json"
}

// update fetches files in the order of their runs.
func (l *cveList) update(ctx context.Context, due map[string]time.Time) error {
	rows := make([]change, 0, len(due))
	for name, at := range due {
		rows = append(rows, change{name, at})
	}
	slices.SortFunc(rows, compareChanges)
	commit := func() error { return l.m.Commit(ctx, l.cursor) }
	var before time.Time // run of the last file fetched
	broken, err := eachDue(rows, func(c change) error {
		if c.at.After(before) && before.After(l.cursor.Newest) {
			l.cursor.Newest = before
		}
		before = c.at
		return l.copy(ctx, c)
	}, commit)
	if err != nil {
		return errors.Join(append(broken, err)...)
	}
	return errors.Join(errors.Join(broken...), commit())
}

func (l *cveList) copy(ctx context.Context, c change) error {
	_, err := l.m.takeListed(ctx, c.name, cveListRaw+escape(c.name))
	switch {
	case err == nil:
		delete(l.cursor.Broken, c.name)
	case ofDocument(err):
		note(&l.cursor.Broken, c.name, c.at)
	}
	return err
}
