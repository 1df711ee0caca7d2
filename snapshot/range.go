package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errNoRange says that a carrier sends whole files only.
var errNoRange = errors.New("no ranges")

// A rangeReader is a Reader that can be asked for a part of a file and sends
// no more. OpenRange returns errNoRange where the server ignores what it was
// asked for.
type rangeReader interface {
	OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error)
}

// openRange opens size bytes of a file, from an offset on. Of a carrier that
// knows no end of a range it takes that much and hangs up.
func openRange(ctx context.Context, r Reader, name string, offset, size int64) (io.ReadCloser, error) {
	if rr, ok := r.(rangeReader); ok {
		return rr.OpenRange(ctx, name, offset, size)
	}
	body, err := r.Open(ctx, name, offset)
	if err != nil {
		return nil, err
	}
	return limited{io.LimitReader(body, size), body}, nil
}

// limited is the beginning of a body.
type limited struct {
	io.Reader
	io.Closer
}

// OpenRange watches over a range as Open does over a file.
func (w *watched) OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	return w.watch(ctx, func(ctx context.Context) (io.ReadCloser, error) {
		return openRange(ctx, w.Reader, name, offset, size)
	})
}

// OpenRange asks for a range (RFC 9110, section 14).
func (h *HTTP) OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	req, err := h.request(ctx, name)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := checkRange(resp, offset); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return limited{io.LimitReader(resp.Body, size), resp.Body}, nil
}

// checkRange looks at the answer to a request for a range from offset on.
func checkRange(resp *http.Response, offset int64) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
		var first, last int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d", &first, &last); err != nil || first != offset {
			return fmt.Errorf("range %q, from %d was asked for: %w", resp.Header.Get("Content-Range"), offset, ErrMismatch)
		}
		return nil
	case http.StatusOK:
		return errNoRange
	case http.StatusRequestedRangeNotSatisfiable:
		return ErrTruncated
	}
	return statusError(resp)
}
