package sources

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// A request is what a Mirror asks of upstream.
type request struct {
	url    string
	owner  string // what the answer's validator vouches for
	always bool   // want the whole, even if unchanged
	raw    bool   // as transferred, not decompressed
	header http.Header
}

// A Response is the body of one answer, to be read once.
type Response struct {
	URL      string
	Modified time.Time // of Last-Modified; zero if not said

	m    *Mirror
	body io.Closer
	r    io.Reader
	v    validator
}

// Get asks for url and returns its body, which is decompressed where the URL
// ends in .gz, .bz2 or .zst. It returns [ErrUnchanged] if the body is that
// for which [Response.Keep] was called before a Commit. Errors name the URL.
func (m *Mirror) Get(ctx context.Context, url string) (*Response, error) {
	return m.open(ctx, request{url: url})
}

// open makes one request.
func (m *Mirror) open(ctx context.Context, req request) (*Response, error) {
	header := req.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	known, ok := m.state.Validators[req.url]
	if ok && !req.always && !m.opt.Force && known.Owner == req.owner {
		known.ask(header)
	}
	if req.raw || compression(req.url) != "" {
		header.Set("Accept-Encoding", "identity")
	}
	resp, err := m.client.do(ctx, req.url, header)
	if resp != nil || isStatus(err) {
		m.stats.Requests++
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified {
		m.stats.NotModified++
		_ = resp.Body.Close()
		return nil, ErrUnchanged
	}
	return m.response(ctx, req, resp)
}

func isStatus(err error) bool {
	var se *StatusError
	return errors.As(err, &se)
}

// ask puts the validator into a request, RFC 9110, 13.1.
func (v *validator) ask(h http.Header) {
	if v.ETag != "" {
		h.Set("If-None-Match", v.ETag)
	} else if v.Modified != "" {
		h.Set("If-Modified-Since", v.Modified)
	}
}

func (m *Mirror) response(ctx context.Context, req request, resp *http.Response) (*Response, error) {
	t := &transfer{ctx: ctx, m: m, req: req, resp: resp}
	r := &Response{URL: req.url, m: m, body: t, r: t}
	r.v = validator{ETag: resp.Header.Get("Etag"), Modified: resp.Header.Get("Last-Modified"), Owner: req.owner}
	r.Modified, _ = http.ParseTime(r.v.Modified)
	r.r = withGoogleSum(resp, t)
	if req.raw {
		return r, nil
	}
	plain, err := decompress(compression(req.url), r.r)
	if err != nil {
		_ = t.Close()
		return nil, located(req.url, err)
	}
	r.r = plain
	return r, nil
}

// Read reads the body. An error names the URL.
func (r *Response) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = located(r.URL, err)
	}
	return n, err
}

// Close ends the request. It may be called at any time.
func (r *Response) Close() error {
	if c, ok := r.r.(closer); ok {
		c.Close()
	}
	return r.body.Close()
}

// closer is what a zstd decoder has in the place of an io.Closer.
type closer interface{ Close() }

// Keep makes the next Commit remember that this body was taken in whole, so
// that it is not transferred again while it is unchanged.
func (r *Response) Keep() {
	if r.v.ETag == "" && r.v.Modified == "" && r.v.Commit == "" {
		r.m.Forget(r.URL)
		return
	}
	r.m.state.Validators[r.URL] = r.v
}
