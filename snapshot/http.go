package snapshot

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"time"
)

// An HTTP reads a repository that any static server serves.
type HTTP struct {
	base   *url.URL
	client *http.Client
}

// NewHTTP returns the repository at a URL. A nil client gets time limits for
// connecting and for headers; how slow a body may be is Pull's to say.
func NewHTTP(base *url.URL, client *http.Client) *HTTP {
	if client == nil {
		client = newClient(30 * time.Second)
	}
	return &HTTP{base, client}
}

// newClient returns a client that waits for headers as long as headers.
func newClient(headers time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 15 * time.Second}).DialContext
	t.ResponseHeaderTimeout = headers
	t.DisableCompression = true // blobs are compressed, and offsets are of bytes as they are
	return &http.Client{Transport: t}
}

func (h *HTTP) String() string { return h.base.Redacted() }

// Open asks for a file; with an offset for the range from there on, and where
// the server has no ranges it skips what comes before.
func (h *HTTP) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	req, err := h.request(ctx, name)
	if err != nil {
		return nil, err
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusPartialContent && offset > 0:
		return resp.Body, nil
	case resp.StatusCode == http.StatusOK:
		if _, err := io.CopyN(io.Discard, resp.Body, offset); err != nil {
			resp.Body.Close()
			return nil, err
		}
		return resp.Body, nil
	}
	resp.Body.Close()
	return nil, statusError(resp)
}

// statusError is what an answer means that is no success.
func statusError(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return ErrNotFound
	}
	return fmt.Errorf("HTTP status %s", resp.Status)
}

// request is what asks for a file.
func (h *HTTP) request(ctx context.Context, name string) (*http.Request, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	u := *h.base
	u.Path = path.Join("/", u.Path, name)
	u.RawPath = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "advdb")
	return req, nil
}
