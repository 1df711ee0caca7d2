package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// Media types and annotations. A file's name is its title, so that ORAS and
// its like write it there (OCI image specification 1.1, annotations).
const (
	releaseArtifact = "application/vnd.advdb.release.v1"
	pageArtifact    = "application/vnd.advdb.files.v1"
	fileMediaType   = "application/vnd.advdb.file.v1"

	fileAnnotation  = "vnd.advdb.file:" // of the index: and a name; the value is the file
	firstAnnotation = "vnd.advdb.first" // of a page in the index: the first name that belongs there
	titleAnnotation = ocispec.AnnotationTitle
)

const (
	// pageFiles is how many files a page has at most: about 30 KB of JSON.
	pageFiles = 100

	// maxOCIManifest is what registries accept as a manifest (distribution
	// 3.1: 4 MiB), and what is read of one.
	maxOCIManifest = 4 << 20
)

// An ociIndex is what the tag names: pages of files in the order of names, and
// the files that are in the index itself.
type ociIndex struct {
	digest digest.Digest // empty: there is no such tag
	inline map[string][]byte
	pages  []*ociPage
}

// An ociPage is a manifest of files from a name on, to that of the next page.
type ociPage struct {
	first string
	desc  ocispec.Descriptor
	files []*ociEntry // ascending by name; nil: not read yet
}

// inline reports whether a file is in the index itself: then one request is a
// client's question whether there is something new.
func inline(e *ociEntry) bool {
	return mutable(e.name) && len(e.data) > 0 && len(e.data) <= 16<<10 && utf8.Valid(e.data)
}

// bytes reads the whole of a small upload.
func (u *upload) bytes() ([]byte, error) {
	if _, err := u.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	data := make([]byte, u.size)
	_, err := io.ReadFull(u, data)
	return data, err
}

// refresh reads the tag. What was read of pages that are still named is kept.
func (o *OCI) refresh(ctx context.Context) error {
	old := o.tip
	o.tip = nil
	clear(o.pending)
	data, desc, err := o.fetchTag(ctx)
	if errors.Is(err, ErrNotFound) {
		o.tip = &ociIndex{inline: map[string][]byte{}}
		return nil
	}
	if err != nil {
		return err
	}
	if old != nil && old.digest == desc.Digest {
		o.tip = old
		return nil
	}
	tip, err := decodeIndex(data)
	if err != nil {
		return fmt.Errorf("tag %s: %w", o.tag, err)
	}
	tip.digest = desc.Digest
	tip.adopt(old)
	o.tip = tip
	return nil
}

func (o *OCI) fetchTag(ctx context.Context) ([]byte, ocispec.Descriptor, error) {
	desc, body, err := o.repo.Manifests().FetchReference(ctx, o.tag)
	if err != nil {
		return nil, desc, o.named(err)
	}
	defer body.Close()
	if desc.Size > maxOCIManifest {
		return nil, desc, fmt.Errorf("tag %s: %w", o.tag, ErrTooLarge)
	}
	data, err := content.ReadAll(body, desc)
	if err != nil {
		return nil, desc, fmt.Errorf("tag %s: %w", o.tag, err)
	}
	return data, desc, nil
}

// adopt takes over what was read of pages.
func (x *ociIndex) adopt(old *ociIndex) {
	if old == nil {
		return
	}
	known := map[digest.Digest][]*ociEntry{}
	for _, p := range old.pages {
		known[p.desc.Digest] = p.files
	}
	for _, p := range x.pages {
		p.files = known[p.desc.Digest]
	}
}

// decodeIndex reads an index, of which nothing is trusted but its form.
func decodeIndex(data []byte) (*ociIndex, error) {
	var raw ocispec.Index
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if raw.MediaType != ocispec.MediaTypeImageIndex || raw.ArtifactType != releaseArtifact {
		return nil, fmt.Errorf("%w: %q of type %q is no release of advdb", ErrManifest, raw.MediaType, raw.ArtifactType)
	}
	x := &ociIndex{inline: map[string][]byte{}}
	for k, v := range raw.Annotations {
		if name, ok := strings.CutPrefix(k, fileAnnotation); ok && mutable(name) {
			x.inline[name] = []byte(v)
		}
	}
	for _, d := range raw.Manifests {
		p := &ociPage{first: d.Annotations[firstAnnotation], desc: d}
		if n := len(x.pages); n > 0 && x.pages[n-1].first >= p.first {
			return nil, fmt.Errorf("%w: page %q is out of order", ErrManifest, p.first)
		}
		if d.Size > maxOCIManifest || d.Digest.Validate() != nil {
			return nil, fmt.Errorf("%w: page %q", ErrManifest, p.first)
		}
		x.pages = append(x.pages, p)
	}
	return x, nil
}

// encode writes an index.
func (x *ociIndex) encode() ([]byte, error) {
	raw := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
		ArtifactType: releaseArtifact, Manifests: []ocispec.Descriptor{}, Annotations: map[string]string{}}
	for name, data := range x.inline {
		raw.Annotations[fileAnnotation+name] = string(data)
	}
	for _, p := range x.pages {
		raw.Manifests = append(raw.Manifests, p.desc)
	}
	return json.Marshal(raw)
}

// load reads the files of a page.
func (o *OCI) load(ctx context.Context, p *ociPage) error {
	if p.files != nil {
		return nil
	}
	body, err := o.repo.Manifests().Fetch(ctx, p.desc)
	if err != nil {
		return o.named(err)
	}
	defer body.Close()
	data, err := content.ReadAll(body, p.desc)
	if err != nil {
		return err
	}
	p.files, err = decodePage(data)
	if err != nil {
		return fmt.Errorf("%s: %w", p.desc.Digest, err)
	}
	return nil
}

func decodePage(data []byte) ([]*ociEntry, error) {
	var raw ocispec.Manifest
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	files := make([]*ociEntry, 0, len(raw.Layers))
	for _, d := range raw.Layers {
		name := d.Annotations[titleAnnotation]
		if err := checkName(name); err != nil {
			return nil, err
		}
		if n := len(files); n > 0 && files[n-1].name >= name {
			return nil, fmt.Errorf("%w: file %q is out of order", ErrManifest, name)
		}
		if d.Size < 0 || d.Digest.Validate() != nil {
			return nil, fmt.Errorf("%w: file %q", ErrManifest, name)
		}
		d.Annotations, d.Data, d.URLs = nil, nil, nil
		files = append(files, &ociEntry{name: name, desc: d})
	}
	return files, nil
}

// encode writes a page, and makes its descriptor.
func (p *ociPage) encode() ([]byte, error) {
	raw := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		ArtifactType: pageArtifact, Config: emptyConfig()}
	for _, e := range p.files {
		d := e.desc
		d.Annotations = map[string]string{titleAnnotation: e.name}
		raw.Layers = append(raw.Layers, d)
	}
	data, err := json.Marshal(raw)
	p.desc = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: pageArtifact,
		Digest: digest.FromBytes(data), Size: int64(len(data)), Annotations: map[string]string{firstAnnotation: p.first}}
	return data, err
}

// emptyConfig is what a manifest without configuration has as one.
func emptyConfig() ocispec.Descriptor {
	d := ocispec.DescriptorEmptyJSON
	d.Data = nil
	return d
}

// pageOf is the number of the page that a name belongs to; -1: there is none.
func (x *ociIndex) pageOf(name string) int {
	i, found := slices.BinarySearchFunc(x.pages, name, func(p *ociPage, s string) int { return strings.Compare(p.first, s) })
	if found {
		return i
	}
	return max(i-1, min(0, len(x.pages)-1))
}

// find says where a file is.
func (o *OCI) find(ctx context.Context, name string) (*ociEntry, error) {
	if o.tip == nil {
		if err := o.refresh(ctx); err != nil {
			return nil, err
		}
	}
	if e, ok := o.pending[name]; ok {
		if e == nil {
			return nil, ErrNotFound
		}
		return e, nil
	}
	if data, ok := o.tip.inline[name]; ok {
		return &ociEntry{name: name, data: data, desc: ocispec.Descriptor{Size: int64(len(data))}}, nil
	}
	i := o.tip.pageOf(name)
	if i < 0 {
		return nil, ErrNotFound
	}
	p := o.tip.pages[i]
	if err := o.load(ctx, p); err != nil {
		return nil, err
	}
	at, ok := p.search(name)
	if !ok {
		return nil, ErrNotFound
	}
	return p.files[at], nil
}

func (p *ociPage) search(name string) (int, bool) {
	return slices.BinarySearchFunc(p.files, name, func(e *ociEntry, s string) int { return strings.Compare(e.name, s) })
}

// content reads a small file.
func (o *OCI) content(ctx context.Context, name string) ([]byte, error) {
	e, err := o.find(ctx, name)
	if err != nil || e.data != nil {
		return e.bytes(), err
	}
	body, err := o.blob(ctx, e.desc.Digest, 0)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, min(e.desc.Size, maxOCIManifest)+1))
}

func (e *ociEntry) bytes() []byte {
	if e == nil {
		return nil
	}
	return e.data
}

// names returns the names that begin with prefix, ascending.
func (o *OCI) names(ctx context.Context, prefix string) ([]string, error) {
	set := map[string]bool{}
	for name := range o.tip.inline {
		set[name] = true
	}
	for _, p := range o.tip.pages {
		if err := o.load(ctx, p); err != nil {
			return nil, err
		}
		for _, e := range p.files {
			set[e.name] = true
		}
	}
	for name, e := range o.pending {
		set[name] = e != nil
	}
	maps.DeleteFunc(set, func(name string, there bool) bool { return !there || !strings.HasPrefix(name, prefix) })
	return slices.Sorted(maps.Keys(set)), nil
}
