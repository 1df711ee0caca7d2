package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// An OCI is a repository in an OCI registry, under one tag. The tag is an
// image index (artifactType application/vnd.advdb.release.v1) of manifests,
// whose layers are the files; tuf/timestamp.json and log/checkpoint are
// annotations of the index. What is written is pushed first, the tag moves
// last, and with it everything at once.
//
// Registries have no conditional push. Whoever publishes looks at the tag
// before he moves it, and once more a while after: of two publishers that come
// within that while of each other, the first learns that he lost. A registry
// that answers one of them later than that lets both believe they won, so give
// a repository one publisher at a time.
type OCI struct {
	repo   *remote.Repository
	tag    string
	settle time.Duration // at least so long after a push the tag is looked at again

	mu      sync.Mutex
	locked  bool
	tip     *ociIndex            // as read last, or as written; nil: not read yet
	pending map[string]*ociEntry // written since; nil values: deleted
	empty   bool                 // the empty config is there
}

// An ociEntry is a file: where it is, and if it is small and our own, what.
type ociEntry struct {
	name string
	desc ocispec.Descriptor
	data []byte
}

// OCIOptions say how a registry is reached. The zero value asks with HTTPS and
// without credentials.
type OCIOptions struct {
	PlainHTTP    bool
	DockerConfig string // file of credentials, as "docker login" writes it; empty: none
	Client       *http.Client
}

const (
	defaultSettle = 2 * time.Second
	defaultTag    = "latest"

	// smallFile is up to what size a file is kept until it can be read back
	// from the registry, and pushed without asking whether it is there.
	smallFile = 64 << 10
)

// NewOCI returns the repository under registry/name:tag. Nothing is asked yet.
func NewOCI(reference string, opt OCIOptions) (*OCI, error) {
	repo, err := remote.NewRepository(reference)
	if err != nil {
		return nil, fmt.Errorf("oci: %w: %w", ErrTarget, err)
	}
	tag := repo.Reference.Reference
	if tag == "" {
		tag = defaultTag
	}
	ref := repo.Reference
	ref.Reference = tag
	if err := ref.ValidateReferenceAsTag(); err != nil {
		return nil, fmt.Errorf("oci: %s: %w: a tag that can move is needed: %w", reference, ErrTarget, err)
	}
	if opt.Client == nil {
		opt.Client = newClient(uploadHeaders)
	}
	client := *opt.Client
	again := retry.NewTransport(client.Transport)
	again.Policy = func() retry.Policy {
		return &retry.GenericPolicy{Retryable: retry.DefaultPredicate, Backoff: retry.DefaultBackoff, MinWait: retryPause, MaxWait: 30 * time.Second, MaxRetry: 3}
	}
	client.Transport = again
	a := &auth.Client{Client: &client, Cache: auth.NewCache(), Header: http.Header{"User-Agent": {"advdb"}}}
	if opt.DockerConfig != "" {
		store, err := credentials.NewStore(opt.DockerConfig, credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("oci: %s: %w", opt.DockerConfig, err)
		}
		a.Credential = credentials.Credential(store)
	}
	if opt.PlainHTTP {
		a.BlockedRealmPrefixes = []netip.Prefix{} // its token server may be on this machine, too
	}
	repo.Client, repo.PlainHTTP = a, opt.PlainHTTP
	repo.Reference.Reference = ""
	return &OCI{repo: repo, tag: tag, settle: defaultSettle, pending: map[string]*ociEntry{}}, nil
}

// openOCI opens registry/name:tag with the credentials of Docker's or Podman's
// configuration. A registry on this machine is asked by plain HTTP, as Docker does.
func (c Carriers) openOCI(target string) (*OCI, error) {
	opt := OCIOptions{Client: c.Client, DockerConfig: c.Getenv("REGISTRY_AUTH_FILE")}
	if dir := c.Getenv("DOCKER_CONFIG"); dir != "" && opt.DockerConfig == "" {
		opt.DockerConfig = filepath.Join(dir, "config.json")
	} else if home := c.Getenv("HOME"); home != "" && opt.DockerConfig == "" {
		opt.DockerConfig = filepath.Join(home, ".docker", "config.json")
	}
	host, _, _ := strings.Cut(target, "/")
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	opt.PlainHTTP = host == "localhost" || err == nil && addr.IsLoopback()
	return NewOCI(target, opt)
}

func (o *OCI) String() string {
	return "oci://" + o.repo.Reference.Registry + "/" + o.repo.Reference.Repository + ":" + o.tag
}

// named says which of our errors an error of the registry is.
func (o *OCI) named(err error) error {
	var e *errcode.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden),
		errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case errors.Is(err, errdef.ErrNotFound), errors.As(err, &e) && e.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// Open opens a file, from an offset on. A file that each release replaces is
// asked for anew; others are where the tag said when it was read last.
func (o *OCI) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	e, err := o.locate(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.data != nil {
		return io.NopCloser(bytes.NewReader(e.data[min(offset, int64(len(e.data))):])), nil
	}
	body, err := o.blob(ctx, e.desc.Digest, offset)
	o.forget(err)
	return body, err
}

// OpenRange gets a range of a file.
func (o *OCI) OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	e, err := o.locate(ctx, name)
	if err != nil {
		return nil, err
	}
	if n := int64(len(e.data)); e.data != nil {
		return io.NopCloser(bytes.NewReader(e.data[min(offset, n):min(offset+size, n)])), nil
	}
	resp, err := o.request(ctx, e.desc.Digest, fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	if o.forget(err); err != nil {
		return nil, err
	}
	return onlyRange(resp, offset, size)
}

// forget drops what was read of the tag where the registry has dropped it.
func (o *OCI) forget(err error) {
	if !errors.Is(err, ErrNotFound) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.locked {
		o.tip = nil
	}
}

// locate finds a file for reading.
func (o *OCI) locate(ctx context.Context, name string) (*ociEntry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.locked {
		if err := o.begin(ctx); err != nil {
			return nil, err
		}
		return o.find(ctx, name)
	}
	if !mutable(name) {
		fresh := o.tip == nil
		if e, err := o.find(ctx, name); fresh || !errors.Is(err, ErrNotFound) {
			return e, err
		}
		// A later release may have it.
	}
	if err := o.refresh(ctx); err != nil {
		return nil, err
	}
	return o.find(ctx, name)
}

// blob gets a blob from an offset on, and skips where the registry has no ranges.
func (o *OCI) blob(ctx context.Context, d digest.Digest, offset int64) (io.ReadCloser, error) {
	part := ""
	if offset > 0 {
		part = fmt.Sprintf("bytes=%d-", offset)
	}
	resp, err := o.request(ctx, d, part)
	var e *errcode.ErrorResponse
	switch {
	case errors.As(err, &e) && e.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return http.NoBody, nil
	case err != nil:
		return nil, err
	case resp.StatusCode == http.StatusPartialContent:
		offset = 0
	}
	return skip(resp.Body, offset)
}

// request gets a blob or, by the Range header, a part of it:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
func (o *OCI) request(ctx context.Context, d digest.Digest, part string) (*http.Response, error) {
	ref := o.repo.Reference
	scheme := "https"
	if o.repo.PlainHTTP {
		scheme = "http"
	}
	ctx = auth.AppendRepositoryScope(ctx, ref, auth.ActionPull)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+ref.Host()+"/v2/"+ref.Repository+"/blobs/"+d.String(), nil)
	if err != nil {
		return nil, err
	}
	if part != "" {
		req.Header.Set("Range", part)
	}
	resp, err := o.repo.Client.Do(req)
	if err != nil {
		return nil, o.named(err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		return resp, nil
	}
	resp.Body.Close()
	return nil, o.named(&errcode.ErrorResponse{Method: req.Method, URL: req.URL, StatusCode: resp.StatusCode})
}
