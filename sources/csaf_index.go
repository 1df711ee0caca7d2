package sources

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// indexShares is in how many turns each document of a provider without
	// changes.csv is asked for again.
	indexShares = 30
	// indexTurn is how long a turn lasts: a day, but for those who ask at
	// nearly the same time each day.
	indexTurn = 20 * time.Hour
	// clockMargin is how far a server's clock may be behind ours.
	clockMargin = time.Hour
)

// askIndex reads index.txt where it and changes.csv name all documents: where
// there is neither archive_latest.txt nor deletions.csv.
func (p *provider) askIndex(ctx context.Context) error {
	if p.archive == "" && p.missing == nil || p.gone.missing == nil {
		return nil
	}
	always := p.latest != "" || p.changes.resp != nil
	if err := p.index.readWith(ctx, p.m, p.base+"index.txt", always, readIndex); err != nil {
		return err
	}
	if p.index.resp != nil && len(p.index.rows) == 0 {
		return fmt.Errorf("%sindex.txt: %w: empty", p.base, ErrIncomplete)
	}
	return nil
}

// undated reports whether only index.txt says what there is.
func (p *provider) undated() bool {
	return p.archive == "" && p.missing != nil && p.changes.missing != nil && p.index.missing == nil
}

// allNamed makes what the lists name all there is: rows of index.txt that
// changes.csv lacks have no date, and are due where they are not held.
func (p *provider) allNamed() {
	if p.index.resp == nil || p.changes.missing == nil && p.changes.resp == nil {
		return
	}
	p.named = make(map[string]struct{}, len(p.index.rows))
	for _, c := range p.changes.rows {
		p.named[c.name] = struct{}{}
	}
	for _, c := range p.index.rows {
		if _, ok := p.named[c.name]; !ok {
			p.named[c.name] = struct{}{}
			p.changes.rows = append(p.changes.rows, c)
		}
	}
}

// readIndex reads a path a line (CSAF 2.0, 7.1.12). Lines that cannot name a
// document are left out.
func readIndex(r io.Reader) ([]change, error) {
	var rows []change
	s := bufio.NewScanner(r)
	for s.Scan() {
		name := strings.TrimPrefix(strings.TrimSpace(s.Text()), "./")
		if strings.HasPrefix(name, "<") {
			return nil, fmt.Errorf("%w: a web page", ErrIncomplete)
		}
		if checkName(name) == nil && strings.HasSuffix(name, ".json") {
			rows = append(rows, change{name: name})
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(rows)+1, err)
	}
	return rows, nil
}

// askAgain asks for a share of what is held, where no list says what changed:
// each indexTurn another of indexShares, so that nothing is older than as many
// turns. Only what changed since the share's last turn is transferred.
func (p *provider) askAgain(ctx context.Context) (broken []error, err error) {
	if !p.undated() {
		return nil, nil
	}
	now := p.m.opt.Now().UTC().Truncate(time.Second)
	if len(p.cursor.Asked) != indexShares {
		p.cursor.Asked, p.cursor.Share, p.cursor.Turned = slices.Repeat([]time.Time{now}, indexShares), 0, now
		return nil, nil // all that is held is due for the first time, or new
	}
	if now.Before(p.cursor.Turned.Add(indexTurn)) {
		return nil, nil
	}
	share := p.cursor.Share % indexShares
	header := http.Header{"If-Modified-Since": {p.cursor.Asked[share].Add(-clockMargin).Format(http.TimeFormat)}}
	var names []string
	for name := range p.held {
		if shareOf(name) == share {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	broken, err = eachDue(names, func(name string) error { return p.freshen(ctx, name, header) }, nil)
	if err == nil {
		p.cursor.Asked[share], p.cursor.Share, p.cursor.Turned = now, share+1, now
	}
	return broken, err
}

func shareOf(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return int(h.Sum32() % indexShares)
}

// freshen fetches a document that is held, if it changed.
func (p *provider) freshen(ctx context.Context, name string, header http.Header) error {
	resp, err := p.m.open(ctx, request{url: p.base + escape(name), always: true, header: header})
	if errors.Is(err, ErrUnchanged) || NotFound(err) {
		return nil
	}
	if err != nil {
		return prefixed(name, err)
	}
	defer resp.Close()
	return located(resp.URL, p.m.Put(name, resp))
}
