package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// archiveMargin is how long before its date an archive may have been
	// begun, and what changed since not be in it. Red Hat's are built over
	// night and named by the day.
	archiveMargin = 24 * time.Hour
	// lateMargin is how much older than the newest row a row may be that was
	// not there the last time.
	lateMargin = 48 * time.Hour
	// changeBatch is how many changed files are committed at once.
	changeBatch = 500
	// maxChanges bounds changes.csv and deletions.csv, in bytes.
	maxChanges = 256 << 20
)

// CSAF fetches a CSAF provider's directory: base is the URL of the folder
// with changes.csv (CSAF 2.0, 7.1.13) and, as Red Hat has them, an archive of
// all documents named in archive_latest.txt, and deletions.csv. Documents are
// named by their path below base.
//
// The first time, and whenever archive_latest.txt names another archive, that
// archive makes the documents what it holds: the only resync to be trusted.
// Then, and at every other time, each row of changes.csv is fetched
// that is new: newer than the archive, not there at the last fetch, or of a
// document that is not held. Rows up to lateMargin older than the newest may
// come late; what comes later than that waits for the next archive. A row of
// deletions.csv deletes a document unless changes.csv has it with a later date.
//
// A file that is listed and answers 404 is left as it is: lists run ahead of
// files. A file that is broken is reported, keeps its last content, and is
// asked for again.
func CSAF(base string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		p := &provider{base: base, m: m}
		if err := m.Load(&p.cursor); err != nil {
			return err
		}
		return p.fetch(ctx)
	}
}

// provider is a CSAF fetch at work.
type provider struct {
	base   string
	m      *Mirror
	cursor csafCursor

	latest  string              // the archive to unpack, "" if that was done
	missing error               // there is no archive_latest.txt
	held    map[string]struct{} // documents, when needed
	changes list
	gone    list // deletions.csv
}

// csafCursor is how far changes.csv has been followed.
type csafCursor struct {
	Archive string               `json:"archive,omitempty"` // the file that archive_latest.txt named
	Newest  time.Time            `json:"newest,omitzero"`   // date of the newest row done
	Recent  map[string]time.Time `json:"recent,omitempty"`  // rows done that are less than lateMargin older
	Broken  map[string]time.Time `json:"broken,omitempty"`  // rows that came and were no document
}

func (p *provider) fetch(ctx context.Context) error {
	if err := p.askArchive(ctx); err != nil {
		return err
	}
	if err := p.askLists(ctx); err != nil {
		return err
	}
	if p.missing != nil && p.changes.missing != nil {
		return errors.Join(p.missing, p.changes.missing)
	}
	gone := stillDeleted(p.changes.rows, p.gone.rows)
	first := p.cursor.Archive == ""
	if err := p.unpack(ctx, gone); err != nil {
		return err
	}
	if first && p.latest != "" {
		if err := p.m.Commit(ctx, p.cursor); err != nil {
			return err
		}
	}
	if err := p.hold(gone); err != nil {
		return err
	}
	broken, err := p.update(ctx, p.due(gone), p.latest == "" || first)
	if err != nil {
		return err
	}
	p.cursor.settle(p.changes.rows)
	p.changes.keep()
	p.gone.keep()
	return errors.Join(p.m.Commit(ctx, p.cursor), broken)
}

var archiveName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.tar\.(zst|gz|bz2)$`)

// askArchive finds out whether there is an archive that was not unpacked yet.
func (p *provider) askArchive(ctx context.Context) error {
	resp, err := p.m.Get(ctx, p.base+"archive_latest.txt")
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if NotFound(err) {
		p.missing = err
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	line, err := io.ReadAll(&limited{r: resp, left: 4096})
	if err != nil {
		return located(resp.URL, err)
	}
	name := strings.TrimSpace(string(line))
	if !archiveName.MatchString(name) {
		return fmt.Errorf("%s: %w: %.80q names no archive", resp.URL, ErrIncomplete, name)
	}
	resp.Keep()
	if name != p.cursor.Archive || p.m.opt.Force {
		p.latest = name
	}
	return nil
}

// askLists reads changes.csv and deletions.csv if one of them changed: both
// are needed then, since a document that was deleted may still be listed as
// changed.
func (p *provider) askLists(ctx context.Context) (err error) {
	resync := p.latest != ""
	if err = p.changes.read(ctx, p.m, p.base+"changes.csv", resync); err != nil {
		return err
	}
	if p.changes.resp != nil && len(p.changes.rows) == 0 {
		return fmt.Errorf("%schanges.csv: %w: empty", p.base, ErrIncomplete)
	}
	if err = p.gone.read(ctx, p.m, p.base+"deletions.csv", resync || p.changes.resp != nil); err != nil {
		return err
	}
	if p.gone.resp != nil && p.changes.resp == nil {
		return p.changes.read(ctx, p.m, p.base+"changes.csv", true)
	}
	return nil
}

// unpack makes the documents what the archive holds, but for those newer than
// it, which are listed as changed and come with the list. It commits nothing:
// where there were documents, what the archive has too old is put right by
// the lists first.
func (p *provider) unpack(ctx context.Context, gone map[string]bool) error {
	if p.latest == "" {
		return nil
	}
	url := p.base + p.latest
	p.m.Forget(url)
	listed := make(map[string]bool, len(p.changes.rows))
	for _, c := range p.changes.rows {
		listed[c.name] = !gone[c.name]
	}
	held, err := p.m.unpack(ctx, unpacking{
		url: url,
		name: func(entry string) string {
			name := csafEntry(entry)
			if gone[name] {
				return ""
			}
			return name
		},
		keep: func(name string) bool { return listed[name] },
	})
	if err != nil {
		return err
	}
	p.m.Forget(url) // archives are asked for by name, once
	p.held = held
	p.cursor = csafCursor{Archive: p.latest, Newest: archiveDate(p.latest)}
	return nil
}

// csafEntry takes an archive's JSON files, below a top folder or not: they
// are in folders named by year.
func csafEntry(p string) string {
	if !strings.HasSuffix(p, ".json") {
		return ""
	}
	elems := strings.Split(p, "/")
	return path.Join(elems[max(0, len(elems)-2):]...)
}

var archiveDay = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)

// archiveDate returns from when on rows of changes.csv are not in the archive
// so named; the zero time, which makes all of them due, if the name does not
// say.
func archiveDate(name string) time.Time {
	day, err := time.Parse(time.DateOnly, archiveDay.FindString(name))
	if err != nil {
		return time.Time{}
	}
	return day.Add(-archiveMargin)
}

// hold finds out which documents are held, and deletes those that are gone.
func (p *provider) hold(gone map[string]bool) error {
	if p.held != nil || p.changes.resp == nil && p.gone.resp == nil {
		return nil
	}
	p.held = map[string]struct{}{}
	var held []string
	err := p.m.Names(func(name string) bool {
		if gone[name] {
			held = append(held, name)
		} else {
			p.held[name] = struct{}{}
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range held {
		if err := p.m.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

// due returns the rows to be fetched, oldest first.
func (p *provider) due(gone map[string]bool) []change {
	since := p.cursor.Newest
	if p.latest == "" && !since.IsZero() {
		since = since.Add(-lateMargin)
	}
	due := map[string]time.Time{}
	for name, at := range p.cursor.Broken {
		if !gone[name] {
			due[name] = at
		}
	}
	for _, c := range p.changes.rows {
		_, held := p.held[c.name]
		recent, known := p.cursor.Recent[c.name]
		done := held && (known && recent.Equal(c.at) || !c.at.After(since))
		if !gone[c.name] && !done {
			due[c.name] = c.at
		}
	}
	rows := make([]change, 0, len(due))
	for name, at := range due {
		rows = append(rows, change{name, at})
	}
	slices.SortFunc(rows, compareChanges)
	return rows
}

// update fetches each row's document, with a commit every changeBatch if
// inSteps. broken joins what is wrong with single documents.
func (p *provider) update(ctx context.Context, due []change, inSteps bool) (broken, err error) {
	var errs []error
	for i, c := range due {
		err := p.copy(ctx, c)
		if err != nil && !ofDocument(err) {
			return nil, err
		}
		p.cursor.done(c, err == nil)
		if err != nil {
			errs = append(errs, err)
		}
		if inSteps && i%changeBatch == changeBatch-1 {
			if err := p.m.Commit(ctx, p.cursor); err != nil {
				return nil, err
			}
		}
	}
	return errors.Join(errs...), nil
}

// copy fetches one document. One that upstream lists and does not have is
// left as it is.
func (p *provider) copy(ctx context.Context, c change) error {
	resp, err := p.m.open(ctx, request{url: p.base + escape(c.name), always: true})
	if NotFound(err) {
		p.m.opt.Log.Warn("listed but not there", "document", c.name, "error", err)
		return nil
	}
	if err != nil {
		return prefixed(c.name, err)
	}
	defer resp.Close()
	if err := p.m.Put(c.name, resp); err != nil {
		return located(resp.URL, err)
	}
	return nil
}

// done notes that c was fetched, or that what came was no document.
func (k *csafCursor) done(c change, whole bool) {
	if !whole {
		if k.Broken == nil {
			k.Broken = map[string]time.Time{}
		}
		k.Broken[c.name] = c.at
		return
	}
	delete(k.Broken, c.name)
	if k.Recent == nil {
		k.Recent = map[string]time.Time{}
	}
	k.Recent[c.name] = c.at
	if c.at.After(k.Newest) {
		k.Newest = c.at
	}
}

// settle notes that all of rows are done.
func (k *csafCursor) settle(rows []change) {
	for _, c := range rows {
		if c.at.After(k.Newest) {
			k.Newest = c.at
		}
	}
	if len(rows) > 0 {
		k.Recent = map[string]time.Time{}
	}
	for _, c := range rows {
		if _, broken := k.Broken[c.name]; !broken && c.at.After(k.Newest.Add(-lateMargin)) {
			k.Recent[c.name] = c.at
		}
	}
}
