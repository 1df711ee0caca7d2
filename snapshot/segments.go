package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A library opens the segments of one manifest, each once.
type library struct {
	r     Reader
	m     *Manifest
	dicts map[Hash]*dictionary

	// file returns the segment's bytes.
	file func(ctx context.Context, s Segment) (*os.File, error)
	open map[Hash]*segmentReader
	shut []io.Closer
}

// newLibrary reads segments of a repository: those of a folder where they
// are, others by way of a copy in dir.
func newLibrary(r Reader, m *Manifest, dir string) *library {
	l := &library{r: r, m: m, dicts: map[Hash]*dictionary{}, open: map[Hash]*segmentReader{}}
	l.file = func(ctx context.Context, s Segment) (*os.File, error) {
		if d, ok := r.(*Dir); ok {
			f, err := d.root.Open(s.name())
			if errors.Is(err, os.ErrNotExist) {
				err = ErrNotFound
			}
			return f, err
		}
		f := &fetcher{mirrors: []Reader{r}, dir: dir}
		if err := f.fetch(ctx, s.Blob); err != nil {
			return nil, err
		}
		return os.Open(f.path(s.Blob))
	}
	return l
}

// staged makes the library read files that were fetched into dir, whole or in
// part.
func (l *library) staged(dir string) *library {
	l.file = func(_ context.Context, s Segment) (*os.File, error) {
		path := filepath.Join(dir, s.SHA256.String())
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return os.Open(path + piecesSuffix)
		}
		return f, err
	}
	return l
}

// dictionary returns the dictionary with this hash, nil for the zero hash.
func (l *library) dictionary(ctx context.Context, h Hash) (*dictionary, error) {
	if h == (Hash{}) {
		return nil, nil
	}
	if d := l.dicts[h]; d != nil {
		return d, nil
	}
	for _, b := range l.m.Dictionaries {
		if b.Content == h {
			d, err := readDictionary(ctx, l.r, b)
			l.dicts[h] = d
			return d, err
		}
	}
	return nil, fmt.Errorf("%w: no dictionary %s", ErrManifest, h)
}

// segment opens one segment.
func (l *library) segment(ctx context.Context, s Segment) (*segmentReader, error) {
	if r := l.open[s.SHA256]; r != nil {
		return r, nil
	}
	dict, err := l.dictionary(ctx, s.Dictionary)
	if err != nil {
		return nil, err
	}
	f, err := l.file(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
	}
	l.shut = append(l.shut, f)
	r, err := openSegment(f, s, dict)
	if err != nil {
		return nil, fmt.Errorf("segment (%d,%d]: %w", s.From, s.To, err)
	}
	l.open[s.SHA256] = r
	return r, nil
}

// segments opens a list of segments.
func (l *library) segments(ctx context.Context, list []Segment) ([]*segmentReader, error) {
	out := make([]*segmentReader, len(list))
	for i, s := range list {
		var err error
		if out[i], err = l.segment(ctx, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l *library) close() {
	for _, r := range l.open {
		r.close()
	}
	for _, c := range l.shut {
		c.Close()
	}
	l.open, l.shut = map[Hash]*segmentReader{}, nil
}

// walk calls f with the whole state that segments lead to from nothing:
// records in the order of IDs, then table after table.
func walk(segs []*segmentReader, sel selection, f func(item) error) error {
	for it, err := range mergeRecords(noItems, 0, segs, sel) {
		if err != nil {
			return err
		}
		if err := f(it); err != nil {
			return err
		}
	}
	for _, name := range tableNames(segs) {
		for it, err := range mergeTable(name, noItems, 0, segs) {
			if err != nil {
				return err
			}
			if err := f(it); err != nil {
				return err
			}
		}
	}
	return nil
}

// rootsOf computes the collections of the state that segments lead to.
func rootsOf(segs []*segmentReader, sel selection) ([]Collection, error) {
	f := newForest()
	err := walk(segs, sel, func(it item) error {
		f.add(it.collection, it.key, valueHash(it.data))
		return nil
	})
	return f.collections(), err
}
