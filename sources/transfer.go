package sources

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// resumes is how often a body that breaks off is asked for where it broke.
const resumes = 3

// A transfer is a body on its way: counted, bounded, and, where upstream
// allows, asked for again from where it broke off (RFC 9110, 14.2 and 13.1.5).
type transfer struct {
	ctx     context.Context
	m       *Mirror
	req     request
	resp    *http.Response
	done    int64
	resumed int
}

func (t *transfer) Read(p []byte) (int, error) {
	n, err := t.resp.Body.Read(p)
	t.done += int64(n)
	t.m.stats.Bytes += int64(n)
	if t.done > t.m.opt.MaxTransfer {
		return n, fmt.Errorf("%w: over %d bytes", ErrTooLarge, t.m.opt.MaxTransfer)
	}
	if n > 0 && t.m.opt.Progress != nil {
		t.m.opt.Progress(t.req.url, t.done, t.total())
	}
	if err != nil && err != io.EOF && t.resume() {
		err = nil
	}
	return n, err
}

func (t *transfer) total() int64 {
	if t.resp.StatusCode == http.StatusPartialContent && t.resp.ContentLength >= 0 {
		return -1
	}
	return t.resp.ContentLength
}

// resume replaces the broken body by the rest of it. It reports false where
// that cannot be had.
func (t *transfer) resume() bool {
	etag := t.resp.Header.Get("Etag")
	if t.resumed >= resumes || t.ctx.Err() != nil || t.resp.Uncompressed ||
		etag == "" || strings.HasPrefix(etag, "W/") || t.resp.Header.Get("Accept-Ranges") != "bytes" {
		return false
	}
	t.resumed++
	_ = t.resp.Body.Close() // gives its place at the host free
	header := t.req.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Accept-Encoding", "identity")
	header.Set("Range", fmt.Sprintf("bytes=%d-", t.done))
	header.Set("If-Range", etag)
	resp, err := t.m.client.do(t.ctx, t.req.url, header)
	if err != nil {
		return false
	}
	t.m.stats.Requests++
	from := fmt.Sprintf("bytes %d-", t.done)
	if resp.StatusCode != http.StatusPartialContent || !strings.HasPrefix(resp.Header.Get("Content-Range"), from) {
		_ = resp.Body.Close()
		return false
	}
	t.m.opt.Log.Debug("resumed", "url", t.req.url, "at", t.done)
	if resp.Header.Get("Accept-Ranges") == "" {
		resp.Header.Set("Accept-Ranges", "bytes")
	}
	if resp.Header.Get("Etag") == "" {
		resp.Header.Set("Etag", etag)
	}
	t.resp = resp
	return true
}

func (t *transfer) Close() error { return t.resp.Body.Close() }
