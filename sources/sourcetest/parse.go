package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/sources"
)

// parsed is what a document says: encoded records in the order in which they
// were emitted, and findings.
type parsed struct {
	records  []*normalize.Record
	lines    []string
	findings []string
}

func parse(src sources.Source, name string, body io.Reader) (p parsed, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	d := normalize.Doc{Source: src.Name, Name: name, Body: body, Report: func(f normalize.Finding) {
		p.findings = append(p.findings, fmt.Sprintf("%s: %s: %s", name, f.Place, f.Rule))
	}}
	err = src.Parse(d, func(r *normalize.Record) error {
		line, err := normalize.AppendEncode(nil, r)
		p.lines = append(p.lines, string(line))
		p.records = append(p.records, r)
		return err
	})
	return p, err
}

// checkParse parses each document whole, in small pieces and cut short: the
// same text gives the same records in the same order; cut JSON and XML is an
// error; nothing panics.
func checkParse(ctx context.Context, b *bench) error {
	docs, _, err := b.fetched(ctx, nil, b.one)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(docs.docs)) {
		if err := checkDocument(b.src, name, docs.docs[name]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func checkDocument(src sources.Source, name string, data []byte) error {
	want, err := parse(src, name, bytes.NewReader(data))
	if err != nil {
		return err
	}
	for range 3 {
		got, err := parse(src, name, iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			return fmt.Errorf("byte by byte: %w", err)
		}
		if !slices.Equal(got.lines, want.lines) || !slices.Equal(got.findings, want.findings) {
			return fmt.Errorf("parsed again: %d records and %v, before %d and %v", len(got.lines), got.findings, len(want.lines), want.findings)
		}
	}
	framed := path.Ext(name) == ".json" || path.Ext(name) == ".xml"
	whole := len(bytes.TrimSpace(data))
	for n := 0; n < whole; n += 1 + whole/256 {
		_, err := parse(src, name, bytes.NewReader(data[:n]))
		if err != nil && strings.HasPrefix(err.Error(), "panic: ") || err == nil && framed {
			return fmt.Errorf("cut after %d of %d bytes: error is %v", n, whole, err)
		}
	}
	errFault := errors.New("read fault")
	if _, err := parse(src, name, io.MultiReader(bytes.NewReader(data[:whole/2]), failing{errFault})); !errors.Is(err, errFault) {
		return fmt.Errorf("a read that fails: error is %v", err)
	}
	return nil
}

// golden returns the records that docs become, a line each below a line for
// their document, and the findings.
func golden(src sources.Source, docs *Memory) (records, findings []byte, err error) {
	for _, name := range slices.Sorted(maps.Keys(docs.docs)) {
		p, err := parse(src, name, bytes.NewReader(docs.docs[name]))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		lines, err := unite(p.records)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		records = fmt.Appendf(records, "# %s\n", name)
		for _, line := range lines {
			records = fmt.Appendf(records, "%s\n", line)
		}
		for _, f := range p.findings {
			findings = fmt.Appendf(findings, "%s\n", f)
		}
	}
	return records, findings, nil
}

// unite returns a document's parts, encoded, in the order of their IDs.
func unite(records []*normalize.Record) ([]string, error) {
	byID := map[string]*normalize.Record{}
	for _, r := range records {
		if byID[r.ID] == nil {
			byID[r.ID] = r
			if err := normalize.Unite(r); err != nil {
				return nil, err
			}
		} else if err := normalize.Unite(byID[r.ID], r); err != nil {
			return nil, err
		}
	}
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		line, err := normalize.AppendEncode(nil, byID[id])
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(line))
	}
	return lines, nil
}
