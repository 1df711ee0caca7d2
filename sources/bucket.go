package sources

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	osvBucket = "https://osv-vulnerabilities.storage.googleapis.com/"

	// bucketMargin is how long before its date an archive may have been begun,
	// and what changed since not be in it.
	bucketMargin = 2 * time.Hour
	// bucketSecond is how far apart times that are one may be: the list has
	// been written with and without fractions of a second.
	bucketSecond = time.Second
	// bucketWhole is from how many due records on the archive is fetched again
	// in their place.
	bucketWhole = 2000
	// maxModified bounds modified_id.csv, in bytes.
	maxModified = 1 << 30
)

// errVanished says that a list lacks so much of what is held that it is
// hardly whole.
var errVanished = errors.New("more than a tenth is gone")

// Bucket fetches the records that osv.dev exports of one ecosystem: its name,
// without a suffix, is the folder of the bucket. Documents are <ID>.json.
//
// The first time all.zip makes the documents what it holds. Then, and at
// every other time, modified_id.csv says what changed: lines "time,ID". A
// record is fetched that the list has a later time for than the newest of the
// fetch before, or that is not held; with very many of them, the archive is.
// The list's order is that of the text of its times, which is not that of
// time ("…00Z" stands above "…00.5Z"), so all of it is read. What it lacks is
// deleted, unless that is more than a tenth: then nothing is believed.
func Bucket(ecosystem string) Fetch { return BucketAt(osvBucket + escape(ecosystem)) }

// BucketAt is Bucket for a folder laid out as osv.dev's are, at any address.
func BucketAt(base string) Fetch {
	base = strings.TrimSuffix(base, "/") + "/"
	return func(ctx context.Context, m *Mirror) error {
		b := &bucket{m: m, base: base}
		if err := m.Load(&b.cursor); err != nil {
			return err
		}
		if m.opt.Force {
			b.cursor = bucketCursor{}
		}
		return b.fetch(ctx)
	}
}

// bucket is a Bucket at work.
type bucket struct {
	m      *Mirror
	base   string
	cursor bucketCursor
}

// bucketCursor is how far modified_id.csv was followed.
type bucketCursor struct {
	Newest time.Time            `json:"newest,omitzero"`  // time of the newest line done
	Recent map[string]time.Time `json:"recent,omitempty"` // lines done within bucketSecond of it
	Left   map[string]time.Time `json:"left,omitempty"`   // lines whose record was not there, or broken
}

func (b *bucket) fetch(ctx context.Context) error {
	if b.cursor.Newest.IsZero() {
		if err := b.whole(ctx); err != nil {
			return err
		}
	}
	address := b.base + "modified_id.csv"
	resp, err := b.m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		broken, err := b.update(ctx, maps.Clone(b.cursor.Left))
		return errors.Join(append(broken, err, b.m.Commit(ctx, b.cursor))...)
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	lines, err := readModified(&limited{r: resp, left: maxModified})
	if err != nil {
		return located(address, err)
	}
	held, err := b.sweep(lines)
	if err != nil {
		return located(address, err)
	}
	due := b.due(lines, held)
	if len(due) > bucketWhole {
		if err := b.whole(ctx); err != nil {
			return err
		}
		if held, err = b.sweep(lines); err != nil {
			return located(address, err)
		}
		due = b.due(lines, held)
	}
	broken, err := b.update(ctx, due)
	if err != nil {
		return errors.Join(append(broken, err)...)
	}
	b.cursor.settle(lines)
	resp.Keep()
	return errors.Join(errors.Join(broken...), b.m.Commit(ctx, b.cursor))
}

// whole makes the documents what all.zip holds.
func (b *bucket) whole(ctx context.Context) error {
	address := b.base + "all.zip"
	b.m.Forget(address)
	began := b.m.opt.Now()
	resp, err := b.m.open(ctx, request{url: address, raw: true})
	if err != nil {
		return err
	}
	defer resp.Close()
	u := unpacking{url: address, ctx: ctx, m: b.m, seen: map[string]struct{}{}, name: bucketEntry}
	if err = u.read(resp); err == nil {
		err = u.sweep()
	}
	if err != nil {
		b.m.broken = located(address, err)
		return b.m.broken
	}
	at := resp.Modified
	if at.IsZero() || at.After(began) {
		at = began
	}
	b.cursor = bucketCursor{Newest: at.Add(-bucketMargin).UTC().Truncate(time.Second)}
	return b.m.Commit(ctx, b.cursor)
}

// bucketEntry takes the records of an archive.
func bucketEntry(p string) string {
	if path.Ext(p) != ".json" {
		return ""
	}
	return path.Base(p)
}

// readModified returns the times in the list by ID. Times are RFC 3339, with
// or without a fraction.
func readModified(r io.Reader) (map[string]time.Time, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = 2
	c.ReuseRecord = true
	lines := map[string]time.Time{}
	for {
		row, err := c.Read()
		if err == io.EOF && len(lines) > 0 {
			return lines, nil
		}
		if err == io.EOF {
			return nil, fmt.Errorf("%w: empty", ErrIncomplete)
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		at, err := time.Parse(time.RFC3339Nano, row[0])
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %q is no time", ErrIncomplete, line, row[0])
		}
		id := row[1]
		if strings.Contains(id, "/") || checkName(id+".json") != nil {
			continue
		}
		lines[strings.Clone(id)] = at.UTC()
	}
}

// sweep deletes the documents that the list lacks, and returns the others'
// IDs.
func (b *bucket) sweep(lines map[string]time.Time) (held map[string]bool, err error) {
	held = map[string]bool{}
	var gone []string
	err = b.m.Names(func(name string) bool {
		id := strings.TrimSuffix(name, ".json")
		if _, ok := lines[id]; ok {
			held[id] = true
		} else {
			gone = append(gone, name)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if all := len(held) + len(gone); len(gone) > 10 && len(gone)*10 > all && !b.m.opt.Force {
		return nil, fmt.Errorf("%w: %d of %d: %w", ErrIncomplete, len(gone), all, errVanished)
	}
	for _, name := range gone {
		if err := b.m.Delete(name); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// due returns the lines to be fetched.
func (b *bucket) due(lines map[string]time.Time, held map[string]bool) map[string]time.Time {
	due := map[string]time.Time{}
	for id, at := range lines {
		done, known := b.cursor.Recent[id]
		_, left := b.cursor.Left[id]
		old := at.Before(b.cursor.Newest.Add(-bucketSecond)) || known && done.Equal(at)
		if left || !old || !held[id] {
			due[id] = at
		}
	}
	return due
}

// update fetches records by ID. Those that something is wrong with stay in
// the cursor.
func (b *bucket) update(ctx context.Context, due map[string]time.Time) (broken []error, err error) {
	return eachDue(slices.Sorted(maps.Keys(due)), func(id string) error {
		there, err := b.m.takeListed(ctx, id+".json", b.base+escape(id+".json"))
		if there {
			delete(b.cursor.Left, id)
		} else {
			note(&b.cursor.Left, id, due[id])
		}
		return err
	}, func() error { return b.m.Commit(ctx, nil) })
}

// settle notes that all lines are done.
func (k *bucketCursor) settle(lines map[string]time.Time) {
	for _, at := range lines {
		if at.After(k.Newest) {
			k.Newest = at
		}
	}
	k.Recent = nil
	for id, at := range lines {
		if !at.Before(k.Newest.Add(-bucketSecond)) {
			note(&k.Recent, id, at)
		}
	}
	maps.DeleteFunc(k.Left, func(id string, _ time.Time) bool { _, ok := lines[id]; return !ok })
}
