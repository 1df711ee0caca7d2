package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Create pushes a file that never changes, unless one of that size is there.
func (o *OCI) Create(ctx context.Context, name string, size int64, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.begin(ctx); err != nil {
		return err
	}
	e, err := o.find(ctx, name)
	if err == nil && e.desc.Size == size {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	u, err := newUpload(size, r)
	if err != nil {
		return err
	}
	defer u.Close()
	return o.write(ctx, name, u)
}

// Write pushes a file. From Lock on, others see it when the next one is
// written that each release replaces.
func (o *OCI) Write(ctx context.Context, name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.begin(ctx); err != nil {
		return err
	}
	u, err := newUpload(int64(len(data)), bytes.NewReader(data))
	if err != nil {
		return err
	}
	return o.write(ctx, name, u)
}

// Swap writes a file if it is still what it was, and waits a while to see
// whether it stays.
func (o *OCI) Swap(ctx context.Context, name string, data, was []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.begin(ctx); err != nil {
		return err
	}
	now, err := o.content(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if (err != nil) != (was == nil) || !bytes.Equal(now, was) {
		return ErrConflict
	}
	u, err := newUpload(int64(len(data)), bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := o.push(ctx, name, u); err != nil {
		return err
	}
	return o.commit(ctx, true)
}

// write pushes a file, and moves the tag where that is due.
func (o *OCI) write(ctx context.Context, name string, u *upload) error {
	if err := o.push(ctx, name, u); err != nil {
		return err
	}
	if o.locked && !mutable(name) {
		return nil
	}
	return o.commit(ctx, false)
}

// push pushes the bytes of a file, and notes where it is.
func (o *OCI) push(ctx context.Context, name string, u *upload) error {
	e := &ociEntry{name: name, desc: ocispec.Descriptor{
		MediaType: fileMediaType, Digest: digest.NewDigestFromEncoded(digest.SHA256, u.hash.String()), Size: u.size,
	}}
	if u.size <= smallFile {
		data, err := u.bytes()
		if err != nil {
			return err
		}
		e.data = data
	}
	if !inline(e) {
		if err := o.pushBlob(ctx, e.desc, u); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	o.pending[name] = e
	return nil
}

// pushBlob pushes a blob. A large one is asked for first; one whose upload
// was cut off is sent once more.
func (o *OCI) pushBlob(ctx context.Context, d ocispec.Descriptor, r io.ReadSeeker) error {
	if d.Size > smallFile {
		if there, err := o.repo.Blobs().Exists(ctx, d); there || err != nil {
			return o.named(err)
		}
	}
	var err error
	for range 2 {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		err = o.repo.Blobs().Push(ctx, d, io.NopCloser(io.LimitReader(r, d.Size)))
		var answer *errcode.ErrorResponse
		if err == nil || ctx.Err() != nil || errors.As(err, &answer) && answer.StatusCode < 500 {
			break
		}
	}
	return o.named(err)
}

// Delete takes a file out of what the tag names.
func (o *OCI) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.begin(ctx); err != nil {
		return err
	}
	if _, err := o.find(ctx, name); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	o.pending[name] = nil
	if o.locked {
		return nil
	}
	return o.commit(ctx, false)
}

// List calls yield with each file that begins with prefix, in the order of names.
func (o *OCI) List(ctx context.Context, prefix string, yield func(string) error) error {
	o.mu.Lock()
	err := o.begin(ctx)
	var names []string
	if err == nil {
		names, err = o.names(ctx, prefix)
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := yield(name); err != nil {
			return err
		}
	}
	return nil
}

// Lock begins to gather what is written. It keeps nobody out: the tag tells
// who was first.
func (o *OCI) Lock(ctx context.Context) (func() error, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.refresh(ctx); err != nil {
		return nil, err
	}
	o.locked = true
	return func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.locked = false
		if len(o.pending) == 0 || o.tip == nil {
			return nil
		}
		return o.commit(ctx, false)
	}, nil
}

// begin reads the tag, unless it is locked and what was read counts.
func (o *OCI) begin(ctx context.Context) error {
	if o.locked && o.tip != nil {
		return nil
	}
	if o.locked {
		return ErrConflict // found before
	}
	return o.refresh(ctx)
}
