package snapshot

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// newBase writes a base of the release, and the dictionary of those to come.
func (p *publisher) newBase(ctx context.Context, m *Manifest) error {
	if err := p.roomForBase(); err != nil {
		return err
	}
	var sample *sampler
	base, err := p.segment(0, m.Version, nil, func(w *segmentWriter) (err error) {
		sample, err = p.fill(ctx, newDiffer(w, m.Version), nil)
		return err
	})
	if err != nil {
		return err
	}
	p.setBase(m, base)
	return p.newDictionary(m, sample)
}

// setBase makes a segment the base of its release, and lets go of those that
// are not to be kept.
func (p *publisher) setBase(m *Manifest, base Segment) {
	m.Base = base
	m.Bases = keepBases(append(slices.Clone(m.Bases), KeptBase{m.Time, base}), p.Keep, p.Now)
	p.out.Base = true
}

// newDictionary makes what was sampled the dictionary of segments to come.
func (p *publisher) newDictionary(m *Manifest, sample *sampler) error {
	if len(sample.data) < 8 {
		return nil
	}
	fresh := newDictionary(sample.data)
	for i, d := range m.Dictionaries {
		if d.Content == fresh.hash {
			m.Dictionaries = append(slices.Delete(slices.Clone(m.Dictionaries), i, i+1), d)
			return nil
		}
	}
	packed, dict, err := fresh.pack()
	if err != nil {
		return err
	}
	path := filepath.Join(p.temp, "dictionary-"+dict.SHA256.String())
	if err := os.WriteFile(path, packed, 0o600); err != nil {
		return err
	}
	p.blobs = append(p.blobs, stagedBlob{dict.Blob, path})
	m.Dictionaries = append(slices.Clone(m.Dictionaries), dict)
	return nil
}

// dropDictionaries keeps those that segments use, and the newest.
func (m *Manifest) dropDictionaries() {
	used := map[Hash]bool{}
	for _, s := range m.Segments {
		used[s.Dictionary] = true
	}
	var list []Dictionary
	for i, d := range m.Dictionaries {
		if used[d.Content] || i == len(m.Dictionaries)-1 {
			list = append(list, d)
		}
	}
	m.Dictionaries = list
}
