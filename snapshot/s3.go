package snapshot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// An S3 is a repository in a bucket of S3-compatible object storage: each file
// an object, below a prefix. Create, Swap and Lock are conditional writes
// (If-None-Match, If-Match), which the store must honour; Lock finds out.
type S3 struct {
	bucket, prefix string
	base           *url.URL // of the bucket; ends without a slash
	region         string
	creds          aws.Credentials // zero: anonymous
	signer         *v4.Signer
	client         *http.Client

	lease time.Duration // for how long a lock is good that nobody renews
	pause time.Duration // before the first repetition of a request

	mu   sync.Mutex
	held *lease // nil: not locked
}

// S3Options say where a store is and who asks. The zero value is Amazon's, in
// us-east-1, asked by nobody.
type S3Options struct {
	Endpoint     string // URL; default: Amazon's of the region
	Region       string // default us-east-1
	AccessKey    string // empty: anonymous
	SecretKey    string
	SessionToken string
	Client       *http.Client
}

const (
	defaultRegion = "us-east-1"
	defaultLease  = time.Minute
	retryPause    = 200 * time.Millisecond
)

// bucketName are the names that Amazon allows:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// NewS3 returns the repository below a prefix of a bucket. Nothing is asked yet.
func NewS3(bucket, prefix string, opt S3Options) (*S3, error) {
	if !bucketName.MatchString(bucket) {
		return nil, fmt.Errorf("s3: bucket %q: %w", bucket, ErrTarget)
	}
	if opt.Region == "" {
		opt.Region = defaultRegion
	}
	if opt.Client == nil {
		opt.Client = newClient(uploadHeaders)
	}
	base, err := bucketURL(bucket, opt)
	if err != nil {
		return nil, err
	}
	client := *opt.Client
	// A redirect is an answer here: a signature is for one host alone.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := &S3{bucket: bucket, prefix: strings.Trim(prefix, "/"), base: base, region: opt.Region, client: &client,
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		lease:  defaultLease, pause: retryPause}
	if opt.AccessKey != "" {
		s.creds = aws.Credentials{AccessKeyID: opt.AccessKey, SecretAccessKey: opt.SecretKey, SessionToken: opt.SessionToken}
	}
	return s, nil
}

// bucketURL is where a bucket is: of Amazon by its host name, unless a dot in
// it would fail the certificate; elsewhere by path, which every store knows.
func bucketURL(bucket string, opt S3Options) (*url.URL, error) {
	if opt.Endpoint == "" {
		host := "s3." + opt.Region + ".amazonaws.com"
		if strings.HasPrefix(opt.Region, "cn-") {
			host += ".cn"
		}
		if strings.Contains(bucket, ".") {
			return &url.URL{Scheme: "https", Host: host, Path: "/" + bucket}, nil
		}
		return &url.URL{Scheme: "https", Host: bucket + "." + host}, nil
	}
	u, err := url.Parse(opt.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("s3: endpoint %q is no http or https URL: %w", redact(opt.Endpoint), ErrTarget)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/") + "/" + bucket}, nil
}

// openS3 opens bucket/prefix by the environment variables that the AWS SDKs
// share (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html).
func (c Carriers) openS3(target string) (*S3, error) {
	bucket, prefix, _ := strings.Cut(target, "/")
	first := func(names ...string) string {
		for _, n := range names {
			if v := c.Getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	opt := S3Options{
		Endpoint:     first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
		Region:       first("AWS_REGION", "AWS_DEFAULT_REGION"),
		AccessKey:    c.Getenv("AWS_ACCESS_KEY_ID"),
		SecretKey:    c.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: c.Getenv("AWS_SESSION_TOKEN"),
		Client:       c.Client,
	}
	if (opt.AccessKey == "") != (opt.SecretKey == "") {
		return nil, fmt.Errorf("s3: %w: one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is missing", ErrDenied)
	}
	return NewS3(bucket, prefix, opt)
}

func (s *S3) String() string {
	if s.prefix == "" {
		return "s3://" + s.bucket
	}
	return "s3://" + s.bucket + "/" + s.prefix
}

// key is the object of a file.
func (s *S3) key(name string) string {
	if s.prefix == "" {
		return name
	}
	return s.prefix + "/" + name
}

// Open gets an object, from an offset on.
func (s *S3) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	part := ""
	if offset > 0 {
		part = fmt.Sprintf("bytes=%d-", offset)
	}
	resp, err := s.open(ctx, name, part)
	var e *s3Error
	if errors.As(err, &e) && e.Status == http.StatusRequestedRangeNotSatisfiable {
		return http.NoBody, nil
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusPartialContent {
		offset = 0
	}
	return skip(resp.Body, offset)
}

// OpenRange gets a range of an object.
func (s *S3) OpenRange(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	resp, err := s.open(ctx, name, fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	if err != nil {
		return nil, err
	}
	return onlyRange(resp, offset, size)
}

// open gets an object or, by the Range header, a part of it.
func (s *S3) open(ctx context.Context, name, part string) (*http.Response, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	q := s3Request{method: http.MethodGet, key: s.key(name)}
	if part != "" {
		q.header = http.Header{"Range": {part}}
	}
	return s.do(ctx, q)
}

// onlyRange is the body of an answer, if that is the range asked for.
func onlyRange(resp *http.Response, offset, size int64) (io.ReadCloser, error) {
	if err := checkRange(resp, offset); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return limited{io.LimitReader(resp.Body, size), resp.Body}, nil
}

// skip returns body from n on, for a server that has no ranges.
func skip(body io.ReadCloser, n int64) (io.ReadCloser, error) {
	if _, err := io.CopyN(io.Discard, body, n); err != nil && err != io.EOF {
		body.Close()
		return nil, err
	}
	return body, nil
}

// stat returns the size of an object and its ETag.
func (s *S3) stat(ctx context.Context, name string) (size int64, etag string, err error) {
	resp, err := s.do(ctx, s3Request{method: http.MethodHead, key: s.key(name)})
	if err != nil {
		return 0, "", err
	}
	resp.Body.Close()
	return resp.ContentLength, resp.Header.Get("ETag"), nil
}

// Create puts an object that never changes, unless one of that size is there.
func (s *S3) Create(ctx context.Context, name string, size int64, r io.Reader) error {
	now, etag, err := s.stat(ctx, name)
	if err == nil && now == size {
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
	_, err = s.put(ctx, name, u, ifMatch(etag))
	if errors.Is(err, ErrConflict) {
		// Somebody was faster, or an answer was lost on its way.
		if now, _, serr := s.stat(ctx, name); serr == nil && now == size {
			return nil
		}
	}
	return err
}

// Write puts an object, whether it is there or not.
func (s *S3) Write(ctx context.Context, name string, data []byte) error {
	_, err := s.putBytes(ctx, name, data, nil)
	return err
}

// Swap puts an object if it is still what it was.
func (s *S3) Swap(ctx context.Context, name string, data, was []byte) error {
	now, etag, err := s.get(ctx, s.key(name), max(len(was), len(data)))
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrTooLarge) {
		return err
	}
	if errors.Is(err, ErrTooLarge) || (etag == "") != (was == nil) || !bytes.Equal(now, was) {
		return ErrConflict
	}
	_, err = s.putBytes(ctx, name, data, ifMatch(etag))
	var again *repeatedError
	if errors.As(err, &again) {
		// The first answer was lost: it may have been ours that won.
		if now, _, gerr := s.get(ctx, s.key(name), len(data)); gerr == nil && bytes.Equal(now, data) {
			return nil
		}
	}
	return err
}

// get returns a small object and its ETag; it is no larger than limit.
func (s *S3) get(ctx context.Context, key string, limit int) (data []byte, etag string, err error) {
	resp, err := s.do(ctx, s3Request{method: http.MethodGet, key: key})
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err = io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = ErrTooLarge
	}
	return data, resp.Header.Get("ETag"), err
}

// ifMatch is the condition that an object still has an ETag, or is not there.
func ifMatch(etag string) http.Header {
	if etag == "" {
		return http.Header{"If-None-Match": {"*"}}
	}
	return http.Header{"If-Match": {etag}}
}

func (s *S3) putBytes(ctx context.Context, name string, data []byte, condition http.Header) (etag string, err error) {
	u, err := newUpload(int64(len(data)), bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	return s.put(ctx, name, u, condition)
}

// put writes an object, if the condition holds and the lock has not been lost.
func (s *S3) put(ctx context.Context, name string, u *upload, condition http.Header) (etag string, err error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if err := s.checkLock(); err != nil {
		return "", err
	}
	h := http.Header{"Content-Type": {contentType(name)}, "Cache-Control": {"public, max-age=31536000, immutable"}}
	if mutable(name) {
		h.Set("Cache-Control", "public, max-age=60")
	}
	for k, v := range condition {
		h[k] = v
	}
	return s.putKey(ctx, s.key(name), u, h)
}

func (s *S3) putKey(ctx context.Context, key string, u *upload, h http.Header) (etag string, err error) {
	h.Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(u.hash[:]))
	resp, err := s.do(ctx, s3Request{method: http.MethodPut, key: key, header: h, body: u})
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	return resp.Header.Get("ETag"), nil
}

// Delete takes an object away.
func (s *S3) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := s.checkLock(); err != nil {
		return err
	}
	resp, err := s.do(ctx, s3Request{method: http.MethodDelete, key: s.key(name)})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// listPage is as much of a ListObjectsV2 answer as is needed:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
type listPage struct {
	XMLName   xml.Name `xml:"ListBucketResult"`
	Truncated bool     `xml:"IsTruncated"`
	Next      string   `xml:"NextContinuationToken"`
	Contents  []struct {
		Key string `xml:"Key"`
	} `xml:"Contents"`
}

// maxListPage is how large a page of 1,000 names may be.
const maxListPage = 8 << 20

// List calls yield with each file that begins with prefix, in the order of names.
func (s *S3) List(ctx context.Context, prefix string, yield func(string) error) error {
	query := url.Values{"list-type": {"2"}, "prefix": {s.key(prefix)}, "max-keys": {strconv.Itoa(s3PageSize)}}
	for {
		page, err := s.listPage(ctx, query)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			name := strings.TrimPrefix(o.Key, s.key(""))
			if checkName(name) != nil {
				continue // not a repository's
			}
			if err := yield(name); err != nil {
				return err
			}
		}
		if !page.Truncated || page.Next == "" {
			return nil
		}
		query.Set("continuation-token", page.Next)
	}
}

// s3PageSize is how many names are asked for at once.
var s3PageSize = 1000

func (s *S3) listPage(ctx context.Context, query url.Values) (page listPage, err error) {
	resp, err := s.do(ctx, s3Request{method: http.MethodGet, query: query})
	if err != nil {
		return page, err
	}
	defer resp.Body.Close()
	err = xml.NewDecoder(io.LimitReader(resp.Body, maxListPage)).Decode(&page)
	if err != nil {
		err = fmt.Errorf("list: %w", err)
	}
	return page, err
}
