package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// A fault is something that an upstream does wrong.
type fault struct {
	name string
	// answer replaces an answer; body is what was right to send.
	answer func(resp *http.Response, body []byte) (*http.Response, error)
	// spoils says of a right answer whether the fault makes it wrong in a
	// way that can be told; nil: always.
	spoils func(url string, body []byte) bool
	slow   bool // takes until a timeout
}

var errRefused = errors.New("connection refused")

const webPage = "<!DOCTYPE html>\n<html><body><h1>We will be back: soon</h1></body></html>\n"

func faults() []fault {
	return []fault{
		{name: "refused", answer: func(*http.Response, []byte) (*http.Response, error) { return nil, errRefused }},
		{name: "403", answer: status(http.StatusForbidden)},
		{name: "429", answer: status(http.StatusTooManyRequests)},
		{name: "500", answer: status(http.StatusInternalServerError)},
		{name: "cut", answer: cut, spoils: hasBody},
		{name: "empty", answer: with(func([]byte) []byte { return nil }), spoils: hasBody},
		{name: "truncated", answer: with(func(b []byte) []byte { return b[:len(b)/2] }), spoils: framed},
		{name: "page", answer: with(func([]byte) []byte { return []byte(webPage) }), spoils: served},
		{name: "garbage", answer: with(func(b []byte) []byte { return append(bytes.Clone(b), "\nPK garbage"...) }), spoils: framed},
		{name: "stall", answer: stallAnswer, slow: true},
		{name: "stalled body", answer: stallBody, slow: true, spoils: hasBody},
	}
}

func served(_ string, body []byte) bool  { return body != nil }
func hasBody(_ string, body []byte) bool { return len(body) > 0 }

// framed reports whether a body says itself where it ends.
func framed(url string, body []byte) bool {
	for _, ext := range []string{".gz", ".tgz", ".bz2", ".zst", ".xz", ".zip"} {
		if strings.HasSuffix(url, ext) {
			return len(body) > 0
		}
	}
	b := bytes.TrimSpace(body)
	if len(b) == 0 {
		return false
	}
	closing := map[byte]string{'{': "}", '[': "]"}[b[0]]
	isXML := bytes.HasPrefix(b, []byte("<?xml")) || bytes.HasPrefix(b, []byte("<oval"))
	return closing != "" && bytes.HasSuffix(b, []byte(closing)) || isXML
}

func status(code int) func(*http.Response, []byte) (*http.Response, error) {
	return func(resp *http.Response, _ []byte) (*http.Response, error) {
		resp.StatusCode, resp.Status = code, fmt.Sprintf("%d %s", code, http.StatusText(code))
		resp.Body = io.NopCloser(strings.NewReader("Forbidden-1\n"))
		return resp, nil
	}
}

// with answers 200 with a body made of the right one.
func with(change func(body []byte) []byte) func(*http.Response, []byte) (*http.Response, error) {
	return func(resp *http.Response, body []byte) (*http.Response, error) {
		b := change(body)
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		return resp, nil
	}
}

func cut(resp *http.Response, body []byte) (*http.Response, error) {
	r := io.MultiReader(bytes.NewReader(body[:len(body)/2]), failing{io.ErrUnexpectedEOF})
	resp.Body = io.NopCloser(r)
	return resp, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func stallAnswer(resp *http.Response, _ []byte) (*http.Response, error) {
	ctx := resp.Request.Context()
	<-ctx.Done()
	return nil, ctx.Err()
}

func stallBody(resp *http.Response, body []byte) (*http.Response, error) {
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), waiting{resp.Request.Context()}))
	return resp, nil
}

type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

// An exchange is one request as it was answered.
type exchange struct {
	url         string
	conditional bool
	status      int
	body        []byte // of a 200 answer, as transferred; not nil
}

// String returns the line that stands for the exchange in a fixture.
func (x exchange) String() string {
	if x.status == http.StatusOK {
		return "GET " + x.url
	}
	return fmt.Sprintf("GET %s %d", x.url, x.status)
}

// A wire records what goes over it, and puts a fault in the answers of one
// URL.
type wire struct {
	next  http.RoundTripper
	fault *fault
	url   string // that the fault is at

	mu  sync.Mutex
	log []exchange
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	x := exchange{
		url:         req.URL.String(),
		conditional: req.Header.Get("If-None-Match") != "" || req.Header.Get("If-Modified-Since") != "",
		status:      resp.StatusCode,
	}
	if resp.StatusCode == http.StatusOK {
		if x.body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(x.body))
	}
	w.mu.Lock()
	w.log = append(w.log, x)
	w.mu.Unlock()
	if w.fault != nil && x.url == w.url {
		return w.fault.answer(resp, x.body)
	}
	return resp, nil
}
