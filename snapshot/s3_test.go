package snapshot

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestS3Target is what the names and the environment say of where a bucket is.
func TestS3Target(t *testing.T) {
	type place struct{ URL, Prefix, Region, Access string }
	tests := []struct {
		target string
		env    []string
		want   place
	}{
		{"s3://advisories", nil, place{"https://advisories.s3.us-east-1.amazonaws.com", "", "us-east-1", ""}},
		{"s3://advisories/main/", []string{"AWS_REGION", "eu-central-1"}, place{"https://advisories.s3.eu-central-1.amazonaws.com", "main", "eu-central-1", ""}},
		{"s3://advisories.example.org/a/b", []string{"AWS_DEFAULT_REGION", "eu-west-1"}, place{"https://s3.eu-west-1.amazonaws.com/advisories.example.org", "a/b", "eu-west-1", ""}},
		{"s3://advisories", []string{"AWS_REGION", "cn-north-1"}, place{"https://advisories.s3.cn-north-1.amazonaws.com.cn", "", "cn-north-1", ""}},
		{"s3://advisories/x", []string{"AWS_ENDPOINT_URL", "http://localhost:9000/", "AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "b"},
			place{"http://localhost:9000/advisories", "x", "us-east-1", "a"}},
		{"s3://advisories/x", []string{"AWS_ENDPOINT_URL", "http://localhost:9000", "AWS_ENDPOINT_URL_S3", "https://s3.example.org/store"},
			place{"https://s3.example.org/store/advisories", "x", "us-east-1", ""}},
	}
	for _, tt := range tests {
		r, err := Carriers{Getenv: testEnv(tt.env...)}.OpenRepository(tt.target)
		if err != nil {
			t.Errorf("%s: %v", tt.target, err)
			continue
		}
		s := r.(*S3)
		if d := cmp.Diff(tt.want, place{s.base.String(), s.prefix, s.region, s.creds.AccessKeyID}); d != "" {
			t.Errorf("%s: %s", tt.target, d)
		}
	}
}

// TestTargetsRefused are targets that name no repository.
func TestTargetsRefused(t *testing.T) {
	tests := []struct {
		target, says string
		env          []string
		reads        bool // it may be read
	}{
		{"https://user:hunter2@advdb.example.org", "read only", nil, true},
		{"http://advdb.example.org", "read only", nil, true},
		{"ftp://user:hunter2@example.org/x", `"ftp" is none of`, nil, false},
		{"s3://", "bucket", nil, false},
		{"s3://UPPER/x", "bucket", nil, false},
		{"s3://advisories", "endpoint", []string{"AWS_ENDPOINT_URL", "localhost:9000"}, false},
		{"s3://advisories", "AWS_SECRET_ACCESS_KEY is missing", []string{"AWS_ACCESS_KEY_ID", "a"}, false},
		{"oci://registry.example.org", "oci", nil, false},
		{"oci://registry.example.org/name:bad tag", "oci", nil, false},
		{"oci://registry.example.org/name@sha256:" + strings.Repeat("0", 64), "tag that can move", nil, false},
	}
	for _, tt := range tests {
		c := Carriers{Getenv: testEnv(tt.env...)}
		_, err := c.OpenRepository(tt.target)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("publish to %s: %v, want %q", tt.target, err, tt.says)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("publish to %s: the error tells the password: %v", tt.target, err)
		}
		if _, err := c.OpenReader(tt.target); (err == nil) != tt.reads {
			t.Errorf("read %s: %v", tt.target, err)
		}
	}
}

// forgetful is a proxy before a store that drops the conditions of requests,
// as a store does that does not know of them, and signs anew.
func forgetful(t *testing.T, addr string, forget func(*http.Request)) string {
	t.Helper()
	s := openTestS3(t, addr, "", testSecret)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: addr})
		r.Out.Host = addr
		forget(r.Out)
		r.Out.Header.Del("Authorization")
		hash := r.Out.Header.Get("X-Amz-Content-Sha256")
		if err := s.signer.SignHTTP(r.Out.Context(), s.creds, r.Out, hash, "s3", s.region, time.Now()); err != nil {
			t.Error(err)
		}
	}}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// TestS3Unconditional publishes to stores that ignore conditions, or do not
// implement them: that is said before anything of a release is written.
func TestS3Unconditional(t *testing.T) {
	addr := s3Server(t)
	w := newWorld(t, 31, 20)
	unknown := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(http.StatusNotImplemented)
		io.WriteString(rw, `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message></Error>`)
	}))
	defer unknown.Close()
	for name, addr := range map[string]string{
		"none":   forgetful(t, addr, func(r *http.Request) { r.Header.Del("If-None-Match"); r.Header.Del("If-Match") }),
		"create": forgetful(t, addr, func(r *http.Request) { r.Header.Del("If-None-Match") }),
		"swap":   forgetful(t, addr, func(r *http.Request) { r.Header.Del("If-Match") }),
		"501":    strings.TrimPrefix(unknown.URL, "http://"),
	} {
		t.Run(name, func(t *testing.T) {
			s := openTestS3(t, addr, "un-"+name, testSecret)
			if _, err := publishTo(t.Context(), w, s); !errors.Is(err, ErrUnconditional) {
				t.Errorf("publish: %v, want ErrUnconditional", err)
			}
			if name == "501" {
				return
			}
			for _, prefix := range []string{"tuf/", "log/", "blob/"} {
				err := s.List(t.Context(), prefix, func(name string) error { t.Errorf("%s was written", name); return nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestS3LockLost takes the lock from a publisher that stopped renewing it: it
// writes nothing more.
func TestS3LockLost(t *testing.T) {
	addr := s3Server(t)
	a, b := openTestS3(t, addr, "lost", testSecret), openTestS3(t, addr, "lost", testSecret)
	if _, err := a.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.held.stop()
	<-a.held.done
	start := time.Now()
	unlock, err := b.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("a lock of %v was waited for %v", a.lease, d)
	}
	for what, err := range map[string]error{
		"write":  a.Write(t.Context(), "log/tile/0/000", []byte("x")),
		"swap":   a.Swap(t.Context(), timestampName, []byte("x"), nil),
		"create": a.Create(t.Context(), "blob/00/00", 1, strings.NewReader("x")),
		"delete": a.Delete(t.Context(), "blob/00/00"),
		"renew":  a.held.put(t.Context(), ifMatch(a.held.etag)),
	} {
		if !errors.Is(err, ErrConflict) {
			t.Errorf("%s by who lost the lock: %v, want ErrConflict", what, err)
		}
	}
	if err := b.Write(t.Context(), "log/tile/0/000", []byte("y")); err != nil {
		t.Error(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// TestS3Passing fails requests for passing reasons: they are repeated, and a
// swap whose first answer was lost is known to have been won.
func TestS3Passing(t *testing.T) {
	addr := s3Server(t)
	var fail atomic.Int64
	target, err := url.Parse("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {}
	proxy.ModifyResponse = func(resp *http.Response) error {
		if fail.Add(-1) >= 0 {
			resp.StatusCode, resp.Status = http.StatusServiceUnavailable, "503 Slow Down" // it was done all the same
			resp.Header.Del("ETag")
		}
		return nil
	}
	srv := httptest.NewServer(proxy)
	defer srv.Close()
	s := openTestS3(t, addr, "passing", testSecret)
	r := openTestS3(t, strings.TrimPrefix(srv.URL, "http://"), "passing", testSecret)
	fail.Store(2)
	if err := r.Swap(t.Context(), timestampName, []byte("1"), nil); err != nil {
		t.Fatalf("first swap: %v", err)
	}
	fail.Store(3)
	if err := r.Swap(t.Context(), timestampName, []byte("2"), []byte("1")); err != nil {
		t.Fatalf("second swap: %v", err)
	}
	holds(t, s, timestampName, []byte("2"))
	name, data := blobOf(1000)
	fail.Store(2)
	create(t, r, name, data)
	holds(t, s, name, data)
	fail.Store(1 << 20)
	if _, err := r.Open(t.Context(), name, 0); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("open while the store fails: %v", err)
	}
}

// TestS3Gone replaces what somebody deleted meanwhile, which is a conflict
// though the store says 404.
func TestS3Gone(t *testing.T) {
	s := openTestS3(t, s3Server(t), "gone", testSecret)
	etag, err := s.putBytes(t.Context(), timestampName, []byte("1"), nil)
	if err == nil {
		err = s.Delete(t.Context(), timestampName)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.putBytes(t.Context(), timestampName, []byte("2"), ifMatch(etag)); !errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		t.Errorf("put: %v, want ErrConflict", err)
	}
	lacks(t, s, timestampName)
}

// TestS3Anonymous reads without credentials what is not there for strangers.
func TestS3Anonymous(t *testing.T) {
	addr := s3Server(t)
	r, err := Carriers{Getenv: testEnv("AWS_ENDPOINT_URL", "http://"+addr)}.OpenReader("s3://advisories/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), timestampName, 0); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("open: %v", err)
	}
	if err := r.(*S3).Write(t.Context(), timestampName, []byte("x")); !errors.Is(err, ErrDenied) {
		t.Errorf("write: %v", err)
	}
	missing := openTestS3(t, addr, "x", testSecret)
	missing.base.Path = "/no-such-bucket"
	if _, err := missing.Open(t.Context(), timestampName, 0); err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("open in a bucket that is not there: %v", err)
	}
}
