package snapshot

import (
	"context"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An s3Request is one request, as often as it has to be repeated.
type s3Request struct {
	method string
	key    string // of an object; empty: of the bucket
	query  url.Values
	header http.Header
	body   *upload // nil: none
}

// s3Attempts is how often a request is sent that fails for a passing reason.
const s3Attempts = 4

// emptyHash is the SHA-256 of nothing.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// A repeatedError is the error of a request that was sent before, and of which
// nobody knows whether the store heard it then.
type repeatedError struct{ err error }

func (e *repeatedError) Error() string { return e.err.Error() }
func (e *repeatedError) Unwrap() error { return e.err }

// do sends a request until there is an answer, which is a success. Other
// answers are errors, such as ErrNotFound, ErrConflict for a condition that
// does not hold, and ErrDenied.
func (s *S3) do(ctx context.Context, q s3Request) (*http.Response, error) {
	pause := s.pause
	for attempt := 1; ; attempt++ {
		resp, err := s.send(ctx, q)
		if err == nil && resp.StatusCode < 300 {
			return resp, nil
		}
		wait := pause + rand.N(pause)
		passing := err != nil
		if err == nil {
			passing = resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented || resp.StatusCode == http.StatusTooManyRequests
			if n, aerr := strconv.Atoi(resp.Header.Get("Retry-After")); aerr == nil && n > 0 {
				wait = max(wait, min(time.Duration(n)*time.Second, 30*time.Second))
			}
			err = s.refused(resp, q)
		}
		if !passing && attempt > 1 {
			err = &repeatedError{err}
		}
		if !passing || attempt == s3Attempts || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
		pause *= 2
	}
}

// send signs a request and sends it once.
func (s *S3) send(ctx context.Context, q s3Request) (*http.Response, error) {
	u := *s.base
	if q.key != "" {
		u.Path += "/" + q.key
	} else {
		u.Path += "/"
	}
	u.RawPath = escapePath(u.Path)
	u.RawQuery = q.query.Encode()
	req, err := http.NewRequestWithContext(ctx, q.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "advdb")
	for k, v := range q.header {
		req.Header[k] = v
	}
	hash := emptyHash
	if q.body != nil {
		if _, err := q.body.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		hash = hex.EncodeToString(q.body.hash[:])
		req.ContentLength = q.body.size
		if req.Body = http.NoBody; q.body.size > 0 {
			req.Body = io.NopCloser(io.LimitReader(q.body, q.body.size))
		}
	}
	if s.creds.AccessKeyID != "" {
		req.Header.Set("X-Amz-Content-Sha256", hash)
		if err := s.signer.SignHTTP(ctx, s.creds, req, hash, "s3", s.region, time.Now()); err != nil {
			return nil, err
		}
	}
	return s.client.Do(req)
}

// escapePath escapes all but what Signature Version 4 leaves as it is:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func escapePath(p string) string {
	var b strings.Builder
	for _, c := range []byte(p) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// An s3Error is what a store says when it refuses:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type s3Error struct {
	Status  int    `xml:"-"`
	Code    string `xml:"Code"`
	Message string `xml:"Message"`
	gone    bool   // what was to be replaced is not there any more
}

func (e *s3Error) Error() string {
	text := fmt.Sprintf("s3: status %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

func (e *s3Error) Unwrap() error {
	switch {
	case e.Status == http.StatusPreconditionFailed, e.gone, e.Status == http.StatusConflict && e.Code == "ConditionalRequestConflict":
		return ErrConflict
	case e.Status == http.StatusNotFound && e.Code != "NoSuchBucket":
		return ErrNotFound
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return ErrDenied
	}
	return nil
}

// refused reads why a request was refused.
func (s *S3) refused(resp *http.Response, q s3Request) error {
	defer resp.Body.Close()
	e := &s3Error{Status: resp.StatusCode}
	if err := xml.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(e); err != nil {
		e.Message = http.StatusText(resp.StatusCode) // the answer to a HEAD, or a proxy's
	}
	e.Status = resp.StatusCode
	e.gone = e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" && q.header.Get("If-Match") != ""
	if region := resp.Header.Get("X-Amz-Bucket-Region"); resp.StatusCode/100 == 3 && region != "" {
		e.Message += " (the bucket's region is " + region + ")"
	}
	read := q.body == nil && q.method != http.MethodDelete
	if errors.Is(e, ErrDenied) && read && s.creds.AccessKeyID == "" {
		// Who may not list is told so of what is not there, too.
		return fmt.Errorf("%w, or needs credentials: %w", ErrNotFound, e)
	}
	if errors.Is(e, ErrDenied) {
		return fmt.Errorf("%w: %w", ErrDenied, e)
	}
	return e
}
