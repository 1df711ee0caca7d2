package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/advdb/advdb/internal/lazyregexp"
)

const (
	// archiveMargin is how long before its date an archive may have been
	// begun, and what changed since not be in it. Red Hat's are built over
	// night and named by the day.
	archiveMargin = 24 * time.Hour
	// lateMargin is how much older than the newest row a row may be that was
	// not there the last time.
	lateMargin = 48 * time.Hour
	// archiveMost is how many files are asked for one by one where there is an
	// archive under one name: more come faster, and at less cost to the
	// server, with that.
	archiveMost = 2000
	// maxChanges bounds changes.csv, deletions.csv and index.txt, in bytes.
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
// Where there is neither archive_latest.txt nor deletions.csv, index.txt
// (7.1.12) and changes.csv name all documents: what neither names is deleted.
// Where there is no changes.csv, index.txt says what is new, and a part of
// what is held is asked for again each time ([provider.askAgain]).
//
// A file that is listed and answers 404 is left as it is: lists run ahead of
// files. A file that is broken is reported, keeps its last content, and is
// asked for again.
func CSAF(base string) Fetch { return csaf(base, "") }

// CSAFArchived is [CSAF] of a provider who has an archive of all documents
// under a name that does not change, and no archive_latest.txt. It is unpacked
// the first time, and where more than archiveMost rows are due: rebuilding it
// daily does not make it new.
func CSAFArchived(base, archive string) Fetch { return csaf(base, archive) }

func csaf(base, archive string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		p := &provider{base: base, archive: archive, m: m}
		if err := m.Load(&p.cursor); err != nil {
			return err
		}
		return p.fetch(ctx)
	}
}

// provider is a CSAF fetch at work.
type provider struct {
	base    string
	archive string // URL of an archive under one name, "" if archive_latest.txt names it
	m       *Mirror
	cursor  csafCursor

	latest  string              // URL of the archive to unpack, "" if that was done
	missing error               // there is no archive_latest.txt
	held    map[string]struct{} // documents, when needed
	changes list
	gone    list                // deletions.csv
	index   list                // index.txt, where that names all documents
	named   map[string]struct{} // all documents, if lists say so
}

func (p *provider) fetch(ctx context.Context) error {
	if err := p.askArchive(ctx); err != nil {
		return err
	}
	if err := p.askLists(ctx); err != nil {
		return err
	}
	if p.missing != nil && p.changes.missing != nil && p.index.missing != nil {
		return errors.Join(p.missing, p.changes.missing, p.index.missing)
	}
	p.allNamed()
	gone := stillDeleted(p.changes.rows, p.gone.rows)
	if err := p.preferArchive(gone); err != nil {
		return err
	}
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
	again, err := p.askAgain(ctx)
	if err != nil {
		return errors.Join(append(again, err)...)
	}
	broken, err := p.update(ctx, p.due(gone), p.latest == "" || first)
	if err != nil {
		return err
	}
	p.cursor.settle(p.changes.rows)
	p.changes.keep()
	p.gone.keep()
	p.index.keep()
	return errors.Join(p.m.Commit(ctx, p.cursor), errors.Join(again...), errors.Join(broken...))
}

var archiveName = lazyregexp.New(`^[A-Za-z0-9_.-]+\.tar\.(zst|gz|bz2)$`)

// askArchive finds out whether there is an archive that was not unpacked yet.
func (p *provider) askArchive(ctx context.Context) error {
	if p.archive != "" {
		if p.cursor.Archive == "" || p.m.opt.Force {
			p.latest = p.archive
		}
		return nil
	}
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
		p.latest = p.base + name
	}
	return nil
}

// preferArchive takes the archive again where too much is due for one request
// a file.
func (p *provider) preferArchive(gone map[string]bool) error {
	if p.archive == "" || p.latest != "" {
		return nil
	}
	if err := p.hold(gone); err != nil {
		return err
	}
	if len(p.due(gone)) > archiveMost {
		p.latest = p.archive
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
	if err = p.askIndex(ctx); err != nil {
		return err
	}
	if p.changes.missing == nil && p.changes.resp == nil && (p.gone.resp != nil || p.index.resp != nil) {
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
	url := p.latest
	p.m.Forget(url)
	listed := make(map[string]bool, len(p.changes.rows))
	for _, c := range p.changes.rows {
		listed[c.name] = !gone[c.name]
	}
	held, err := p.m.unpack(ctx, unpacking{
		url: url,
		name: func(entry string) string {
			name := csafEntry(entry)
			if _, named := p.named[name]; gone[name] || p.named != nil && !named {
				return ""
			}
			return name
		},
		keep: func(name string) bool { return listed[name] },
	})
	if err != nil {
		return err
	}
	p.held = held
	p.cursor = csafCursor{Archive: path.Base(url), Newest: archiveDate(path.Base(url), p.m.state.Validators[url].Modified)}
	p.m.Forget(url) // archives are asked for by name, once
	return nil
}

// csafEntry takes an archive's JSON files, below a top folder or not.
func csafEntry(p string) string {
	if !strings.HasSuffix(p, ".json") {
		return ""
	}
	return yearAndFile(p)
}

var yearFolder = lazyregexp.New(`^\d{4}$`)

// yearAndFile returns what a document at the path p is called below its
// provider's folder: documents are in folders named by year (CSAF 2.0,
// 7.1.11), or, as SUSE's, in none.
func yearAndFile(p string) string {
	dir, file := path.Split(p)
	if year := path.Base(dir); yearFolder.MatchString(year) {
		return year + "/" + file
	}
	return file
}

var archiveDay = lazyregexp.New(`\d{4}-\d{2}-\d{2}`)

// archiveDate returns from when on rows of changes.csv are not in the archive
// so named and so dated by its server; the zero time, which makes all of them
// due, if neither says.
func archiveDate(name, modified string) time.Time {
	day, err := time.Parse(time.DateOnly, archiveDay.FindString(name))
	if err != nil {
		day, err = http.ParseTime(modified)
	}
	if err != nil {
		return time.Time{}
	}
	return day.UTC().Add(-archiveMargin)
}

// hold finds out which documents are held, and deletes those that are gone.
func (p *provider) hold(gone map[string]bool) error {
	if p.held != nil || p.changes.resp == nil && p.gone.resp == nil && p.index.resp == nil && !p.undated() {
		return nil
	}
	p.held = map[string]struct{}{}
	return p.m.sweep(func(name string) bool {
		_, named := p.named[name]
		if gone[name] || p.named != nil && !named {
			return true
		}
		p.held[name] = struct{}{}
		return false
	})
}
