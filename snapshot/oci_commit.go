package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// commit moves the tag to what was written: pages first, the index last. With
// settled it waits to see that the tag stays. After ErrConflict nothing of
// what was written since the last commit counts.
func (o *OCI) commit(ctx context.Context, settled bool) error {
	next, dirty, err := o.next(ctx)
	if err == nil {
		err = o.pushPages(ctx, dirty)
	}
	if err != nil {
		return err
	}
	data, err := next.encode()
	if err != nil {
		return err
	}
	if len(data) > maxOCIManifest {
		return fmt.Errorf("index of %d pages: %w", len(next.pages), ErrTooLarge)
	}
	if next.digest = digest.FromBytes(data); next.digest == o.tip.digest {
		clear(o.pending)
		return nil
	}
	start := time.Now()
	if err := o.expect(ctx, o.tip.digest); err != nil {
		return err
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, ArtifactType: releaseArtifact, Digest: next.digest, Size: int64(len(data))}
	if err := o.repo.Manifests().PushReference(ctx, desc, bytes.NewReader(data), o.tag); err != nil {
		if o.expect(ctx, next.digest) != nil { // else the answer was lost, the push was not
			return o.named(err)
		}
	}
	o.tip = next
	clear(o.pending)
	if !settled {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(max(o.settle, 4*time.Since(start))):
	}
	return o.expect(ctx, next.digest)
}

// expect returns ErrConflict unless the tag is at a digest ("": nowhere).
func (o *OCI) expect(ctx context.Context, want digest.Digest) error {
	desc, err := o.repo.Resolve(ctx, o.tag)
	if err = o.named(err); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil {
		desc.Digest = ""
	}
	if desc.Digest != want {
		o.tip = nil
		clear(o.pending)
		return fmt.Errorf("tag %s has moved: %w", o.tag, ErrConflict)
	}
	return nil
}

// next is the index with what was written, and the pages of it that are new.
func (o *OCI) next(ctx context.Context) (next *ociIndex, dirty []*ociPage, err error) {
	next = &ociIndex{inline: maps.Clone(o.tip.inline)}
	changes := map[int][]*ociEntry{} // by page
	for _, name := range slices.Sorted(maps.Keys(o.pending)) {
		e := o.pending[name]
		delete(next.inline, name)
		if e != nil && inline(e) {
			next.inline[name] = e.data
			e = nil // and is in no page
		}
		if e == nil {
			e = &ociEntry{name: name, desc: ocispec.Descriptor{Size: -1}}
		}
		i := max(0, o.tip.pageOf(name))
		changes[i] = append(changes[i], e)
	}
	pages := o.tip.pages
	if len(pages) == 0 {
		pages = []*ociPage{{files: []*ociEntry{}}}
	}
	for i, p := range pages {
		if changes[i] == nil {
			next.pages = append(next.pages, p)
			continue
		}
		if err := o.load(ctx, p); err != nil {
			return nil, nil, err
		}
		fresh := p.with(changes[i])
		next.pages = append(next.pages, fresh...)
		dirty = append(dirty, fresh...)
	}
	return next, dirty, nil
}

// with returns a page with changes, as many pages as it takes.
func (p *ociPage) with(changes []*ociEntry) []*ociPage {
	all := &ociPage{first: p.first, files: slices.Clone(p.files)}
	for _, e := range changes {
		i, there := all.search(e.name)
		switch {
		case e.desc.Size < 0 && there:
			all.files = slices.Delete(all.files, i, i+1)
		case e.desc.Size < 0:
		case there:
			all.files[i] = e
		default:
			all.files = slices.Insert(all.files, i, e)
		}
	}
	if len(all.files) == 0 {
		return nil
	}
	if len(all.files) <= pageFiles {
		return []*ociPage{all}
	}
	var out []*ociPage
	for part := range slices.Chunk(all.files, pageFiles*2/3) {
		out = append(out, &ociPage{first: part[0].name, files: part})
	}
	out[0].first = p.first
	return out
}

// pushPages pushes pages that are new.
func (o *OCI) pushPages(ctx context.Context, pages []*ociPage) error {
	if len(pages) > 0 && !o.empty {
		if err := o.pushBlob(ctx, emptyConfig(), strings.NewReader("{}")); err != nil {
			return err
		}
		o.empty = true
	}
	for _, p := range pages {
		data, err := p.encode()
		if err != nil {
			return err
		}
		if err := o.repo.Manifests().Push(ctx, p.desc, bytes.NewReader(data)); err != nil {
			return fmt.Errorf("files from %q on: %w", p.first, o.named(err))
		}
	}
	return nil
}
